//! The folders of partitions, `column=value/…`, named as Spark names them.

use std::fmt::Write;
use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::{cast, partition};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type, TimeUnit};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result;
use datafusion::scalar::ScalarValue;

/// What stands for NULL and for an empty string.
const NOTHING: &str = "__HIVE_DEFAULT_PARTITION__";

/// Rows of a batch that follow each other and belong into one folder.
#[derive(Debug)]
pub(super) struct Stretch {
    pub folder: String,
    pub rows: Range<usize>,
}

/// Cuts a batch where the folder changes. `names` are those of the columns; they stand at `columns`.
pub(super) fn stretches(batch: &RecordBatch, names: &[String], columns: &[usize]) -> Result<Vec<Stretch>> {
    let values: Vec<ArrayRef> = columns.iter().map(|at| plain(batch.column(*at))).collect::<Result<_>>()?;
    let formats = FormatOptions::default()
        .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.6f"))
        .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.6f"));
    let texts = values.iter().map(|array| ArrayFormatter::try_new(array.as_ref(), &formats));
    let texts: Vec<_> = texts.collect::<Result<_, _>>()?;
    let mut stretches: Vec<Stretch> = Vec::new();
    for rows in partition(&values)?.ranges() {
        let mut folder = String::new();
        for ((name, array), text) in names.iter().zip(&values).zip(&texts) {
            if !folder.is_empty() {
                folder.push('/');
            }
            escape(&mut folder, name);
            folder.push('=');
            match value(array, text, rows.start)? {
                Some(value) if !value.is_empty() => escape(&mut folder, &value),
                _ => folder.push_str(NOTHING),
            }
        }
        match stretches.last_mut() {
            // NULL and the empty string share a folder.
            Some(last) if last.folder == folder => last.rows.end = rows.end,
            _ => stretches.push(Stretch { folder, rows }),
        }
    }
    Ok(stretches)
}

/// The folder of these values of columns, as [`stretches`] names it.
pub(crate) fn partition_folder(values: &[(String, ScalarValue)]) -> Result<String> {
    let arrays = values.iter().map(|(name, value)| Ok((name, value.to_array()?, true))).collect::<Result<Vec<_>>>()?;
    Ok(partition_folders(&RecordBatch::try_from_iter_with_nullable(arrays)?)?.concat())
}

/// The folders of rows of all columns that a table is partitioned by.
pub(crate) fn partition_folders(batch: &RecordBatch) -> Result<Vec<String>> {
    let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    let columns: Vec<usize> = (0..names.len()).collect();
    Ok(stretches(batch, &names, &columns)?.into_iter().map(|stretch| stretch.folder).collect())
}

/// Without what only saves memory, and with timestamps that show six digits.
fn plain(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::Dictionary(_, value) => cast(array, value)?,
        DataType::Binary | DataType::BinaryView | DataType::FixedSizeBinary(_) => cast(array, &DataType::LargeBinary)?,
        DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond | TimeUnit::Nanosecond, zone) => {
            cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?
        }
        _ => array.clone(),
    })
}

/// A value as Spark casts it to a string.
fn value(array: &ArrayRef, text: &ArrayFormatter<'_>, row: usize) -> Result<Option<String>> {
    if array.is_null(row) {
        return Ok(None);
    }
    let text = || text.value(row).try_to_string();
    Ok(Some(match array.data_type() {
        DataType::Float32 => double(&format!("{:e}", array.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => double(&format!("{:e}", array.as_primitive::<Float64Type>().value(row))),
        DataType::Decimal128(..) | DataType::Decimal256(..) => decimal(text()?),
        DataType::Timestamp(..) => text()?.trim_end_matches('0').trim_end_matches('.').to_owned(),
        DataType::LargeBinary => String::from_utf8_lossy(array.as_binary::<i64>().value(row)).into_owned(),
        _ => text()?,
    }))
}

/// A number as `{:e}` writes it, in the form of Java: `1.0E7` from ten million on and below a thousandth.
fn double(text: &str) -> String {
    let Some((digits, exponent)) = text.split_once('e') else {
        return text.replace("inf", "Infinity");
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let digits = digits.replace('.', "");
    let point = |at: usize| {
        let digits = format!("{digits:0<width$}", width = at + 1);
        format!("{}.{}", &digits[..at], &digits[at..])
    };
    match exponent {
        _ if digits == "0" => format!("{sign}0.0"),
        0..7 => format!("{sign}{}", point(exponent.unsigned_abs() as usize + 1)),
        -3..0 => format!("{sign}0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
        _ => format!("{sign}{}E{exponent}", point(1)),
    }
}

/// A decimal in the form of Java: with an exponent where more than five zeros follow the point.
fn decimal(text: String) -> String {
    let (sign, number) = text.strip_prefix('-').map_or(("", text.as_str()), |number| ("-", number));
    let Some(fraction) = number.strip_prefix("0.") else { return text };
    let digits = fraction.trim_start_matches('0');
    let scale = fraction.len();
    if digits.is_empty() {
        return if scale > 6 { format!("{sign}0E-{scale}") } else { text };
    }
    let exponent = scale - digits.len() + 1;
    match (exponent, digits.split_at(1)) {
        (..7, _) => text,
        (_, (first, "")) => format!("{sign}{first}E-{exponent}"),
        (_, (first, rest)) => format!("{sign}{first}.{rest}E-{exponent}"),
    }
}

/// `ExternalCatalogUtils.escapePathName` of Spark.
fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\u{1}'..='\u{1f}'
            | '\u{7f}'
            | '"'
            | '#'
            | '%'
            | '\''
            | '*'
            | '/'
            | ':'
            | '='
            | '?'
            | '\\'
            | '{'
            | '['
            | ']'
            | '^' => {
                let _ = write!(out, "%{:02X}", u32::from(character)); // writing to a String cannot fail
            }
            _ => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{
        BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, StringArray, TimestampMicrosecondArray,
    };

    use super::*;

    fn folders(array: ArrayRef) -> Vec<String> {
        let batch = RecordBatch::try_from_iter([("k", array)]).unwrap();
        let found = stretches(&batch, &["k".to_owned()], &[0]).unwrap();
        found.into_iter().map(|stretch| stretch.folder.replacen("k=", "", 1)).collect()
    }

    /// What Spark 3.5.4 wrote.
    #[test]
    fn texts_are_escaped_as_in_spark() {
        let given = [
            "a b",
            "a/b:c%d=e",
            "é{}[]^~#?*\\\"",
            "'",
            "x\ty\nz",
            "<>|,;&+@!$()_.-`",
            "\u{7f}",
            "  ",
            ".",
            "..",
            "日本",
            "\u{1}",
            "\u{80}x",
        ];
        let expected = [
            "a b",
            "a%2Fb%3Ac%25d%3De",
            "é%7B}%5B%5D%5E~%23%3F%2A%5C%22",
            "%27",
            "x%09y%0Az",
            "<>|,;&+@!$()_.-`",
            "%7F",
            "  ",
            ".",
            "..",
            "日本",
            "%01",
            "\u{80}x",
        ];
        assert_eq!(folders(Arc::new(StringArray::from(given.to_vec()))), expected);
        let nothing = folders(Arc::new(StringArray::from(vec![None, Some(""), Some("a")])));
        assert_eq!(nothing, [NOTHING, "a"]);
    }

    /// What Spark 3.5.4 wrote.
    #[test]
    fn values_are_texts_as_in_spark() {
        let doubles = [1e7, 1.0, 1e-5, f64::NAN, f64::INFINITY, -0.0, 123.25, 0.001, 9_999_999.5, -1.25e-7, 100.0];
        assert_eq!(
            folders(Arc::new(Float64Array::from(doubles.to_vec()))),
            ["1.0E7", "1.0", "1.0E-5", "NaN", "Infinity", "-0.0", "123.25", "0.001", "9999999.5", "-1.25E-7", "100.0"]
        );
        assert_eq!(folders(Arc::new(Float32Array::from(vec![1.5, 1e10, 0.1]))), ["1.5", "1.0E10", "0.1"]);
        let decimals = |values: Vec<i128>, scale| {
            folders(Arc::new(Decimal128Array::from(values).with_precision_and_scale(20, scale).unwrap()))
        };
        assert_eq!(decimals(vec![150, 1_000_000_000_000], 2), ["1.50", "10000000000.00"]);
        assert_eq!(decimals(vec![1, -125, 12_345_678, 0], 8), ["1E-8", "-0.00000125", "0.12345678", "0E-8"]);
        assert_eq!(folders(Arc::new(BooleanArray::from(vec![true, false]))), ["true", "false"]);
        assert_eq!(folders(Arc::new(Date32Array::from(vec![20454, -719_162]))), ["2026-01-01", "0001-01-01"]);
        let times = TimestampMicrosecondArray::from(vec![1_767_229_323_500_000, 1_767_225_600_000_000]);
        let expected = ["2026-01-01 01%3A02%3A03.5", "2026-01-01 00%3A00%3A00"];
        assert_eq!(folders(Arc::new(times.clone().with_timezone("UTC"))), expected);
        assert_eq!(folders(Arc::new(times)), expected);
    }
}
