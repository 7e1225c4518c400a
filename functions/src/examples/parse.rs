//! Just enough of SQL for examples: literals, calls, casts.

use std::sync::Arc;

use datafusion::scalar::ScalarValue;

use crate::cast::{CastMode, cast, convert};
use crate::intervals::{CalendarInterval, Style, day_time_of_text, day_time_text, year_month_of_text, year_month_text};
use crate::{Call, DataType, DayTimeField, Error, Resolve, Settings, Typed, YearMonthField, find};

pub(super) fn select(sql: &str, settings: &Arc<Settings>) -> Result<Vec<Typed>, Error> {
    let mut parser = Parser { rest: sql, settings };
    if !parser.word("select") {
        return Err(parser.fail("no SELECT"));
    }
    let columns = parser.list("")?;
    if parser.rest.trim().is_empty() { Ok(columns) } else { Err(parser.fail("not understood")) }
}

struct Parser<'a> {
    rest: &'a str,
    settings: &'a Arc<Settings>,
}

impl<'a> Parser<'a> {
    fn fail(&self, what: &str) -> Error {
        Error::new("UNKNOWN_EXAMPLE", format!("{what}: {}", self.rest))
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn word(&mut self, word: &str) -> bool {
        self.skip();
        let found = self.rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && !self.rest[word.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if found {
            self.rest = &self.rest[word.len()..];
        }
        found
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn list(&mut self, end: &str) -> Result<Vec<Typed>, Error> {
        let mut items = Vec::new();
        if !end.is_empty() && self.symbol(end) {
            return Ok(items);
        }
        loop {
            items.push(self.expression()?);
            if !self.symbol(",") {
                break;
            }
        }
        if !end.is_empty() && !self.symbol(end) {
            return Err(self.fail("no end of the list"));
        }
        Ok(items)
    }

    fn expression(&mut self) -> Result<Typed, Error> {
        let mut left = self.primary()?;
        for (operator, name) in [("not like", ""), ("ilike", "ilike"), ("like", "like"), ("rlike", "rlike")] {
            if self.word(operator) && !name.is_empty() {
                let right = self.primary()?;
                let mut arguments = vec![left, right];
                if self.word("escape") {
                    arguments.push(self.primary()?);
                }
                left = self.resolve(name, arguments)?;
                break;
            }
        }
        Ok(left)
    }

    fn quoted(&mut self) -> Option<String> {
        self.skip();
        let quote = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'b' => text.push('\u{8}'),
                    'u' => {
                        let code: String = (0..4).filter_map(|_| chars.next()).map(|(_, c)| c).collect();
                        text.push(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32)?);
                    }
                    c @ ('%' | '_') => text.extend(['\\', c]),
                    c => text.push(c),
                },
                c if c == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Some(text);
                }
                c => text.push(c),
            }
        }
        None
    }

    fn identifier(&mut self) -> Option<String> {
        self.skip();
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.is_empty() || word.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        self.rest = rest;
        Some(word.to_owned())
    }

    fn primary(&mut self) -> Result<Typed, Error> {
        if let Some(text) = self.quoted() {
            return Ok(crate::checks::text(&text));
        }
        self.skip();
        if self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '-') {
            return self.number();
        }
        if self.symbol("(") {
            return self.list(")")?.pop().ok_or_else(|| self.fail("nothing in parentheses"));
        }
        let word = self.identifier().ok_or_else(|| self.fail("not understood"))?;
        let lower = word.to_lowercase();
        match lower.as_str() {
            "null" => return Typed::null(DataType::Void, "NULL"),
            "true" | "false" => return Ok(crate::checks::boolean(lower == "true")),
            "cast" => return self.cast(),
            "interval" => return self.interval(),
            "x" | "date" | "timestamp" | "timestamp_ntz" | "timestamp_ltz" => {
                if let Some(text) = self.quoted() {
                    return self.typed_literal(&lower, &text);
                }
            }
            _ => {}
        }
        if !self.symbol("(") {
            return Err(self.fail("no call"));
        }
        match lower.as_str() {
            "extract" => {
                let field = self.identifier().ok_or_else(|| self.fail("no field"))?;
                if !self.word("from") {
                    return Err(self.fail("no FROM"));
                }
                let mut arguments = vec![crate::checks::text(&field)];
                arguments.extend(self.list(")")?);
                self.resolve(&lower, arguments)
            }
            "timestampadd" | "timestampdiff" => {
                let unit = self.identifier().ok_or_else(|| self.fail("no unit"))?;
                let mut arguments = vec![crate::checks::text(&unit)];
                self.symbol(",");
                arguments.extend(self.list(")")?);
                self.resolve(&lower, arguments)
            }
            _ => {
                let arguments = self.list(")")?;
                self.resolve(&word, arguments)
            }
        }
    }

    fn resolve(&self, written: &str, arguments: Vec<Typed>) -> Result<Typed, Error> {
        let lower = written.to_lowercase();
        if let ("date" | "timestamp", [value]) = (lower.as_str(), arguments.as_slice()) {
            let to = if lower == "date" { DataType::Date } else { DataType::Timestamp };
            return convert(value.clone(), &to, CastMode::Legacy, self.settings);
        }
        let function = find(written).ok_or_else(|| Error::new("UNKNOWN_EXAMPLE", format!("no function {written}")))?;
        let call = Call { written, name: function.name, arguments, settings: self.settings };
        match function.resolve {
            Resolve::Scalar(resolve) => resolve(call),
            _ => Err(Error::unsupported(format!("the function {written}"))),
        }
    }

    fn number(&mut self) -> Result<Typed, Error> {
        let end = self
            .rest
            .char_indices()
            .find(|(at, c)| {
                !(c.is_ascii_alphanumeric()
                    || *c == '.'
                    || (*c == '-' && (*at == 0 || self.rest[..*at].ends_with(['e', 'E']))))
            })
            .map_or(self.rest.len(), |(at, _)| at);
        let (text, rest) = self.rest.split_at(end);
        let unknown = || Error::new("UNKNOWN_EXAMPLE", format!("the number {text}"));
        self.rest = rest;
        let lower = text.to_lowercase();
        if let Some(number) = lower.strip_suffix('l') {
            let value: i64 = number.parse().map_err(|_| unknown())?;
            return Ok(Typed::literal(ScalarValue::Int64(Some(value)), DataType::Long, number));
        }
        if let Some(number) = lower.strip_suffix('s') {
            let value: i16 = number.parse().map_err(|_| unknown())?;
            return Ok(Typed::literal(ScalarValue::Int16(Some(value)), DataType::Short, number));
        }
        if lower.contains('e') || lower.ends_with('d') {
            let value: f64 = lower.trim_end_matches('d').parse().map_err(|_| unknown())?;
            let name = crate::text::java_double(value);
            return Ok(Typed::literal(ScalarValue::Float64(Some(value)), DataType::Double, name));
        }
        if let Some((whole, fraction)) = lower.split_once('.') {
            let scale = i8::try_from(fraction.len()).map_err(|_| unknown())?;
            let value: i128 = format!("{whole}{fraction}").parse().map_err(|_| unknown())?;
            let digits = u8::try_from(value.unsigned_abs().to_string().len()).map_err(|_| unknown())?;
            let precision = digits.max(u8::try_from(scale).map_err(|_| unknown())?);
            let whole = if matches!(whole, "" | "-") { format!("{whole}0") } else { whole.to_owned() };
            let (sign, digits) = whole.strip_prefix('-').map_or(("", whole.as_str()), |digits| ("-", digits));
            let digits = digits.trim_start_matches('0');
            let name = format!("{sign}{}.{fraction}", if digits.is_empty() { "0" } else { digits });
            return Ok(Typed::literal(
                ScalarValue::Decimal128(Some(value), precision, scale),
                DataType::Decimal(precision, scale),
                name,
            ));
        }
        match (lower.parse::<i32>(), lower.parse::<i64>()) {
            (Ok(value), _) => Ok(crate::checks::int(value)),
            (_, Ok(value)) => Ok(Typed::literal(ScalarValue::Int64(Some(value)), DataType::Long, lower)),
            _ => Err(unknown()),
        }
    }

    fn typed_literal(&self, kind: &str, text: &str) -> Result<Typed, Error> {
        let (to, prefix) = match kind {
            "x" => {
                let bytes = (0..text.len() / 2)
                    .filter_map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok())
                    .collect();
                let name = format!("X'{}'", text.to_uppercase());
                return Ok(Typed::literal(ScalarValue::Binary(Some(bytes)), DataType::Binary, name));
            }
            "date" => (DataType::Date, "DATE"),
            "timestamp_ntz" => (DataType::TimestampNtz, "TIMESTAMP_NTZ"),
            _ => (DataType::Timestamp, "TIMESTAMP"),
        };
        let value = convert(crate::checks::text(text), &to, CastMode::Legacy, self.settings)?;
        Ok(Typed { name: format!("{prefix} '{text}'"), ..value })
    }

    fn cast(&mut self) -> Result<Typed, Error> {
        self.symbol("(");
        let value = self.expression()?;
        if !self.word("as") {
            return Err(self.fail("no AS"));
        }
        let end = self.rest.find(')').ok_or_else(|| self.fail("no end of the cast"))?;
        let to = crate::schema_text::data_type(self.rest[..end].trim())?;
        self.rest = &self.rest[end + 1..];
        cast(value, &to, CastMode::Legacy, self.settings)
    }

    /// `'text' UNIT [TO UNIT]`, or pairs of number and unit.
    fn interval(&mut self) -> Result<Typed, Error> {
        let negative = self.symbol("-");
        let written = self.quoted();
        let text = match written {
            Some(text) => text,
            None => {
                let end = self.rest.find([',', ')']).unwrap_or(self.rest.len());
                let (pairs, rest) = self.rest.split_at(end);
                self.rest = rest;
                return self.pairs(pairs);
            }
        };
        let text = if negative { format!("-{text}") } else { text };
        let unit = self.identifier().ok_or_else(|| self.fail("no unit"))?.to_lowercase();
        let to = if self.word("to") { self.identifier().unwrap_or_default().to_lowercase() } else { unit.clone() };
        if let (Some(from), Some(to)) =
            (YearMonthField::of(unit.trim_end_matches('s')), YearMonthField::of(to.trim_end_matches('s')))
        {
            return Ok(year_month(year_month_of_text(&text, from, to)?, from, to));
        }
        match (DayTimeField::of(unit.trim_end_matches('s')), DayTimeField::of(to.trim_end_matches('s'))) {
            (Some(from), Some(to)) => Ok(day_time(day_time_of_text(&text, from, to)?, from, to)),
            _ => self.pairs(&format!("{text} {unit}")),
        }
    }

    fn pairs(&self, pairs: &str) -> Result<Typed, Error> {
        let interval = CalendarInterval::of_text(pairs)?;
        let mentions = |unit: &str| pairs.to_lowercase().contains(unit);
        if mentions("year") || mentions("month") {
            let from = if mentions("year") { YearMonthField::Year } else { YearMonthField::Month };
            let to = if mentions("month") { YearMonthField::Month } else { YearMonthField::Year };
            return Ok(year_month(interval.months, from, to));
        }
        let units = [
            ("day", DayTimeField::Day),
            ("week", DayTimeField::Day),
            ("hour", DayTimeField::Hour),
            ("minute", DayTimeField::Minute),
            ("second", DayTimeField::Second),
        ];
        let fields: Vec<DayTimeField> =
            units.iter().filter(|(unit, _)| mentions(unit)).map(|(_, field)| *field).collect();
        let (from, to) = (fields.iter().min(), fields.iter().max());
        let (Some(from), Some(to)) = (from, to) else { return Err(self.fail("no unit")) };
        Ok(day_time(interval.micros + i64::from(interval.days) * crate::civil::DAY, *from, *to))
    }
}

fn year_month(months: i32, from: YearMonthField, to: YearMonthField) -> Typed {
    let name = year_month_text(months, Style::Ansi, from, to);
    Typed::literal(ScalarValue::IntervalYearMonth(Some(months)), DataType::YearMonth(from, to), name)
}

fn day_time(micros: i64, from: DayTimeField, to: DayTimeField) -> Typed {
    let name = day_time_text(micros, Style::Ansi, from, to);
    Typed::literal(ScalarValue::DurationMicrosecond(Some(micros)), DataType::DayTime(from, to), name)
}
