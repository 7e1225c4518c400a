//! `&`, `|`, `^` and `~` of whole numbers.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::kernels::bitwise::{bitwise_and, bitwise_not as not_of, bitwise_or, bitwise_xor};
use arrow::datatypes::{DataType as Arrow, Int8Type, Int16Type, Int32Type, Int64Type};
use datafusion::common::{Result as DataFusionResult, exec_err};
use datafusion::logical_expr::ColumnarValue;

use super::{BinaryOperator, refusal};
use crate::coercion::{Expected, coerce_to, implicit_cast, tightest_common_type};
use crate::{Arguments, DataType, Kernel, Result, Settings, SparkUdf, Typed};

static AND: Kernel = Kernel { name: "spark_bit_and", volatile: false, run: |a| run(a, BinaryOperator::BitAnd) };
static OR: Kernel = Kernel { name: "spark_bit_or", volatile: false, run: |a| run(a, BinaryOperator::BitOr) };
static XOR: Kernel = Kernel { name: "spark_bit_xor", volatile: false, run: |a| run(a, BinaryOperator::BitXor) };
static NOT: Kernel = Kernel { name: "spark_bit_not", volatile: false, run: run_not };

/// The kernels here.
pub(super) const KERNELS: &[&Kernel] = &[&AND, &OR, &XOR, &NOT];

/// `left & right`, `|`, `^`
///
/// # Errors
/// One is no whole number.
pub fn bitwise(operator: BinaryOperator, left: Typed, right: Typed, settings: &Arc<Settings>) -> Result<Typed> {
    let name = format!("({} {} {})", left.name, operator.symbol(), right.name);
    let kernel = match operator {
        BinaryOperator::BitAnd => &AND,
        BinaryOperator::BitOr => &OR,
        _ => &XOR,
    };
    let (one, two) = (&left.data_type, &right.data_type);
    let common = match (one, two) {
        (DataType::Void, DataType::Void) => Some(DataType::Int),
        (DataType::String, other) | (other, DataType::String) if settings.ansi && other.is_integral() => {
            Some(DataType::Long)
        }
        _ => tightest_common_type(one, two, settings),
    };
    let Some(common) = common.filter(DataType::is_integral) else {
        // A string beside an operator is a double, and that is what the message names.
        let seen = |value: &Typed| match value.data_type {
            DataType::String if !settings.ansi => Typed { data_type: DataType::Double, ..value.clone() },
            _ => value.clone(),
        };
        return Err(refusal::mismatch(operator, &name, &seen(&left), &seen(&right)));
    };
    let nullable = left.nullable || right.nullable;
    let operands = vec![coerce_to(left, &common, settings)?, coerce_to(right, &common, settings)?];
    Ok(SparkUdf::call(kernel, settings, operands, common, nullable, name))
}

/// `~operand`
///
/// # Errors
/// It is no whole number.
pub fn bitwise_not(operand: Typed, settings: &Arc<Settings>) -> Result<Typed> {
    let name = format!("~{}", operand.name);
    let operand = implicit_cast(operand, &Expected::Integral, 1, &name, settings)?;
    let (data_type, nullable) = (operand.data_type.clone(), operand.nullable);
    Ok(SparkUdf::call(&NOT, settings, vec![operand], data_type, nullable, name))
}

fn run(arguments: &Arguments<'_>, operator: BinaryOperator) -> DataFusionResult<ColumnarValue> {
    macro_rules! of {
        ($left:expr, $right:expr, $type:ty) => {{
            let (left, right) = ($left.as_primitive::<$type>(), $right.as_primitive::<$type>());
            let array: ArrayRef = Arc::new(match operator {
                BinaryOperator::BitAnd => bitwise_and(left, right)?,
                BinaryOperator::BitOr => bitwise_or(left, right)?,
                _ => bitwise_xor(left, right)?,
            });
            array
        }};
    }
    let (left, right) = (arguments.array(0)?, arguments.array(1)?);
    Ok(ColumnarValue::Array(match left.data_type() {
        Arrow::Int8 => of!(left, right, Int8Type),
        Arrow::Int16 => of!(left, right, Int16Type),
        Arrow::Int32 => of!(left, right, Int32Type),
        Arrow::Int64 => of!(left, right, Int64Type),
        other => return exec_err!("no bits of {other}"),
    }))
}

fn run_not(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let array = arguments.array(0)?;
    Ok(ColumnarValue::Array(match array.data_type() {
        Arrow::Int8 => Arc::new(not_of(array.as_primitive::<Int8Type>())?),
        Arrow::Int16 => Arc::new(not_of(array.as_primitive::<Int16Type>())?),
        Arrow::Int32 => Arc::new(not_of(array.as_primitive::<Int32Type>())?),
        Arrow::Int64 => Arc::new(not_of(array.as_primitive::<Int64Type>())?),
        other => return exec_err!("no bits of {other}"),
    }))
}
