//! The kernels, one for each mode.

use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use super::{CastMode, How, cast_array};
use crate::{Arguments, DataType, Kernel};

static LEGACY: Kernel =
    Kernel { name: "spark_cast", volatile: false, run: |arguments| run(arguments, CastMode::Legacy) };
static ANSI: Kernel =
    Kernel { name: "spark_cast_ansi", volatile: false, run: |arguments| run(arguments, CastMode::Ansi) };
static TRY: Kernel = Kernel { name: "spark_try_cast", volatile: false, run: |arguments| run(arguments, CastMode::Try) };

/// All of them.
pub(crate) const KERNELS: &[&Kernel] = &[&LEGACY, &ANSI, &TRY];

pub(super) fn of(mode: CastMode) -> &'static Kernel {
    match mode {
        CastMode::Legacy => &LEGACY,
        CastMode::Ansi => &ANSI,
        CastMode::Try => &TRY,
    }
}

fn run(arguments: &Arguments<'_>, mode: CastMode) -> Result<ColumnarValue> {
    let from = DataType::of(&arguments.fields[0])?;
    let to = DataType::of(arguments.returns)?;
    let how = How::new(mode, arguments.settings)?;
    Ok(match &arguments.values[0] {
        ColumnarValue::Array(array) => ColumnarValue::Array(cast_array(array, &from, &to, &how)?),
        ColumnarValue::Scalar(value) => {
            let array = cast_array(&value.to_array()?, &from, &to, &how)?;
            ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?)
        }
    })
}
