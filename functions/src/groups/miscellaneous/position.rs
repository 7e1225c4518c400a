//! Functions of where a row is: in which partition, as its how many-th row, and of which file; so are random numbers, which are
//! a row's of its partition. Whoever runs a plan puts columns in their place, by [`position_of`].

use std::any::Any;

use arrow::datatypes::DataType as Arrow;
use datafusion::common::{Result as DataFusionResult, internal_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use crate::groups::math::random;
use crate::groups::scalar::exactly;
use crate::{Call, DataType, Result, Typed};

/// What such a function says of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Position {
    /// The number of its partition.
    Partition,
    /// The number of its partition in the upper 31 bits, and its own within that in the lower 33.
    Row,
    /// The URL of its file.
    FileName,
    /// The first byte of the part of the file that is read as one.
    BlockStart,
    /// How many bytes that part has.
    BlockLength,
    /// A random number of this seed, from 0 to below 1.
    Uniform(i64),
    /// A random number of this seed, around 0 with a standard deviation of 1.
    Normal(i64),
}

impl Position {
    /// The function's name.
    pub fn name(self) -> &'static str {
        match self {
            Position::Partition => "spark_partition_id",
            Position::Row => "monotonically_increasing_id",
            Position::FileName => "input_file_name",
            Position::BlockStart => "input_file_block_start",
            Position::BlockLength => "input_file_block_length",
            Position::Uniform(_) => "rand",
            Position::Normal(_) => "randn",
        }
    }

    /// Whether it is of the file.
    pub fn is_of_file(self) -> bool {
        matches!(self, Position::FileName | Position::BlockStart | Position::BlockLength)
    }

    /// Whether it is a random number.
    pub fn is_random(self) -> bool {
        matches!(self, Position::Uniform(_) | Position::Normal(_))
    }

    /// The type of its values.
    pub fn data_type(self) -> DataType {
        match self {
            Position::Partition => DataType::Int,
            Position::FileName => DataType::String,
            Position::Row | Position::BlockStart | Position::BlockLength => DataType::Long,
            Position::Uniform(_) | Position::Normal(_) => DataType::Double,
        }
    }
}

/// What a call says of a row, if it is one of these.
pub fn position_of(call: &ScalarFunction) -> Option<Position> {
    let inner: &dyn Any = call.func.inner().as_ref();
    let own = inner.downcast_ref::<PositionUdf>().map(|udf| udf.position);
    own.or_else(|| random::position_of(call))
}

/// Resolves a call.
pub(super) fn resolve(position: Position, mut call: Call<'_>) -> Result<Typed> {
    let [] = exactly(&mut call)?;
    let shown = if position == Position::Partition { "SPARK_PARTITION_ID" } else { position.name() };
    let signature = Signature::new(TypeSignature::Nullary, Volatility::Volatile);
    let function = ScalarUDF::new_from_impl(PositionUdf { position, signature });
    Ok(Typed {
        expr: function.call(Vec::new()),
        data_type: position.data_type(),
        nullable: false,
        name: format!("{shown}()"),
        foldable: false,
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PositionUdf {
    position: Position,
    signature: Signature,
}

impl ScalarUDFImpl for PositionUdf {
    fn name(&self) -> &str {
        self.position.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[Arrow]) -> DataFusionResult<Arrow> {
        Ok(self.position.data_type().to_arrow())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        internal_err!("{}() has a value only as a column of its plan", self.position.name())
    }
}
