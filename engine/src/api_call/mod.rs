//! Calls of API functions in a query: the function DataFusion sees, the rule that lifts its calls into a node of
//! their own, and the operator that carries them out.

mod callee;
mod callers;
mod column_names;
mod exec;
mod feed;
mod function;
mod hoist;
mod node;
mod planner;
mod run;

pub use callee::Callee;
pub(crate) use callers::Callers;
pub use column_names::ColumnNames;
pub use exec::{ApiCallExec, Asked, Outbox};
pub use function::api_function;
pub(crate) use function::{caller_of, failure_kind, liftable};
pub use hoist::HoistApiCalls;
pub use node::ApiCall;
pub use planner::{PlanApiCalls, SetRowsAside};
pub use run::{Answers, Run, SharedJournal};
