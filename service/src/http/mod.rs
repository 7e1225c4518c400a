//! The service over HTTP: REST under `/api/v1`, the page, metrics and health, on one port.

mod assets;
mod events;
mod guard;
mod jobs;
mod metrics;
mod problem;
mod query;
mod routes;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use paceline_engine::Settings;
use paceline_engine::cluster::{Access, Cluster};
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::ServiceError;
use crate::board::Board;
use crate::listen::Listener;
use crate::watched::Jobs;
use guard::Guard;

pub use metrics::ServiceGauges;

/// The first port that is tried where none is named, as Spark's page has it, and how many behind it.
const PORT: u16 = 4040;
const PORTS: u16 = 16;

/// How it is shown.
pub struct HttpOptions {
    /// What is shown; `None` for metrics and health alone.
    pub jobs: Option<Jobs>,
    /// The cluster whose executors are shown.
    pub cluster: Option<Cluster>,
    /// Settings that are shown, without secrets.
    pub settings: Settings,
    /// Who may look.
    pub access: Access,
    /// The name that it is reached at, beside its addresses.
    pub host: Option<String>,
    /// What Prometheus reads.
    pub registry: Registry,
}

/// A port that is listened on.
pub struct Http(TcpListener);

#[derive(Clone)]
struct App {
    jobs: Option<Jobs>,
    board: Board,
    guard: Guard,
    settings: Arc<Settings>,
    registry: Registry,
}

impl FromRef<App> for Guard {
    fn from_ref(app: &App) -> Guard {
        app.guard.clone()
    }
}

impl App {
    fn jobs(&self) -> Result<&Jobs, ServiceError> {
        self.jobs.as_ref().ok_or_else(|| ServiceError::NotFound("jobs".to_owned()))
    }
}

impl Http {
    /// Listens. Without a port it is 4040 or the next that is free.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn bind(address: std::net::IpAddr, port: Option<u16>, access: &Access) -> Result<Self, ServiceError> {
        let listener = crate::listen::bind("the page", address, port, PORT..=PORT + PORTS, access).await?;
        Ok(Http(listener))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Serves until `stop` ends.
    ///
    /// # Errors
    /// It cannot go on.
    pub async fn serve(
        self,
        options: HttpOptions,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let HttpOptions { jobs, cluster, settings, access, host, registry } = options;
        let shown = jobs.clone();
        let (board, keep) = match &jobs {
            Some(jobs) => {
                let (board, keep) = Board::new(jobs.clone(), cluster);
                (board, Some(AbortOnDropHandle::new(tokio::spawn(keep))))
            }
            None => (Board::default(), None),
        };
        let tls = access.tls();
        let guard = Guard::new(access, host);
        let app = App { jobs: shown, board, guard, settings: Arc::new(settings), registry };
        let listener = Listener::new(self.0, tls);
        let (ended, end) = tokio::sync::watch::channel(false);
        let app = router(app, end);
        let stop = async move {
            stop.await;
            let _ = ended.send(true); // streams of events end, or they would keep the server
        };
        let served = axum::serve(listener, app).with_graceful_shutdown(stop).await;
        drop(keep);
        served
    }
}

fn router(app: App, end: tokio::sync::watch::Receiver<bool>) -> Router {
    let router = routes::add(Router::new(), app.jobs.is_some(), end);
    let guarded = axum::middleware::from_fn_with_state(app.guard.clone(), guard::guard);
    router.fallback(routes::nothing).method_not_allowed_fallback(routes::not_so).layer(guarded).with_state(app)
}
