//! Maps made of keys and values. A key may be there once and may not be NULL.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::concat as concat_arrays;
use arrow::datatypes::{DataType as Arrow, Field, Fields};
use arrow::row::Rows;
use datafusion::common::{Result as DataFusionResult, ScalarValue, exec_err};
use datafusion::logical_expr::ColumnarValue;

use crate::groups::implicit::{cast, wider_common_type};
use crate::nested::{
    Equality, Lists, arity, array_argument, keys_of, list_of, mismatch, pick, pretty, returned, retype,
    unexpected_input, with_nulls,
};
use crate::{Arguments, Call, DataType, Error, Kernel, Result, Settings, SparkUdf, Typed};

pub(crate) static MAP: Kernel = Kernel { name: "spark_map", volatile: false, run: run_map };
pub(crate) static CONCAT: Kernel = Kernel { name: "spark_map_concat", volatile: false, run: run_concat };
pub(crate) static FROM_ARRAYS: Kernel = Kernel { name: "spark_map_from_arrays", volatile: false, run: run_from_arrays };
pub(crate) static FROM_ENTRIES: Kernel =
    Kernel { name: "spark_map_from_entries", volatile: false, run: run_from_entries };

/// Fails if a type cannot be that of a key.
pub(crate) fn valid_key(name: &str, key: &DataType) -> Result<()> {
    fn has_map(data_type: &DataType) -> bool {
        match data_type {
            DataType::Map(..) => true,
            DataType::Array(element, _) => has_map(element),
            DataType::Struct(fields) => fields.iter().any(|field| has_map(&field.data_type)),
            _ => false,
        }
    }
    if has_map(key) {
        return Err(mismatch(
            name,
            "INVALID_MAP_KEY_TYPE",
            format!("The key of map cannot be/contain \"{}\".", key.sql()),
        ));
    }
    Ok(())
}

/// Makes maps of keys and values that are picked by their index, and keeps the rules of keys.
pub(crate) struct MapMaker<'a> {
    keys: &'a ArrayRef,
    rows: Rows,
    nulls: Option<NullBuffer>,
    last_wins: bool,
    picked: Vec<(usize, usize)>,
    begun: usize,
    lengths: Vec<usize>,
    valid: Vec<bool>,
}

impl<'a> MapMaker<'a> {
    pub(crate) fn new(keys: &'a ArrayRef, settings: &Settings) -> DataFusionResult<Self> {
        let policy = settings.others.get("spark.sql.mapkeydeduppolicy");
        Ok(MapMaker {
            keys,
            rows: keys_of(keys, Equality::Comparison)?,
            nulls: keys.logical_nulls(),
            last_wins: policy.is_some_and(|policy| policy.eq_ignore_ascii_case("LAST_WIN")),
            picked: Vec::new(),
            begun: 0,
            lengths: Vec::new(),
            valid: Vec::new(),
        })
    }

    /// Ends a map, which is NULL.
    pub(crate) fn push_null(&mut self) {
        self.lengths.push(0);
        self.valid.push(false);
    }

    /// Adds a map of these keys and values.
    pub(crate) fn push(&mut self, entries: impl Iterator<Item = (usize, usize)>) -> DataFusionResult<()> {
        let rows = &self.rows;
        let mut places = HashMap::new();
        for (key, value) in entries {
            if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(key)) {
                return Err(Error::new("NULL_MAP_KEY", "Cannot use null as map key.").into());
            }
            match places.entry(rows.row(key)) {
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(self.picked.len());
                    self.picked.push((key, value));
                }
                std::collections::hash_map::Entry::Occupied(place) if self.last_wins => {
                    if let Some(entry) = self.picked.get_mut(*place.get()) {
                        entry.1 = value;
                    }
                }
                std::collections::hash_map::Entry::Occupied(_) => {
                    let key = ScalarValue::try_from_array(self.keys, key)?;
                    return Err(Error::new(
                        "DUPLICATED_MAP_KEY",
                        format!(
                            "Duplicate map key {key} was found, please check the input data. If you want to remove the \
                             duplicated keys, you can set \"spark.sql.mapKeyDedupPolicy\" to \"LAST_WIN\" so that the key \
                             inserted at last takes precedence."
                        ),
                    )
                    .into());
                }
            }
        }
        self.lengths.push(self.picked.len() - self.begun);
        self.begun = self.picked.len();
        self.valid.push(true);
        Ok(())
    }

    /// The maps, as the type says.
    pub(crate) fn finish(self, values: &ArrayRef, returns: &Arrow) -> DataFusionResult<ArrayRef> {
        let Arrow::Map(entries, _) = returns else { return exec_err!("a map was expected instead of {returns}") };
        let Arrow::Struct(fields) = entries.data_type() else { return exec_err!("{returns} is no map") };
        let keys = pick(self.keys, self.picked.iter().map(|entry| Some(entry.0)).collect())?;
        let values = pick(values, self.picked.iter().map(|entry| Some(entry.1)).collect())?;
        let entries = entries_of(keys, values, fields)?;
        let nulls = if self.valid.iter().all(|valid| *valid) { None } else { Some(NullBuffer::from(self.valid)) };
        list_of(entries, OffsetBuffer::from_lengths(self.lengths), nulls, returns)
    }
}

fn entries_of(keys: ArrayRef, values: ArrayRef, fields: &Fields) -> DataFusionResult<ArrayRef> {
    let [key, value] = fields.as_ref() else { return exec_err!("a map has keys and values") };
    // A map of nothing has keys of type void, which are all NULL.
    let key_field = if key.data_type() == &Arrow::Null {
        Arc::new(Field::new(key.name(), Arrow::Null, true))
    } else {
        Arc::clone(key)
    };
    let columns = vec![retype(&keys, key.data_type())?, retype(&values, value.data_type())?];
    Ok(Arc::new(StructArray::try_new(Fields::from(vec![key_field, Arc::clone(value)]), columns, None)?))
}

/// `map(k, v, …)`
pub(crate) fn map(call: Call<'_>) -> Result<Typed> {
    let name = pretty(&call);
    if !call.arguments.len().is_multiple_of(2) {
        return Err(Error::new(
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
            format!(
                "The `map` requires 2n (n > 0) parameters but the actual number is {}. Please, refer to \
                 'https://spark.apache.org/docs/latest/sql-ref-functions.html' for a fix.",
                call.arguments.len()
            ),
        ));
    }
    let of = |parity: usize| -> Vec<DataType> {
        let part = call.arguments.iter().enumerate().filter(|(at, _)| at % 2 == parity);
        part.map(|(_, argument)| argument.data_type.clone()).collect()
    };
    let (keys, values) = (of(0), of(1));
    let common = |types: &[DataType], what: &str, class: &str| {
        wider_common_type(types, call.settings).ok_or_else(|| {
            let types: Vec<_> = types.iter().map(|data_type| format!("\"{}\"", data_type.sql())).collect();
            let what = format!(
                "The given {what} of function `map` should all be the same type, but they are [{}].",
                types.join(", ")
            );
            mismatch(&name, class, what)
        })
    };
    let key = common(&keys, "keys", "CREATE_MAP_KEY_DIFF_TYPES")?;
    let value = common(&values, "values", "CREATE_MAP_VALUE_DIFF_TYPES")?;
    valid_key(&name, &key)?;
    let contains_null = call.arguments.iter().skip(1).step_by(2).any(|value| value.nullable);
    let mut arguments = Vec::with_capacity(call.arguments.len());
    for (at, argument) in call.arguments.into_iter().enumerate() {
        arguments.push(cast(argument, if at % 2 == 0 { &key } else { &value }, call.settings)?);
    }
    let data_type = DataType::Map(Box::new(key), Box::new(value), contains_null);
    Ok(SparkUdf::call(&MAP, call.settings, arguments, data_type, false, name))
}

fn run_map(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let Arrow::Map(entries, _) = arguments.returns.data_type() else { return exec_err!("map returns a map") };
    let Arrow::Struct(fields) = entries.data_type() else { return exec_err!("map returns a map") };
    let pairs = arguments.values.len() / 2;
    if pairs == 0 {
        let entries = arrow::array::new_empty_array(entries.data_type());
        let offsets = OffsetBuffer::from_repeated_length(0, arguments.rows);
        return returned(arguments, list_of(entries, offsets, None, arguments.returns.data_type())?);
    }
    let side = |parity: usize| -> DataFusionResult<ArrayRef> {
        let columns = (0..pairs)
            .map(|at| retype(&arguments.array(2 * at + parity)?, fields[parity].data_type()))
            .collect::<DataFusionResult<Vec<_>>>()?;
        Ok(concat_arrays(&columns.iter().map(|column| column.as_ref()).collect::<Vec<&dyn Array>>())?)
    };
    let (keys, values) = (side(0)?, side(1)?);
    let mut maker = MapMaker::new(&keys, arguments.settings)?;
    for row in 0..arguments.rows {
        maker.push((0..pairs).map(|pair| (pair * arguments.rows + row, pair * arguments.rows + row)))?;
    }
    returned(arguments, maker.finish(&values, arguments.returns.data_type())?)
}

/// `map_concat(map, …)`
pub(crate) fn concat(call: Call<'_>) -> Result<Typed> {
    let name = pretty(&call);
    let types: Vec<_> = call.arguments.iter().map(|argument| argument.data_type.clone()).collect();
    let listed = || types.iter().map(|data_type| format!("\"{}\"", data_type.sql())).collect::<Vec<_>>().join(", ");
    if !types.iter().all(|data_type| matches!(data_type, DataType::Map(..))) {
        let what = format!("The `map_concat` should all be of type map, but it's [{}].", listed());
        return Err(mismatch(&name, "MAP_CONCAT_DIFF_TYPES", what));
    }
    if types.is_empty() {
        let data_type = DataType::Map(Box::new(DataType::String), Box::new(DataType::String), false);
        return Ok(SparkUdf::call(&MAP, call.settings, Vec::new(), data_type, false, name));
    }
    let Some(data_type) = wider_common_type(&types, call.settings) else {
        let what = format!(
            "Input to `map_concat` should all be the same type, but it's ({}).",
            listed().replace(", ", " or ")
        );
        return Err(mismatch(&name, "DATA_DIFF_TYPES", what));
    };
    let nullable = call.arguments.iter().any(|argument| argument.nullable);
    let arguments =
        call.arguments.into_iter().map(|argument| cast(argument, &data_type, call.settings)).collect::<Result<_>>()?;
    Ok(SparkUdf::call(&CONCAT, call.settings, arguments, data_type, nullable, name))
}

fn run_concat(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let Arrow::Map(entries, _) = arguments.returns.data_type() else { return exec_err!("map_concat returns a map") };
    let maps =
        (0..arguments.values.len()).map(|at| Lists::argument(arguments, at)).collect::<DataFusionResult<Vec<_>>>()?;
    let all = maps.iter().map(|map| retype(map.values(), entries.data_type())).collect::<DataFusionResult<Vec<_>>>()?;
    let all = concat_arrays(&all.iter().map(|entries| entries.as_ref()).collect::<Vec<&dyn Array>>())?;
    let [keys, values] = all.as_struct().columns() else { return exec_err!("a map has keys and values") };
    let mut maker = MapMaker::new(keys, arguments.settings)?;
    for row in 0..arguments.rows {
        let Some(ranges) = maps.iter().map(|map| map.range(row)).collect::<Option<Vec<_>>>() else {
            maker.push_null();
            continue;
        };
        let mut base = 0;
        let mut places = Vec::new();
        for (range, map) in ranges.into_iter().zip(&maps) {
            places.extend(range.map(|at| (base + at, base + at)));
            base += map.values().len();
        }
        maker.push(places.into_iter())?;
    }
    returned(arguments, maker.finish(values, arguments.returns.data_type())?)
}

/// `map_from_arrays(keys, values)`
pub(crate) fn from_arrays(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=2)?;
    let (key, _) = array_argument(&mut call, 0)?;
    let (value, contains_null) = array_argument(&mut call, 1)?;
    let name = pretty(&call);
    valid_key(&name, &key)?;
    let nullable = call.arguments.iter().any(|argument| argument.nullable);
    let data_type = DataType::Map(Box::new(key), Box::new(value), contains_null);
    Ok(SparkUdf::call(&FROM_ARRAYS, call.settings, call.arguments, data_type, nullable, name))
}

fn run_from_arrays(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let (keys, values) = (Lists::argument(arguments, 0)?, Lists::argument(arguments, 1)?);
    let mut maker = MapMaker::new(keys.values(), arguments.settings)?;
    for row in 0..arguments.rows {
        match (keys.range(row), values.range(row)) {
            (Some(keys), Some(values)) if keys.len() == values.len() => maker.push(keys.zip(values))?,
            (Some(_), Some(_)) => {
                let what = "The key array and value array of MapData must have the same length.";
                return Err(Error::new("_LEGACY_ERROR_TEMP_2128", what).into());
            }
            _ => maker.push_null(),
        }
    }
    returned(arguments, maker.finish(values.values(), arguments.returns.data_type())?)
}

/// `map_from_entries(array)`
pub(crate) fn from_entries(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let wrong = "the \"ARRAY\" of pair \"STRUCT\" type";
    let Ok((DataType::Struct(fields), entry_null)) = array_argument(&mut call, 0) else {
        return Err(unexpected_input(&call, 0, wrong));
    };
    let [key, value] = fields.as_slice() else { return Err(unexpected_input(&call, 0, wrong)) };
    let name = pretty(&call);
    valid_key(&name, &key.data_type)?;
    let data_type = DataType::Map(Box::new(key.data_type.clone()), Box::new(value.data_type.clone()), value.nullable);
    let nullable = call.arguments[0].nullable || entry_null;
    Ok(SparkUdf::call(&FROM_ENTRIES, call.settings, call.arguments, data_type, nullable, name))
}

fn run_from_entries(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    let (keys, values) = lists.entries()?;
    let nulls = with_nulls(&[lists.values()]);
    let mut maker = MapMaker::new(&keys, arguments.settings)?;
    for row in 0..arguments.rows {
        match lists.range(row) {
            Some(range) if !range.clone().any(|at| nulls.as_ref().is_some_and(|nulls| nulls.is_null(at))) => {
                maker.push(range.map(|at| (at, at)))?;
            }
            _ => maker.push_null(),
        }
    }
    returned(arguments, maker.finish(&values, arguments.returns.data_type())?)
}
