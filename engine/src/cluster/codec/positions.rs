//! The operator `Positions` on its way.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use paceline_functions::Position;

use super::proto::position::Value;
use super::{damaged, proto};
use crate::cluster::Numbering;
use crate::position::PositionsExec;

pub(super) fn encode(node: &Arc<dyn ExecutionPlan>) -> Option<proto::Positions> {
    let positions = node.downcast_ref::<PositionsExec>()?;
    let added = positions.added().iter().map(|position| proto::Position { value: value(*position) }).collect();
    Some(proto::Positions { at: positions.at(), added, numbering: positions.numbering().marks() })
}

/// Those of files are not among what the operator adds.
fn value(position: Position) -> Option<Value> {
    match position {
        Position::Partition => Some(Value::Partition(true)),
        Position::Row => Some(Value::Row(true)),
        Position::Uniform(seed) => Some(Value::Uniform(seed)),
        Position::Normal(seed) => Some(Value::Normal(seed)),
        Position::FileName | Position::BlockStart | Position::BlockLength => None,
    }
}

pub(super) fn decode(positions: proto::Positions, input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let position = |position: proto::Position| match position.value {
        Some(Value::Partition(_)) => Ok(Position::Partition),
        Some(Value::Row(_)) => Ok(Position::Row),
        Some(Value::Uniform(seed)) => Ok(Position::Uniform(seed)),
        Some(Value::Normal(seed)) => Ok(Position::Normal(seed)),
        None => Err(damaged("what it adds is missing")),
    };
    let added = positions.added.into_iter().map(position).collect::<Result<Vec<_>>>()?;
    let exec = PositionsExec::new(input, positions.at, added);
    Ok(Arc::new(exec.with_numbering(Numbering::from_marks(positions.numbering))))
}
