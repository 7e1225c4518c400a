//! A whole column cast: which file casts what, and the parts of nested values one by one.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, ListArray, MapArray, PrimitiveArray, StructArray, new_null_array,
};
use arrow::compute::cast as arrow_cast;
use arrow::datatypes::{DataType as Arrow, Field, Int64Type};

use super::{CastMode, binary, instants, intervals, numbers, strings};
use crate::coercion::same_type;
use crate::text::{Style, strings_of};
use crate::zone::Zone;
use crate::{DataType, Error, Result, Settings};

/// How values are cast.
pub(crate) struct How {
    pub(super) mode: CastMode,
    pub(super) zone: Zone,
}

impl How {
    pub(crate) fn new(mode: CastMode, settings: &Settings) -> Result<How> {
        Ok(How { mode, zone: Zone::of(&settings.time_zone)? })
    }

    /// Whether a value that does not fit is an error and not another value.
    pub(super) fn strict(&self) -> bool {
        self.mode != CastMode::Legacy
    }

    /// What becomes of a value that does not fit: `error` says it.
    pub(super) fn refuse<T>(&self, error: impl FnOnce() -> Error) -> Result<Option<T>> {
        match self.mode {
            CastMode::Ansi => Err(error()),
            CastMode::Legacy | CastMode::Try => Ok(None),
        }
    }
}

/// Casts a column.
///
/// # Errors
/// A value does not fit, in error mode; or there is no such cast.
pub(crate) fn cast_array(array: &ArrayRef, from: &DataType, to: &DataType, how: &How) -> Result<ArrayRef> {
    use DataType::{
        Array, Binary, Boolean, Date, DayTime, Map, String, Struct, Timestamp, TimestampNtz, Void, YearMonth,
    };
    let array = &normal(array, from)?;
    if from == to {
        return Ok(Arc::clone(array));
    }
    match (from, to) {
        (Void, to) => Ok(new_null_array(&to.to_arrow(), array.len())),
        (Array(from, _), Array(to, null)) => {
            let list = array.as_list::<i32>();
            let values = cast_array(list.values(), from, to, how)?;
            let field = Arc::new(to.to_field(Field::LIST_FIELD_DEFAULT_NAME, *null));
            let list = ListArray::try_new(field, list.offsets().clone(), values, list.nulls().cloned());
            Ok(Arc::new(list.map_err(failed)?))
        }
        (Map(key, value, _), Map(to_key, to_value, _)) => {
            let map = array.as_map();
            let keys = cast_array(map.keys(), key, to_key, how)?;
            let values = cast_array(map.values(), value, to_value, how)?;
            let Arrow::Map(entries_field, _) = to.to_arrow() else { return Err(no_such(from, to)) };
            let Arrow::Struct(fields) = entries_field.data_type() else { return Err(no_such(from, to)) };
            let entries = StructArray::try_new(fields.clone(), vec![keys, values], None).map_err(failed)?;
            let offsets = map.offsets().clone();
            let map = MapArray::try_new(Arc::clone(&entries_field), offsets, entries, map.nulls().cloned(), false);
            Ok(Arc::new(map.map_err(failed)?))
        }
        (Struct(from_fields), Struct(to_fields)) => {
            let structs = array.as_struct();
            let columns = structs
                .columns()
                .iter()
                .zip(from_fields.iter().zip(to_fields))
                .map(|(column, (from, to))| cast_array(column, &from.data_type, &to.data_type, how))
                .collect::<Result<Vec<_>>>()?;
            let fields = to_fields.iter().map(crate::StructField::to_arrow).collect();
            let length = structs.len();
            let structs = StructArray::try_new_with_length(fields, columns, structs.nulls().cloned(), length);
            Ok(Arc::new(structs.map_err(failed)?))
        }
        (from, to) if same_type(from, to) => Ok(Arc::clone(array)),
        (from, String) => strings_of(array, from, Style::cast(how.strict()), how.zone),
        (String, to) => strings::cast(array, to, how),
        (from, Binary) if from.is_integral() => {
            let width = from.to_arrow().primitive_width().unwrap_or(8);
            binary::of_integers(&arrow_cast(array, &Arrow::Int64).map_err(failed)?, width)
        }
        (Date | Timestamp | TimestampNtz, Date | Timestamp | TimestampNtz) => instants::cast(array, from, to, how),
        (Date, to) if to.is_numeric() || *to == Boolean => Ok(new_null_array(&to.to_arrow(), array.len())),
        (Timestamp, to) => instants::to_number(array, to, how),
        (DayTime(..) | YearMonth(..), to) => intervals::cast(array, from, to, how),
        (from, DayTime(..) | YearMonth(..)) => intervals::of_number(array, from, to, how),
        (from, to) if from.is_numeric() || *from == Boolean => numbers::cast(array, from, to, how),
        (from, to) => Err(no_such(from, to)),
    }
}

/// A column of a type in the one form that all code here reads.
pub(crate) fn normal(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    let wanted = data_type.to_arrow();
    if array.data_type() == &wanted || array.data_type().equals_datatype(&wanted) {
        return Ok(Arc::clone(array));
    }
    arrow_cast(array, &wanted).map_err(failed)
}

/// A column of primitive values, each computed or NULL; a NULL stays NULL without a call.
pub(crate) fn primitives<T: ArrowPrimitiveType>(
    source: &dyn Array,
    mut value: impl FnMut(usize) -> Result<Option<T::Native>>,
) -> Result<PrimitiveArray<T>> {
    let mut builder = PrimitiveArray::<T>::builder(source.len());
    for row in 0..source.len() {
        if source.is_null(row) {
            builder.append_null();
        } else {
            builder.append_option(value(row)?);
        }
    }
    Ok(builder.finish())
}

/// Whole numbers that are known to fit, in the width of a type.
pub(super) fn narrow(values: PrimitiveArray<Int64Type>, to: &DataType) -> Result<ArrayRef> {
    if *to == DataType::Long {
        return Ok(Arc::new(values));
    }
    arrow_cast(&values, &to.to_arrow()).map_err(failed)
}

pub(crate) fn failed(error: impl std::fmt::Display) -> Error {
    Error::new("INTERNAL_ERROR", error.to_string())
}

fn no_such(from: &DataType, to: &DataType) -> Error {
    Error::new("INTERNAL_ERROR", format!("No cast from {} to {}.", from.catalog(), to.catalog()))
}
