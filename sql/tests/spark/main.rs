//! Statements through the resolver and DataFusion, as an engine runs them.

mod measured;
mod resolving;
mod run;
