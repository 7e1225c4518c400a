//! `sentences`: sentences and their words, near the rules that Java's break iterators follow for English.

use std::sync::Arc;

use arrow::array::{ListBuilder, StringArray, StringBuilder};

use crate::columns::{Column, kernels, returned, rows};

kernels! {
    SENTENCES = "spark_sentences", |a| {
        let text = Column::<StringArray>::of(a, 0)?;
        let mut lists = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
        for row in 0..rows(a).0 {
            let text = text.get(row);
            for sentence in text.map(split).unwrap_or_default() {
                let words = lists.values();
                for word in words_of(sentence) {
                    words.values().append_value(word);
                }
                words.append(true);
            }
            lists.append(text.is_some());
        }
        returned(a, Arc::new(lists.finish()))
    };
}

/// A sentence ends after `.`, `?` or `!` and spaces; after `.` only where no small letter follows.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut at = 0;
    while let Some((_, c)) = chars.get(at) {
        if !matches!(c, '.' | '?' | '!') {
            at += 1;
            continue;
        }
        let mut hard = false;
        while let Some((_, c)) = chars.get(at).filter(|(_, c)| matches!(c, '.' | '?' | '!' | '"' | '\'' | ')' | ']')) {
            hard |= matches!(c, '?' | '!');
            at += 1;
        }
        let spaces = at;
        while chars.get(at).is_some_and(|(_, c)| c.is_whitespace()) {
            at += 1;
        }
        let Some((place, next)) = chars.get(at) else { break };
        if at > spaces && (hard || !next.is_lowercase()) {
            parts.push(text.get(start..*place).unwrap_or_default());
            start = *place;
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// Runs of letters and digits; a mark between two of them stays within.
fn words_of(sentence: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start: Option<usize> = None;
    let mut chars = sentence.char_indices().peekable();
    let mut before = ' ';
    while let Some((place, c)) = chars.next() {
        let next_is_word = chars.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        let next_is_digit = chars.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        let of_number = (c == '$' && next_is_digit) || (c == '%' && start.is_some() && before.is_ascii_digit());
        before = c;
        let within = c.is_alphanumeric()
            || c == '_'
            || of_number
            || (start.is_some() && next_is_word && matches!(c, '.' | '\'' | ',' | '-' | ':'));
        match (start, within) {
            (None, true) => start = Some(place),
            (Some(from), false) => {
                words.extend(sentence.get(from..place));
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.and_then(|from| sentence.get(from..)));
    // An amount of money is one word, but not one that is kept.
    words.retain(|word: &&str| word.starts_with(char::is_alphanumeric));
    words
}
