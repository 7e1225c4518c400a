//! What the values of a partition column are together.

use arrow::array::timezone::Tz;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::Result;
use datafusion::scalar::ScalarValue;
use paceline_sql::datetime;

use super::decoded;

const ZONE: &str = "UTC";

/// A type that Spark infers from the name of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// There are only NULLs.
    Nothing,
    Int,
    BigInt,
    /// A whole number of so many digits, beyond BIGINT.
    Decimal(u8),
    Double,
    Date,
    Timestamp,
    Text,
}

impl Kind {
    /// The type of all these values.
    pub fn of<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        values.map(Kind::of_one).fold(Kind::Nothing, Kind::or)
    }

    fn of_one(text: &str) -> Self {
        if text.parse::<i32>().is_ok() {
            return Kind::Int;
        }
        if text.parse::<i64>().is_ok() {
            return Kind::BigInt;
        }
        if let Some(digits) = whole(text) {
            return u8::try_from(digits.trim_start_matches('-').len()).map_or(Kind::Double, Kind::Decimal);
        }
        if double(text).is_some() {
            return Kind::Double;
        }
        let text = decoded(text);
        match () {
            () if date(&text).is_some() => Kind::Date,
            () if timestamp(&text).is_some() => Kind::Timestamp,
            () => Kind::Text,
        }
    }

    /// `findWiderTypeForPartitionColumn`: a double has no room for every BIGINT or decimal, so these are text together.
    fn or(self, other: Self) -> Self {
        use Kind::{BigInt, Date, Decimal, Double, Int, Nothing, Text, Timestamp};
        match (self, other) {
            (Nothing, kind) | (kind, Nothing) => kind,
            (one, other) if one == other => one,
            (Int, BigInt) | (BigInt, Int) => BigInt,
            (Int, Double) | (Double, Int) => Double,
            (Int, Decimal(digits)) | (Decimal(digits), Int) => Decimal(digits.max(10)),
            (BigInt, Decimal(digits)) | (Decimal(digits), BigInt) => Decimal(digits.max(20)),
            (Decimal(one), Decimal(other)) => Decimal(one.max(other)),
            (Date, Timestamp) | (Timestamp, Date) => Timestamp,
            _ => Text,
        }
    }

    pub fn data_type(self) -> DataType {
        match self {
            Kind::Int => DataType::Int32,
            Kind::BigInt => DataType::Int64,
            Kind::Decimal(digits) => DataType::Decimal128(digits, 0),
            Kind::Double => DataType::Float64,
            Kind::Date => DataType::Date32,
            Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(ZONE.into())),
            Kind::Nothing | Kind::Text => DataType::Utf8,
        }
    }
}

/// A value of a type; times are of this zone.
pub(super) fn scalar(text: Option<&str>, data_type: &DataType, time_zone: &str) -> Result<ScalarValue> {
    let Some(text) = text else { return ScalarValue::try_from(data_type) };
    match data_type {
        DataType::Float64 => match double(text) {
            Some(value) => Ok(ScalarValue::Float64(Some(value))),
            None => ScalarValue::try_from_string(text.to_owned(), data_type),
        },
        DataType::Decimal128(..) => {
            ScalarValue::try_from_string(whole(text).unwrap_or_else(|| text.to_owned()), data_type)
        }
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if zone.as_ref() == ZONE => {
            let text = decoded(text);
            match datetime::parse_zone(time_zone).and_then(|zone| datetime::timestamp(&text, zone)) {
                Some(value) => Ok(ScalarValue::TimestampMicrosecond(Some(value), Some(ZONE.into()))),
                None => ScalarValue::try_from_string(text, data_type),
            }
        }
        _ => ScalarValue::try_from_string(decoded(text), data_type),
    }
}

/// As Java's `BigDecimal` reads it, where that is a whole number of at most 38 digits: its digits.
fn whole(text: &str) -> Option<String> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => ("-", number),
        None => ("", number.strip_prefix('+').unwrap_or(number)),
    };
    let (before, behind) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{before}{behind}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let zeros = exponent.checked_sub(i32::try_from(behind.len()).ok()?)?;
    let zeros = usize::try_from(zeros).ok().filter(|zeros| *zeros <= 38)?;
    let digits = match digits.trim_start_matches('0') {
        "" => "0".repeat(zeros + 1),
        digits => format!("{digits}{}", "0".repeat(zeros)),
    };
    (1..=38).contains(&digits.len()).then(|| format!("{sign}{digits}"))
}

/// As Java reads it: blanks around it, and `d` or `f` behind it, do not matter.
fn double(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.trim_start_matches(['+', '-']) {
        "NaN" => return Some(f64::NAN),
        "Infinity" => return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        _ => {}
    }
    let number = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let is_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    if !number.bytes().all(is_number) { None } else { number.parse().ok() }
}

fn date(text: &str) -> Option<i32> {
    has_form(text, "0000-00-00").then(|| datetime::date(text)).flatten()
}

fn timestamp(text: &str) -> Option<i64> {
    let (seconds, fraction) =
        text.split_once('.').map_or((text, None), |(seconds, fraction)| (seconds, Some(fraction)));
    // Spark's pattern is `yyyy-MM-dd HH:mm:ss[.S]`.
    let is_fraction = |text: &str| has_form(text, "0");
    (has_form(seconds, "0000-00-00 00:00:00") && fraction.is_none_or(is_fraction))
        .then(|| datetime::timestamp(text, utc()?))
        .flatten()
}

fn utc() -> Option<Tz> {
    datetime::parse_zone(ZONE)
}

/// Whether a text is like `form`, where 0 stands for any digit.
fn has_form(text: &str, form: &str) -> bool {
    let is_like = |(byte, form): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(is_like)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Spark 3.5.4 inferred.
    #[test]
    fn types_are_those_of_spark() {
        for (values, expected) in [
            (&["1", "2"][..], Kind::Int),
            (&["1", "3000000000"], Kind::BigInt),
            (&["1", "1.5"], Kind::Double),
            (&["1", "x"], Kind::Text),
            (&["01", "2"], Kind::Int),
            (&["+1"], Kind::Int),
            (&["-0"], Kind::Int),
            (&[" 1"], Kind::Double),
            (&["1d", "2f"], Kind::Double),
            (&[".5"], Kind::Double),
            (&["NaN"], Kind::Double),
            (&["Infinity"], Kind::Double),
            (&["1e5"], Kind::Decimal(6)),
            (&["0e3"], Kind::Decimal(4)),
            (&["10.0e1"], Kind::Decimal(3)),
            (&["10.0e0"], Kind::Double),
            (&["0.0"], Kind::Double),
            (&["00000000000000000000"], Kind::Int),
            (&["-12345678901234567890"], Kind::Decimal(20)),
            (&["1.0E7", "1.0E8"], Kind::Decimal(9)),
            (&["1.0E7", "5"], Kind::Decimal(10)),
            (&["1.0E7", "3000000000"], Kind::Decimal(20)),
            (&["%31"], Kind::Text),
            (&["2026-02-30"], Kind::Text),
            (&["2026-01-01 25%3A00%3A00"], Kind::Text),
            (&["2026-01-01 10%3A00%3A00.25"], Kind::Text),
            (&["12345678901234567890"], Kind::Decimal(20)),
            (&["12345678901234567890", "1"], Kind::Decimal(20)),
            (&["1.5", "12345678901234567890"], Kind::Text),
            (&["3000000000", "1.5"], Kind::Text),
            (&["2026-01-01", "2026-01-02"], Kind::Date),
            (&["2026-01-01", "2026-01-01 00%3A00%3A00"], Kind::Timestamp),
            (&["2026-01-01 01%3A02%3A03.5"], Kind::Timestamp),
            (&["2026-01-01T01%3A02%3A03Z"], Kind::Text),
            (&["2026-1-1"], Kind::Text),
            (&["2026-01"], Kind::Text),
            (&["2026-01-01 10"], Kind::Text),
            (&["0001-01-01", "10000-01-01"], Kind::Text),
            (&["2026-01-01", "5"], Kind::Text),
            (&["true"], Kind::Text),
            (&[], Kind::Nothing),
        ] {
            assert_eq!(Kind::of(values.iter().copied()), expected, "{values:?}");
        }
    }

    #[test]
    fn values_are_read_as_their_type() {
        for (text, expected) in [
            ("01", "1"),
            ("+1", "1"),
            ("1e5", "100000"),
            ("2f", "2"),
            ("2026-01-01", "2026-01-01"),
            ("2026-01-01 01%3A02%3A03.5", "1767229323500000"),
            ("a%20b%3D", "a b="),
            ("a%zz", "a%zz"),
            ("a+b", "a+b"),
        ] {
            let value = scalar(Some(text), &Kind::of_one(text).data_type(), "UTC").unwrap();
            assert_eq!(value.to_string(), expected);
        }
        assert!(scalar(None, &DataType::Int32, "UTC").unwrap().is_null());
        assert!(scalar(Some("x"), &DataType::Int32, "UTC").is_err());
    }
}
