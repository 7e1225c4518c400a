//! Where bytes come from and go to: object stores, readers, the sink and its commit.

pub mod aws;
mod aws_calls;
mod bucket;
pub mod commit;
pub mod counted;
mod credentials;
pub mod job_folder;
pub(crate) mod of_session;
mod pieces;
pub mod readers;
pub mod s3;
pub mod sink;
mod spark_schema;
pub mod stores;

pub use aws_calls::CallFailed;
