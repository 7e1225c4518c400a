//! Maps read from text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;
use fancy_regex::Regex;

use super::MapMaker;
use crate::groups::implicit::implicit;
use crate::nested::{arity, pretty, returned, unexpected_input};
use crate::{Arguments, Call, DataType, Error, Kernel, Result, SparkUdf, Typed};

pub(crate) static STR_TO_MAP: Kernel = Kernel { name: "spark_str_to_map", volatile: false, run };

/// `str_to_map(text[, pairDelim[, keyValueDelim]])`
pub(crate) fn str_to_map(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=3)?;
    for at in 0..call.arguments.len() {
        let Some(argument) = implicit(&call.arguments[at], &DataType::String, call.settings)? else {
            return Err(unexpected_input(&call, at, "the \"STRING\" type"));
        };
        call.arguments[at] = argument;
    }
    for delimiter in [",", ":"].iter().skip(call.arguments.len() - 1) {
        let value = ScalarValue::Utf8(Some((*delimiter).to_owned()));
        call.arguments.push(Typed::literal(value, DataType::String, *delimiter));
    }
    let nullable = call.arguments.iter().any(|argument| argument.nullable);
    let name = pretty(&call);
    let data_type = DataType::Map(Box::new(DataType::String), Box::new(DataType::String), true);
    Ok(SparkUdf::call(&STR_TO_MAP, call.settings, call.arguments, data_type, nullable, name))
}

fn run(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let columns = [arguments.array(0)?, arguments.array(1)?, arguments.array(2)?];
    let [text, pairs, between] = &columns;
    let (text, pairs, between) = (text.as_string::<i32>(), pairs.as_string::<i32>(), between.as_string::<i32>());
    let mut keys = StringBuilder::new();
    let mut values = StringBuilder::new();
    let mut ranges = Vec::with_capacity(arguments.rows);
    let mut compiled: Option<(String, String, Regex, Regex)> = None;
    let mut made = 0;
    for row in 0..arguments.rows {
        if text.is_null(row) || pairs.is_null(row) || between.is_null(row) {
            ranges.push(None);
            continue;
        }
        let (pair, key) = (pairs.value(row), between.value(row));
        let fresh = match compiled.take() {
            Some(same) if same.0 == pair && same.1 == key => same,
            _ => (pair.to_owned(), key.to_owned(), regex(pair)?, regex(key)?),
        };
        let begun = made;
        for entry in split(text.value(row), &fresh.2, None)? {
            let mut parts = split(entry, &fresh.3, Some(2))?.into_iter();
            keys.append_value(parts.next().unwrap_or_default());
            values.append_option(parts.next());
            made += 1;
        }
        ranges.push(Some(begun..made));
        compiled = Some(fresh);
    }
    let keys: ArrayRef = Arc::new(keys.finish());
    let values: ArrayRef = Arc::new(values.finish());
    let mut maker = MapMaker::new(&keys, arguments.settings)?;
    for range in ranges {
        match range {
            None => maker.push_null(),
            Some(range) => maker.push(range.map(|at| (at, at)))?,
        }
    }
    returned(arguments, maker.finish(&values, arguments.returns.data_type())?)
}

fn regex(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|error| {
        Error::new("INVALID_PARAMETER_VALUE.PATTERN", format!("{pattern} is not a regular expression: {error}"))
    })
}

/// As Java splits: an empty match at the beginning makes no part; empty parts at the end stay.
fn split<'a>(text: &'a str, delimiter: &Regex, limit: Option<usize>) -> Result<Vec<&'a str>> {
    let mut parts = Vec::new();
    let mut begun = 0;
    for found in delimiter.find_iter(text) {
        let found = found.map_err(|error| Error::new("INTERNAL_ERROR", error.to_string()))?;
        if limit.is_some_and(|limit| parts.len() + 1 >= limit) {
            break;
        }
        if found.end() == 0 {
            continue;
        }
        parts.push(text.get(begun..found.start()).unwrap_or_default());
        begun = found.end();
    }
    parts.push(text.get(begun..).unwrap_or_default());
    Ok(parts)
}
