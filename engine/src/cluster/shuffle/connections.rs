//! One connection to each other executor: its requests share it, as HTTP/2 lets them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ballista_core::client::BallistaClient;
use ballista_core::client_pool::{BallistaClientPool, PooledClient};
use ballista_core::error::Result;
use ballista_core::extension::BallistaConfigGrpcEndpoint;
use ballista_core::utils::GrpcClientConfig;

/// The connections that are open.
#[derive(Default)]
pub struct Connections {
    open: Arc<Mutex<Open>>,
}

type Open = HashMap<(String, u16), BallistaClient>;

#[async_trait]
impl BallistaClientPool for Connections {
    async fn acquire(
        &self,
        host: &str,
        port: u16,
        config: &GrpcClientConfig,
        customize: Option<Arc<BallistaConfigGrpcEndpoint>>,
    ) -> Result<PooledClient> {
        let to = (host.to_owned(), port);
        // It is out while somebody asks, so that one that failed is not given to the next.
        let known = locked(&self.open).remove(&to);
        let client = match known {
            Some(known) => known,
            None => {
                BallistaClient::try_new(
                    host,
                    port,
                    config.max_message_size,
                    config.use_tls,
                    customize,
                    1,
                    config.io_retry_wait_time_ms,
                    config.initial_connection_window_size,
                    config.initial_stream_window_size,
                )
                .await?
            }
        };
        let open = Arc::clone(&self.open);
        Ok(PooledClient::new(client, Box::new(move |client| drop(locked(&open).insert(to, client)))))
    }

    /// There are as many as executors.
    async fn evict_idle(&self) {}
}

fn locked(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(locked(&self.open).keys()).finish()
    }
}
