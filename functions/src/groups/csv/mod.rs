//! Spark's functions of the group csv.

mod line;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType as Arrow, Fields};
use datafusion::common::Result as RunResult;
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use self::line::{Marks, fields, written};
use crate::cast::{parse_date, parse_timestamp};
use crate::checks::{In, count, named_as, scalar, text, unexpected};
use crate::columns::{Column, each, kernels, returned, rows};
use crate::constant::constant;
use crate::error::{Error, Result};
use crate::groups::json::options::Options;
use crate::groups::json::read::build_texts;
use crate::groups::json::write::Form;
use crate::groups::json::{nullable, schema, with_corrupt_record};
use crate::zone::Zone;
use crate::{Arguments, Call, DataType, Function, Group, SparkUdf, StructField, Typed};

const READ_OPTIONS: &[&str] = &[
    "sep",
    "delimiter",
    "quote",
    "escape",
    "mode",
    "dateformat",
    "timestampformat",
    "timestampntzformat",
    "timezone",
    "nullvalue",
    "nanvalue",
    "positiveinf",
    "negativeinf",
    "ignoreleadingwhitespace",
    "ignoretrailingwhitespace",
    "columnnameofcorruptrecord",
];
const WRITE_OPTIONS: &[&str] = &[
    "sep",
    "delimiter",
    "quote",
    "escape",
    "dateformat",
    "timestampformat",
    "timestampntzformat",
    "timezone",
    "nullvalue",
    "emptyvalue",
    "quoteall",
    "ignoreleadingwhitespace",
    "ignoretrailingwhitespace",
];

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    scalar("from_csv", Group::Csv, "from_csv(text, schema[, options]) - The struct that a line of CSV is.", from_csv),
    scalar("schema_of_csv", Group::Csv, "schema_of_csv(text[, options]) - The schema of a line of CSV.", schema_of_csv),
    scalar("to_csv", Group::Csv, "to_csv(expr[, options]) - A struct as a line of CSV.", to_csv),
];

kernels! {
    FROM_CSV = "spark_from_csv", read;
    TO_CSV = "spark_to_csv", write;
}

fn marks(options: &Options, trims: bool) -> Marks {
    let one = |key: &str, default: char| match options.get(key) {
        Some(given) => given.chars().next().filter(|c| *c != '\0'),
        None => Some(default),
    };
    let separator = options.get("sep").or(options.get("delimiter")).unwrap_or(",");
    Marks {
        separator: if separator.is_empty() { ",".to_owned() } else { separator.replace("\\t", "\t") },
        quote: one("quote", '"'),
        escape: one("escape", '\\'),
        trims_start: options.is_true("ignoreleadingwhitespace", trims),
        trims_end: options.is_true("ignoretrailingwhitespace", trims),
    }
}

fn read(a: &Arguments<'_>) -> RunResult<ColumnarValue> {
    let options = Column::<StringArray>::of(a, 1)?;
    let options = Options::of_text(options.get(0).unwrap_or_default());
    let how = options.how(a.settings)?;
    let marks = marks(&options, false);
    let DataType::Struct(columns) = DataType::of(a.returns)? else {
        return Err(Error::unsupported("this schema of CSV").into());
    };
    let corrupt = options.get("columnnameofcorruptrecord").unwrap_or("_corrupt_record").to_owned();
    let column = Column::<StringArray>::of(a, 0)?;
    let texts: Vec<Option<&str>> = (0..rows(a).0).map(|row| column.get(row)).collect();
    let wanted = columns.iter().filter(|column| column.name != corrupt).count();
    let null = options.get("nullvalue").unwrap_or("").to_owned();
    let mut bad = vec![false; texts.len()];
    let mut records: Vec<Vec<Option<String>>> = Vec::new();
    for (text, bad) in texts.iter().zip(bad.iter_mut()) {
        let record = text.map(|text| fields(text, &marks)).unwrap_or_default();
        *bad = text.is_some() && record.len() != wanted;
        records.push(record.into_iter().map(|field| field.filter(|field| *field != null)).collect());
    }
    let mut arrays: Vec<ArrayRef> = Vec::new();
    let mut at = 0;
    for column in &columns {
        if column.name == corrupt && column.data_type == DataType::String {
            arrays.push(Arc::new(StringArray::new_null(texts.len())));
            continue;
        }
        let cells: Vec<Option<&str>> = records.iter().map(|record| record.get(at).and_then(Option::as_deref)).collect();
        arrays.push(build_texts(&column.data_type, &cells, &how, &mut bad)?);
        at += 1;
    }
    if options.fails_fast() && bad.contains(&true) {
        return Err(Error::new(
            "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
            "Malformed records are detected in record parsing. Parse Mode: FAILFAST. To process malformed records as null \
             result, try setting the option 'mode' as 'PERMISSIVE'.",
        )
        .into());
    }
    let valid = NullBuffer::from(texts.iter().map(Option::is_some).collect::<Vec<bool>>());
    let arrow: Fields = match a.returns.data_type() {
        Arrow::Struct(fields) => fields.clone(),
        _ => Fields::empty(),
    };
    let array: ArrayRef = if columns.is_empty() {
        Arc::new(StructArray::new_empty_fields(texts.len(), Some(valid)))
    } else {
        Arc::new(StructArray::try_new(arrow, arrays, Some(valid))?)
    };
    returned(a, with_corrupt_record(array, &corrupt, &texts, &bad)?)
}

fn write(a: &Arguments<'_>) -> RunResult<ColumnarValue> {
    let options = Column::<StringArray>::of(a, 1)?;
    let options = Options::of_text(options.get(0).unwrap_or_default());
    let form = Form::new(&options, a.settings)?;
    let marks = marks(&options, true);
    let all = options.is_true("quoteall", false);
    let (null, empty) = (options.get("nullvalue").unwrap_or(""), options.get("emptyvalue").unwrap_or("\"\""));
    let DataType::Struct(columns) = DataType::of(&a.fields[0])? else {
        return Err(Error::unsupported("to_csv of this").into());
    };
    let (array, constant) = match &a.values[0] {
        ColumnarValue::Array(array) => (array.clone(), false),
        ColumnarValue::Scalar(value) => (value.to_array()?, true),
    };
    each::<StringArray, String>(a, |row| {
        let row = if constant { 0 } else { row };
        let Some(values) = array.as_struct_opt().filter(|_| row < array.len() && !array.is_null(row)) else {
            return Ok(None);
        };
        let mut parts = Vec::new();
        for (column, values) in columns.iter().zip(values.columns()) {
            parts.push(match form.plain(values, row, &column.data_type)? {
                None => null.to_owned(),
                Some(text) if text.is_empty() => empty.to_owned(),
                Some(text) => written(&text, &marks, all),
            });
        }
        Ok(Some(parts.join(&marks.separator)))
    })
}

fn from_csv(mut call: Call<'_>) -> Result<Typed> {
    count(&call, &[2, 3])?;
    let name = named_as("from_csv", &call.arguments[..1]);
    if !matches!(call.arguments[0].data_type, DataType::String | DataType::Void) {
        return Err(unexpected(&name, 0, &call.arguments[0], "\"STRING\""));
    }
    let data_type = nullable(schema(&call.arguments[1])?);
    let DataType::Struct(fields) = &data_type else {
        return Err(Error::new(
            "INVALID_SCHEMA.NON_STRUCT_TYPE",
            format!("The input schema \"{}\" is not a struct.", data_type.sql()),
        ));
    };
    let nested =
        |field: &StructField| matches!(field.data_type, DataType::Array(..) | DataType::Map(..) | DataType::Struct(_));
    if fields.iter().any(nested) {
        return Err(Error::new("UNSUPPORTED_DATATYPE", format!("Unsupported data type \"{}\".", data_type.sql())));
    }
    let options = Options::take(&mut call, 2, READ_OPTIONS)?;
    call.arguments.truncate(1);
    crate::checks::cast(&mut call, &[In::Text])?;
    call.arguments.push(options.argument());
    Ok(SparkUdf::call(&FROM_CSV, call.settings, call.arguments, data_type, true, name))
}

fn to_csv(mut call: Call<'_>) -> Result<Typed> {
    count(&call, &[1, 2])?;
    let name = named_as("to_csv", &call.arguments[..1]);
    let DataType::Struct(fields) = &call.arguments[0].data_type else {
        return Err(unexpected(&name, 0, &call.arguments[0], "\"STRUCT\""));
    };
    // Spark prints the objects of its own memory for these.
    let odd = |field: &&StructField| {
        matches!(field.data_type, DataType::Array(..) | DataType::Map(..) | DataType::Struct(_) | DataType::Binary)
    };
    if let Some(field) = fields.iter().find(odd) {
        return Err(Error::unsupported(format!("columns of type {} in to_csv", field.data_type.sql())));
    }
    let options = Options::take(&mut call, 1, WRITE_OPTIONS)?;
    call.arguments.push(options.argument());
    Ok(SparkUdf::call(&TO_CSV, call.settings, call.arguments, DataType::String, true, name))
}

fn schema_of_csv(mut call: Call<'_>) -> Result<Typed> {
    count(&call, &[1, 2])?;
    let name = named_as("schema_of_csv", &call.arguments[..1]);
    let options = Options::take(&mut call, 1, READ_OPTIONS)?;
    let ScalarValue::Utf8(Some(csv)) = constant(&call.arguments[0])? else {
        return Err(Error::new(
            "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
            format!(
                "Cannot resolve \"{name}\" due to data type mismatch: the input `csv` should be a foldable \"STRING\" expression."
            ),
        ));
    };
    if csv.is_empty() {
        return Err(Error::new("INTERNAL_ERROR", "schema_of_csv of an empty text."));
    }
    let zone = Zone::of(&call.settings.time_zone)?;
    let columns = fields(&csv, &marks(&options, false)).into_iter().enumerate();
    let columns = columns.map(|(at, field)| StructField::new(format!("_c{at}"), type_of(field.as_deref(), zone), true));
    Ok(Typed { name, ..text(&DataType::Struct(columns.collect()).sql()) })
}

/// The narrowest type that reads the field.
fn type_of(field: Option<&str>, zone: Zone) -> DataType {
    let Some(field) = field else { return DataType::String };
    let digits = field.strip_prefix(['-', '+']).unwrap_or(field);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let word = matches!(field, "NaN" | "Inf" | "-Inf");
    if field.parse::<i32>().is_ok() {
        DataType::Int
    } else if field.parse::<i64>().is_ok() {
        DataType::Long
    } else if is_whole && digits.len() <= 38 {
        DataType::Decimal(u8::try_from(digits.len()).unwrap_or(38), 0)
    } else if word
        || (field.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) && field.trim().parse::<f64>().is_ok())
    {
        DataType::Double
    } else if field.len() == 10 && parse_date(field).is_some() {
        DataType::Date
    } else if parse_timestamp(field, Some(zone)).is_some() {
        DataType::Timestamp
    } else if field.eq_ignore_ascii_case("true") || field.eq_ignore_ascii_case("false") {
        DataType::Boolean
    } else {
        DataType::String
    }
}
