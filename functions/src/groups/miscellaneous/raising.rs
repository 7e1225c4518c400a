//! `assert_true` and `raise_error`.

use arrow::array::{Array, AsArray, new_null_array};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use crate::coercion::{Expected, implicit_cast};
use crate::groups::scalar::{between, exactly};
use crate::{Arguments, Call, DataType, Error, Kernel, Result, SparkUdf, Typed};

// Neither is computed before its row is there, and neither moves before what guards it.
static ASSERT_TRUE: Kernel = Kernel { name: "spark_assert_true", volatile: true, run: run_assert_true };
static RAISE_ERROR: Kernel = Kernel { name: "spark_raise_error", volatile: true, run: run_raise_error };

/// `assert_true(condition[, message])`
pub(super) fn assert_true(mut call: Call<'_>) -> Result<Typed> {
    let arguments = between(&mut call, 1, 2)?;
    let message = if arguments.len() == 2 { arguments.pop() } else { None };
    let Some(condition) = arguments.pop() else { return Err(Error::new("INTERNAL_ERROR", "no argument")) };
    let message = message.unwrap_or_else(|| {
        let text = format!("'{}' is not true!", condition.name);
        Typed::literal(ScalarValue::Utf8(Some(text.clone())), DataType::String, text)
    });
    let name = format!("assert_true({}, {})", condition.name, message.name);
    let condition = implicit_cast(condition, &Expected::Type(DataType::Boolean), 1, &name, call.settings)?;
    let message = implicit_cast(message, &Expected::Type(DataType::String), 2, &name, call.settings)?;
    Ok(SparkUdf::call(&ASSERT_TRUE, call.settings, vec![condition, message], DataType::Void, true, name))
}

/// `raise_error(message)`
pub(super) fn raise_error(mut call: Call<'_>) -> Result<Typed> {
    let [message] = exactly(&mut call)?;
    let name = format!("raise_error({})", message.name);
    let message = implicit_cast(message, &Expected::Type(DataType::String), 1, &name, call.settings)?;
    Ok(SparkUdf::call(&RAISE_ERROR, call.settings, vec![message], DataType::Void, true, name))
}

fn raised(message: &str) -> Error {
    Error::new("java.lang.RuntimeException", message)
}

fn run_assert_true(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let (conditions, messages) = (arguments.array(0)?, arguments.array(1)?);
    let (conditions, messages) = (conditions.as_boolean(), messages.as_string::<i32>());
    for row in 0..arguments.rows {
        if conditions.is_null(row) || !conditions.value(row) {
            let message = if messages.is_null(row) { "null" } else { messages.value(row) };
            return Err(raised(message).into());
        }
    }
    Ok(ColumnarValue::Array(new_null_array(&Arrow::Null, arguments.rows)))
}

fn run_raise_error(arguments: &Arguments<'_>) -> DataFusionResult<ColumnarValue> {
    let messages = arguments.array(0)?;
    let messages = messages.as_string::<i32>();
    if arguments.rows > 0 {
        let message = if messages.is_null(0) { "null" } else { messages.value(0) };
        return Err(raised(message).into());
    }
    Ok(ColumnarValue::Array(new_null_array(&Arrow::Null, 0)))
}

/// The kernels here, by which an executor finds them.
pub(in crate::groups) const KERNELS: &[&Kernel] = &[&ASSERT_TRUE, &RAISE_ERROR];
