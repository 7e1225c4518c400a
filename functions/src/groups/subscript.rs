//! `a[i]`, `m[k]` and fields: what is taken out of an array, a map or a struct.

use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::scalar::ScalarValue;

use super::array::ELEMENT;
use super::implicit::{cast, wider_type};
use super::map::VALUE;
use super::structs::FIELD_OF_ARRAY;
use crate::nested::{diff_types, orderable, unexpected_input};
use crate::{Call, DataType, Error, Result, Settings, SparkUdf, Typed};
use std::sync::Arc;

/// What is given for an index that is outside, or a key that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outside {
    Null,
    Fail,
}

/// `value[key]`, and `value.key` of a map.
///
/// # Errors
/// It is neither an array, a map nor a struct, or the key doesn't fit.
pub fn subscript(value: Typed, key: Typed, settings: &Arc<Settings>) -> Result<Typed> {
    let name = format!("{}[{}]", value.name, key.name);
    let outside = if settings.ansi { Outside::Fail } else { Outside::Null };
    if let DataType::Struct(_) = &value.data_type
        && let Some(ScalarValue::Utf8(Some(field))) = key.as_literal()
    {
        let field = field.clone();
        return self::field(value, &field, settings);
    }
    let call = Call { written: "", name: "[]", arguments: vec![value, key], settings };
    match call.arguments[0].data_type {
        DataType::Array(..) => of_array(call, name, outside),
        DataType::Map(..) => of_map(call, name, "[]"),
        _ => Err(cannot_extract(&call.arguments[0])),
    }
}

/// `value.name`: a field of a struct, that field of all structs of an array, or the value of a key of a map.
///
/// # Errors
/// There is no such field, or more than one.
pub fn field(value: Typed, field: &str, settings: &Arc<Settings>) -> Result<Typed> {
    match &value.data_type {
        DataType::Struct(fields) => {
            let at = position(fields, field, settings)?;
            let found = &fields[at];
            let name = format!("{}.{}", value.name, found.name);
            let (data_type, nullable) = (found.data_type.clone(), value.nullable || found.nullable);
            let (found, foldable) = (found.name.clone(), value.foldable);
            let unique = fields.iter().filter(|other| other.name == found).count() == 1;
            if !unique {
                return Err(ambiguous(field, &[found]));
            }
            Ok(Typed { expr: value.expr.field(found), data_type, nullable, name, foldable })
        }
        DataType::Array(element, contains_null) => {
            let DataType::Struct(fields) = element.as_ref() else {
                return Err(cannot_extract(&value));
            };
            let found = &fields[position(fields, field, settings)?];
            let name = format!("{}.{}", value.name, found.name);
            let data_type = DataType::Array(Box::new(found.data_type.clone()), *contains_null || found.nullable);
            let at = Typed::literal(ScalarValue::Utf8(Some(found.name.clone())), DataType::String, found.name.clone());
            let nullable = value.nullable;
            Ok(SparkUdf::call(&FIELD_OF_ARRAY, settings, vec![value, at], data_type, nullable, name))
        }
        DataType::Map(..) => {
            let name = format!("{}[{field}]", value.name);
            let key = Typed::literal(ScalarValue::Utf8(Some(field.to_owned())), DataType::String, field);
            let call = Call { written: "", name: "[]", arguments: vec![value, key], settings };
            of_map(call, name, "[]")
        }
        _ => Err(cannot_extract(&value)),
    }
}

fn position(fields: &[crate::StructField], name: &str, settings: &Settings) -> Result<usize> {
    let same = |field: &&(usize, &crate::StructField)| {
        if settings.case_sensitive { field.1.name == name } else { field.1.name.to_lowercase() == name.to_lowercase() }
    };
    let all: Vec<_> = fields.iter().enumerate().collect();
    let found: Vec<_> = all.iter().filter(same).collect();
    match found.as_slice() {
        [(at, _)] => Ok(*at),
        [] => {
            let names: Vec<_> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
            Err(Error::new("FIELD_NOT_FOUND", format!("No such struct field `{name}` in {}.", names.join(", "))))
        }
        several => Err(ambiguous(name, &several.iter().map(|(_, field)| field.name.clone()).collect::<Vec<_>>())),
    }
}

fn ambiguous(name: &str, found: &[String]) -> Error {
    Error::new(
        "AMBIGUOUS_REFERENCE_TO_FIELDS",
        format!("Ambiguous reference to the field `{name}`. It appears {} times in the schema.", found.len().max(2)),
    )
}

fn cannot_extract(value: &Typed) -> Error {
    Error::new(
        "INVALID_EXTRACT_BASE_FIELD_TYPE",
        format!(
            "Can't extract a value from \"{}\". Need a complex type [STRUCT, ARRAY, MAP] but got \"{}\".",
            value.name,
            value.data_type.sql()
        ),
    )
}

/// An element of an array, places counted from 0.
pub(crate) fn of_array(mut call: Call<'_>, name: String, outside: Outside) -> Result<Typed> {
    let DataType::Array(element, contains_null) = call.arguments[0].data_type.clone() else {
        return Err(unexpected_input(&call, 0, "the \"ARRAY\" type"));
    };
    if call.arguments[1].data_type == DataType::Void {
        call.arguments[1] = cast(call.arguments[1].clone(), &DataType::Int, call.settings)?;
    }
    if !call.arguments[1].data_type.is_integral() {
        return Err(Error::new(
            "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
            format!(
                "Cannot resolve \"{}[{}]\" due to data type mismatch: Parameter 2 requires the \"INTEGRAL\" type, however \"{}\" has the type \"{}\".",
                call.arguments[0].name,
                call.arguments[1].name,
                call.arguments[1].name,
                call.arguments[1].data_type.sql()
            ),
        ));
    }
    let nullable = outside == Outside::Null && call.name == "get" || element_nullable(&call, contains_null, false);
    element_call(call, *element, nullable, name, if outside == Outside::Fail { "get!" } else { "get" })
}

/// `element_at(array, place)`, places counted from 1 or from the end.
pub(crate) fn at(mut call: Call<'_>, name: String, outside: Outside) -> Result<Typed> {
    match call.arguments[0].data_type.clone() {
        DataType::Array(element, contains_null) => {
            if matches!(call.arguments[1].data_type, DataType::Byte | DataType::Short) {
                call.arguments[1] = cast(call.arguments[1].clone(), &DataType::Int, call.settings)?;
            }
            if call.arguments[1].data_type != DataType::Int {
                return Err(unexpected_input(&call, 1, "the \"INT\" type"));
            }
            let nullable = element_nullable(&call, contains_null, true);
            element_call(
                call,
                *element,
                nullable,
                name,
                if outside == Outside::Fail { "element_at!" } else { "element_at" },
            )
        }
        DataType::Map(..) => {
            let function = call.name;
            of_map(call, name, function)
        }
        _ => Err(unexpected_input(&call, 0, "the (\"ARRAY\" or \"MAP\") type")),
    }
}

fn element_call(mut call: Call<'_>, element: DataType, nullable: bool, name: String, mode: &str) -> Result<Typed> {
    call.arguments.push(Typed::literal(ScalarValue::Utf8(Some(mode.to_owned())), DataType::String, mode));
    Ok(SparkUdf::call(&ELEMENT, call.settings, call.arguments, element, nullable, name))
}

/// Spark knows that a place is inside an array that is written out.
fn element_nullable(call: &Call<'_>, contains_null: bool, from_one: bool) -> bool {
    let (array, place) = (&call.arguments[0], &call.arguments[1]);
    if array.nullable || place.nullable || contains_null {
        return true;
    }
    let datafusion::logical_expr::Expr::ScalarFunction(function) = &array.expr else { return true };
    if function.name() != "spark_array" {
        return true;
    }
    let width = i64::try_from(function.args.len()).unwrap_or(0);
    let place = match place.as_literal() {
        Some(ScalarValue::Int32(Some(place))) => i64::from(*place),
        Some(ScalarValue::Int64(Some(place))) => *place,
        Some(ScalarValue::Int16(Some(place))) => i64::from(*place),
        Some(ScalarValue::Int8(Some(place))) => i64::from(*place),
        _ => return true,
    };
    let inside = if from_one { place != 0 && place.abs() <= width } else { (0..width).contains(&place) };
    !inside
}

/// The value of a key.
pub(crate) fn of_map(mut call: Call<'_>, name: String, function: &str) -> Result<Typed> {
    let DataType::Map(key, value, contains_null) = call.arguments[0].data_type.clone() else {
        return Err(unexpected_input(&call, 0, "the \"MAP\" type"));
    };
    let Some(wider) = wider_type(&key, &call.arguments[1].data_type, call.settings) else {
        if function == "[]" {
            let (map, key_type) = (&call.arguments[0], &call.arguments[1]);
            return Err(Error::new(
                "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                format!(
                    "Cannot resolve \"{}[{}]\" due to data type mismatch: Parameter 2 requires the \"{}\" type, however \"{}\" has the type \"{}\".",
                    map.name,
                    key_type.name,
                    key.sql(),
                    key_type.name,
                    key_type.data_type.sql()
                ),
            ));
        }
        return Err(diff_types(&call, "MAP_FUNCTION_DIFF_TYPES", "\"MAP\" followed by a value with same key type", 1));
    };
    orderable(&call, &wider)?;
    let map = DataType::Map(Box::new(wider.clone()), value.clone(), contains_null);
    call.arguments[0] = cast(call.arguments[0].clone(), &map, call.settings)?;
    call.arguments[1] = cast(call.arguments[1].clone(), &wider, call.settings)?;
    Ok(SparkUdf::call(&VALUE, call.settings, call.arguments, *value, true, name))
}
