//! An executor's process: Ballista's executor, whose tasks share callers, quotas and journals.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::execution_engine::DefaultExecutionEngine;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use datafusion::common::exec_datafusion_err;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionConfig;
use paceline_udfs::quota::Quotas;
use tokio::time::Instant;

use super::MESSAGE_BYTES;
use super::carried::Carried;
use super::codec::PlanCodec;
use super::process::Process;
use super::stage::Tasks;
use crate::EngineError;
use crate::network::Network;
use crate::settings::Settings;

/// How often an executor says that it lives, in seconds.
const HEARTBEAT_S: u64 = 1;
/// A statement that no task used for so long is forgotten.
const IDLE: Duration = Duration::from_secs(120);

/// How an executor runs.
#[derive(Clone, Debug)]
pub struct ExecutorOptions {
    /// The scheduler.
    pub scheduler: SocketAddr,
    /// Where it listens; its ports are found by the system.
    pub bind: IpAddr,
    /// Tasks that run at once.
    pub slots: usize,
    /// Memory that the operators of all tasks share, in bytes.
    pub memory_pool: u64,
    /// Bytes that operators may spill.
    pub spill_limit: u64,
    /// Where shuffled rows and spilled ones lie while a job runs.
    pub work_dir: PathBuf,
    /// What statements do not say themselves.
    pub settings: Settings,
}

/// Runs an executor until it is told to stop.
///
/// # Errors
/// It cannot start, or lost its scheduler.
pub async fn run(options: ExecutorOptions) -> Result<(), EngineError> {
    let failed = |error: &dyn std::fmt::Display| EngineError::Setting(format!("the executor cannot run: {error}"));
    let network = Network::start().map_err(|error| failed(&error))?;
    let quotas = Arc::new(Quotas::default());
    let process = Arc::new(Process::new(options.settings.clone(), quotas, options.slots, network.handle().clone()));
    let stores = process.stores(&Carried::default())?;

    let work_dir = options.work_dir.to_string_lossy().into_owned();
    std::fs::create_dir_all(&options.work_dir).map_err(|error| failed(&format!("{work_dir}: {error}")))?;
    let (of_process, spill_dir, spill_limit) = (Arc::clone(&process), options.work_dir.clone(), options.spill_limit);
    let runtime = move |config: &SessionConfig| {
        let carried = config.options().extensions.get::<Carried>().cloned().unwrap_or_default();
        let stores = of_process.stores(&carried).map_err(|error| exec_datafusion_err!("{error}"))?;
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![spill_dir.clone()]))
            .with_max_temp_directory_size(spill_limit);
        RuntimeEnvBuilder::new().with_object_store_registry(stores as _).with_disk_manager_builder(disk).build_arc()
    };
    let engine = Tasks::new(Arc::clone(&process), Arc::new(DefaultExecutionEngine::new()));
    let functions = SessionStateBuilder::new().with_default_features().build();
    let (port, grpc_port) = free_ports(options.bind).map_err(|error| failed(&error))?;
    let config = ExecutorProcessConfig {
        executor_id: uuid::Uuid::now_v7().to_string(),
        bind_host: options.bind.to_string(),
        external_host: Some(options.bind.to_string()),
        port,
        grpc_port,
        scheduler_host: options.scheduler.ip().to_string(),
        scheduler_port: options.scheduler.port(),
        scheduler_connect_timeout_seconds: 30,
        vcores: options.slots,
        task_scheduling_policy: TaskSchedulingPolicy::PushStaged,
        work_dir: Some(work_dir),
        grpc_max_decoding_message_size: MESSAGE_BYTES,
        grpc_max_encoding_message_size: MESSAGE_BYTES,
        executor_heartbeat_interval_seconds: HEARTBEAT_S,
        memory_pool_size: Some(options.memory_pool),
        override_execution_engine: Some(Arc::new(engine)),
        override_function_registry: Some(Arc::new(BallistaFunctionRegistry::from(&functions))),
        override_runtime_producer: Some(Arc::new(runtime)),
        override_config_producer: Some(Arc::new(super::config)),
        override_physical_codec: Some(Arc::new(PlanCodec::new(stores))),
        ..ExecutorProcessConfig::default()
    };
    let forgetting = tokio::spawn(forget(Arc::clone(&process)));
    let ended = start_executor_process(Arc::new(config)).await;
    forgetting.abort();
    ended.map_err(|error| failed(&error))
}

/// Lets go of statements that have ended, and with them of their share of the pace.
async fn forget(process: Arc<Process>) {
    loop {
        tokio::time::sleep(IDLE / 4).await;
        if let Some(before) = Instant::now().checked_sub(IDLE) {
            process.forget(before);
        }
    }
}

/// Ports that nobody uses. Ballista takes numbers, and tells the scheduler of them before it listens.
fn free_ports(address: IpAddr) -> std::io::Result<(u16, u16)> {
    let (one, other) = (std::net::TcpListener::bind((address, 0))?, std::net::TcpListener::bind((address, 0))?);
    Ok((one.local_addr()?.port(), other.local_addr()?.port()))
}
