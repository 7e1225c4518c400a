//! The main job with nothing else needed: records, an S3 and an API, all in this process.

mod api;
mod arrivals;
mod data;
mod faults;
mod records;
mod run;
mod s3;
mod tpch;
mod verify;

pub use api::{MockApi, MockApiOptions};
pub use arrivals::{OwnLimit, Stats};
pub use data::{Cleaning, find, generate};
pub use faults::{Faults, IsSlowedDown};
pub use records::{RecordOptions, Records};
pub use run::{Demo, DemoOptions, DemoResult};
pub use s3::DemoS3;
pub use tpch::{TPCH_TABLES, tpch};
pub use verify::{Verified, count, verify};
