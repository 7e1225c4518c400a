//! Whether Java's older SimpleDateFormat would read a text: where it would and the new parser does not, Spark fails instead of
//! saying NULL. It takes numbers of any width, names by their beginning, and leaves what follows alone.

use super::names::{DAYS, MONTHS};
use crate::civil::days;

pub(super) fn reads(pattern: &str, text: &str) -> bool {
    attempt(pattern, text).is_some()
}

fn attempt(pattern: &str, mut text: &str) -> Option<()> {
    let chars: Vec<char> = pattern.chars().collect();
    let (mut year, mut month, mut day) = (1970, 1, 1);
    let mut at = 0;
    let mut quoted = false;
    while let Some(c) = chars.get(at).copied() {
        if c == '\'' {
            if chars.get(at + 1) == Some(&'\'') {
                text = text.strip_prefix('\'')?;
                at += 2;
            } else {
                quoted = !quoted;
                at += 1;
            }
            continue;
        }
        if quoted || !c.is_ascii_alphabetic() {
            text = text.strip_prefix(c)?;
            at += 1;
            continue;
        }
        let count = chars[at..].iter().take_while(|next| **next == c).count();
        at += count;
        let abuts = chars.get(at).is_some_and(char::is_ascii_alphabetic);
        match c {
            'M' | 'L' if count >= 3 => {
                let (index, rest) = named(text, &MONTHS)?;
                (month, text) = (index + 1, rest);
            }
            'E' => (_, text) = named(text, &DAYS)?,
            'a' => {
                let start = text.get(..2)?;
                text =
                    text.get(2..).filter(|_| start.eq_ignore_ascii_case("am") || start.eq_ignore_ascii_case("pm"))?;
            }
            'G' => text = text.get(2..).filter(|_| text.starts_with("AD") || text.starts_with("BC"))?,
            'z' | 'Z' | 'X' => {
                let end =
                    text.find(|c: char| !(c.is_ascii_alphanumeric() || "+-:/_".contains(c))).unwrap_or(text.len());
                text = text.get(end..).filter(|_| end > 0)?;
            }
            'y' | 'M' | 'L' | 'd' | 'H' | 'h' | 'k' | 'K' | 'm' | 's' | 'S' | 'D' | 'u' | 'w' | 'W' | 'F' | 'Y' => {
                let body = text.trim_start_matches([' ', '\t']);
                let (sign, body) = body.strip_prefix('-').map_or((1, body), |rest| (-1, rest));
                let most = if abuts { count } else { 18 };
                let length = body.bytes().take(most).take_while(u8::is_ascii_digit).count();
                let value: i64 = body.get(..length)?.parse::<i64>().ok()? * sign;
                text = body.get(length..)?;
                let range = match c {
                    'y' => {
                        year = if count <= 2 && length == 2 { 2000 + value } else { value };
                        i64::MIN..=i64::MAX
                    }
                    'M' | 'L' => {
                        month = value;
                        1..=12
                    }
                    'd' => {
                        day = value;
                        1..=31
                    }
                    'H' => 0..=23,
                    'k' => 1..=24,
                    'K' => 0..=11,
                    'h' => 1..=12,
                    'm' | 's' => 0..=59,
                    'S' => 0..=999,
                    'D' => 1..=366,
                    _ => i64::MIN..=i64::MAX,
                };
                if !range.contains(&value) {
                    return None;
                }
            }
            _ => return None,
        }
    }
    days(year, month, day).map(|_| ())
}

fn named<'t>(text: &'t str, names: &[&str]) -> Option<(i64, &'t str)> {
    for (index, name) in names.iter().enumerate() {
        for name in [Some(*name), name.get(..3)].into_iter().flatten() {
            if text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
                return Some((i64::try_from(index).ok()?, text.get(name.len()..)?));
            }
        }
    }
    None
}
