//! Where bytes come from and go to: object stores, readers, the sink and its commit.

pub mod commit;
pub mod readers;
pub mod sink;
pub mod stores;
