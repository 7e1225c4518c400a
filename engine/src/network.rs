//! The runtime that network traffic has for itself, so that it never waits behind CPU work.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// Threads for network traffic. One carries some 10,000 requests per second; the second keeps S3 from delaying the API.
const THREADS: usize = 2;

/// A running network runtime. Dropping it ends what still runs on it, without waiting.
#[derive(Debug)]
pub(crate) struct Network {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Network {
    pub fn start() -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(THREADS).thread_name("network").enable_all().build()?;
        Ok(Network { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background(); // a plain drop would block, which async code must not
        }
    }
}
