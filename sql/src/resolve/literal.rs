//! Constants.

use datafusion::arrow::datatypes::IntervalMonthDayNano;
use datafusion::scalar::ScalarValue;
use paceline_functions::{DataType, DayTimeField, Error, Result, Typed, YearMonthField};
use paceline_syntax::tree::{Interval, IntervalPart, IntervalUnit, Literal};

use super::types::{day_time, year_month};
use super::{Resolver, cast, evaluate};

impl Resolver<'_> {
    pub(crate) fn literal(&mut self, literal: &Literal) -> Result<Typed> {
        Ok(match literal {
            Literal::Null => Typed::literal(ScalarValue::Null, DataType::Void, "NULL"),
            Literal::Boolean(value) => Typed::literal((*value).into(), DataType::Boolean, value.to_string()),
            Literal::TinyInt(value) => Typed::literal((*value).into(), DataType::Byte, value.to_string()),
            Literal::SmallInt(value) => Typed::literal((*value).into(), DataType::Short, value.to_string()),
            Literal::Int(value) => Typed::literal((*value).into(), DataType::Int, value.to_string()),
            Literal::BigInt(value) => Typed::literal((*value).into(), DataType::Long, value.to_string()),
            Literal::Decimal(digits) => decimal(digits)?,
            Literal::Float(value) => self.shown(Typed::literal((*value).into(), DataType::Float, ""))?,
            Literal::Double(value) => self.shown(Typed::literal((*value).into(), DataType::Double, ""))?,
            Literal::String(text) => Typed::literal(text.as_str().into(), DataType::String, text.clone()),
            Literal::Binary(bytes) => {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
                Typed::literal(ScalarValue::Binary(Some(bytes.clone())), DataType::Binary, format!("X'{hex}'"))
            }
            Literal::Date(text) => self.parsed(text, DataType::Date, "DATE")?,
            Literal::Timestamp(text) => {
                let to = match self.settings.timestamp_type {
                    paceline_functions::TimestampType::Ntz if !has_zone(text) => DataType::TimestampNtz,
                    _ => DataType::Timestamp,
                };
                let keyword = if to == DataType::Timestamp { "TIMESTAMP" } else { "TIMESTAMP_NTZ" };
                self.parsed(text, to, keyword)?
            }
            Literal::TimestampLtz(text) => self.parsed(text, DataType::Timestamp, "TIMESTAMP")?,
            Literal::TimestampNtz(text) => self.parsed(text, DataType::TimestampNtz, "TIMESTAMP_NTZ")?,
            Literal::Interval(interval) => self.interval(interval)?,
        })
    }

    /// A constant whose name is its value as a string.
    fn shown(&mut self, typed: Typed) -> Result<Typed> {
        let name = self.as_text(&typed)?;
        Ok(Typed { name, ..typed })
    }

    /// A constant's value as a string.
    pub(crate) fn as_text(&mut self, typed: &Typed) -> Result<String> {
        let text = cast(typed.clone(), &DataType::String, &self.settings)?;
        Ok(evaluate(&text)?.try_as_str().flatten().unwrap_or("NULL").to_owned())
    }

    /// `DATE '…'` and its like: named after its value.
    fn parsed(&mut self, text: &str, to: DataType, keyword: &str) -> Result<Typed> {
        let invalid = || {
            Error::new(
                "INVALID_TYPED_LITERAL",
                format!("The value of the typed literal \"{keyword}\" is invalid: '{text}'."),
            )
        };
        let from = Typed::literal(text.into(), DataType::String, text);
        let value = evaluate(&cast(from, &to, &self.settings)?).map_err(|_| invalid())?;
        if value.is_null() {
            return Err(invalid());
        }
        let typed = Typed::literal(value, to, "");
        let name = format!("{keyword} '{}'", self.as_text(&typed)?);
        Ok(Typed { name, ..typed })
    }

    fn interval(&mut self, interval: &Interval) -> Result<Typed> {
        match interval {
            Interval::Text(text) => {
                let from = Typed::literal(text.as_str().into(), DataType::String, text.clone());
                let value = evaluate(&cast(from, &DataType::CalendarInterval, &self.settings)?)?;
                let ScalarValue::IntervalMonthDayNano(Some(parts)) = value else {
                    return Err(Error::new(
                        "_LEGACY_ERROR_TEMP_0063",
                        format!("Cannot parse the INTERVAL value: {text}."),
                    ));
                };
                let (value, data_type) = if self.settings.flag("spark.sql.legacy.interval.enabled", false) {
                    (value, DataType::CalendarInterval)
                } else {
                    of_units(text, parts)?
                };
                self.shown_interval(Typed::literal(value, data_type, ""))
            }
            Interval::Units(parts) => self.units(parts),
            Interval::Range { negative, value, from, to } => {
                let to = match from {
                    IntervalUnit::Year | IntervalUnit::Month => {
                        DataType::YearMonth(year_month(*from)?, year_month(*to)?)
                    }
                    _ => DataType::DayTime(day_time(*from)?, day_time(*to)?),
                };
                let text = match (negative, value.strip_prefix('-')) {
                    (true, Some(rest)) => rest.to_owned(),
                    (true, None) => format!("-{}", value.strip_prefix('+').unwrap_or(value)),
                    (false, _) => value.clone(),
                };
                let from = Typed::literal(text.as_str().into(), DataType::String, text.clone());
                let literal = evaluate(&cast(from, &to, &self.settings)?)?;
                if literal.is_null() {
                    return Err(Error::new("INVALID_INTERVAL_FORMAT", format!("Error parsing '{text}' to interval.")));
                }
                self.shown_interval(Typed::literal(literal, to, ""))
            }
        }
    }

    /// Units: months alone or days to seconds alone make an interval of those; else a calendar interval.
    fn units(&mut self, parts: &[IntervalPart]) -> Result<Typed> {
        let (mut months, mut days, mut micros) = (0i64, 0i64, 0i64);
        let (mut largest, mut smallest) = (IntervalUnit::Nanosecond, IntervalUnit::Year);
        let overflow = || Error::new("INTERVAL_ARITHMETIC_OVERFLOW", "The interval is too large.");
        for part in parts {
            largest = largest.max(part.unit);
            smallest = smallest.min(part.unit);
            let whole = || part.value.trim().parse::<i64>().map_err(|_| overflow());
            let add = |sum: i64, factor: i64| {
                whole()?.checked_mul(factor).and_then(|more| sum.checked_add(more)).ok_or_else(overflow)
            };
            match part.unit {
                IntervalUnit::Year => months = add(months, 12)?,
                IntervalUnit::Month => months = add(months, 1)?,
                IntervalUnit::Week => days = add(days, 7)?,
                IntervalUnit::Day => days = add(days, 1)?,
                IntervalUnit::Hour => micros = add(micros, 3_600_000_000)?,
                IntervalUnit::Minute => micros = add(micros, 60_000_000)?,
                IntervalUnit::Second => {
                    micros = seconds(&part.value).and_then(|more| micros.checked_add(more)).ok_or_else(overflow)?;
                }
                IntervalUnit::Millisecond => micros = add(micros, 1_000)?,
                IntervalUnit::Microsecond => micros = add(micros, 1)?,
                IntervalUnit::Nanosecond => micros = micros.checked_add(whole()? / 1000).ok_or_else(overflow)?,
            }
        }
        let field = |unit: IntervalUnit| match unit {
            IntervalUnit::Week => IntervalUnit::Day,
            unit if unit < IntervalUnit::Second => IntervalUnit::Second,
            unit => unit,
        };
        let months32 = i32::try_from(months).map_err(|_| overflow())?;
        let (value, data_type) = if smallest >= IntervalUnit::Month {
            let data_type = DataType::YearMonth(year_month(largest)?, year_month(smallest)?);
            (ScalarValue::IntervalYearMonth(Some(months32)), data_type)
        } else if largest <= IntervalUnit::Week {
            let total = days.checked_mul(86_400_000_000).and_then(|it| it.checked_add(micros)).ok_or_else(overflow)?;
            let data_type = DataType::DayTime(day_time(field(largest))?, day_time(field(smallest))?);
            (ScalarValue::DurationMicrosecond(Some(total)), data_type)
        } else {
            return Err(Error::new(
                "_LEGACY_ERROR_TEMP_0029",
                "Cannot mix year-month and day-time fields in an interval literal.",
            ));
        };
        self.shown_interval(Typed::literal(value, data_type, ""))
    }

    fn shown_interval(&mut self, typed: Typed) -> Result<Typed> {
        self.shown(typed)
    }
}

/// What the units named in the text of an interval make of it: months alone, or days to seconds alone.
fn of_units(text: &str, parts: IntervalMonthDayNano) -> Result<(ScalarValue, DataType)> {
    let (mut months, mut times) = (Vec::new(), Vec::new());
    for word in text.split_ascii_whitespace() {
        let word = word.to_ascii_lowercase();
        match word.strip_suffix('s').unwrap_or(&word) {
            "year" => months.push(YearMonthField::Year),
            "month" => months.push(YearMonthField::Month),
            "day" | "week" => times.push(DayTimeField::Day),
            "hour" => times.push(DayTimeField::Hour),
            "minute" => times.push(DayTimeField::Minute),
            "second" | "millisecond" | "microsecond" | "nanosecond" => times.push(DayTimeField::Second),
            _ => {}
        }
    }
    if let (Some(first), Some(last), true) = (months.iter().min(), months.iter().max(), times.is_empty()) {
        let value = ScalarValue::IntervalYearMonth(Some(parts.months));
        return Ok((value, DataType::YearMonth(*first, *last)));
    }
    let (Some(first), Some(last), true) = (times.iter().min(), times.iter().max(), months.is_empty()) else {
        return Err(Error::new(
            "_LEGACY_ERROR_TEMP_0029",
            format!("Cannot mix year-month and day-time fields: INTERVAL '{text}'."),
        ));
    };
    let total = i64::from(parts.days).checked_mul(86_400_000_000);
    let total = total.and_then(|it| it.checked_add(parts.nanoseconds / 1000));
    let total = total.ok_or_else(|| Error::new("INTERVAL_ARITHMETIC_OVERFLOW", "The interval is too large."))?;
    Ok((ScalarValue::DurationMicrosecond(Some(total)), DataType::DayTime(*first, *last)))
}

fn has_zone(text: &str) -> bool {
    let after_time = text.find(':').map_or("", |at| &text[at..]);
    after_time.chars().any(|it| it.is_alphabetic() && it != 'T') || after_time.contains(['+', '-'])
}

/// Whole seconds and up to nine digits behind a point, as microseconds.
fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut micros: String = part.chars().take(6).collect();
    while micros.len() < 6 {
        micros.push('0');
    }
    let total = whole.checked_mul(1_000_000)?.checked_add(micros.parse().ok()?)?;
    Some(if negative { -total } else { total })
}

/// `1.10`: as many digits as there are.
fn decimal(digits: &str) -> Result<Typed> {
    let (negative, unsigned) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().unwrap_or(0)),
        None => (unsigned, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut all = format!("{whole}{part}");
    let mut scale = part.len() as i32 - exponent;
    if scale < 0 {
        all.push_str(&"0".repeat((-scale).min(39) as usize));
        scale = 0;
    }
    let significant = all.trim_start_matches('0');
    let precision = (significant.len() as i32).max(scale).max(1);
    let out_of_range = || {
        Error::new(
            "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
            format!("Decimal precision {precision} exceeds max precision 38."),
        )
    };
    if precision > 38 {
        return Err(out_of_range());
    }
    let value: i128 = if significant.is_empty() { 0 } else { significant.parse().map_err(|_| out_of_range())? };
    let value = if negative { -value } else { value };
    let (precision, scale) = (precision as u8, scale as i8);
    let name = plain(value, scale as usize);
    Ok(Typed::literal(
        ScalarValue::Decimal128(Some(value), precision, scale),
        DataType::Decimal(precision, scale),
        name,
    ))
}

/// As Java's `BigDecimal` shows it: very small ones with an exponent.
fn plain(value: i128, scale: usize) -> String {
    let all = value.unsigned_abs().to_string();
    let exponent = all.len() as i64 - 1 - scale as i64;
    if exponent < -6 {
        let sign = if value < 0 { "-" } else { "" };
        let (first, rest) = all.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}E{exponent}");
    }
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let sign = if value < 0 { "-" } else { "" };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}
