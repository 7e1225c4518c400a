//! Decides on the type of a column from its values, one after the other.
//! Source: Spark 3.5, `CSVInferSchema`, and what Spark 3.5.4 answers.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use paceline_functions::records::Times;
use paceline_sql::datetime;

use super::super::SampledRows;
use super::table::Table;
use super::values::{self, BigDecimal, Numbers};

/// What the values seen so far can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seen {
    /// None had a value.
    #[default]
    Nothing,
    /// 32 bits.
    Int,
    /// 64 bits.
    Long,
    /// Whole numbers beyond 64 bits, by their number of digits.
    Decimal(u8),
    /// Numbers.
    Double,
    /// Days.
    Date,
    /// Instants.
    Timestamp,
    /// `true` and `false`.
    Boolean,
    /// Anything.
    String,
}

/// How values are looked at.
#[derive(Clone, Debug)]
pub struct Inference {
    /// Numbers that are none.
    pub numbers: Numbers,
    /// Whether a day alone is a date rather than a timestamp.
    pub prefers_date: bool,
    /// How dates and times are read.
    pub times: Arc<Times>,
    /// What stands for NULL.
    pub null_value: String,
}

impl Inference {
    /// What a column can be after one more value. The type so far decides which types are tried, as in Spark.
    pub fn next(&self, so_far: Seen, text: &str) -> Seen {
        let this = match so_far {
            Seen::Nothing | Seen::Int => self.whole(text),
            Seen::Long => self.long(text),
            Seen::Decimal(_) => self.decimal(text),
            Seen::Double => self.double(text),
            Seen::Date => self.date(text),
            Seen::Timestamp => self.timestamp(text),
            Seen::Boolean => boolean(text),
            Seen::String => return Seen::String,
        };
        so_far.with(this)
    }

    /// What columns can be after some more records.
    pub fn add(&self, table: &Table, sampled: &mut SampledRows, seen: &mut [Seen]) {
        for row in (0..table.rows()).filter(|_| sampled.next()) {
            for (field, seen) in seen.iter_mut().enumerate().filter(|(_, seen)| **seen != Seen::String) {
                match table.cell(row, field) {
                    Some(text) if !text.is_empty() && text != self.null_value => *seen = self.next(*seen, text),
                    _ => {}
                }
            }
        }
    }

    fn whole(&self, text: &str) -> Seen {
        if text.parse::<i32>().is_ok() { Seen::Int } else { self.long(text) }
    }

    fn long(&self, text: &str) -> Seen {
        if text.parse::<i64>().is_ok() { Seen::Long } else { self.decimal(text) }
    }

    /// Numbers with a fraction or an exponent are doubles.
    fn decimal(&self, text: &str) -> Seen {
        match BigDecimal::parse(text) {
            Some(number) if number.scale == 0 => match u8::try_from(number.precision()) {
                Ok(digits @ ..=38) => Seen::Decimal(digits),
                _ => self.double(text),
            },
            _ => self.double(text),
        }
    }

    fn double(&self, text: &str) -> Seen {
        if values::float::<f64>(text, &self.numbers).is_some() { Seen::Double } else { self.date(text) }
    }

    fn date(&self, text: &str) -> Seen {
        let date = || match self.times.has_date_format() {
            true => self.times.date(text),
            false => datetime::strict_date(text),
        };
        let is_date = self.prefers_date && date().is_some();
        if is_date { Seen::Date } else { self.timestamp(text) }
    }

    fn timestamp(&self, text: &str) -> Seen {
        if self.times.timestamp(text).is_some() { Seen::Timestamp } else { boolean(text) }
    }
}

fn boolean(text: &str) -> Seen {
    if values::boolean(text).is_some() { Seen::Boolean } else { Seen::String }
}

impl Seen {
    /// The narrowest type that holds the values of both.
    pub fn with(self, other: Seen) -> Seen {
        match (self, other) {
            (a, b) if a == b => a,
            (Seen::Nothing, other) | (other, Seen::Nothing) => other,
            (Seen::Int, Seen::Long) | (Seen::Long, Seen::Int) => Seen::Long,
            (Seen::Decimal(a), Seen::Decimal(b)) => Seen::Decimal(a.max(b)),
            (Seen::Decimal(a), Seen::Int) | (Seen::Int, Seen::Decimal(a)) => Seen::Decimal(a.max(10)),
            (Seen::Decimal(a), Seen::Long) | (Seen::Long, Seen::Decimal(a)) => Seen::Decimal(a.max(20)),
            (Seen::Double, Seen::Int | Seen::Long | Seen::Decimal(_))
            | (Seen::Int | Seen::Long | Seen::Decimal(_), Seen::Double) => Seen::Double,
            (Seen::Date, Seen::Timestamp) | (Seen::Timestamp, Seen::Date) => Seen::Timestamp,
            _ => Seen::String,
        }
    }

    /// The type of such a column; one without values is a string.
    pub fn data_type(self) -> DataType {
        match self {
            Seen::Int => DataType::Int32,
            Seen::Long => DataType::Int64,
            Seen::Decimal(digits) => DataType::Decimal128(digits, 0),
            Seen::Double => DataType::Float64,
            Seen::Date => DataType::Date32,
            Seen::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Seen::Boolean => DataType::Boolean,
            Seen::Nothing | Seen::String => DataType::Utf8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(columns: &[&[&str]], expected: Expect) {
        let numbers = Numbers { nan: "NaN".into(), infinity: "Inf".into(), minus_infinity: "-Inf".into() };
        let times = Arc::new(Times::new(&[], &Default::default()).unwrap());
        let inference = Inference { numbers, prefers_date: true, times, null_value: String::new() };
        let shown = columns.iter().map(|values| {
            let seen = values.iter().fold(Seen::Nothing, |seen, value| inference.next(seen, value));
            format!("{values:?} {seen:?}\n")
        });
        expected.assert_eq(&shown.collect::<String>());
    }

    /// Each answer is Spark 3.5.4's.
    #[test]
    fn types_are_those_that_spark_infers() {
        check(
            &[
                &["1", "-2"],
                &["3000000000", "5"],
                &["99999999999999999999", "7"],
                &["1", "99999999999999999999"],
                &["1e3", "3"],
                &["+1"],
                &["1."],
                &[".5"],
                &["1d", "1f"],
                &["NaN", "Infinity"],
                &["Infinity", "-Inf"],
                &["inf"],
                &["0x10"],
                &["1_000"],
                &["00012"],
                &[" 1"],
                &["1", "1.5"],
                &["1", "true"],
                &["true", "1"],
                &["TRUE", "False"],
                &["yes"],
                &["99999999999999999999", "1.5"],
                &["12345678901234567890123456789012345678901", "1"],
                &[],
            ],
            expect![[r#"
                ["1", "-2"] Int
                ["3000000000", "5"] Long
                ["99999999999999999999", "7"] Decimal(20)
                ["1", "99999999999999999999"] Decimal(20)
                ["1e3", "3"] Double
                ["+1"] Int
                ["1."] Decimal(1)
                [".5"] Double
                ["1d", "1f"] Double
                ["NaN", "Infinity"] Double
                ["Infinity", "-Inf"] Double
                ["inf"] String
                ["0x10"] String
                ["1_000"] String
                ["00012"] Int
                [" 1"] Double
                ["1", "1.5"] Double
                ["1", "true"] String
                ["true", "1"] String
                ["TRUE", "False"] Boolean
                ["yes"] String
                ["99999999999999999999", "1.5"] Double
                ["12345678901234567890123456789012345678901", "1"] Double
                [] Nothing
            "#]],
        );
        check(
            &[
                &["2020-01-01"],
                &["2020-01-01", "2020-01-01 10:00:00"],
                &["2020-01-01", "5"],
                &["2020-1-1"],
                &["2020-01"],
                &["2020"],
                &["10:00"],
                &["2020-01-01T10:00:00.123+02:00", "2020-01-01T10:00:00"],
                &["01/02/2020"],
            ],
            expect![[r#"
                ["2020-01-01"] Date
                ["2020-01-01", "2020-01-01 10:00:00"] Timestamp
                ["2020-01-01", "5"] String
                ["2020-1-1"] Timestamp
                ["2020-01"] Timestamp
                ["2020"] Int
                ["10:00"] Timestamp
                ["2020-01-01T10:00:00.123+02:00", "2020-01-01T10:00:00"] Timestamp
                ["01/02/2020"] String
            "#]],
        );
    }
}
