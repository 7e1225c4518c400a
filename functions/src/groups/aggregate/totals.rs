//! Sums and means of whole numbers, decimals and intervals, with Spark's rules of what is too large.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int32Array, Int64Array, PrimitiveArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::cast;
use arrow::datatypes::{
    DataType as Arrow, Decimal128Type, DurationMicrosecondType, Int64Type, IntervalUnit, IntervalYearMonthType,
};
use datafusion::common::Result;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use datafusion::scalar::ScalarValue;

use super::fold::{Context, Fold, How};
use crate::Error;

pub(super) static SUM: Fold = Fold { name: "spark_sum", how: How::Total(Total { mean: false, tries: false }) };
pub(super) static TRY_SUM: Fold = Fold { name: "spark_try_sum", how: How::Total(Total { mean: false, tries: true }) };
pub(super) static AVG: Fold = Fold { name: "spark_avg", how: How::Total(Total { mean: true, tries: false }) };
pub(super) static TRY_AVG: Fold = Fold { name: "spark_try_avg", how: How::Total(Total { mean: true, tries: true }) };

/// A sum or a mean.
pub(crate) struct Total {
    mean: bool,
    /// Whether what is too large is NULL in any mode.
    tries: bool,
}

impl Total {
    pub(super) fn state(&self) -> Vec<Arrow> {
        vec![Arrow::Decimal128(38, 0), Arrow::Int64, Arrow::Boolean]
    }

    pub(super) fn accumulator(&'static self, context: &Context) -> Box<dyn Accumulator> {
        Box::new(One(Groups { total: self, context: context.clone(), sums: vec![Sum::default()] }))
    }

    pub(super) fn groups(&'static self, context: &Context) -> Box<dyn GroupsAccumulator> {
        Box::new(Groups { total: self, context: context.clone(), sums: Vec::new() })
    }

    /// What a group's sum and count come to.
    fn result(&self, Sum { value: sum, count, overflow }: Sum, context: &Context) -> Result<Option<i128>> {
        if count <= 0 {
            return Ok(None);
        }
        let returns = context.returns.data_type();
        let too_large = |interval: bool| -> Result<Option<i128>> {
            if self.tries || !(context.settings.ansi || interval) {
                return Ok(None);
            }
            let what = if interval { "Interval value overflows." } else { "Overflow in sum." };
            let hint = "If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error.";
            Err(Error::new("ARITHMETIC_OVERFLOW", format!("{what} Use 'try_add' to tolerate overflow. {hint}")).into())
        };
        let beyond = match returns {
            Arrow::Interval(_) => i32::try_from(sum).is_err(),
            Arrow::Duration(_) => i64::try_from(sum).is_err(),
            _ => false,
        };
        if overflow || beyond {
            return too_large(!matches!(returns, Arrow::Decimal128(..) | Arrow::Int64));
        }
        let value = if self.mean {
            let scale = match (context.inputs.first(), returns) {
                (Some(Arrow::Decimal128(_, from)), Arrow::Decimal128(_, to)) => u32::try_from(to - from).unwrap_or(0),
                _ => 0,
            };
            match mean(sum, count.into(), scale) {
                Some(mean) => mean,
                None => return too_large(false),
            }
        } else {
            sum
        };
        let fits = match returns {
            Arrow::Decimal128(precision, _) => 10_i128
                .checked_pow(u32::from(*precision))
                .is_none_or(|limit| value.unsigned_abs() < limit.unsigned_abs()),
            Arrow::Interval(_) => i32::try_from(value).is_ok(),
            _ => i64::try_from(value).is_ok(),
        };
        match (fits, returns) {
            (true, _) => Ok(Some(value)),
            (false, Arrow::Decimal128(..) | Arrow::Int64) => too_large(false),
            (false, _) => too_large(true),
        }
    }
}

/// The mean with so many more digits, half away from zero.
fn mean(sum: i128, count: i128, digits: u32) -> Option<i128> {
    let (whole, rest) = (sum / count, sum % count);
    let power = 10_i128.checked_pow(digits)?;
    // The rest is less than the count, which is less than 2^63, and the power at most 10^4, so this fits.
    let fine = rest.checked_mul(power)?;
    let rounding = i128::from((fine % count).unsigned_abs() * 2 >= count.unsigned_abs()) * fine.signum();
    whole.checked_mul(power)?.checked_add(fine / count + rounding)
}

/// The sum of a group. Its parts lie together, as every row needs all of them.
#[derive(Clone, Copy, Default)]
struct Sum {
    value: i128,
    count: i64,
    overflow: bool,
}

impl Sum {
    fn add(&mut self, value: i128, count: i64) {
        let (new, over) = self.value.overflowing_add(value);
        self.value = new;
        self.overflow |= over;
        self.count = self.count.wrapping_add(count);
    }
}

/// The sums of many groups.
struct Groups {
    total: &'static Total,
    context: Context,
    sums: Vec<Sum>,
}

impl Groups {
    fn grow(&mut self, groups: usize) {
        if self.sums.len() < groups {
            self.sums.resize(groups, Sum::default());
        }
    }

    fn add(&mut self, group: usize, value: i128, count: i64) {
        if let Some(sum) = self.sums.get_mut(group) {
            sum.add(value, count);
        }
    }

    fn results(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sums = emit_to.take_needed(&mut self.sums);
        let values = sums.into_iter().map(|sum| self.total.result(sum, &self.context)).collect::<Result<Vec<_>>>()?;
        made(values, self.context.returns.data_type())
    }

    fn states(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let sums = emit_to.take_needed(&mut self.sums);
        // An i128 need not have 38 digits, but no one looks at a state's precision.
        let values =
            Decimal128Array::from_iter_values(sums.iter().map(|sum| sum.value)).with_precision_and_scale(38, 0)?;
        let counts = Int64Array::from_iter_values(sums.iter().map(|sum| sum.count));
        let overflows: BooleanBuffer = sums.iter().map(|sum| sum.overflow).collect();
        Ok(vec![Arc::new(values), Arc::new(counts), Arc::new(BooleanArray::from(overflows))])
    }

    fn merge(&mut self, states: &[ArrayRef], group: impl Fn(usize) -> usize) -> Result<()> {
        let [sums, counts, overflows] = states else {
            return Err(Error::new("INTERNAL_ERROR", "a total has three parts").into());
        };
        let (sums, counts) = (sums.as_primitive::<Decimal128Type>(), counts.as_primitive::<Int64Type>());
        let overflows = overflows.as_boolean();
        for row in 0..sums.len() {
            if sums.is_null(row) || counts.is_null(row) {
                continue;
            }
            let group = group(row);
            self.add(group, sums.value(row), counts.value(row));
            if overflows.is_valid(row)
                && overflows.value(row)
                && let Some(sum) = self.sums.get_mut(group)
            {
                sum.overflow = true;
            }
        }
        Ok(())
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.grow(total);
        let Some(values) = values.first() else { return Ok(()) };
        let mut add = |row: usize, value| {
            if let Some(sum) = groups.get(row).and_then(|group| self.sums.get_mut(*group)) {
                sum.add(value, 1);
            }
        };
        match filter {
            None => each(values, add),
            Some(filter) => each(values, |row, value| {
                if filter.is_valid(row) && filter.value(row) {
                    add(row, value);
                }
            }),
        }
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.results(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.states(emit_to)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.grow(total);
        self.merge(states, |row| groups.get(row).copied().unwrap_or(usize::MAX))
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |values| values.len());
        let mut each = Groups { total: self.total, context: self.context.clone(), sums: Vec::new() };
        each.update_batch(values, &(0..rows).collect::<Vec<_>>(), filter, rows)?;
        each.states(EmitTo::All)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sums.capacity() * size_of::<Sum>()
    }
}

/// The sum of one group.
struct One(Groups);

impl std::fmt::Debug for One {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "total")
    }
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.first() else { return Ok(()) };
        each(values, |_, value| self.0.add(0, value, 1))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let result = self.0.total.result(self.0.sums[0], &self.0.context)?;
        ScalarValue::try_from_array(&made(vec![result], self.0.context.returns.data_type())?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let states = self.0.states(EmitTo::All)?;
        self.0.grow(1);
        states.iter().map(|state| ScalarValue::try_from_array(state, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states, |_| 0)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.first() else { return Ok(()) };
        each(values, |_, value| self.0.add(0, value.wrapping_neg(), -1))
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }
}

/// Every value that is not NULL, as a whole number.
fn each(values: &ArrayRef, mut add: impl FnMut(usize, i128)) -> Result<()> {
    fn walk<T: arrow::array::ArrowPrimitiveType>(values: &PrimitiveArray<T>, mut add: impl FnMut(usize, T::Native)) {
        match values.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => values.values().iter().enumerate().for_each(|(row, value)| add(row, *value)),
            Some(nulls) => nulls.valid_indices().for_each(|row| add(row, values.value(row))),
        }
    }
    match values.data_type() {
        Arrow::Int64 => walk(values.as_primitive::<Int64Type>(), |row, value| add(row, value.into())),
        Arrow::Decimal128(..) => walk(values.as_primitive::<Decimal128Type>(), &mut add),
        Arrow::Duration(_) => {
            walk(values.as_primitive::<DurationMicrosecondType>(), |row, value| add(row, value.into()))
        }
        Arrow::Interval(IntervalUnit::YearMonth) => {
            walk(values.as_primitive::<IntervalYearMonthType>(), |row, value| add(row, value.into()));
        }
        Arrow::Null => {}
        other => return Err(Error::new("INTERNAL_ERROR", format!("no total of {other}")).into()),
    }
    Ok(())
}

fn made(values: Vec<Option<i128>>, returns: &Arrow) -> Result<ArrayRef> {
    Ok(match returns {
        Arrow::Decimal128(precision, scale) => {
            Arc::new(values.into_iter().collect::<Decimal128Array>().with_precision_and_scale(*precision, *scale)?)
        }
        Arrow::Interval(IntervalUnit::YearMonth) => {
            let months: Int32Array =
                values.into_iter().map(|value| value.and_then(|value| i32::try_from(value).ok())).collect();
            Arc::new(months.reinterpret_cast::<IntervalYearMonthType>())
        }
        other => {
            let whole: ArrayRef = Arc::new(
                values
                    .into_iter()
                    .map(|value| value.and_then(|value| i64::try_from(value).ok()))
                    .collect::<Int64Array>(),
            );
            cast(&whole, other)?
        }
    })
}
