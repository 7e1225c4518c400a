//! Values as Spark's command line shows them (`HiveResult.toHiveString` of Spark 3.5).

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

/// Each row of a batch, column by column.
pub fn rows(batch: &RecordBatch) -> Vec<Vec<String>> {
    let row = |row| batch.columns().iter().map(|column| outer(column, row)).collect();
    (0..batch.num_rows()).map(row).collect()
}

/// A value of its own; within another, NULL is written small and texts are quoted.
fn outer(column: &dyn Array, row: usize) -> String {
    match column.data_type() {
        _ if column.is_null(row) => "NULL".to_owned(),
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => plain(column, row),
        _ => inner(column, row),
    }
}

fn inner(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "null".to_owned();
    }
    match column.data_type() {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => format!("\"{}\"", plain(column, row)),
        DataType::Float32 => {
            let value = column.as_primitive::<Float32Type>().value(row);
            java_double(f64::from(value), &format!("{value:e}"))
        }
        DataType::Float64 => {
            let value = column.as_primitive::<Float64Type>().value(row);
            java_double(value, &format!("{value:e}"))
        }
        DataType::Timestamp(..) => {
            let text = plain(column, row);
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
        }
        DataType::Struct(fields) => {
            let columns = column.as_struct().columns();
            let pairs = fields.iter().zip(columns);
            let pairs: Vec<_> =
                pairs.map(|(field, values)| format!("\"{}\":{}", field.name(), inner(values, row))).collect();
            format!("{{{}}}", pairs.join(","))
        }
        DataType::List(_) => {
            let values = column.as_list::<i32>().value(row);
            let values: Vec<_> = (0..values.len()).map(|at| inner(&values, at)).collect();
            format!("[{}]", values.join(","))
        }
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let pairs: Vec<_> =
                (0..entries.len()).map(|at| format!("{}:{}", inner(keys, at), inner(values, at))).collect();
            format!("{{{}}}", pairs.join(","))
        }
        _ => plain(column, row),
    }
}

fn plain(column: &dyn Array, row: usize) -> String {
    let options = FormatOptions::default()
        .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
        .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f"));
    ArrayFormatter::try_new(column, &options).unwrap().value(row).to_string()
}

/// As Java's `Double.toString`: plain from 10⁻³ up to 10⁷, with an exponent elsewhere, and always with a point.
/// `shortest` is the number with the fewest digits that tell it apart, as Rust's `{:e}` has it.
fn java_double(value: f64, shortest: &str) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let with_point = |digits: &str| if digits.contains('.') { digits.to_owned() } else { format!("{digits}.0") };
    if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        let (digits, exponent) = shortest.split_once('e').unwrap();
        let places = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len() as i64);
        let decimals = (places - exponent.parse::<i64>().unwrap()).max(1);
        let decimals = usize::try_from(decimals).unwrap();
        // The digits that tell it apart say how many decimals there are; formatting with these is exact.
        return format!("{:.decimals$}", shortest.parse::<f64>().unwrap());
    }
    let (digits, exponent) = shortest.split_once('e').unwrap();
    format!("{}E{exponent}", with_point(digits))
}

#[test]
fn doubles_look_as_in_java() {
    let cases = [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (-12.75, "-12.75"),
        (0.001, "0.001"),
        (0.00099, "9.9E-4"),
        (9_999_999.5, "9999999.5"),
        (1e7, "1.0E7"),
        (1.25e-10, "1.25E-10"),
        (f64::MAX, "1.7976931348623157E308"),
        (f64::NEG_INFINITY, "-Infinity"),
    ];
    for (value, expected) in cases {
        assert_eq!(java_double(value, &format!("{value:e}")), expected);
    }
}
