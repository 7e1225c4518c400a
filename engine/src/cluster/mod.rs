//! A query on many machines: Ballista cuts plans into tasks and runs them, and what it lacks stands around it.

mod codec;
mod numbering;

pub use codec::PlanCodec;
pub use numbering::Numbering;
