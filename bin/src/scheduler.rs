//! `paceline scheduler`

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use paceline_engine::cluster::{Access, Scheduler, SchedulerOptions};
use paceline_service::{Host, HostOptions, Told};
use tokio_util::sync::CancellationToken;

use crate::ExitCode;
use crate::progress::say;
use crate::run::{folder, pair, settings};
use crate::{access, finish, parent, quota};

/// Where the scheduler listens.
#[derive(clap::Args)]
pub struct Arguments {
    /// Address and port that clients and executors reach it at
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:50050")]
    bind: SocketAddr,
    /// Host that they reach it at, where that is not the address it binds
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// How often a task is tried before its job fails
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    task_attempts: usize,
    /// How often a stage is tried before its job fails
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    stage_attempts: usize,
    /// Seconds after which an executor that says nothing is lost
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    executor_timeout: u64,
    /// Folder for what is spent of long limits (default: in the folder of the user's state, by port)
    #[arg(long, value_name = "FOLDER", value_parser = folder)]
    state_dir: Option<PathBuf>,
    /// Port of its page and job service; 0 for one that is free (default: 4040 or the next that is free; any that is free where
    /// --bind names port 0)
    #[arg(long, value_name = "PORT")]
    ui_port: Option<u16>,
    /// Port of Flight SQL; 0 for one that is free (default: 32010 or the next that is free; any that is free where --bind names
    /// port 0)
    #[arg(long, value_name = "PORT")]
    flight_port: Option<u16>,
    /// Where submitted jobs run: on the cluster's executors, or embedded in this process at the pace that it keeps
    #[arg(long, value_name = "PLACE", default_value = "cluster", value_parser = ["cluster", "embedded"])]
    run_jobs: String,
    /// Submitted jobs that run at once, of all names together
    #[arg(long, value_name = "NUMBER", default_value_t = 16)]
    max_running_jobs: usize,
    /// URL that is told of every change of a job's state, as a POST of JSON
    #[arg(long, value_name = "URL")]
    webhook: Option<url::Url>,
    /// Topic of AWS SNS that is told of them too, as arn:aws:sns:eu-central-1:123456789012:jobs
    #[arg(long, value_name = "ARN")]
    sns_topic: Option<String>,
    /// What runs while a job does, in Glue's data processing units, for the cost that is shown
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0)]
    dpus: f64,
    /// A setting of submitted jobs that do not say it themselves, as paceline.s3.endpoint=http://127.0.0.1:9000; may be given
    /// several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    conf: Vec<(String, String)>,
    #[command(flatten)]
    access: access::AccessArguments,
    #[command(flatten)]
    parent: parent::ParentArguments,
}

/// Serves until the process is stopped.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let Arguments { bind, host, task_attempts, stage_attempts, executor_timeout, state_dir, access, parent, .. } =
        arguments;
    let stop = finish::told_to_stop();
    parent.watch();
    let (access, state_dir) = (Access::find(&access.into())?, quota::keeper_folder(state_dir, bind.port()));
    let options = SchedulerOptions {
        bind,
        host: host.clone(),
        task_attempts,
        stage_attempts,
        executor_timeout: Duration::from_secs(executor_timeout),
        state_dir: state_dir.clone(),
        access: access.clone(),
    };
    let scheduler = Scheduler::bind(options).await?;
    say(&format!("scheduler at df://{}", scheduler.address()));
    let jobs = Host::bind(HostOptions {
        bind: bind.ip(),
        port: arguments.ui_port.or((bind.port() == 0).then_some(0)),
        flight_port: arguments.flight_port.or((bind.port() == 0).then_some(0)),
        host,
        folder: state_dir.map(|folder| folder.join("service")),
        settings: settings(&arguments.conf)?,
        scheduler: from_here(scheduler.address()).parse()?,
        on_executors: arguments.run_jobs == "cluster",
        access,
        most_at_once: arguments.max_running_jobs.max(1),
        told: Told { webhook: arguments.webhook, topic: arguments.sns_topic },
        dpus: arguments.dpus,
    });
    let jobs = jobs.await?;
    say(&format!("page at {}", jobs.url()?));
    say(&format!("Flight SQL at {}", jobs.flight_uri()?));
    // Jobs first: what they staged is removed with the scheduler's help.
    let ended = CancellationToken::new();
    let jobs = async {
        let served = jobs.serve(stop).await;
        ended.cancel();
        served.map_err(Box::<dyn Error>::from)
    };
    let scheduler = async { scheduler.serve(ended.cancelled()).await.map_err(Box::<dyn Error>::from) };
    tokio::try_join!(jobs, scheduler)?;
    Ok(ExitCode::SUCCESS)
}

/// How this process reaches its own scheduler.
fn from_here(address: SocketAddr) -> String {
    let loopback = if address.is_ipv4() { "127.0.0.1" } else { "[::1]" };
    if address.ip().is_unspecified() { format!("{loopback}:{}", address.port()) } else { address.to_string() }
}
