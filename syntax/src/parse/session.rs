//! Statements about the session: `USE`, `SET`, `RESET`, and files that are added to it.

use super::cursor::{Parsed, Parser};
use crate::strings::unquoted_text;
use crate::token::Kind;
use crate::tree::{Interval, IntervalUnit, SetStatement, Span, Statement, TimeZone};

const SET_FORMAT: &str = "Expected format is 'SET', 'SET key', or 'SET key=value'. If you want to include special \
                          characters in key, or include semicolon in value, please use backquotes, e.g., SET \
                          `key`=`value`.";
const RESET_FORMAT: &str = "Expected format is 'RESET' or 'RESET key'. If you want to include special characters in \
                            key, please use quotes, e.g., RESET `key`.";

impl Parser<'_> {
    pub fn use_statement(&mut self) -> Parsed<Statement> {
        self.advance();
        let namespace = ["NAMESPACE", "DATABASE", "SCHEMA"].iter().any(|keyword| self.is_word(keyword));
        if namespace && self.identifier_at(1) {
            self.advance();
            return self.reference().map(Statement::UseNamespace);
        }
        self.reference().map(Statement::Use)
    }

    pub fn set(&mut self) -> Parsed<Statement> {
        let start = self.advance().span;
        if self.is_word("CATALOG") && (self.identifier_at(1) || self.string_at(1)) {
            let catalog = self.attempt(|parser| {
                parser.advance();
                let name = if parser.string_at(0) { parser.string()? } else { parser.identifier()?.value };
                parser.statement_end().map(|()| name)
            });
            if let Some(name) = catalog {
                return Ok(Statement::SetCatalog(name));
            }
        }
        if self.is_word("ROLE") {
            return self.native("SET ROLE", start);
        }
        if self.is_words(&["TIME", "ZONE"]) {
            self.advance();
            self.advance();
            return self.time_zone(start);
        }
        self.configuration(start)
    }

    fn time_zone(&mut self, start: Span) -> Parsed<Statement> {
        let zone = self.attempt(|parser| {
            let span = parser.span();
            let zone = if parser.interval_ahead() {
                let interval = parser.interval()?;
                parser.check_offset(&interval, span);
                TimeZone::Offset(interval)
            } else if parser.take_word("LOCAL") {
                TimeZone::Local
            } else {
                TimeZone::Named(parser.string()?)
            };
            parser.statement_end().map(|()| zone)
        });
        match zone {
            Some(zone) => Ok(Statement::SetTimeZone(zone)),
            None => {
                self.refuse("_LEGACY_ERROR_TEMP_0045", "Invalid time zone displacement value.", start);
                self.skip_statement();
                Ok(Statement::SetTimeZone(TimeZone::Local))
            }
        }
    }

    /// Whether the interval is of hours, minutes and seconds, and at most 18 hours.
    fn check_offset(&mut self, interval: &Interval, span: Span) {
        let seconds = |unit: IntervalUnit| match unit {
            IntervalUnit::Hour => 3_600,
            IntervalUnit::Minute => 60,
            IntervalUnit::Second => 1,
            _ => 1_000_000,
        };
        let total: f64 = match interval {
            Interval::Units(parts) => {
                parts.iter().map(|part| part.value.parse().unwrap_or(f64::MAX) * f64::from(seconds(part.unit))).sum()
            }
            Interval::Range { value, from: IntervalUnit::Hour, .. } => {
                let fields = value.split(':').zip([3_600.0, 60.0, 1.0]);
                fields.map(|(field, seconds)| field.parse().unwrap_or(f64::MAX) * seconds).sum()
            }
            _ => f64::MAX,
        };
        if total.abs() > 18.0 * 3_600.0 || total.fract() != 0.0 {
            let message = "The interval value must be in the range of [-18, +18] hours with second precision.";
            self.refuse("_LEGACY_ERROR_TEMP_0044", message, span);
        }
    }

    /// `key = value`, the value being all that follows, as it stands.
    fn configuration(&mut self, start: Span) -> Parsed<Statement> {
        let quoted_key =
            self.is(Kind::Backquoted) && matches!(self.peek(1).kind, Kind::Eq | Kind::End | Kind::Semicolon);
        let last = self.last_value();
        if let Some((equals, value)) = last {
            let key = if quoted_key && equals == self.at + 1 {
                self.any_word().value
            } else {
                let end = self.tokens[equals].span.start as usize;
                self.text.get(self.span().start as usize..end).unwrap_or_default().trim().to_owned()
            };
            let plain = quoted_key || is_key(&key);
            self.at = equals + 2;
            if !plain {
                let message =
                    format!("\"{key}\" is an invalid property key, please use quotes, e.g. SET \"{key}\"=\"{value}\".");
                self.refuse("INVALID_PROPERTY_KEY", message, start);
            }
            return Ok(Statement::Set(SetStatement::Assign(key, value)));
        }
        if quoted_key {
            let key = self.any_word().value;
            let behind = self.span().end as usize;
            if self.take(Kind::Eq) {
                self.skip_statement();
                let value = self.rest_from(behind);
                return Ok(Statement::Set(SetStatement::Assign(key, value)));
            }
            return Ok(Statement::Set(SetStatement::Get(key)));
        }
        let behind = start.end as usize;
        self.skip_statement();
        let rest = self.rest_from(behind);
        let set = match rest.split_once('=') {
            _ if rest.is_empty() => SetStatement::All,
            _ if rest == "-v" => SetStatement::Verbose,
            Some((key, value)) if is_key(key.trim_end()) && !value.contains(';') => {
                SetStatement::Assign(key.trim_end().to_owned(), value.trim().to_owned())
            }
            None if is_key(&rest) => SetStatement::Get(rest),
            _ => {
                self.refuse("INVALID_SET_SYNTAX", SET_FORMAT, start);
                SetStatement::All
            }
        };
        Ok(Statement::Set(set))
    }

    /// Where `= ` and a value in backquotes end the statement.
    fn last_value(&self) -> Option<(usize, String)> {
        let mut end = self.tokens.len() - 1;
        while end > self.at && self.tokens[end - 1].kind == Kind::Semicolon {
            end -= 1;
        }
        let value = end.checked_sub(1).filter(|&at| at > self.at && self.tokens[at].kind == Kind::Backquoted)?;
        let equals = value.checked_sub(1).filter(|&at| at > self.at && self.tokens[at].kind == Kind::Eq)?;
        Some((equals, crate::strings::unquoted_name(self.text_of(self.tokens[value].span))))
    }

    /// The text from there on to the semicolons at the end.
    fn rest_from(&self, offset: usize) -> String {
        let end = self.peek(0).span.start as usize;
        self.text.get(offset..end.max(offset)).unwrap_or_default().trim().to_owned()
    }

    pub fn reset(&mut self) -> Parsed<Statement> {
        let start = self.advance().span;
        if self.is(Kind::Backquoted) && matches!(self.peek(1).kind, Kind::End | Kind::Semicolon) {
            return Ok(Statement::Reset(Some(self.any_word().value)));
        }
        self.skip_statement();
        let key = self.rest_from(start.end as usize);
        if !key.is_empty() && !is_key(&key) {
            self.refuse("_LEGACY_ERROR_TEMP_0043", RESET_FORMAT, start);
        }
        Ok(Statement::Reset(Some(key).filter(|key| !key.is_empty())))
    }

    /// `ADD JAR path 'other path'`
    pub fn resource(&mut self) -> Parsed<Statement> {
        let start = self.span();
        let adds = self.is_word("ADD");
        self.advance();
        let word = self.identifier()?;
        let statement = if adds { "ADD" } else { "LIST" };
        let kind = self.resource_kind(&word, statement, start);
        self.skip_statement();
        let paths = paths(&self.rest_from(word.span.end as usize));
        Ok(if adds { Statement::AddResource { kind, paths } } else { Statement::ListResource { kind, paths } })
    }
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_\\.:".contains(&byte))
}

/// Paths between spaces, or in quotes.
fn paths(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let quoted = matches!(first, '\'' | '"');
        let end = match quoted {
            true => rest[1..].find(first).map_or(rest.len(), |at| at + 2),
            false => rest.find([' ', '\n', '\r', '\t', '"', '\'']).unwrap_or(rest.len()),
        };
        let path = &rest[..end];
        let closed = quoted && end > 1 && path.ends_with(first);
        paths.push(if closed { unquoted_text(path, false) } else { path.to_owned() });
        rest = rest[end..].trim_start();
    }
    paths
}
