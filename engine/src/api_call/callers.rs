//! Who calls API functions in this process, and what they share: quotas, hosts, credentials, the network.

use std::sync::Arc;
use std::time::SystemTime;

use paceline_udfs::auth::Services;
use paceline_udfs::client::{HttpClient, causes};
use paceline_udfs::hosts::Hosts;
use paceline_udfs::quota::Quotas;
use paceline_udfs::spec::Budget;
use paceline_udfs::{ApiFunction, Caller};
use tokio::runtime::Handle;

use crate::EngineError;
use crate::network::most_connections;

/// Makes callers.
#[derive(Clone, Debug)]
pub(crate) struct Callers {
    /// The limits, by name.
    pub quotas: Arc<Quotas>,
    /// The hosts and their places.
    pub hosts: Arc<Hosts>,
    /// What clients borrow.
    pub services: Services,
    /// Where requests run.
    pub network: Handle,
    /// Whether rows may be given up without bound, whatever a function says.
    pub unlimited_failures: bool,
}

impl Callers {
    /// A caller of a function.
    pub fn caller(&self, mut api: ApiFunction) -> Result<Arc<Caller>, EngineError> {
        if self.unlimited_failures {
            api.options.failure.budget = Budget { percent: 100, records: None };
        }
        let api = Arc::new(api);
        let quota = self.quotas.get(&api.options.pace.quota, &api.options.pace.limits, SystemTime::now());
        let quota = quota.map_err(|error| EngineError::Setting(causes(&error)))?;
        let client =
            HttpClient::new(&api.options, &self.services).map_err(|error| EngineError::Setting(error.to_string()))?;
        let caller = Caller::new(api, quota, Arc::new(client), self.network.clone());
        Ok(Arc::new(caller.with_most_in_flight(most_connections()).with_hosts(&self.hosts)))
    }
}
