//! Lambdas over maps.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::concat;
use arrow::datatypes::{DataType as Arrow, Field, Fields};
use datafusion::common::{Result, exec_err};

use super::arrays::{Flat, truth};
use super::{LambdaCall, LambdaKernel};
use crate::groups::map::MapMaker;
use crate::nested::{Equality, ListMaker, Lists, keys_of, list_of, pick, retype};

pub(super) static TRANSFORM_KEYS: LambdaKernel = LambdaKernel { name: "spark_transform_keys", run: transform_keys };
pub(super) static TRANSFORM_VALUES: LambdaKernel =
    LambdaKernel { name: "spark_transform_values", run: transform_values };
pub(super) static FILTER: LambdaKernel = LambdaKernel { name: "spark_map_filter", run: filter };
pub(super) static ZIP_WITH: LambdaKernel = LambdaKernel { name: "spark_map_zip_with", run: zip_with };

struct Entries {
    maps: Lists,
    flat: Flat,
    keys: ArrayRef,
    values: ArrayRef,
    results: ArrayRef,
}

fn entries(call: &LambdaCall<'_>) -> Result<Entries> {
    let maps = Lists::new(call.value(0)?)?;
    let flat = Flat::of(&maps);
    let (keys, values) = maps.entries()?;
    let (keys, values) = (flat.pick(&keys)?, flat.pick(&values)?);
    let results = call.evaluate(0, &[Arc::clone(&keys), Arc::clone(&values)], &flat.row_of)?;
    Ok(Entries { maps, flat, keys, values, results })
}

fn transform_keys(call: &LambdaCall<'_>) -> Result<ArrayRef> {
    let Entries { maps, flat, values, results, .. } = entries(call)?;
    let mut maker = MapMaker::new(&results, call.settings)?;
    for (row, range) in flat.ranges().enumerate() {
        match maps.range(row) {
            None => maker.push_null(),
            Some(_) => maker.push(range.map(|at| (at, at)))?,
        }
    }
    maker.finish(&values, call.returns.data_type())
}

fn transform_values(call: &LambdaCall<'_>) -> Result<ArrayRef> {
    let Entries { maps, flat, keys, results, .. } = entries(call)?;
    let entries = pairs(keys, results, call.returns.data_type())?;
    list_of(entries, OffsetBuffer::from_lengths(flat.lengths), maps.nulls().cloned(), call.returns.data_type())
}

fn pairs(keys: ArrayRef, values: ArrayRef, returns: &Arrow) -> Result<ArrayRef> {
    let Arrow::Map(entries, _) = returns else { return exec_err!("a map is returned") };
    let Arrow::Struct(fields) = entries.data_type() else { return exec_err!("a map is returned") };
    let [key, value] = fields.as_ref() else { return exec_err!("a map has keys and values") };
    let void = key.data_type() == &Arrow::Null;
    let key = if void { Arc::new(Field::new(key.name(), Arrow::Null, true)) } else { Arc::clone(key) };
    let columns = vec![retype(&keys, key.data_type())?, retype(&values, value.data_type())?];
    Ok(Arc::new(StructArray::try_new(Fields::from(vec![key, Arc::clone(value)]), columns, None)?))
}

fn filter(call: &LambdaCall<'_>) -> Result<ArrayRef> {
    let Entries { maps, flat, results, .. } = entries(call)?;
    let truth = truth(&results)?;
    let mut maker = ListMaker::default();
    for (row, range) in flat.ranges().enumerate() {
        if maps.range(row).is_none() {
            maker.close_null();
            continue;
        }
        range.filter(|at| truth.is_valid(*at) && truth.value(*at)).for_each(|at| maker.push(flat.at[at]));
        maker.close();
    }
    maker.finish(maps.values(), call.returns.data_type())
}

fn zip_with(call: &LambdaCall<'_>) -> Result<ArrayRef> {
    let (left, right) = (Lists::new(call.value(0)?)?, Lists::new(call.value(1)?)?);
    let ((left_keys, left_values), (right_keys, right_values)) = (left.entries()?, right.entries()?);
    let right_keys = retype(&right_keys, left_keys.data_type())?;
    let all = concat(&[left_keys.as_ref() as &dyn Array, right_keys.as_ref()])?;
    let base = left_keys.len();
    let rows = keys_of(&all, Equality::Comparison)?;
    let (mut keys, mut lefts, mut rights, mut row_of) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut lengths = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let (Some(ours), Some(theirs)) = (left.range(row), right.range(row)) else {
            lengths.push(0);
            continue;
        };
        let begun = keys.len();
        let mut places = HashMap::new();
        for at in ours {
            places.entry(rows.row(at)).or_insert(keys.len());
            keys.push(Some(at));
            lefts.push(Some(at));
            rights.push(None);
        }
        for at in theirs {
            match places.entry(rows.row(base + at)) {
                std::collections::hash_map::Entry::Occupied(place) => rights[*place.get()] = Some(at),
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(keys.len());
                    keys.push(Some(base + at));
                    lefts.push(None);
                    rights.push(Some(at));
                }
            }
        }
        lengths.push(keys.len() - begun);
        row_of.extend((begun..keys.len()).map(|_| u32::try_from(row).unwrap_or(u32::MAX)));
    }
    let keys = pick(&all, keys)?;
    let variables = [Arc::clone(&keys), pick(&left_values, lefts)?, pick(&right_values, rights)?];
    let results = call.evaluate(0, &variables, &UInt32Array::from(row_of))?;
    let entries = pairs(keys, results, call.returns.data_type())?;
    let nulls = crate::nested::with_nulls(&[call.value(0)?, call.value(1)?]);
    list_of(entries, OffsetBuffer::from_lengths(lengths), nulls, call.returns.data_type())
}
