//! The job service in a scheduler's process: its store, its runs on that scheduler's cluster, and its page.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use paceline_engine::Settings;
use paceline_engine::cluster::{Access, Cluster, HostPort, Reach};
use paceline_engine::io::stores::Stores;
use paceline_engine::observe::prometheus::with_process;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::flight_sql::FlightSql;
use crate::http::{Http, HttpOptions, ServiceGauges};
use crate::service::{JobService, ServiceOptions};
use crate::watched::Jobs;
use crate::webhook::Told;
use crate::{ServiceError, State};

/// How it is set up.
pub struct HostOptions {
    /// The address that the page listens on.
    pub bind: IpAddr,
    /// Its port; 4040 or the next that is free, where none is named.
    pub port: Option<u16>,
    /// The port of Flight SQL; 32010 or the next that is free, where none is named.
    pub flight_port: Option<u16>,
    /// The name that it is reached at, beside its addresses.
    pub host: Option<String>,
    /// Where jobs are kept; a folder that ends with the process, where none is named.
    pub folder: Option<PathBuf>,
    /// What submissions do not say themselves.
    pub settings: Settings,
    /// The scheduler.
    pub scheduler: HostPort,
    /// Whether jobs run on its executors; otherwise in this process, at the pace that the scheduler keeps.
    pub on_executors: bool,
    /// Who may ask, and what is shown to the scheduler.
    pub access: Access,
    /// Runs at once, of all jobs together.
    pub most_at_once: usize,
    /// Who is told of changes of state.
    pub told: Told,
    /// What runs while a job does, in data processing units.
    pub dpus: f64,
}

/// A job service that listens and does not serve yet.
pub struct Host {
    http: Http,
    flight: FlightSql,
    options: HostOptions,
}

impl Host {
    /// Listens.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn bind(options: HostOptions) -> Result<Self, ServiceError> {
        let http = Http::bind(options.bind, options.port, &options.access).await?;
        let flight = FlightSql::bind(options.bind, options.flight_port, options.access.clone()).await?;
        Ok(Host { http, flight, options })
    }

    /// The page.
    ///
    /// # Errors
    /// The system does not say where it listens.
    pub fn url(&self) -> std::io::Result<String> {
        let scheme = if self.options.access.tls().is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.http.address()?))
    }

    /// Where Flight SQL is.
    ///
    /// # Errors
    /// The system does not say where it listens.
    pub fn flight_uri(&self) -> std::io::Result<String> {
        self.flight.uri()
    }

    /// Serves until `stop` ends, and goes on with the jobs that it knows.
    ///
    /// # Errors
    /// Its folder cannot be used, or it cannot go on.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), ServiceError> {
        let HostOptions { host, folder, mut settings, scheduler, on_executors, access, .. } = self.options;
        let internal = |error: &dyn std::fmt::Display| ServiceError::Internal(error.to_string());
        let at = scheduler.to_string();
        let key = if on_executors { "paceline.cluster" } else { "paceline.quota" };
        settings.set(key, &at).map_err(|error| internal(&error))?;
        settings.access = access.clone();
        let stores = Arc::new(Stores::new(settings.s3.clone(), Handle::current()));
        let seen = Cluster::new(Reach::new(scheduler, access.clone(), Handle::current()), stores);
        let for_now = if folder.is_none() { Some(TempDir::new().map_err(|error| internal(&error))?) } else { None };
        let folder = folder.or_else(|| for_now.as_ref().map(|folder| folder.path().to_owned())).unwrap_or_default();
        let registry = with_process(settings.registry().map_err(|error| internal(&error))?);
        let (shown, of_flight) = (settings.clone(), settings.clone());
        let stopped = CancellationToken::new();
        let options = ServiceOptions {
            folder,
            settings,
            cluster: on_executors.then(|| seen.clone()),
            most_at_once: self.options.most_at_once,
            told: self.options.told,
            dpus: self.options.dpus,
        };
        let (service, work) = JobService::start(options, stopped.clone().cancelled_owned())?;
        let known = service.runs();
        let goes_on = known.iter().filter(|run| !run.state.is_final() && run.state != State::Waiting).count();
        tracing::info!(jobs = known.len(), goes_on, "jobs");
        registry.register(Box::new(ServiceGauges::new(service.clone()))).map_err(|error| internal(&error))?;
        let http = HttpOptions {
            jobs: Some(Jobs::Live(service)),
            cluster: Some(seen),
            settings: shown,
            access,
            host,
            registry,
        };
        let http = self.http.serve(http, stopped.clone().cancelled_owned());
        let flight = self.flight.serve(of_flight, stopped.clone().cancelled_owned());
        let stopping = async {
            stop.await;
            stopped.cancel();
        };
        let ((), served, flight, ()) = tokio::join!(work, http, flight, stopping);
        flight?;
        served.map_err(|error| internal(&format!("the page cannot be served: {error}")))
    }
}
