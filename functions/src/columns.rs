//! Arguments of a kernel read row by row, and its results gathered. A constant is read once and never spread out.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayAccessor, ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Float64Array, Int32Array, Int64Array,
    StringArray, make_array,
};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::ColumnarValue;

use crate::Arguments;

/// Bytes that one batch of a function's results may have; more would not fit Arrow's offsets, or the machine.
const MOST_BYTES: usize = 1 << 30;

/// The Arrow type that an array is read as.
pub(crate) trait Carrier: Array + Clone + 'static {
    const TYPE: Arrow;
}

macro_rules! carriers {
    ($($array:ty: $arrow:expr),*) => { $(impl Carrier for $array { const TYPE: Arrow = $arrow; })* };
}
carriers!(
    StringArray: Arrow::Utf8, BinaryArray: Arrow::Binary, BooleanArray: Arrow::Boolean,
    // A decimal keeps its own scale.
    Decimal128Array: Arrow::Decimal128(38, 0), Int32Array: Arrow::Int32, Int64Array: Arrow::Int64, Float64Array: Arrow::Float64
);

/// An argument.
pub(crate) struct Column<A> {
    values: A,
    constant: bool,
}

impl<A: Carrier> Column<A> {
    /// Dates, timestamps and intervals are read as the integers that carry them; strings also as their bytes.
    pub(crate) fn of(arguments: &Arguments<'_>, at: usize) -> Result<Self> {
        let (array, constant) = match arguments.values.get(at) {
            Some(ColumnarValue::Array(array)) => (Arc::clone(array), false),
            Some(ColumnarValue::Scalar(value)) => (value.to_array()?, true),
            None => return Err(exec_datafusion_err!("a function lacks argument {at}")),
        };
        let array = carried(array, &A::TYPE)?;
        let values = array.as_any().downcast_ref::<A>().cloned();
        let values = values.ok_or_else(|| exec_datafusion_err!("{} where {} should be", array.data_type(), A::TYPE))?;
        Ok(Column { values, constant })
    }

    /// The value of a row, unless it is NULL.
    pub(crate) fn get<'a>(&'a self, row: usize) -> Option<<&'a A as ArrayAccessor>::Item>
    where
        &'a A: ArrayAccessor,
    {
        let at = if self.constant { 0 } else { row };
        let values = &self.values;
        (at < Array::len(values) && !values.is_null(at)).then(|| ArrayAccessor::value(&values, at))
    }

    /// The one value, where it is a constant.
    pub(crate) fn constant<'a>(&'a self) -> Option<<&'a A as ArrayAccessor>::Item>
    where
        &'a A: ArrayAccessor,
    {
        if self.constant { self.get(0) } else { None }
    }
}

/// The same bits, or the same values, as another type.
pub(crate) fn carried(array: ArrayRef, to: &Arrow) -> Result<ArrayRef> {
    let same_bits = match (array.data_type(), to) {
        (from, to) if from == to => return Ok(array),
        (Arrow::Decimal128(..), Arrow::Decimal128(..)) => return Ok(array),
        (Arrow::Date32 | Arrow::Interval(arrow::datatypes::IntervalUnit::YearMonth), Arrow::Int32) => true,
        (Arrow::Timestamp(..) | Arrow::Duration(_), Arrow::Int64) => true,
        _ => false,
    };
    if same_bits {
        Ok(make_array(array.to_data().into_builder().data_type(to.clone()).build()?))
    } else {
        Ok(arrow::compute::cast(&array, to)?)
    }
}

/// How many rows to compute: one where every argument is a constant.
pub(crate) fn rows(arguments: &Arguments<'_>) -> (usize, bool) {
    let constant = arguments.values.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
    (if constant { 1 } else { arguments.rows }, constant)
}

/// A value for each row, in the type that the function returns.
pub(crate) fn each<B, T>(
    arguments: &Arguments<'_>,
    value: impl FnMut(usize) -> Result<Option<T>>,
) -> Result<ColumnarValue>
where
    B: FromIterator<Option<T>> + Array + 'static,
{
    let (rows, _) = rows(arguments);
    let array: B = (0..rows).map(value).collect::<Result<_>>()?;
    returned(arguments, Arc::new(array))
}

/// An array of [`rows`] values as what the function returns.
pub(crate) fn returned(arguments: &Arguments<'_>, array: ArrayRef) -> Result<ColumnarValue> {
    let to = arguments.returns.data_type();
    let array = match array.data_type() {
        from if from == to => array,
        Arrow::Int32 | Arrow::Int64 if to.is_temporal() => {
            make_array(array.to_data().into_builder().data_type(to.clone()).build()?)
        }
        _ => arrow::compute::cast(&array, to)?,
    };
    let (_, constant) = rows(arguments);
    if constant {
        Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?))
    } else {
        Ok(ColumnarValue::Array(array))
    }
}

/// A function of one text.
pub(crate) fn of_text<B, T>(arguments: &Arguments<'_>, value: impl Fn(&str) -> Option<T>) -> Result<ColumnarValue>
where
    B: FromIterator<Option<T>> + Array + 'static,
{
    let text = Column::<StringArray>::of(arguments, 0)?;
    each::<B, T>(arguments, |row| Ok(text.get(row).and_then(&value)))
}

/// What is left of the bytes that a batch of results may have.
pub(crate) struct Budget(usize);

impl Budget {
    pub(crate) fn new() -> Self {
        Budget(MOST_BYTES)
    }

    /// Takes the bytes of one more result.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<()> {
        self.0 =
            self.0.checked_sub(bytes).ok_or_else(|| exec_datafusion_err!("a result of {bytes} bytes is too large"))?;
        Ok(())
    }
}

/// The value, or NULL for the row.
macro_rules! some {
    ($value:expr) => {
        match $value {
            Some(value) => value,
            None => return Ok(None),
        }
    };
}
pub(crate) use some;

/// Kernels, each with its name, and the list of them for who looks one up by name.
macro_rules! kernels {
    ($($(#[$doc:meta])* $id:ident = $name:literal, $run:expr;)*) => {
        $($(#[$doc])* pub(super) static $id: $crate::Kernel = $crate::Kernel { name: $name, volatile: false, run: $run };)*
        /// All of this file.
        pub(crate) const KERNELS: &[&$crate::Kernel] = &[$(&$id),*];
    };
}
pub(crate) use kernels;
