//! The way from a process to the scheduler of its cluster, or to a keeper of the pace.

use std::sync::Arc;
use std::time::Duration;

use ballista_core::config::BallistaConfig;
use ballista_core::utils::{GrpcClientConfig, create_grpc_client_endpoint};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tonic::transport::{Channel, Endpoint};

use super::access::{Access, WayOut};
use super::address::HostPort;
use crate::EngineError;

/// How long somebody who does not answer is waited for.
const WITHIN: Duration = Duration::from_secs(10);

/// Somebody, and what is shown there.
#[derive(Clone, Debug)]
pub struct Reach {
    at: HostPort,
    access: Access,
    network: Handle,
    way_out: Arc<OnceCell<Option<WayOut>>>,
}

impl Reach {
    /// The way to `at`, on `network`.
    pub fn new(at: HostPort, access: Access, network: Handle) -> Self {
        Reach { at, access, network, way_out: Arc::default() }
    }

    /// Who is reached.
    pub fn at(&self) -> &HostPort {
        &self.at
    }

    /// The door that goes out; `None` where nothing has to be shown.
    pub(super) async fn way_out(&self) -> Result<Option<&WayOut>, EngineError> {
        Ok(self.way_out.get_or_try_init(|| self.access.way_out(&self.network)).await?.as_ref())
    }

    /// A channel that connects when it is used, and again when the connection is lost.
    ///
    /// # Errors
    /// The way out cannot be opened.
    pub(super) async fn channel(&self) -> Result<Channel, EngineError> {
        Ok(self.endpoint().await?.connect_lazy())
    }

    /// A channel that is connected.
    ///
    /// # Errors
    /// Nobody is there.
    pub(super) async fn connected(&self) -> Result<Channel, EngineError> {
        if let Some(way_out) = self.way_out().await? {
            // Through a door connecting always succeeds.
            let HostPort { host, port } = &self.at;
            way_out.0.reach(host, *port, WITHIN).await.map_err(|error| self.failed(&error))?;
        }
        let endpoint = self.endpoint().await?.connect_timeout(WITHIN);
        endpoint.connect().await.map_err(|error| self.failed(&paceline_udfs::client::causes(&error)))
    }

    async fn endpoint(&self) -> Result<Endpoint, EngineError> {
        let HostPort { host, port } = &self.at;
        let config = GrpcClientConfig::from(&BallistaConfig::default());
        let endpoint = create_grpc_client_endpoint(format!("http://{host}:{port}"), Some(&config));
        let endpoint = endpoint.map_err(|error| self.failed(&error))?;
        match self.way_out().await? {
            Some(way_out) => way_out.endpoint_override()(endpoint).map_err(|error| self.failed(&error)),
            None => Ok(endpoint),
        }
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> EngineError {
        EngineError::Setting(format!("{} cannot be reached: {error}; is it running?", self.at))
    }
}
