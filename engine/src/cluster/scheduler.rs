//! The scheduler's process: Ballista's scheduler with Paceline's operators.

use std::net::SocketAddr;
use std::sync::Arc;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::extension::SessionConfigExt;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::net::TcpListener;

use super::codec::PlanCodec;
use super::{MESSAGE_BYTES, config};
use crate::EngineError;
use crate::io::s3::S3Settings;
use crate::io::stores::Stores;
use crate::network::Network;

/// An executor that was not heard of for so many seconds is lost: five heartbeats.
const EXECUTOR_TIMEOUT_S: u64 = 5;
/// How often lost executors are looked for, in seconds.
const EXPIRY_CHECK_S: u64 = 1;
/// How long jobs wait for an executor when there is none, in seconds: one may be starting.
const NO_EXECUTORS_GRACE_S: u64 = 60;
/// How long an executor that is told to stop may take to finish its tasks, in seconds.
pub(super) const DRAIN_S: u64 = 600;
/// Finished jobs' result files stay for so long, in seconds.
const FINISHED_DATA_S: u64 = 60;
/// What is known of finished jobs stays for so long, in seconds.
const FINISHED_STATE_S: u64 = 600;

/// How a scheduler runs.
#[derive(Clone, Debug)]
pub struct SchedulerOptions {
    /// Where it listens.
    pub bind: SocketAddr,
    /// How often a task is tried.
    pub task_attempts: usize,
}

/// A scheduler that listens and does not serve yet.
#[derive(Debug)]
pub struct Scheduler {
    listener: TcpListener,
    address: SocketAddr,
    options: SchedulerOptions,
    network: Network,
}

impl Scheduler {
    /// Listens.
    ///
    /// # Errors
    /// The address cannot be used.
    pub async fn bind(options: SchedulerOptions) -> Result<Self, EngineError> {
        let failed = |error| EngineError::Setting(format!("the scheduler cannot listen on {}: {error}", options.bind));
        let listener = TcpListener::bind(options.bind).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let network = Network::start().map_err(failed)?;
        Ok(Scheduler { listener, address, options, network })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// It cannot go on.
    pub async fn serve(self) -> Result<(), EngineError> {
        let stores = Arc::new(Stores::new(S3Settings::default(), self.network.handle().clone()));
        let codec = Arc::new(PlanCodec::new(Arc::clone(&stores)));
        let session = move |config: SessionConfig| {
            let environment =
                RuntimeEnvBuilder::new().with_object_store_registry(Arc::clone(&stores) as _).build_arc()?;
            let config = config.with_ballista_adaptive_query_planner(false);
            Ok(SessionStateBuilder::new()
                .with_config(config)
                .with_runtime_env(environment)
                .with_default_features()
                .build())
        };
        let settings = SchedulerConfig {
            external_host: self.address.ip().to_string(),
            bind_host: self.address.ip().to_string(),
            bind_port: self.address.port(),
            scheduling_policy: TaskSchedulingPolicy::PushStaged,
            executor_timeout_seconds: EXECUTOR_TIMEOUT_S,
            expire_dead_executor_interval_seconds: EXPIRY_CHECK_S,
            no_executors_grace_period_seconds: NO_EXECUTORS_GRACE_S,
            executor_termination_grace_period: DRAIN_S,
            finished_job_data_clean_up_interval_seconds: FINISHED_DATA_S,
            finished_job_state_clean_up_interval_seconds: FINISHED_STATE_S,
            grpc_server_max_decoding_message_size: MESSAGE_BYTES,
            grpc_server_max_encoding_message_size: MESSAGE_BYTES,
            grpc_client_max_message_size: MESSAGE_BYTES,
            task_max_failures: self.options.task_attempts,
            override_config_producer: Some(Arc::new(config)),
            override_session_builder: Some(Arc::new(session)),
            override_physical_codec: Some(codec),
            ..SchedulerConfig::default()
        };
        let failed = |error| EngineError::Setting(format!("the scheduler cannot serve: {error}"));
        let cluster = BallistaCluster::new_from_config(&settings).await.map_err(failed)?;
        let scheduler = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(settings));
        let scheduler = scheduler.await.map_err(failed)?;
        start_grpc_service_with_listener(self.listener, scheduler).await.map_err(failed)
    }
}
