//! Intervals: numbers of units, and texts from one unit to another. Their values are computed elsewhere.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{Interval, IntervalPart, IntervalUnit, Span};

const UNITS: &[(&str, IntervalUnit)] = &[
    ("NANOSECOND", IntervalUnit::Nanosecond),
    ("MICROSECOND", IntervalUnit::Microsecond),
    ("MILLISECOND", IntervalUnit::Millisecond),
    ("SECOND", IntervalUnit::Second),
    ("MINUTE", IntervalUnit::Minute),
    ("HOUR", IntervalUnit::Hour),
    ("DAY", IntervalUnit::Day),
    ("WEEK", IntervalUnit::Week),
    ("MONTH", IntervalUnit::Month),
    ("YEAR", IntervalUnit::Year),
];

/// The unit of that name, which may be in the plural.
pub(super) fn unit(word: &str) -> Option<IntervalUnit> {
    let upper = word.to_ascii_uppercase();
    UNITS.iter().find(|(name, _)| upper.strip_suffix('S').unwrap_or(&upper) == *name).map(|(_, unit)| *unit)
}

fn name(unit: IntervalUnit) -> String {
    UNITS.iter().find(|(_, known)| *known == unit).map(|(name, _)| name.to_ascii_lowercase()).unwrap_or_default()
}

fn is_year_month(unit: &IntervalUnit) -> bool {
    *unit >= IntervalUnit::Month
}

impl Parser<'_> {
    /// Whether `INTERVAL`, a number or text, and a unit come next.
    pub fn interval_ahead(&self) -> bool {
        self.is_word("INTERVAL") && self.part_ahead(1)
    }

    fn part_ahead(&self, ahead: usize) -> bool {
        let signed = usize::from(matches!(self.peek(ahead).kind, Kind::Plus | Kind::Minus));
        let value = ahead + signed;
        let valued = matches!(self.peek(value).kind, Kind::Integer | Kind::Decimal) || self.string_at(value);
        valued && self.unit_at(value + 1).is_some()
    }

    fn unit_at(&self, ahead: usize) -> Option<IntervalUnit> {
        let token = self.peek(ahead);
        unit(self.text_of(token.span)).filter(|_| token.kind == Kind::Word)
    }

    pub fn interval(&mut self) -> Parsed<Interval> {
        let start = self.expect_word("INTERVAL")?;
        let mut parts = Vec::new();
        let first = self.span();
        while self.part_ahead(0) {
            let (value, is_text, span) = self.part_value()?;
            let Some(from) = self.unit_at(0) else { return self.wrong() };
            self.advance();
            if self.is_word("TO") && self.unit_at(1).is_some() {
                return self.range(value, is_text, span, from, parts.is_empty());
            }
            parts.push((value, is_text, from));
        }
        let whole = self.span_from(start);
        self.check_units(&parts, whole, first);
        let parts = parts.into_iter().map(|(value, _, unit)| IntervalPart { value, unit });
        Ok(Interval::Units(parts.collect()))
    }

    fn part_value(&mut self) -> Parsed<(String, bool, Span)> {
        let start = self.span();
        let negative = self.is(Kind::Minus);
        if negative || self.is(Kind::Plus) {
            self.advance();
        }
        let is_text = self.string_at(0);
        let text = if is_text { self.string()? } else { self.text_of(self.span()).to_owned() };
        if !is_text {
            self.advance();
        }
        let text = text.trim().to_owned();
        let value = match (negative, text.strip_prefix('-')) {
            (true, Some(positive)) => positive.to_owned(),
            (true, None) => format!("-{text}"),
            (false, _) => text,
        };
        Ok((value, is_text, start))
    }

    fn range(&mut self, value: String, is_text: bool, span: Span, from: IntervalUnit, only: bool) -> Parsed<Interval> {
        self.expect_word("TO")?;
        let to = self.unit_at(0).unwrap_or(from);
        self.advance();
        if self.part_ahead(0) || !only {
            self.refuse(
                "_LEGACY_ERROR_TEMP_0024",
                "Can only have a single from-to unit in the interval literal syntax",
                span,
            );
            while self.part_ahead(0) {
                self.part_value()?;
                self.advance();
                if self.take_word("TO") {
                    self.advance();
                }
            }
        }
        let supported = match (from, to) {
            (IntervalUnit::Year, IntervalUnit::Month) => true,
            (from, to) => !is_year_month(&from) && from <= IntervalUnit::Day && to < from && to >= IntervalUnit::Second,
        };
        if !is_text {
            self.refuse("_LEGACY_ERROR_TEMP_0027", "The value of from-to unit must be a string.", span);
        } else if !supported {
            let message = format!("Intervals FROM {} TO {} are not supported.", name(from), name(to));
            self.refuse("_LEGACY_ERROR_TEMP_0028", message, span);
        } else if !range_text(&value, from, to) {
            self.refuse("_LEGACY_ERROR_TEMP_0063", invalid_range(&value, from, to), span);
        }
        let negative = value.starts_with('-');
        Ok(Interval::Range { negative, value: value.trim_start_matches('-').to_owned(), from, to })
    }

    fn check_units(&mut self, parts: &[(String, bool, IntervalUnit)], span: Span, first: Span) {
        let year_month = parts.iter().filter(|(_, _, unit)| is_year_month(unit)).count();
        for (value, _, unit) in parts {
            let shown = format!(" {value} {}", name(*unit));
            if value.contains(char::is_alphabetic) {
                let message = format!(
                    "Can only use numbers in the interval value part for multiple unit value pairs interval form, but \
                     got invalid value: {value}."
                );
                self.refuse("_LEGACY_ERROR_TEMP_0026", message, first);
            } else if !fits(value, *unit) {
                let message = format!("Error parsing '{shown}' to interval.");
                self.refuse("_LEGACY_ERROR_TEMP_0062", message, first);
            }
        }
        if year_month > 0 && year_month < parts.len() {
            let text = self.text_of(span).to_owned();
            self.mixed(&text, span);
        }
    }

    fn mixed(&mut self, text: &str, span: Span) {
        let message = format!("Cannot mix year-month and day-time fields: {text}.");
        self.refuse("_LEGACY_ERROR_TEMP_0029", message, span);
    }

    /// Whether the text is one of an interval; units of both kinds in it are refused at once.
    pub fn check_interval_text(&mut self, text: &str, span: Span) -> bool {
        let lower = text.trim().to_ascii_lowercase();
        let Some(units) = text_units(lower.strip_prefix("interval").unwrap_or(&lower)) else { return false };
        let year_month = units.iter().filter(|unit| is_year_month(unit)).count();
        if year_month > 0 && year_month < units.len() {
            let written = self.text_of(span.to(self.last_span())).to_owned();
            self.mixed(&written, span);
        }
        true
    }
}

fn is_number(text: &str, fraction_allowed: bool) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) => {
            fraction_allowed && digits(whole) && digits(fraction) && fraction.len() <= 9 && text.len() > 1
        }
        None => digits(text) && !text.is_empty(),
    }
}

/// Whether the value is a number of that unit, and not too large: months and days are counted in 32 bits, the rest in
/// microseconds of 64 bits.
fn fits(value: &str, unit: IntervalUnit) -> bool {
    let number = value.trim().trim_start_matches(['-', '+']).trim_start();
    let whole = number.split('.').next().unwrap_or_default();
    let limit = |factor: i64, most: i64| {
        whole.is_empty()
            || whole.parse::<i64>().ok().and_then(|count| count.checked_mul(factor)).is_some_and(|n| n <= most)
    };
    let (months, days, time) = (i64::from(i32::MAX), i64::from(i32::MAX), i64::MAX);
    let small = match unit {
        IntervalUnit::Year => limit(12, months),
        IntervalUnit::Month => limit(1, months),
        IntervalUnit::Week => limit(7, days),
        IntervalUnit::Day => limit(1, days),
        IntervalUnit::Hour => limit(3_600_000_000, time),
        IntervalUnit::Minute => limit(60_000_000, time),
        IntervalUnit::Second => limit(1_000_000, time),
        IntervalUnit::Millisecond => limit(1_000, time),
        IntervalUnit::Microsecond => limit(1, time),
        IntervalUnit::Nanosecond => false,
    };
    small && is_number(number, unit == IntervalUnit::Second)
}

/// The units of `1 day -2 hours`.
fn text_units(text: &str) -> Option<Vec<IntervalUnit>> {
    let mut units = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let unsigned = rest.strip_prefix(['-', '+']).unwrap_or(rest).trim_start();
        let number = unsigned.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let behind = unsigned[number..].trim_start();
        let end = behind.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(behind.len());
        let found = unit(&behind[..end])?;
        if !fits(&unsigned[..number], found) || behind.len() == unsigned[number..].len() {
            return None;
        }
        units.push(found);
        rest = behind[end..].trim_start();
    }
    (!units.is_empty()).then_some(units)
}

fn invalid_range(value: &str, from: IntervalUnit, to: IntervalUnit) -> String {
    format!("Interval string does not match the format of {} to {}: '{value}'", name(from), name(to))
}

/// Whether the text has the fields from the first to the last: `1-2`, `1 02:03:04.5`. Only the first may be large.
fn range_text(value: &str, from: IntervalUnit, to: IntervalUnit) -> bool {
    let text = value.trim().trim_start_matches(['-', '+']);
    let within = |text: &str, most: i64| is_number(text, false) && text.parse::<i64>().is_ok_and(|value| value <= most);
    if is_year_month(&from) {
        let fits = |years: &str, months: &str| within(years, i64::from(i32::MAX) / 12) && within(months, 11);
        return text.split_once('-').is_some_and(|(years, months)| fits(years, months));
    }
    let (days, time) = match (from, text.split_once([' ', 'T'])) {
        (IntervalUnit::Day, Some((days, time))) => (Some(days), time),
        (IntervalUnit::Day, None) => return false,
        (_, Some(_)) => return false,
        (_, None) => (None, text),
    };
    let first = from.min(IntervalUnit::Hour);
    let wanted = usize::from(first as u8 - to as u8) + 1;
    let fields: Vec<_> = time.trim().split(':').collect();
    let leading = |at: usize| at == 0 && days.is_none();
    let most = |at: usize| {
        if leading(at) {
            i64::from(u32::MAX)
        } else if at == 0 && first == IntervalUnit::Hour {
            23
        } else {
            59
        }
    };
    let valid = |(at, field): (usize, &&str)| {
        let seconds = at + 1 == fields.len() && to == IntervalUnit::Second;
        let whole = if seconds { field.split('.').next().unwrap_or_default() } else { field };
        is_number(field, seconds) && within(whole, most(at))
    };
    days.is_none_or(|days| within(days, 106_751_991)) && fields.len() == wanted && fields.iter().enumerate().all(valid)
}
