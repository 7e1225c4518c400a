//! Values as an array, the most frequent of them, and that with the greatest or least key.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    DataType as Arrow, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use datafusion::common::{Result, exec_err};
use datafusion::scalar::ScalarValue;

use super::fold::{Compact, Context, Fold, Gather, How, Skip};
use crate::groups::hash::{murmur3_bytes, text_hash};
use crate::nested::{Equality, keys_of, pick, retype};

const fn gather(
    name: &'static str,
    skip: Skip,
    compact: Option<Compact>,
    finish: fn(&[ArrayRef], &Context) -> Result<ScalarValue>,
) -> Fold {
    Fold { name, how: How::Gather(Gather { skip, compact, finish }) }
}

pub(super) static LIST: Fold =
    gather("spark_collect_list", Skip::AnyNull, None, |columns, context| list(column(columns)?, context));
pub(super) static SET: Fold = gather("spark_collect_set", Skip::AnyNull, Some(different), |columns, context| {
    let at = different(columns, context)?;
    list(&pick(column(columns)?, at.into_iter().map(Some).collect())?, context)
});
pub(super) static MODE: Fold = gather("spark_mode", Skip::AnyNull, None, mode);
pub(super) static MAX_BY: Fold =
    gather("spark_max_by", Skip::LastNull, Some(greatest), |columns, context| by(columns, context, true));
pub(super) static MIN_BY: Fold =
    gather("spark_min_by", Skip::LastNull, Some(least), |columns, context| by(columns, context, false));
pub(super) static MAX: Fold =
    gather("spark_max", Skip::LastNull, Some(greatest), |columns, context| by(columns, context, true));
pub(super) static MIN: Fold =
    gather("spark_min", Skip::LastNull, Some(least), |columns, context| by(columns, context, false));

fn column(columns: &[ArrayRef]) -> Result<&ArrayRef> {
    match columns.first() {
        Some(column) => Ok(column),
        None => exec_err!("an aggregate has a column"),
    }
}

/// One value as an array of one row, in the type that is returned.
pub(super) fn list(values: &ArrayRef, context: &Context) -> Result<ScalarValue> {
    let Arrow::List(field) = context.returns.data_type() else { return exec_err!("an array is returned") };
    let values = retype(values, field.data_type())?;
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    Ok(ScalarValue::List(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, None)?)))
}

/// The value at a place, in the type that is returned.
pub(super) fn value(values: &ArrayRef, at: Option<usize>, context: &Context) -> Result<ScalarValue> {
    let one = pick(values, vec![at])?;
    ScalarValue::try_from_array(&retype(&one, context.returns.data_type())?, 0)
}

/// Where each value is first. Spark's set of numbers knows NaN from NaN, we do not.
fn different(columns: &[ArrayRef], _context: &Context) -> Result<Vec<usize>> {
    let keys = keys_of(column(columns)?, Equality::Comparison)?;
    let mut seen = std::collections::HashSet::new();
    Ok((0..keys.num_rows()).filter(|at| seen.insert(keys.row(*at))).collect())
}

fn mode(columns: &[ArrayRef], context: &Context) -> Result<ScalarValue> {
    let values = column(columns)?;
    let keys = keys_of(values, Equality::Comparison)?;
    let mut counts: HashMap<_, (usize, usize)> = HashMap::new();
    for at in 0..keys.num_rows() {
        counts.entry(keys.row(at)).or_insert((0, at)).0 += 1;
    }
    let mut counts: Vec<(usize, usize)> = counts.into_values().collect();
    counts.sort_by_key(|(_, at)| *at);
    let most = counts.iter().map(|(count, _)| *count).max().unwrap_or(0);
    let often: HashSet<usize> = counts.iter().filter(|(count, _)| *count == most).map(|(_, at)| *at).collect();
    let first = slots(values, counts.iter().map(|(_, at)| *at)).into_iter().find(|at| often.contains(at));
    value(values, first, context)
}

/// The order in which Spark's hash map gives back what was put into it, which says which of equally frequent values is the mode.
fn slots(values: &ArrayRef, places: impl ExactSizeIterator<Item = usize>) -> Vec<usize> {
    let mut size = 64;
    while places.len() > size * 7 / 10 {
        size *= 2;
    }
    let mut table: Vec<Option<usize>> = vec![None; size];
    for at in places {
        let mut slot = java_hash(values, at) as usize % size;
        let mut step = 1;
        while table.get(slot).is_some_and(Option::is_some) {
            slot = (slot + step) % size;
            step += 1;
        }
        if let Some(free) = table.get_mut(slot) {
            *free = Some(at);
        }
    }
    table.into_iter().flatten().collect()
}

/// Java's hash of a value, spread as that map does it.
fn java_hash(values: &ArrayRef, at: usize) -> u32 {
    let fold = |long: i64| (long ^ (long as u64 >> 32) as i64) as i32;
    let hash = match values.data_type() {
        Arrow::Int8 => i32::from(values.as_primitive::<Int8Type>().value(at)),
        Arrow::Int16 => i32::from(values.as_primitive::<Int16Type>().value(at)),
        Arrow::Int32 => values.as_primitive::<Int32Type>().value(at),
        Arrow::Date32 => values.as_primitive::<Date32Type>().value(at),
        Arrow::Int64 => fold(values.as_primitive::<Int64Type>().value(at)),
        Arrow::Timestamp(..) => fold(values.as_primitive::<TimestampMicrosecondType>().value(at)),
        Arrow::Float64 => fold(values.as_primitive::<Float64Type>().value(at).to_bits() as i64),
        Arrow::Float32 => values.as_primitive::<Float32Type>().value(at).to_bits() as i32,
        Arrow::Utf8 => text_hash(values.as_string::<i32>().value(at).as_bytes()),
        Arrow::Boolean if values.as_boolean().value(at) => 1231,
        Arrow::Boolean => 1237,
        _ => at as i32,
    };
    murmur3_bytes(&hash.to_le_bytes(), 0) as u32
}

fn extreme(columns: &[ArrayRef], most: bool) -> Result<Option<usize>> {
    let Some(keys) = columns.last() else { return exec_err!("an aggregate has a column") };
    let keys = keys_of(keys, Equality::Comparison)?;
    // Of equal keys the last wins, as a later row replaces what it equals.
    Ok((0..keys.num_rows()).reduce(|best, at| {
        let order = keys.row(at).cmp(&keys.row(best));
        let order = if most { order } else { order.reverse() };
        if order.is_ge() { at } else { best }
    }))
}

fn greatest(columns: &[ArrayRef], _context: &Context) -> Result<Vec<usize>> {
    Ok(extreme(columns, true)?.into_iter().collect())
}

fn least(columns: &[ArrayRef], _context: &Context) -> Result<Vec<usize>> {
    Ok(extreme(columns, false)?.into_iter().collect())
}

fn by(columns: &[ArrayRef], context: &Context, most: bool) -> Result<ScalarValue> {
    value(column(columns)?, extreme(columns, most)?, context)
}
