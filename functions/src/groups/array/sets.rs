//! Arrays as sets: each value once, in the order in which values come first.

use std::collections::HashSet;

use arrow::array::Array;
use arrow::compute::concat;
use arrow::row::Row;
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;

use super::elements::each;
use crate::coercion::tightest_common_type;
use crate::groups::implicit::cast;
use crate::nested::{
    Equality, ListMaker, Lists, arity, array_argument, diff_types, keys_of, orderable, pretty, returned, retype,
};
use crate::{Arguments, Call, DataType, Kernel, Result, SparkUdf, Typed};

pub(crate) static DISTINCT: Kernel = Kernel { name: "spark_array_distinct", volatile: false, run: run_distinct };
pub(crate) static EXCEPT: Kernel =
    Kernel { name: "spark_array_except", volatile: false, run: |a| combined(a, Keep::NotInSecond) };
pub(crate) static INTERSECT: Kernel =
    Kernel { name: "spark_array_intersect", volatile: false, run: |a| combined(a, Keep::InSecond) };
pub(crate) static UNION: Kernel =
    Kernel { name: "spark_array_union", volatile: false, run: |a| combined(a, Keep::Both) };

/// `array_distinct(array)`
pub(crate) fn distinct(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let (element, contains_null) = array_argument(&mut call, 0)?;
    orderable(&call, &element)?;
    let (nullable, name) = (call.arguments[0].nullable, pretty(&call));
    let data_type = DataType::Array(Box::new(element), contains_null);
    Ok(SparkUdf::call(&DISTINCT, call.settings, call.arguments, data_type, nullable, name))
}

fn run_distinct(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    let keys = keys_of(lists.values(), Equality::Set)?;
    let mut seen = HashSet::new();
    each(arguments, &lists, |maker, range| {
        seen.clear();
        range.filter(|at| seen.insert(keys.row(*at))).for_each(|at| maker.push(at));
        Ok(())
    })
}

/// `array_except(a, b)`
pub(crate) fn except(call: Call<'_>) -> Result<Typed> {
    of_two(call, &EXCEPT, |left, _| left)
}

/// `array_intersect(a, b)`
pub(crate) fn intersect(call: Call<'_>) -> Result<Typed> {
    of_two(call, &INTERSECT, |left, right| left && right)
}

/// `array_union(a, b)`
pub(crate) fn union(call: Call<'_>) -> Result<Typed> {
    of_two(call, &UNION, |left, right| left || right)
}

fn of_two(mut call: Call<'_>, kernel: &'static Kernel, contains_null: fn(bool, bool) -> bool) -> Result<Typed> {
    let (element, left, right) = same_arrays(&mut call)?;
    orderable(&call, &element)?;
    let nullable = call.arguments.iter().any(|argument| argument.nullable);
    let name = pretty(&call);
    let data_type = DataType::Array(Box::new(element), contains_null(left, right));
    Ok(SparkUdf::call(kernel, call.settings, call.arguments, data_type, nullable, name))
}

/// Casts two arrays to the wider of their element types; says it and whether each may have NULLs.
pub(super) fn same_arrays(call: &mut Call<'_>) -> Result<(DataType, bool, bool)> {
    arity(call, 2..=2)?;
    let (left, left_null, right, right_null) = match (&call.arguments[0].data_type, &call.arguments[1].data_type) {
        (DataType::Array(left, n), DataType::Array(right, m)) => (left, *n, right, *m),
        _ => return Err(diff_types(call, "BINARY_ARRAY_DIFF_TYPES", "two \"ARRAY\" with same element type", 1)),
    };
    let Some(wider) = tightest_common_type(left, right, call.settings) else {
        return Err(diff_types(call, "BINARY_ARRAY_DIFF_TYPES", "two \"ARRAY\" with same element type", 1));
    };
    for (at, null) in [(0, left_null), (1, right_null)] {
        let data_type = DataType::Array(Box::new(wider.clone()), null);
        call.arguments[at] = cast(call.arguments[at].clone(), &data_type, call.settings)?;
    }
    Ok((wider, left_null, right_null))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    InSecond,
    NotInSecond,
    Both,
}

fn combined(arguments: &Arguments<'_>, keep: Keep) -> DataFusionResult<ColumnarValue> {
    let (left, right) = (Lists::argument(arguments, 0)?, Lists::argument(arguments, 1)?);
    let right_values = retype(right.values(), left.values().data_type())?;
    let all = concat(&[left.values().as_ref() as &dyn Array, right_values.as_ref()])?;
    let keys = keys_of(&all, Equality::Set)?;
    let base = left.values().len();
    let mut maker = ListMaker::default();
    let mut seen: HashSet<Row<'_>> = HashSet::new();
    for row in 0..arguments.rows {
        let (Some(ours), Some(theirs)) = (left.range(row), right.range(row)) else {
            maker.close_null();
            continue;
        };
        seen.clear();
        let theirs = theirs.map(|at| base + at);
        match keep {
            Keep::Both => ours.chain(theirs).filter(|at| seen.insert(keys.row(*at))).for_each(|at| maker.push(at)),
            Keep::NotInSecond => {
                seen.extend(theirs.map(|at| keys.row(at)));
                ours.filter(|at| seen.insert(keys.row(*at))).for_each(|at| maker.push(at));
            }
            Keep::InSecond => {
                seen.extend(theirs.map(|at| keys.row(at)));
                ours.filter(|at| seen.remove(&keys.row(*at))).for_each(|at| maker.push(at));
            }
        }
        maker.close();
    }
    returned(arguments, maker.finish(&all, arguments.returns.data_type())?)
}
