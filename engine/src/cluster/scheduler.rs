//! The scheduler's process: Ballista's scheduler with Paceline's operators.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpcServer;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::create_scheduler;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::net::{TcpListener, UnixListener};
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::Server;
use tonic::transport::server::{Router, TcpIncoming};

use super::access::{Access, WayOut};
use super::codec::PlanCodec;
use super::door::{Backend, Door, PrivateDir};
use super::keeper;
use super::lost;
use super::service::{Asked, ClusterServer, Service};
use super::watch::Watch;
use super::{MESSAGE_BYTES, config};
use crate::EngineError;
use crate::io::s3::S3Settings;
use crate::io::stores::Stores;
use crate::network::Network;

/// How often lost executors are looked for, in seconds.
const EXPIRY_CHECK_S: u64 = 1;
/// How long jobs wait for an executor when there is none, in seconds: one may be starting.
const NO_EXECUTORS_GRACE_S: u64 = 60;
/// How long an executor that is told to stop may take to finish its tasks, in seconds.
pub(super) const DRAIN_S: u64 = 600;
/// Rows that nobody read or let go of stay for so long, in seconds: a reader may be slow.
const FINISHED_DATA_S: u64 = 3600;
/// What is known of finished jobs stays for so long, in seconds.
const FINISHED_STATE_S: u64 = 3600;

/// How long those who are connected may take to leave.
pub(super) const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// How a scheduler runs.
#[derive(Clone, Debug)]
pub struct SchedulerOptions {
    /// Where it listens.
    pub bind: SocketAddr,
    /// The host that others reach it at, where that is not the address it binds.
    pub host: Option<String>,
    /// How often a task is tried.
    pub task_attempts: usize,
    /// How often a stage is tried.
    pub stage_attempts: usize,
    /// An executor that was not heard of for so long is lost; counted in whole seconds.
    pub executor_timeout: Duration,
    /// Where it remembers what was spent of long limits, and that it lived; `None` for nowhere.
    pub state_dir: Option<PathBuf>,
    /// Who may talk to it.
    pub access: Access,
}

/// A scheduler that listens and does not serve yet.
pub struct Scheduler {
    entrance: Entrance,
    address: SocketAddr,
    options: SchedulerOptions,
    way_out: Option<WayOut>,
    network: Network,
}

/// Where requests come in.
enum Entrance {
    /// On loopback, from everybody.
    Open(TcpListener),
    /// Behind a door, on a socket that only the door reaches.
    Guarded { listener: UnixListener, door: Door, _folder: PrivateDir },
}

impl Scheduler {
    /// Listens.
    ///
    /// # Errors
    /// The address cannot be used, or anybody could reach it.
    pub async fn bind(options: SchedulerOptions) -> Result<Self, EngineError> {
        options.access.check(options.bind.ip())?;
        let failed = |error| EngineError::Setting(format!("the scheduler cannot listen on {}: {error}", options.bind));
        let network = Network::start().map_err(failed)?;
        let way_out = options.access.way_out(network.handle()).await?;
        let Access { token, identity, .. } = options.access.clone();
        let (entrance, address) = if token.is_none() && identity.is_none() {
            let listener = TcpListener::bind(options.bind).await.map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            (Entrance::Open(listener), address)
        } else {
            let folder = PrivateDir::new().map_err(failed)?;
            let socket = folder.socket("scheduler");
            let listener = UnixListener::bind(&socket).map_err(failed)?;
            let inside = vec![("/".to_owned(), Backend::Unix(socket))];
            let door = network.handle().spawn(Door::open(options.bind, token, identity, inside)).await;
            let door = door.map_err(std::io::Error::other).flatten().map_err(failed)?;
            let address = door.address();
            (Entrance::Guarded { listener, door, _folder: folder }, address)
        };
        Ok(Scheduler { entrance, address, options, way_out, network })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` ends.
    ///
    /// # Errors
    /// It cannot go on.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), EngineError> {
        let stores = Arc::new(Stores::new(S3Settings::default(), self.network.handle().clone()));
        let codec = Arc::new(PlanCodec::new(Arc::clone(&stores)));
        let session = move |config: SessionConfig| {
            let environment =
                RuntimeEnvBuilder::new().with_object_store_registry(Arc::clone(&stores) as _).build_arc()?;
            let config = config.with_ballista_adaptive_query_planner(false);
            let state = SessionStateBuilder::new().with_config(config).with_runtime_env(environment);
            Ok(state.with_default_features().build())
        };
        let host = self.options.host.clone().unwrap_or_else(|| self.address.ip().to_string());
        let settings = SchedulerConfig {
            external_host: host.clone(),
            bind_host: host,
            bind_port: self.address.port(),
            scheduling_policy: TaskSchedulingPolicy::PushStaged,
            executor_timeout_seconds: self.options.executor_timeout.as_secs().max(1),
            expire_dead_executor_interval_seconds: EXPIRY_CHECK_S,
            no_executors_grace_period_seconds: NO_EXECUTORS_GRACE_S,
            executor_termination_grace_period: DRAIN_S,
            finished_job_data_clean_up_interval_seconds: FINISHED_DATA_S,
            finished_job_state_clean_up_interval_seconds: FINISHED_STATE_S,
            grpc_server_max_decoding_message_size: MESSAGE_BYTES,
            grpc_server_max_encoding_message_size: MESSAGE_BYTES,
            grpc_client_max_message_size: MESSAGE_BYTES,
            // Evenly, for each executor has its own connections and memory.
            task_distribution: TaskDistributionPolicy::RoundRobin,
            task_max_failures: self.options.task_attempts,
            stage_max_failures: self.options.stage_attempts,
            override_config_producer: Some(Arc::new(config)),
            override_session_builder: Some(Arc::new(session)),
            override_physical_codec: Some(codec),
            override_create_grpc_client_endpoint: self.way_out.as_ref().map(WayOut::endpoint_override),
            ..SchedulerConfig::default()
        };
        let cluster = BallistaCluster::new_from_config(&settings).await.map_err(|error| cannot_serve(&error))?;
        let ended = cluster.job_state();
        let scheduler = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(settings));
        let scheduler = scheduler.await.map_err(|error| cannot_serve(&error))?;
        let (scheduler, watch) = (Arc::new(scheduler), Arc::default());
        let asked = Asked { state: Arc::clone(&scheduler.state), ended };
        let ours = self.service(Some(asked), Arc::clone(&watch))?;
        let _watching = AbortOnDropHandle::new(tokio::spawn(lost::look_after(Arc::clone(&scheduler), watch)));
        let bytes = MESSAGE_BYTES as usize;
        let ballista =
            SchedulerGrpcServer::from_arc(scheduler).max_encoding_message_size(bytes).max_decoding_message_size(bytes);
        self.entrance.serve(Server::builder().add_service(ballista).add_service(ours), stop).await
    }

    /// Keeps the pace until `stop` ends, and plans nothing.
    ///
    /// # Errors
    /// It cannot go on.
    pub async fn keep_pace(self, stop: impl Future<Output = ()>) -> Result<(), EngineError> {
        let ours = self.service(None, Arc::default())?;
        self.entrance.serve(Server::builder().add_service(ours), stop).await
    }

    fn service(
        &self,
        scheduler: Option<Asked>,
        watch: Arc<Mutex<Watch>>,
    ) -> Result<ClusterServer<Service>, EngineError> {
        let keeper = keeper::start(self.options.state_dir.as_deref())?;
        let bytes = MESSAGE_BYTES as usize;
        let service = ClusterServer::new(Service::new(scheduler, keeper, watch));
        Ok(service.max_encoding_message_size(bytes).max_decoding_message_size(bytes))
    }
}

impl Entrance {
    async fn serve(self, server: Router, stop: impl Future<Output = ()>) -> Result<(), EngineError> {
        let served = match self {
            Entrance::Open(listener) => {
                // Answers are several small writes; the last would wait for the other side's delayed acknowledgement.
                let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
                server.serve_with_incoming_shutdown(incoming, stop).await
            }
            Entrance::Guarded { listener, door, _folder } => {
                let served = server.serve_with_incoming_shutdown(UnixListenerStream::new(listener), stop).await;
                door.close(CLOSE_WITHIN).await;
                served
            }
        };
        served.map_err(|error| cannot_serve(&error))
    }
}

fn cannot_serve(error: &dyn std::fmt::Display) -> EngineError {
    EngineError::Setting(format!("it cannot serve: {error}"))
}
