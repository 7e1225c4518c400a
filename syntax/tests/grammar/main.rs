//! What the grammar takes, refuses and makes of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its input fails")]

mod conformance;
mod errors;
mod expressions;
mod nesting;
mod queries;
mod schemas;
mod sketch;
mod statements;
mod words;
