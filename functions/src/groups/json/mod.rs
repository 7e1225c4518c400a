//! Spark's functions of the group json.

pub(crate) mod infer;
pub(crate) mod options;
mod path;
pub(crate) mod read;
pub(crate) mod text;
pub(crate) mod write;

use std::sync::Arc;

use arrow::array::{Array, AsArray, Int32Array, StringArray, StructArray};
use datafusion::common::Result as RunResult;
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use self::options::Options;
use self::text::Json;
use crate::checks::{In, count, named, plain, scalar, text, unexpected};
use crate::columns::{Column, each, kernels, of_text, returned, rows, some};
use crate::constant::constant;
use crate::error::{Error, Result};
use crate::groups::string::lists;
use crate::{Arguments, Call, DataType, Function, Group, SparkUdf, Typed, schema_text};

const READ_OPTIONS: &[&str] =
    &["mode", "dateformat", "timestampformat", "timestampntzformat", "timezone", "columnnameofcorruptrecord", "locale"];
const WRITE_OPTIONS: &[&str] =
    &["dateformat", "timestampformat", "timestampntzformat", "timezone", "ignorenullfields", "locale"];

const fn row(name: &'static str, usage: &'static str, resolve: fn(Call<'_>) -> Result<Typed>) -> Function {
    scalar(name, Group::Json, usage, resolve)
}

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row("from_json", "from_json(text, schema[, options]) - The value that a JSON text is.", from_json),
    row("get_json_object", "get_json_object(text, path) - What a path finds in a JSON text.", |call| {
        plain(call, &GET, &[In::Text, In::Text], DataType::String)
    }),
    row("json_array_length", "json_array_length(text) - The elements of a JSON array.", |call| {
        plain(call, &ARRAY_LENGTH, &[In::Text], DataType::Int)
    }),
    row("json_object_keys", "json_object_keys(text) - The keys of a JSON object.", |call| {
        plain(call, &OBJECT_KEYS, &[In::Text], DataType::Array(Box::new(DataType::String), true))
    }),
    row("schema_of_json", "schema_of_json(text[, options]) - The schema of a JSON text.", schema_of_json),
    row("to_json", "to_json(expr[, options]) - A value as JSON.", to_json),
];

kernels! {
    GET = "spark_get_json_object", |a| {
        let (text, path) = (Column::<StringArray>::of(a, 0)?, Column::<StringArray>::of(a, 1)?);
        let constant = path.constant().map(path::steps);
        each::<StringArray, String>(a, |row| {
            let (text, path) = (some!(text.get(row)), some!(path.get(row)));
            let own = if constant.is_none() { path::steps(path) } else { None };
            let steps = some!(constant.as_ref().unwrap_or(&own).as_ref());
            Ok(Json::first(text).and_then(|(json, _)| path::find(&json, steps)))
        })
    };
    ARRAY_LENGTH = "spark_json_array_length", |a| of_text::<Int32Array, _>(a, |text| match Json::first(text)?.0 {
        Json::Array(items) => i32::try_from(items.len()).ok(),
        _ => None,
    });
    OBJECT_KEYS = "spark_json_object_keys", |a| {
        let text = Column::<StringArray>::of(a, 0)?;
        lists(a, |row, list| match text.get(row).and_then(Json::first) {
            Some((Json::Object(fields), _)) => {
                fields.iter().for_each(|(name, _)| list.append_value(name));
                Ok(true)
            }
            _ => Ok(false),
        })
    };
    FROM_JSON = "spark_from_json", read_column;
    TO_JSON = "spark_to_json", |a| {
        let options = Column::<StringArray>::of(a, 1)?;
        let form = write::Form::new(&Options::of_text(options.get(0).unwrap_or_default()), a.settings)?;
        let data_type = DataType::of(&a.fields[0])?;
        let (array, constant) = match &a.values[0] {
            ColumnarValue::Array(array) => (array.clone(), false),
            ColumnarValue::Scalar(value) => (value.to_array()?, true),
        };
        each::<StringArray, String>(a, |row| {
            let row = if constant { 0 } else { row };
            if row >= array.len() || array.is_null(row) {
                return Ok(None);
            }
            let mut text = String::new();
            form.write(&array, row, &data_type, &mut text)?;
            Ok(Some(text))
        })
    };
}

/// A struct that cannot be read is one of NULLs; an array or a map is NULL.
fn read_column(a: &Arguments<'_>) -> RunResult<ColumnarValue> {
    let options = Column::<StringArray>::of(a, 1)?;
    let options = Options::of_text(options.get(0).unwrap_or_default());
    let how = options.how(a.settings)?;
    let data_type = DataType::of(a.returns)?;
    let column = Column::<StringArray>::of(a, 0)?;
    let texts: Vec<Option<&str>> =
        (0..rows(a).0).map(|row| column.get(row).filter(|text| !text.trim().is_empty())).collect();
    let mut bad = vec![false; texts.len()];
    let is_struct = matches!(data_type, DataType::Struct(_));
    let holds_structs = matches!(&data_type, DataType::Array(element, _) if matches!(**element, DataType::Struct(_)));
    let mut values: Vec<Option<Json>> = Vec::with_capacity(texts.len());
    for (text, bad) in texts.iter().zip(bad.iter_mut()) {
        let value = text.and_then(Json::first).map(|(value, _)| value);
        let value = match value {
            Some(object @ Json::Object(_)) if holds_structs => Some(Json::Array(vec![object])),
            Some(object @ Json::Object(_)) if is_struct => Some(object),
            Some(value) if !is_struct => Some(value),
            value => {
                // A text that is there and is no object: its struct has no values.
                *bad = text.is_some() && value != Some(Json::Null);
                text.filter(|_| is_struct).map(|_| Json::Object(Vec::new()))
            }
        };
        values.push(value);
    }
    let cells: Vec<read::Cell<'_>> = values.iter().map(Option::as_ref).enumerate().collect();
    let (array, _) = if cells.is_empty() {
        (read::nulls(&data_type, 0), Vec::new())
    } else {
        read::build(&data_type, &cells, &how, &mut bad)?
    };
    if options.fails_fast() && bad.contains(&true) {
        return Err(Error::new(
            "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
            "Malformed records are detected in record parsing. Parse Mode: FAILFAST. To process malformed records as null \
             result, try setting the option 'mode' as 'PERMISSIVE'.",
        )
        .into());
    }
    let corrupt = options.get("columnnameofcorruptrecord").unwrap_or("_corrupt_record");
    returned(a, with_corrupt_record(array, corrupt, &texts, &bad)?)
}

/// The texts of bad records, in the column that is there for them.
pub(crate) fn with_corrupt_record(
    array: arrow::array::ArrayRef,
    name: &str,
    texts: &[Option<&str>],
    bad: &[bool],
) -> RunResult<arrow::array::ArrayRef> {
    let Some(columns) = array.as_struct_opt() else { return Ok(array) };
    let Some(at) = columns.column_names().iter().position(|column| *column == name) else { return Ok(array) };
    let records: StringArray = texts.iter().zip(bad).map(|(text, bad)| text.filter(|_| *bad)).collect();
    let mut arrays = columns.columns().to_vec();
    arrays[at] = Arc::new(records);
    Ok(Arc::new(StructArray::try_new(columns.fields().clone(), arrays, columns.nulls().cloned())?))
}

/// The schema that an argument says, which must be a constant.
pub(crate) fn schema(argument: &Typed) -> Result<DataType> {
    let wrong = || {
        Error::new(
            "INVALID_SCHEMA.NON_STRING_LITERAL",
            format!(
                "The input schema \"{}\" is not a valid schema string. The input expression must be string literal and not null.",
                argument.name
            ),
        )
    };
    match constant(argument).map_err(|_| wrong())? {
        ScalarValue::Utf8(Some(text)) => schema_text::schema(&text),
        _ => Err(wrong()),
    }
}

/// Everything that is read may be missing.
pub(crate) fn nullable(data_type: DataType) -> DataType {
    match data_type {
        DataType::Array(element, _) => DataType::Array(Box::new(nullable(*element)), true),
        DataType::Map(key, value, _) => DataType::Map(key, Box::new(nullable(*value)), true),
        DataType::Struct(fields) => {
            let fields = fields.into_iter().map(|mut field| {
                field.data_type = nullable(field.data_type);
                field.nullable = true;
                field
            });
            DataType::Struct(fields.collect())
        }
        other => other,
    }
}

fn from_json(mut call: Call<'_>) -> Result<Typed> {
    count(&call, &[2, 3])?;
    let shown = crate::checks::named_as("from_json", &call.arguments[..1]);
    if !matches!(call.arguments[0].data_type, DataType::String | DataType::Void) {
        return Err(unexpected(&shown, 0, &call.arguments[0], "\"STRING\""));
    }
    let data_type = nullable(schema(&call.arguments[1])?);
    if !matches!(data_type, DataType::Struct(_) | DataType::Array(..) | DataType::Map(..)) {
        return Err(Error::new(
            "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA",
            format!(
                "Cannot resolve \"{shown}\" due to data type mismatch: Input schema \"{}\" must be a struct, an array or a map.",
                data_type.sql()
            ),
        ));
    }
    let options = Options::take(&mut call, 2, READ_OPTIONS)?;
    call.arguments.truncate(1);
    crate::checks::cast(&mut call, &[In::Text])?;
    call.arguments.push(options.argument());
    let name = if matches!(data_type, DataType::Map(..)) { "entries".to_owned() } else { shown };
    Ok(SparkUdf::call(&FROM_JSON, call.settings, call.arguments, data_type, true, name))
}

fn to_json(mut call: Call<'_>) -> Result<Typed> {
    count(&call, &[1, 2])?;
    let name = crate::checks::named_as("to_json", &call.arguments[..1]);
    let data_type = &call.arguments[0].data_type;
    if !matches!(data_type, DataType::Struct(_) | DataType::Array(..) | DataType::Map(..)) {
        return Err(Error::new(
            "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA",
            format!(
                "Cannot resolve \"{name}\" due to data type mismatch: Input schema \"{}\" must be a struct, an array or a map.",
                data_type.sql()
            ),
        ));
    }
    let options = Options::take(&mut call, 1, WRITE_OPTIONS)?;
    call.arguments.push(options.argument());
    Ok(SparkUdf::call(&TO_JSON, call.settings, call.arguments, DataType::String, true, name))
}

fn schema_of_json(mut call: Call<'_>) -> Result<Typed> {
    count(&call, &[1, 2])?;
    let name = crate::checks::named_as("schema_of_json", &call.arguments[..1]);
    let options = Options::take(&mut call, 1, &["allownumericleadingzeros"])?;
    let ScalarValue::Utf8(Some(json)) = constant(&call.arguments[0])? else {
        return Err(Error::new(
            "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
            format!(
                "Cannot resolve \"{}\" due to data type mismatch: the input `json` should be a foldable \"STRING\" expression.",
                named(&call)
            ),
        ));
    };
    let lenient = options.is_true("allownumericleadingzeros", false);
    let first = if lenient { Json::first_lenient(&json) } else { Json::first(&json) };
    let Some((value, _)) = first else {
        return Err(Error::new("com.fasterxml.jackson.core.JsonParseException", format!("'{json}' is not JSON.")));
    };
    Ok(Typed { name, ..text(&infer::known(infer::of(&value, &infer::Types::default())).sql()) })
}
