//! Functions of where a row is. A rule puts columns in their place, while plans are made: those of partitions and rows come from an
//! operator below the one that asks, those of files from the scan.

mod exec;
mod lift;
mod node;
mod of_file;

pub use exec::PositionsExec;
pub use lift::LiftPositions;
pub use node::{PlanPositions, Positions};
