//! Where the reading is: the next token, the furthest that was ever wanted otherwise, and what is refused.

use super::refusal::Refusal;
use crate::lexer::tokens;
use crate::token::{Kind, Token};
use crate::tree::Span;
use crate::{ParseError, Settings};

/// The text is not what was wanted here; the parser knows the place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syntax;

pub(super) type Parsed<T> = Result<T, Syntax>;

pub(super) struct Parser<'a> {
    pub text: &'a str,
    pub settings: Settings,
    pub(super) tokens: Vec<Token>,
    /// For each token that opens a parenthesis, the one that closes it.
    pub(super) closing: Vec<u32>,
    pub(super) at: usize,
    pub(super) furthest: usize,
    pub(super) refusal: Option<Refusal>,
    pub(super) depth: usize,
    pub(super) height: usize,
    pub(super) parameters: usize,
}

impl<'a> Parser<'a> {
    pub fn new(text: &'a str, settings: Settings) -> Result<Self, ParseError> {
        let unclosed = |_| {
            let message = "Found an unclosed bracketed comment. Please, append */ at the end of the comment.";
            ParseError::new("UNCLOSED_BRACKETED_COMMENT", message.to_owned(), text, None)
        };
        let tokens = tokens(text).map_err(unclosed)?;
        let closing = closing(&tokens);
        let (at, furthest, refusal, depth, height, parameters) = (0, 0, None, 0, 0, 0);
        Ok(Parser { text, settings, tokens, closing, at, furthest, refusal, depth, height, parameters })
    }

    /// What came of reading the whole text.
    pub fn outcome<T>(self, found: Parsed<T>) -> Result<T, ParseError> {
        let refused = |refusal: Refusal| {
            let offset = refusal.span.map(|span| span.start as usize);
            ParseError::new(refusal.class, refusal.message, self.text, offset)
        };
        match (found, self.refusal) {
            (Ok(found), None) => Ok(found),
            (Err(Syntax), Some(refusal)) if !refusal.final_ => {
                Err(syntax_error(self.text, &self.tokens, self.furthest))
            }
            (Err(Syntax), None) => Err(syntax_error(self.text, &self.tokens, self.furthest)),
            (_, Some(refusal)) => Err(refused(refusal)),
        }
    }

    /// The token `ahead` places behind the next one.
    pub fn peek(&self, ahead: usize) -> Token {
        let last = self.tokens.len() - 1;
        self.tokens[(self.at + ahead).min(last)]
    }

    pub fn kind(&self) -> Kind {
        self.peek(0).kind
    }

    pub fn span(&self) -> Span {
        self.peek(0).span
    }

    /// From `start` to the end of the token last read.
    pub fn span_from(&self, start: Span) -> Span {
        start.to(self.last_span())
    }

    pub fn last_span(&self) -> Span {
        self.at.checked_sub(1).map_or_else(|| self.span(), |at| self.tokens[at].span)
    }

    pub fn text_of(&self, span: Span) -> &'a str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    pub fn advance(&mut self) -> Token {
        let token = self.peek(0);
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
            self.furthest = self.furthest.max(self.at);
        }
        token
    }

    pub fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.advance();
        }
    }

    /// The next token is not what is wanted.
    pub fn wrong<T>(&mut self) -> Parsed<T> {
        self.furthest = self.furthest.max(self.at);
        Err(Syntax)
    }

    pub fn is(&self, kind: Kind) -> bool {
        self.kind() == kind
    }

    pub fn take(&mut self, kind: Kind) -> bool {
        let found = self.is(kind);
        if found {
            self.advance();
        }
        found
    }

    pub fn expect(&mut self, kind: Kind) -> Parsed<Token> {
        if self.is(kind) { Ok(self.advance()) } else { self.wrong() }
    }

    /// Whether the token `ahead` places behind the next one is this keyword.
    pub fn word_at(&self, ahead: usize, keyword: &str) -> bool {
        let token = self.peek(ahead);
        match token.kind {
            Kind::Word => {
                let word = self.text_of(token.span);
                word.eq_ignore_ascii_case(keyword)
                    || (keyword == "TEMPORARY" && word.eq_ignore_ascii_case("TEMP"))
                    || (keyword == "RLIKE" && word.eq_ignore_ascii_case("REGEXP"))
            }
            Kind::Bang => keyword == "NOT",
            _ => false,
        }
    }

    pub fn is_word(&self, keyword: &str) -> bool {
        self.word_at(0, keyword)
    }

    pub fn is_words(&self, keywords: &[&str]) -> bool {
        keywords.iter().enumerate().all(|(ahead, keyword)| self.word_at(ahead, keyword))
    }

    pub fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is_word(keyword))
    }

    pub fn take_word(&mut self, keyword: &str) -> bool {
        let found = self.is_word(keyword);
        if found {
            self.advance();
        }
        found
    }

    /// All of them or none.
    pub fn take_words(&mut self, keywords: &[&str]) -> bool {
        let found = self.is_words(keywords);
        if found {
            self.skip(keywords.len());
        }
        found
    }

    pub fn take_any(&mut self, keywords: &[&str]) -> bool {
        let found = self.is_any(keywords);
        if found {
            self.advance();
        }
        found
    }

    pub fn expect_word(&mut self, keyword: &str) -> Parsed<Span> {
        if self.is_word(keyword) { Ok(self.advance().span) } else { self.wrong() }
    }

    pub fn expect_words(&mut self, keywords: &[&str]) -> Parsed<()> {
        keywords.iter().try_for_each(|keyword| self.expect_word(keyword).map(drop))
    }

    pub fn end(&mut self) -> Parsed<()> {
        if self.is(Kind::End) { Ok(()) } else { self.wrong() }
    }

    /// What `read` finds, or nothing and the place as before.
    pub fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Option<T> {
        let (at, refusal, depth, parameters) = (self.at, self.refusal.clone(), self.depth, self.parameters);
        match read(self) {
            Ok(found) => Some(found),
            Err(Syntax) => {
                let kept = self.refusal.take().filter(|refusal| refusal.final_).or(refusal);
                (self.at, self.refusal, self.depth, self.parameters) = (at, kept, depth, parameters);
                None
            }
        }
    }

    /// One or more, with commas between them.
    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut found = vec![read(self)?];
        while self.take(Kind::Comma) {
            found.push(read(self)?);
        }
        Ok(found)
    }

    /// `( … )`
    pub fn parenthesized<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.expect(Kind::LeftParen)?;
        let found = read(self)?;
        self.expect(Kind::RightParen)?;
        Ok(found)
    }
}

/// Where each parenthesis is closed; at the end, if it never is.
fn closing(tokens: &[Token]) -> Vec<u32> {
    let last = u32::try_from(tokens.len() - 1).unwrap_or(u32::MAX);
    let mut closing = vec![last; tokens.len()];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::LeftParen => open.push(at),
            Kind::RightParen => {
                if let Some(opened) = open.pop() {
                    closing[opened] = u32::try_from(at).unwrap_or(u32::MAX);
                }
            }
            _ => {}
        }
    }
    closing
}

fn syntax_error(text: &str, tokens: &[Token], at: usize) -> ParseError {
    let span = tokens[at.min(tokens.len() - 1)].span;
    let word = text.get(span.start as usize..span.end as usize).unwrap_or_default();
    let place = if word.is_empty() { "end of input".to_owned() } else { format!("'{word}'") };
    let message = format!("Syntax error at or near {place}.");
    ParseError::new("PARSE_SYNTAX_ERROR", message, text, Some(span.start as usize))
}
