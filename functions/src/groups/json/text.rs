//! JSON as Jackson reads it for Spark: single quotes and NaN are allowed, numbers keep their digits, names may repeat.

use std::fmt::Write;

use crate::text::java_double;

/// Values nested deeper than this are malformed.
const MOST_DEPTH: usize = 500;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// Its digits.
    Int(String),
    Float(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The first value of a text and what follows it; none if the value is malformed.
    pub(crate) fn first(text: &str) -> Option<(Json, &str)> {
        Json::by(text, Rules::default())
    }

    /// The same, as options want it.
    pub(crate) fn by(text: &str, rules: Rules) -> Option<(Json, &str)> {
        let mut reader = Reader { rest: text, rules };
        let value = reader.value(0)?;
        Some((value, reader.rest))
    }

    /// The same where numbers may begin with zeros.
    pub(crate) fn first_lenient(text: &str) -> Option<(Json, &str)> {
        Json::by(text, Rules { zeros: true, ..Rules::default() })
    }

    /// As Jackson writes it: floating-point numbers as doubles.
    pub(crate) fn write(&self, to: &mut String) {
        match self {
            Json::Null => to.push_str("null"),
            Json::Bool(value) => {
                let _ = write!(to, "{value}");
            }
            Json::Int(digits) => to.push_str(digits),
            Json::Float(digits) => match digits.parse::<f64>() {
                Ok(value) if value.is_finite() => to.push_str(&java_double(value)),
                Ok(value) => quote(&java_double(value), to),
                Err(_) => to.push_str(digits),
            },
            Json::Text(text) => quote(text, to),
            Json::Array(items) => {
                to.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        to.push(',');
                    }
                    item.write(to);
                }
                to.push(']');
            }
            Json::Object(fields) => {
                to.push('{');
                for (at, (name, value)) in fields.iter().enumerate() {
                    if at > 0 {
                        to.push(',');
                    }
                    quote(name, to);
                    to.push(':');
                    value.write(to);
                }
                to.push('}');
            }
        }
    }

    pub(crate) fn to_text(&self) -> String {
        let mut to = String::new();
        self.write(&mut to);
        to
    }
}

/// A string in quotes.
pub(crate) fn quote(text: &str, to: &mut String) {
    to.push('"');
    for c in text.chars() {
        match c {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            '\t' => to.push_str("\\t"),
            '\u{8}' => to.push_str("\\b"),
            '\u{c}' => to.push_str("\\f"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(to, "\\u{:04X}", u32::from(c));
            }
            c => to.push(c),
        }
    }
    to.push('"');
}

/// What is taken that is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Numbers that begin with zeros.
    pub(crate) zeros: bool,
    /// Comments as in C.
    pub(crate) comments: bool,
    /// Names without quotes.
    pub(crate) bare_names: bool,
    /// Single quotes.
    pub(crate) single_quotes: bool,
    /// `NaN` and infinities.
    pub(crate) non_numeric: bool,
    /// A backslash before any character.
    pub(crate) any_escape: bool,
    /// Control characters in strings.
    pub(crate) controls: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            zeros: false,
            comments: false,
            bare_names: false,
            single_quotes: true,
            non_numeric: true,
            any_escape: false,
            controls: false,
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    rules: Rules,
}

impl Reader<'_> {
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{feff}']);
            let end = match self.rest.get(..2) {
                Some("//") if self.rules.comments => self.rest.find('\n').map(|at| at + 1),
                Some("/*") if self.rules.comments => self.rest.find("*/").map(|at| at + 2),
                _ => return,
            };
            self.rest = end.and_then(|end| self.rest.get(end..)).unwrap_or_default();
        }
    }

    /// The name of a field.
    fn name(&mut self) -> Option<String> {
        if !self.rules.bare_names || self.rest.starts_with(['"', '\'']) {
            return self.string();
        }
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '-' | '@' | '#' | '*' | '+');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn symbol(&mut self, symbol: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > MOST_DEPTH {
            return None;
        }
        self.skip();
        match self.rest.chars().next()? {
            '{' => {
                self.symbol('{');
                let mut fields = Vec::new();
                if self.symbol('}') {
                    return Some(Json::Object(fields));
                }
                loop {
                    self.skip();
                    let name = self.name()?;
                    if !self.symbol(':') {
                        return None;
                    }
                    fields.push((name, self.value(depth + 1)?));
                    if self.symbol('}') {
                        return Some(Json::Object(fields));
                    }
                    if !self.symbol(',') {
                        return None;
                    }
                }
            }
            '[' => {
                self.symbol('[');
                let mut items = Vec::new();
                if self.symbol(']') {
                    return Some(Json::Array(items));
                }
                loop {
                    items.push(self.value(depth + 1)?);
                    if self.symbol(']') {
                        return Some(Json::Array(items));
                    }
                    if !self.symbol(',') {
                        return None;
                    }
                }
            }
            '"' | '\'' => self.string().map(Json::Text),
            _ => self.word(),
        }
    }

    /// A string in quotes of either kind.
    fn string(&mut self) -> Option<String> {
        let single = self.rules.single_quotes;
        let quote = self.rest.chars().next().filter(|c| *c == '"' || *c == '\'' && single)?;
        let mut to = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.rest = self.rest.get(at + 1..)?;
                    return Some(to);
                }
                '\\' => match chars.next()?.1 {
                    'n' => to.push('\n'),
                    't' => to.push('\t'),
                    'r' => to.push('\r'),
                    'b' => to.push('\u{8}'),
                    'f' => to.push('\u{c}'),
                    'u' => {
                        let mut unit = || -> Option<u32> {
                            let digits: String = (0..4).filter_map(|_| chars.next()).map(|(_, c)| c).collect();
                            if digits.len() == 4 { u32::from_str_radix(&digits, 16).ok() } else { None }
                        };
                        let code = unit()?;
                        if (0xd800..0xdc00).contains(&code) {
                            let next = (chars.next()?.1, chars.next()?.1);
                            let digits: String = (0..4).filter_map(|_| chars.next()).map(|(_, c)| c).collect();
                            let low =
                                u32::from_str_radix(&digits, 16).ok().filter(|low| (0xdc00..0xe000).contains(low));
                            match (next, low) {
                                (('\\', 'u'), Some(low)) => {
                                    to.push(char::from_u32(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00))?)
                                }
                                _ => return None,
                            }
                        } else {
                            to.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                        }
                    }
                    c @ ('"' | '\\' | '/' | '\'') => to.push(c),
                    c if self.rules.any_escape => to.push(c),
                    _ => return None,
                },
                c if u32::from(c) < 0x20 && !self.rules.controls => return None,
                c => to.push(c),
            }
        }
        None
    }

    /// A number, or one of the words.
    fn word(&mut self) -> Option<Json> {
        let end =
            self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(match word {
            "null" => Json::Null,
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            "NaN" | "Infinity" | "-Infinity" if self.rules.non_numeric => Json::Float(word.to_owned()),
            "+Infinity" | "INF" | "+INF" if self.rules.non_numeric => Json::Float("Infinity".to_owned()),
            "-INF" if self.rules.non_numeric => Json::Float("-Infinity".to_owned()),
            word => number(word, self.rules.zeros)?,
        })
    }
}

fn number(word: &str, zeros: bool) -> Option<Json> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let leading_zero = !zeros && whole.len() > 1 && whole.starts_with('0');
    if !digits(whole) || leading_zero || !fraction.is_none_or(digits) || !exponent.is_none_or(digits) {
        return None;
    }
    Some(if fraction.is_none() && exponent.is_none() {
        Json::Int(word.to_owned())
    } else {
        Json::Float(word.to_owned())
    })
}
