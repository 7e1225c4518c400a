//! Calendar intervals: `1 year 2 days -3.5 seconds`.

use std::fmt;

use arrow::datatypes::{IntervalMonthDayNano, IntervalMonthDayNanoType};

use super::{MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND};
use crate::error::{Error, Result};

/// Months, days and microseconds, each for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CalendarInterval {
    /// Months, also those of the years.
    pub months: i32,
    /// Days, also those of the weeks.
    pub days: i32,
    /// The rest, of any length.
    pub micros: i64,
}

impl CalendarInterval {
    /// Reads `[interval] n unit ...` in any case, as Spark does.
    ///
    /// # Errors
    /// It is none; the message says where it ends to be one.
    pub fn of_text(text: &str) -> Result<Self> {
        Reader::new(text)
            .read()
            .map_err(|why| Error::new("INVALID_INTERVAL_FORMAT", format!("Error parsing '{text}' to interval, {why}")))
    }

    /// As Arrow carries it.
    ///
    /// # Errors
    /// Arrow counts nanoseconds: more than 292 years of time have no place.
    pub fn to_arrow(self) -> Result<IntervalMonthDayNano> {
        let nanos = self.micros.checked_mul(1000).ok_or_else(|| Error::new("ARITHMETIC_OVERFLOW", "long overflow"))?;
        Ok(IntervalMonthDayNanoType::make_value(self.months, self.days, nanos))
    }

    /// From what Arrow carries.
    pub fn of_arrow(value: IntervalMonthDayNano) -> Self {
        CalendarInterval { months: value.months, days: value.days, micros: value.nanoseconds.div_euclid(1000) }
    }
}

/// As Spark prints it: `1 years 2 days 3.5 seconds`, parts that are zero left out.
impl fmt::Display for CalendarInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = vec![
            (i64::from(self.months / 12), "years"),
            (i64::from(self.months % 12), "months"),
            (i64::from(self.days), "days"),
            (self.micros / MICROS_PER_HOUR, "hours"),
            (self.micros % MICROS_PER_HOUR / MICROS_PER_MINUTE, "minutes"),
        ];
        parts.retain(|(count, _)| *count != 0);
        let mut words: Vec<String> = parts.iter().map(|(count, unit)| format!("{count} {unit}")).collect();
        let rest = self.micros % MICROS_PER_MINUTE;
        if rest != 0 || words.is_empty() {
            words.push(format!("{} seconds", seconds(rest)));
        }
        f.write_str(&words.join(" "))
    }
}

/// Microseconds as seconds, without zeros at the end.
pub(super) fn seconds(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let whole = micros.unsigned_abs() / MICROS_PER_SECOND.unsigned_abs();
    match micros.unsigned_abs() % MICROS_PER_SECOND.unsigned_abs() {
        0 => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{}", format!("{fraction:06}").trim_end_matches('0')),
    }
}

/// Where a text of pairs is read; every value keeps its own sign.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Reader { text, at: 0 }
    }

    fn read(self) -> std::result::Result<CalendarInterval, String> {
        let lower = self.text.trim_matches(|c: char| c.is_whitespace() || c.is_control()).to_lowercase();
        if lower.is_empty() {
            return Err("interval string cannot be empty".to_owned());
        }
        let mut inner = Reader { text: &lower, at: 0 };
        if lower.starts_with("interval") {
            inner.at = "interval".len();
            match inner.peek() {
                None => return Err("interval string cannot be empty".to_owned()),
                Some(c) if !c.is_whitespace() => return Err(format!("invalid interval prefix {}", inner.word())),
                Some(_) => {}
            }
        }
        let mut sum = CalendarInterval::default();
        inner.skip_space();
        while inner.peek().is_some() {
            inner.pair(&mut sum)?;
            inner.skip_space();
        }
        Ok(sum)
    }

    /// One number and its unit, added.
    fn pair(&mut self, sum: &mut CalendarInterval) -> std::result::Result<(), String> {
        let mut negative = false;
        match self.peek() {
            Some(sign @ ('-' | '+')) => {
                negative = sign == '-';
                self.at += 1;
                self.skip_space();
            }
            Some('0'..='9' | '.') => {}
            _ => return Err(format!("unrecognized number '{}'", self.word())),
        }
        let begins_with_point = self.peek() == Some('.');
        let mut value: i64 = 0;
        if !begins_with_point {
            let mut digits = 0;
            while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
                value = value
                    .checked_mul(10)
                    .and_then(|value| value.checked_add(i64::from(digit)))
                    .ok_or_else(|| "long overflow".to_owned())?;
                digits += 1;
                self.at += 1;
            }
            if digits == 0 {
                return Err(match self.peek() {
                    None => format!("expect a number after '{}' but hit EOL", self.last_word()),
                    Some(_) => format!("invalid value '{}'", self.word()),
                });
            }
        }
        let fraction = if self.peek() == Some('.') { Some(self.fraction(begins_with_point)?) } else { None };
        match self.peek() {
            None => return Err(format!("expect a unit name after '{}' but hit EOL", self.last_word())),
            Some(c) if c.is_whitespace() => self.skip_space(),
            Some(_) => return Err(format!("invalid value '{}'", self.word())),
        }
        self.unit(sum, negative, value, fraction)
    }

    /// Nanoseconds after the point, cut to microseconds.
    fn fraction(&mut self, begins_with_point: bool) -> std::result::Result<i64, String> {
        self.at += 1;
        let (mut nanos, mut scale, mut digits) = (0_i64, 100_000_000_i64, 0);
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            if scale == 0 {
                return Err(format!(
                    "interval can only support nanosecond precision, '{}' is out of range",
                    self.word()
                ));
            }
            nanos += i64::from(digit) * scale;
            scale /= 10;
            digits += 1;
            self.at += 1;
        }
        if begins_with_point && digits == 0 {
            return Err(format!("invalid value '{}'", self.word()));
        }
        Ok(nanos / 1000)
    }

    fn unit(
        &mut self,
        sum: &mut CalendarInterval,
        negative: bool,
        value: i64,
        fraction: Option<i64>,
    ) -> std::result::Result<(), String> {
        let Some(first) = self.peek() else { return Ok(()) };
        if first != 's' && fraction.is_some() {
            return Err(format!("'{}' cannot have fractional part", self.word()));
        }
        let value = if negative { -value } else { value };
        let fraction = fraction.map_or(0, |fraction| if negative { -fraction } else { fraction });
        let word = self.word().to_owned();
        let unit = word.strip_suffix('s').unwrap_or(&word);
        let whole = || i32::try_from(value).map_err(|_| "integer overflow".to_owned());
        let over = || "long overflow".to_owned();
        let months = |per: i32| {
            let months = whole()?.checked_mul(per).and_then(|months| months.checked_add(sum.months));
            months.ok_or_else(|| "integer overflow".to_owned())
        };
        let days = |per: i32| {
            let days = whole()?.checked_mul(per).and_then(|days| days.checked_add(sum.days));
            days.ok_or_else(|| "integer overflow".to_owned())
        };
        let micros = |per: i64| {
            let micros = value.checked_mul(per).and_then(|micros| micros.checked_add(fraction));
            micros.and_then(|micros| micros.checked_add(sum.micros)).ok_or_else(over)
        };
        match unit {
            "year" => sum.months = months(12)?,
            "month" => sum.months = months(1)?,
            "week" => sum.days = days(7)?,
            "day" => sum.days = days(1)?,
            "hour" => sum.micros = micros(MICROS_PER_HOUR)?,
            "minute" => sum.micros = micros(MICROS_PER_MINUTE)?,
            "second" => sum.micros = micros(MICROS_PER_SECOND)?,
            "millisecond" => sum.micros = micros(1000)?,
            "microsecond" => sum.micros = micros(1)?,
            _ => return Err(format!("invalid unit '{word}'")),
        }
        self.at += word.len();
        Ok(())
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..).and_then(|rest| rest.chars().next())
    }

    fn skip_space(&mut self) {
        while let Some(c) = self.peek().filter(|c| c.is_whitespace()) {
            self.at += c.len_utf8();
        }
    }

    /// The word that the reader stands in.
    fn word(&self) -> &'a str {
        let start = self.text.get(..self.at).and_then(|before| before.rfind(char::is_whitespace));
        let from = start.map_or(0, |at| at + self.text[at..].chars().next().map_or(1, char::len_utf8));
        self.text[from..].split(char::is_whitespace).next().unwrap_or_default()
    }

    fn last_word(&self) -> &'a str {
        self.text.split_whitespace().next_back().unwrap_or_default()
    }
}
