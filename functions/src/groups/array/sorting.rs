//! Arrays in order, in no order, and their first and last values.

use arrow::array::{Array, AsArray};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use super::elements::each;
use crate::nested::{
    Equality, Lists, arity, array_argument, keys_of, orderable, pick, pretty, returned, unexpected_input,
};
use crate::{Arguments, Call, DataType, Kernel, Result, SparkUdf, Typed};

pub(crate) static MAX: Kernel = Kernel { name: "spark_array_max", volatile: false, run: |a| extreme(a, true) };
pub(crate) static MIN: Kernel = Kernel { name: "spark_array_min", volatile: false, run: |a| extreme(a, false) };
/// Its second argument says whether it ascends, the third whether NULLs come first.
pub(crate) static SORT: Kernel = Kernel { name: "spark_sort_array", volatile: false, run: run_sort };
pub(crate) static SHUFFLE: Kernel = Kernel { name: "spark_shuffle", volatile: true, run: run_shuffle };

/// `array_max(array)`
pub(crate) fn max(call: Call<'_>) -> Result<Typed> {
    one_of(call, &MAX)
}

/// `array_min(array)`
pub(crate) fn min(call: Call<'_>) -> Result<Typed> {
    one_of(call, &MIN)
}

fn one_of(mut call: Call<'_>, kernel: &'static Kernel) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let (element, _) = array_argument(&mut call, 0)?;
    orderable(&call, &element)?;
    let name = pretty(&call);
    Ok(SparkUdf::call(kernel, call.settings, call.arguments, element, true, name))
}

fn extreme(arguments: &Arguments<'_>, greatest: bool) -> DataFusionResult<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    let keys = keys_of(lists.values(), Equality::Comparison)?;
    let nulls = lists.values().logical_nulls();
    let picked = (0..arguments.rows)
        .map(|row| {
            let valid = lists.range(row)?.filter(|at| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*at)));
            // Of equal values the first is taken.
            valid.reduce(|best, at| {
                let (best_key, key) = (keys.row(best), keys.row(at));
                if (greatest && key > best_key) || (!greatest && key < best_key) { at } else { best }
            })
        })
        .collect();
    returned(arguments, pick(lists.values(), picked)?)
}

/// `sort_array(array[, ascending])`
pub(crate) fn sort(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=2)?;
    if call.arguments.len() == 1 {
        call.arguments.push(Typed::literal(ScalarValue::Boolean(Some(true)), DataType::Boolean, "true"));
    }
    let (element, contains_null) = array_argument(&mut call, 0)?;
    orderable(&call, &element)?;
    if call.arguments[1].data_type != DataType::Boolean || !call.arguments[1].foldable {
        return Err(unexpected_input(&call, 1, "the \"BOOLEAN\" type"));
    }
    let name = pretty(&call);
    let ascending = call.arguments[1].clone();
    call.arguments.push(ascending);
    let data_type = DataType::Array(Box::new(element), contains_null);
    let nullable = call.arguments[0].nullable;
    Ok(SparkUdf::call(&SORT, call.settings, call.arguments, data_type, nullable, name))
}

/// `array_sort(array)`: it ascends, and NULLs come last. The name is the caller's.
pub(crate) fn sort_without_comparator(mut call: Call<'_>, name: String) -> Result<Typed> {
    let (element, contains_null) = array_argument(&mut call, 0)?;
    orderable(&call, &element)?;
    for value in [true, false] {
        call.arguments.push(Typed::literal(ScalarValue::Boolean(Some(value)), DataType::Boolean, value.to_string()));
    }
    let data_type = DataType::Array(Box::new(element), contains_null);
    let nullable = call.arguments[0].nullable;
    Ok(SparkUdf::call(&SORT, call.settings, call.arguments, data_type, nullable, name))
}

fn run_sort(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    let truth = |at: usize| -> DataFusionResult<bool> {
        let array = arguments.array(at)?;
        Ok(array.as_boolean_opt().is_none_or(|array| !array.is_empty() && array.is_valid(0) && array.value(0)))
    };
    let (ascending, nulls_first) = (truth(1)?, truth(2)?);
    let keys = keys_of(lists.values(), Equality::Comparison)?;
    let nulls = lists.values().logical_nulls();
    let null = |at: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(at));
    each(arguments, &lists, |maker, range| {
        let (missing, mut present): (Vec<_>, Vec<_>) = range.partition(|at| null(*at));
        present.sort_by(|a, b| {
            let order = keys.row(*a).cmp(&keys.row(*b));
            if ascending { order } else { order.reverse() }
        });
        let (first, second) = if nulls_first { (missing, present) } else { (present, missing) };
        first.into_iter().chain(second).for_each(|at| maker.push(at));
        Ok(())
    })
}

/// `shuffle(array)`
pub(crate) fn shuffle(mut call: Call<'_>) -> Result<Typed> {
    arity(&call, 1..=1)?;
    let (element, contains_null) = array_argument(&mut call, 0)?;
    let (nullable, name) = (call.arguments[0].nullable, pretty(&call));
    let data_type = DataType::Array(Box::new(element), contains_null);
    Ok(SparkUdf::call(&SHUFFLE, call.settings, call.arguments, data_type, nullable, name))
}

fn run_shuffle(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let lists = Lists::argument(arguments, 0)?;
    each(arguments, &lists, |maker, range| {
        let mut order: Vec<_> = range.collect();
        fastrand::shuffle(&mut order);
        order.into_iter().for_each(|at| maker.push(at));
        Ok(())
    })
}
