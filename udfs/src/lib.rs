//! One API call, from row to answer.
//!
//! The modules stand in the order in which a row meets them. The crate knows Arrow and HTTP, never DataFusion:
//! it decides and calls, and whoever owns the rows keeps them.

pub mod spec;

pub mod batch;

mod result;

pub mod key;

mod ask;

mod shared;

pub mod journal;

pub mod primed;

pub mod caller;

pub mod window;

pub mod breaker;

pub mod quota;

pub mod quota_store;

pub mod hosts;

pub mod limiter;

pub mod lease;

pub mod allowance;

pub mod retry;

pub mod secret;

pub mod auth;

pub mod egress;

pub mod client;

pub mod compression;

pub mod dead_letter;

pub mod wire;

pub mod counters;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use ask::Answer;
pub use caller::Caller;
pub use result::METADATA;
pub use spec::ApiFunction;
