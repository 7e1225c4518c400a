//! The runtime that network traffic has for itself, so that it never waits behind CPU work.

use std::io;
use std::num::NonZeroUsize;

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

/// Files that the process needs for other things than calls: inputs, outputs, S3, the runtime.
const OTHER_FILES: u64 = 200;

/// How many connections the process may hold, by its limit of open files. A request in flight is a connection.
pub(crate) fn most_connections() -> NonZeroUsize {
    let open_files = rlimit::getrlimit(rlimit::Resource::NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    let most = usize::try_from(open_files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    if most < 10_000 {
        tracing::warn!(
            open_files,
            most,
            "fewer requests in flight than calls may need; raise the limit with ulimit -n"
        );
    }
    NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN)
}
