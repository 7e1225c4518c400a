//! What is taken out of maps.

use std::sync::Arc;

use arrow::array::{Array, BooleanArray};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;

use crate::groups::implicit::{cast, wider_type};
use crate::nested::{
    Equality, ListMaker, Lists, arity, diff_types, keys as keys_for, mismatch, orderable, pick, pretty, returned,
    retype, unexpected_input,
};
use crate::{Arguments, Call, DataType, Kernel, Result, SparkUdf, StructField, Typed};

pub(crate) static VALUE: Kernel = Kernel { name: "spark_map_value", volatile: false, run: run_value };
pub(crate) static CONTAINS_KEY: Kernel =
    Kernel { name: "spark_map_contains_key", volatile: false, run: run_contains_key };
pub(crate) static ENTRIES: Kernel =
    Kernel { name: "spark_map_entries", volatile: false, run: |a| part(a, Part::Entries) };
pub(crate) static KEYS: Kernel = Kernel { name: "spark_map_keys", volatile: false, run: |a| part(a, Part::Keys) };
pub(crate) static VALUES: Kernel = Kernel { name: "spark_map_values", volatile: false, run: |a| part(a, Part::Values) };

/// Where the key of each row is among the entries; `None` if it is not there or a side is NULL.
fn places(arguments: &Arguments<'_>, maps: &Lists) -> DataFusionResult<Vec<Option<Option<usize>>>> {
    let (keys, _) = maps.entries()?;
    let wanted = retype(&arguments.array(1)?, keys.data_type())?;
    let both = keys_for(&[&keys, &wanted], Equality::Comparison)?;
    let [keys, rows] = both.as_slice() else { return datafusion::common::exec_err!("no keys of two columns") };
    Ok((0..arguments.rows)
        .map(|row| {
            let mut range = maps.range(row)?;
            if wanted.is_null(row) {
                return None;
            }
            Some(range.find(|at| keys.row(*at) == rows.row(row)))
        })
        .collect())
}

fn run_value(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let maps = Lists::argument(arguments, 0)?;
    let (_, values) = maps.entries()?;
    let places = places(arguments, &maps)?;
    returned(arguments, pick(&values, places.into_iter().map(Option::flatten).collect())?)
}

/// `map_contains_key(map, key)`
pub(crate) fn contains_key(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 2..=2)?;
    let expected = "\"MAP\" followed by a value with same key type";
    if call.arguments.iter().any(|argument| argument.data_type == DataType::Void) {
        let what = "Null typed values cannot be used as arguments of `map_contains_key`.";
        return Err(mismatch(&pretty(&call), "NULL_TYPE", what));
    }
    let DataType::Map(key, value, contains_null) = call.arguments[0].data_type.clone() else {
        return Err(diff_types(&call, "MAP_FUNCTION_DIFF_TYPES", expected, 1));
    };
    let Some(wider) = wider_type(&key, &call.arguments[1].data_type, call.settings) else {
        return Err(diff_types(&call, "MAP_FUNCTION_DIFF_TYPES", expected, 1));
    };
    orderable(&call, &wider)?;
    let map = DataType::Map(Box::new(wider.clone()), value, contains_null);
    call.arguments[0] = cast(call.arguments[0].clone(), &map, call.settings)?;
    call.arguments[1] = cast(call.arguments[1].clone(), &wider, call.settings)?;
    let nullable = call.arguments.iter().any(|argument| argument.nullable);
    let name = pretty(&call);
    Ok(SparkUdf::call(&CONTAINS_KEY, call.settings, call.arguments, DataType::Boolean, nullable, name))
}

fn run_contains_key(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let maps = Lists::argument(arguments, 0)?;
    let found = places(arguments, &maps)?;
    let found = found.into_iter().map(|place| place.map(|place| place.is_some())).collect::<BooleanArray>();
    returned(arguments, Arc::new(found))
}

#[derive(Clone, Copy)]
enum Part {
    Entries,
    Keys,
    Values,
}

/// `map_entries(map)`
pub(crate) fn entries(call: Call<'_>) -> Result<Typed> {
    taken(call, Part::Entries)
}

/// `map_keys(map)`
pub(crate) fn keys(call: Call<'_>) -> Result<Typed> {
    taken(call, Part::Keys)
}

/// `map_values(map)`
pub(crate) fn values(call: Call<'_>) -> Result<Typed> {
    taken(call, Part::Values)
}

fn taken(mut call: Call<'_>, part: Part) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let name = pretty(&call);
    if call.arguments[0].data_type == DataType::Void {
        let empty = DataType::Map(Box::new(DataType::Void), Box::new(DataType::Void), true);
        call.arguments[0] = cast(call.arguments[0].clone(), &empty, call.settings)?;
    }
    let DataType::Map(key, value, contains_null) = call.arguments[0].data_type.clone() else {
        return Err(unexpected_input(&call, 0, "the \"MAP\" type"));
    };
    let (kernel, data_type) = match part {
        Part::Keys => (&KEYS, DataType::Array(key, false)),
        Part::Values => (&VALUES, DataType::Array(value, contains_null)),
        Part::Entries => {
            let fields = vec![StructField::new("key", *key, false), StructField::new("value", *value, contains_null)];
            (&ENTRIES, DataType::Array(Box::new(DataType::Struct(fields)), false))
        }
    };
    let nullable = call.arguments[0].nullable;
    Ok(SparkUdf::call(kernel, call.settings, call.arguments, data_type, nullable, name))
}

fn part(arguments: &Arguments<'_>, part: Part) -> DataFusionResult<ColumnarValue> {
    let maps = Lists::argument(arguments, 0)?;
    if maps.values().data_type() == &Arrow::Null {
        return returned(arguments, arguments.array(0)?);
    }
    let (keys, values) = maps.entries()?;
    let taken = match part {
        Part::Entries => Arc::clone(maps.values()),
        Part::Keys => keys,
        Part::Values => values,
    };
    let mut maker = ListMaker::default();
    for row in 0..maps.rows() {
        match maps.range(row) {
            None => maker.close_null(),
            Some(range) => {
                range.for_each(|at| maker.push(at));
                maker.close();
            }
        }
    }
    returned(arguments, maker.finish(&taken, arguments.returns.data_type())?)
}
