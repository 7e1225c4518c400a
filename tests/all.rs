//! Everything that runs queries, in one binary.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it cannot go on")]

mod models {
    mod commit;
}
mod plans;
mod slt;
mod spark;
mod scenarios {
    mod bad_input;
    mod broken_input;
    mod commit;
    mod conditions;
    mod data;
    mod dry_run;
    mod enrich;
    mod explain;
    mod faults;
    mod fenced;
    mod first_rows;
    mod formats;
    mod guide;
    mod main_job;
    mod metrics;
    mod order;
    mod partitioned_input;
    mod partitions;
    mod plain_datafusion;
    mod spark_files;
    mod too_many_requests;
    mod where_rows_are;
}
