//! An executor's process: Ballista's executor, whose tasks share callers, quotas and journals.

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::extension::SessionConfigExt;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::execution_engine::DefaultExecutionEngine;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_executor::executor_server::TERMINATING;
use datafusion::common::exec_datafusion_err;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::MESSAGE_BYTES;
use super::access::{Access, WayOut};
use super::address::HostPort;
use super::carried::Carried;
use super::codec::PlanCodec;
use super::describe::executor_id;
use super::door::{Backend, Door};
use super::gauges::ExecutorGauges;
use super::memory::Memory;
use super::process::Process;
use super::reach::Reach;
use super::scheduler::CLOSE_WITHIN;
use super::shuffle::{Connections, Neighbours, Sources};
use super::stage::{Place, Tasks};
use crate::EngineError;
use crate::network::Network;
use crate::settings::Settings;

/// How long a scheduler is waited for.
const SCHEDULER_WITHIN: Duration = Duration::from_secs(30);
/// A statement that no task used for so long is forgotten.
const IDLE: Duration = Duration::from_secs(120);

/// How an executor runs.
#[derive(Clone, Debug)]
pub struct ExecutorOptions {
    /// What its names among the executors begin with.
    pub id: Option<String>,
    /// The scheduler.
    pub scheduler: HostPort,
    /// Who keeps the pace; the scheduler, where nobody else does.
    pub quota: Option<HostPort>,
    /// Where it listens; its ports are found by the system.
    pub bind: IpAddr,
    /// The host that others reach it at, where that is not the address it binds.
    pub host: Option<String>,
    /// How often it says that it lives; counted in whole seconds.
    pub heartbeat: Duration,
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
    /// Who may talk to it.
    pub access: Access,
    /// What is told of it to Prometheus.
    pub gauges: ExecutorGauges,
}

/// Runs an executor until it is told to stop.
///
/// # Errors
/// It cannot start, or lost its scheduler.
pub async fn run(options: ExecutorOptions) -> Result<(), EngineError> {
    let failed = |error: &dyn std::fmt::Display| EngineError::Setting(format!("the executor cannot run: {error}"));
    TERMINATING.store(false, Ordering::SeqCst); // Ballista says so for the whole process, and for good
    let network = Network::start().map_err(|error| failed(&error))?;
    let name = executor_id(options.id.as_deref()); // new for each start
    let keeper = options.quota.clone().unwrap_or_else(|| options.scheduler.clone());
    let reach = |at: HostPort| Reach::new(at, options.access.clone(), network.handle().clone());
    let (keeper, scheduler) = (reach(keeper), reach(options.scheduler.clone()));
    let (settings, on) = (options.settings.clone(), network.handle().clone());
    let memory = Arc::new(Memory::new(options.memory_pool, options.slots));
    let process = Process::new(settings, keeper, scheduler, &name, (options.slots, memory.of_a_task()), on);
    let stores = process.stores(&Carried::default())?;
    options.gauges.watch(&process, &memory);

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
    let neighbours = Neighbours::enter(options.settings.state_dir.as_deref(), &name, &options.work_dir);
    let neighbours = neighbours.map_err(|error| failed(&format!("its state folder: {error}")))?;
    let engine = Tasks::new(Place {
        process: Arc::clone(&process),
        sources: Arc::new(Sources { neighbours, connections: Arc::new(Connections::default()) }),
        memory,
        work: options.gauges.work.clone(),
        inner: Arc::new(DefaultExecutionEngine::new()),
    });
    options.access.check(options.bind)?;
    let way_out = options.access.way_out(network.handle()).await?;
    if let Some(way_out) = &way_out {
        // Through it connecting always succeeds, so nobody else would notice that there is no scheduler yet.
        let HostPort { host, port } = &options.scheduler;
        way_out.0.reach(host, *port, SCHEDULER_WITHIN).await.map_err(|error| failed(&error))?;
    }
    let entrance = Entrance::open(&options, network.handle()).await.map_err(|error| failed(&error))?;
    let over = way_out.as_ref().map(WayOut::endpoint_override);
    let of_shuffles = over.clone();
    let configured = move || match &of_shuffles {
        Some(over) => super::config().with_ballista_override_create_grpc_client_endpoint(Arc::clone(over)),
        None => super::config(),
    };
    let config = ExecutorProcessConfig {
        executor_id: name,
        bind_host: entrance.inside.clone(),
        external_host: Some(options.host.clone().unwrap_or_else(|| options.bind.to_string())),
        port: entrance.rows,
        grpc_port: entrance.tasks,
        scheduler_host: options.scheduler.host.clone(),
        scheduler_port: options.scheduler.port,
        scheduler_connect_timeout_seconds: SCHEDULER_WITHIN.as_secs() as u16,
        vcores: options.slots,
        task_scheduling_policy: TaskSchedulingPolicy::PushStaged,
        work_dir: Some(work_dir),
        grpc_max_decoding_message_size: MESSAGE_BYTES,
        grpc_max_encoding_message_size: MESSAGE_BYTES,
        executor_heartbeat_interval_seconds: options.heartbeat.as_secs().max(1),
        memory_pool_size: Some(0), // each task is granted memory before it runs
        override_execution_engine: Some(Arc::new(engine)),
        override_function_registry: Some(Arc::new(BallistaFunctionRegistry::from(&functions()))),
        override_runtime_producer: Some(Arc::new(runtime)),
        override_config_producer: Some(Arc::new(configured)),
        override_create_grpc_client_endpoint: over,
        override_physical_codec: Some(Arc::new(PlanCodec::new(stores))),
        ..ExecutorProcessConfig::default()
    };
    let forgetting = AbortOnDropHandle::new(tokio::spawn(forget(Arc::clone(&process))));
    let keeping_up = Arc::clone(&process);
    let keeping_up = AbortOnDropHandle::new(network.handle().spawn(async move { keeping_up.keep_up().await }));
    let ended = start_executor_process(Arc::new(config)).await;
    drop((forgetting, keeping_up));
    for door in entrance.doors {
        door.close(CLOSE_WITHIN).await;
    }
    ended.map_err(|error| failed(&error))
}

/// What knows every function that a plan may have.
pub(super) fn functions() -> SessionState {
    SessionStateBuilder::new().with_default_features().build()
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

/// Where the servers of an executor listen.
struct Entrance {
    /// The address that Ballista binds.
    inside: String,
    /// The port that rows are fetched from.
    rows: u16,
    /// The port that tasks are brought to.
    tasks: u16,
    /// In front of them, with the same ports on the address that others know: Ballista tells them what it binds.
    doors: Vec<Door>,
}

/// So often ports are looked for that are free on both addresses.
const PORT_TRIES: usize = 100;

impl Entrance {
    async fn open(options: &ExecutorOptions, network: &Handle) -> std::io::Result<Self> {
        let Access { token, identity, .. } = &options.access;
        if token.is_none() && identity.is_none() {
            let (rows, tasks) = free_ports(options.bind)?;
            return Ok(Entrance { inside: options.bind.to_string(), rows, tasks, doors: Vec::new() });
        }
        let inside = inside(options.bind)?;
        let mut failed = None;
        for _ in 0..PORT_TRIES {
            let (rows, tasks) = free_ports(inside)?;
            let mut doors = Vec::new();
            for port in [rows, tasks] {
                let behind = vec![("/".to_owned(), Backend::Tcp((inside, port).into()))];
                let door = Door::open((options.bind, port).into(), token.clone(), identity.clone(), behind);
                match network.spawn(door).await.map_err(std::io::Error::other).flatten() {
                    Ok(door) => doors.push(door),
                    Err(error) => failed = Some(error),
                }
            }
            if doors.len() == 2 {
                let inside = if inside.is_ipv6() { format!("[{inside}]") } else { inside.to_string() };
                return Ok(Entrance { inside, rows, tasks, doors });
            }
        }
        Err(failed.unwrap_or_else(|| std::io::Error::other("no port is free")))
    }
}

/// An address on loopback that is not `outside`, so that both can have the same port.
fn inside(outside: IpAddr) -> std::io::Result<IpAddr> {
    let other = IpAddr::from([127, 0, 0, 2]);
    let candidates = [IpAddr::from(Ipv6Addr::LOCALHOST), other];
    let is_free = |address: &IpAddr| {
        let overlaps = outside.is_unspecified() && outside.is_ipv4() == address.is_ipv4();
        *address != outside && !overlaps && std::net::TcpListener::bind((*address, 0)).is_ok()
    };
    let missing = || {
        std::io::Error::other(format!(
            "no loopback address is free beside {outside}; bind to the machine's own address"
        ))
    };
    candidates.into_iter().find(is_free).ok_or_else(missing)
}

/// Ports that nobody uses. Ballista takes numbers, and tells the scheduler of them before it listens.
fn free_ports(address: IpAddr) -> std::io::Result<(u16, u16)> {
    let (one, other) = (std::net::TcpListener::bind((address, 0))?, std::net::TcpListener::bind((address, 0))?);
    Ok((one.local_addr()?.port(), other.local_addr()?.port()))
}
