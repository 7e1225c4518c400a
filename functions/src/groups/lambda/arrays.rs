//! Lambdas over arrays.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::interleave;
use datafusion::common::{Result, exec_err};

use super::{LambdaCall, LambdaKernel};
use crate::nested::{ListMaker, Lists, list_of, pick, retype, with_nulls};

pub(super) static TRANSFORM: LambdaKernel = LambdaKernel { name: "spark_transform", run: transform };
pub(super) static FILTER: LambdaKernel = LambdaKernel { name: "spark_filter", run: filter };
pub(super) static EXISTS: LambdaKernel = LambdaKernel { name: "spark_exists", run: |call| quantified(call, true) };
pub(super) static FORALL: LambdaKernel = LambdaKernel { name: "spark_forall", run: |call| quantified(call, false) };
pub(super) static AGGREGATE: LambdaKernel = LambdaKernel { name: "spark_aggregate", run: aggregate };
pub(super) static ZIP_WITH: LambdaKernel = LambdaKernel { name: "spark_zip_with", run: zip_with };

/// The elements that rows have, one after the other.
pub(super) struct Flat {
    /// Where each is among the list's values.
    pub(super) at: Vec<usize>,
    /// The row of each.
    pub(super) row_of: UInt32Array,
    /// Its place in the row.
    places: Int32Array,
    /// How many each row has.
    pub(super) lengths: Vec<usize>,
}

impl Flat {
    pub(super) fn of(lists: &Lists) -> Self {
        let (mut at, mut rows, mut places) = (Vec::new(), Vec::new(), Vec::new());
        let mut lengths = Vec::with_capacity(lists.rows());
        for row in 0..lists.rows() {
            let range = lists.range(row).unwrap_or(0..0);
            lengths.push(range.len());
            rows.extend(range.clone().map(|_| u32::try_from(row).unwrap_or(u32::MAX)));
            places.extend((0..range.len()).map(|place| i32::try_from(place).unwrap_or(i32::MAX)));
            at.extend(range);
        }
        Flat { at, row_of: rows.into(), places: places.into(), lengths }
    }

    pub(super) fn pick(&self, values: &ArrayRef) -> Result<ArrayRef> {
        pick(values, self.at.iter().map(|at| Some(*at)).collect())
    }

    /// Where the elements of each row are in the flat order.
    pub(super) fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.lengths.iter().scan(0, |begun, length| {
            let range = *begun..*begun + length;
            *begun = range.end;
            Some(range)
        })
    }
}

pub(super) fn truth(array: &ArrayRef) -> Result<BooleanArray> {
    match array.as_boolean_opt() {
        Some(truth) => Ok(truth.clone()),
        None if array.data_type() == &arrow::datatypes::DataType::Null => Ok(BooleanArray::new_null(array.len())),
        None => exec_err!("a lambda gives a truth value, not {}", array.data_type()),
    }
}

fn elements(call: &LambdaCall<'_>) -> Result<(Lists, Flat, ArrayRef)> {
    let lists = Lists::new(call.value(0)?)?;
    let flat = Flat::of(&lists);
    let values = flat.pick(lists.values())?;
    let results = call.evaluate(0, &[values, Arc::new(flat.places.clone())], &flat.row_of)?;
    Ok((lists, flat, results))
}

fn transform(call: &LambdaCall<'_>) -> Result<ArrayRef> {
    let (lists, flat, results) = elements(call)?;
    list_of(results, OffsetBuffer::from_lengths(flat.lengths), lists.nulls().cloned(), call.returns.data_type())
}

fn filter(call: &LambdaCall<'_>) -> Result<ArrayRef> {
    let (lists, flat, results) = elements(call)?;
    let truth = truth(&results)?;
    let mut maker = ListMaker::default();
    for (row, range) in flat.ranges().enumerate() {
        if lists.range(row).is_none() {
            maker.close_null();
            continue;
        }
        for at in range.filter(|at| truth.is_valid(*at) && truth.value(*at)) {
            maker.push(flat.at[at]);
        }
        maker.close();
    }
    maker.finish(lists.values(), call.returns.data_type())
}

/// Whether one element is so, or all are: `decides` is the answer of one element that settles it.
fn quantified(call: &LambdaCall<'_>, decides: bool) -> Result<ArrayRef> {
    let (lists, flat, results) = elements(call)?;
    let truth = truth(&results)?;
    let two_valued = decides
        && call
            .settings
            .others
            .get("spark.sql.legacy.followthreevaluedlogicinarrayexists")
            .is_some_and(|on| on == "false");
    let answers = flat.ranges().enumerate().map(|(row, mut range)| {
        lists.range(row)?;
        if range.clone().any(|at| truth.is_valid(at) && truth.value(at) == decides) {
            return Some(decides);
        }
        if !two_valued && range.any(|at| truth.is_null(at)) { None } else { Some(!decides) }
    });
    Ok(Arc::new(answers.collect::<BooleanArray>()))
}

/// Each step merges one more element into all rows that have one left.
fn aggregate(call: &LambdaCall<'_>) -> Result<ArrayRef> {
    let lists = Lists::new(call.value(0)?)?;
    let mut state = Arc::clone(call.value(1)?);
    let ranges: Vec<_> = (0..call.rows).map(|row| lists.range(row)).collect();
    let longest = ranges.iter().flatten().map(|range| range.len()).max().unwrap_or(0);
    for step in 0..longest {
        let active: Vec<usize> =
            (0..call.rows).filter(|row| ranges[*row].as_ref().is_some_and(|range| range.len() > step)).collect();
        let row_of: UInt32Array = active.iter().map(|row| u32::try_from(*row).ok()).collect();
        let so_far = pick(&state, active.iter().map(|row| Some(*row)).collect())?;
        let next = active.iter().map(|row| ranges[*row].as_ref().map(|range| range.start + step)).collect();
        let merged = call.evaluate(0, &[so_far, pick(lists.values(), next)?], &row_of)?;
        let merged = retype(&merged, state.data_type())?;
        if active.len() == call.rows {
            state = merged;
            continue;
        }
        let mut from: Vec<(usize, usize)> = (0..call.rows).map(|row| (0, row)).collect();
        for (at, row) in active.into_iter().enumerate() {
            from[row] = (1, at);
        }
        state = interleave(&[state.as_ref(), merged.as_ref()], &from)?;
    }
    let all: UInt32Array = (0..call.rows).map(|row| u32::try_from(row).ok()).collect();
    let finished = if call.lambdas() > 1 { call.evaluate(1, &[state], &all)? } else { state };
    pick(&finished, ranges.iter().enumerate().map(|(row, range)| range.as_ref().map(|_| row)).collect())
}

fn zip_with(call: &LambdaCall<'_>) -> Result<ArrayRef> {
    let (left, right) = (Lists::new(call.value(0)?)?, Lists::new(call.value(1)?)?);
    let (mut lefts, mut rights, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let mut lengths = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let (Some(ours), Some(theirs)) = (left.range(row), right.range(row)) else {
            lengths.push(0);
            continue;
        };
        let length = ours.len().max(theirs.len());
        lefts.extend((0..length).map(|at| (at < ours.len()).then_some(ours.start + at)));
        rights.extend((0..length).map(|at| (at < theirs.len()).then_some(theirs.start + at)));
        rows.extend((0..length).map(|_| u32::try_from(row).unwrap_or(u32::MAX)));
        lengths.push(length);
    }
    let variables = [pick(left.values(), lefts)?, pick(right.values(), rights)?];
    let results = call.evaluate(0, &variables, &rows.into())?;
    let nulls = with_nulls(&[call.value(0)?, call.value(1)?]);
    list_of(results, OffsetBuffer::from_lengths(lengths), nulls, call.returns.data_type())
}
