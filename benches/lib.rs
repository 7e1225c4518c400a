//! What the benches share: figures beside their targets, the programs that are measured, and the loop to compare with.

mod bare;
mod figures;
mod programs;

pub use bare::{Bodies, bare_loop};
pub use figures::{Table, median};
pub use programs::{Api, Columns, Ran, Received, Workplace, paceline};
