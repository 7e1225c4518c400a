//! Jobs that are submitted: kept, run one after the other or side by side, and watched over HTTP.
//!
//! [`JobService`] is one task that decides everything, by commands; [`http`] shows it, and the event logs of finished jobs.

mod board;
pub mod client;
mod clock;
mod desk;
mod error;
pub mod flight_sql;
mod host;
pub mod http;
mod listen;
mod outbox;
mod queue;
mod run;
mod runner;
mod service;
mod store;
mod watched;
mod webhook;

pub use error::ServiceError;
pub use host::{Host, HostOptions};
pub use run::{Attempt, Kind, Run, State, Submission};
pub use service::{JobService, ServiceOptions};
pub use watched::{JobView, Jobs};
pub use webhook::Told;
