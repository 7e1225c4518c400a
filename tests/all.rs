//! Everything that runs queries, in one binary.

mod plans;
mod scenarios {
    mod bad_input;
    mod commit;
    mod main_job;
    mod plain_datafusion;
}
