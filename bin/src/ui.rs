//! `paceline ui LOGDIR`

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;

use paceline_engine::Settings;
use paceline_engine::cluster::Access;
use paceline_engine::io::stores::Stores;
use paceline_engine::observe::event_log::LogFolder;
use paceline_engine::observe::{Totals, prometheus};
use paceline_service::Jobs;
use paceline_service::http::{Http, HttpOptions};
use tokio::runtime::Handle;

use crate::ExitCode;
use crate::progress::say;
use crate::run::{pair, settings};
use crate::{access, finish};

/// Whose event logs, and where the page is.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  paceline run job.sql --conf paceline.eventlog.dir=s3://logs/paceline\n  \
                        paceline ui s3://logs/paceline")]
pub struct Arguments {
    /// Folder of event logs, a path or URL: the paceline.eventlog.dir of the jobs, or events in a scheduler's state folder
    logdir: String,
    /// Port of the page; 0 for one that is free (default: 4040 or the next that is free)
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Address that it listens on
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    bind: IpAddr,
    /// A setting, as paceline.s3.endpoint=http://127.0.0.1:9000; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    conf: Vec<(String, String)>,
    #[command(flatten)]
    access: access::AccessArguments,
}

/// Serves the page until the process is stopped.
pub async fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let access = Access::find(&arguments.access.into())?;
    let options = history(&arguments.logdir, &arguments.conf, access.clone()).await?;
    let http = Http::bind(arguments.bind, arguments.port, &access).await?;
    say(&format!("page at {}", crate::server::url(&http, &access)?));
    http.serve(options, finish::told_to_stop()).await?;
    Ok(ExitCode::SUCCESS)
}

/// What a page shows of event logs.
pub async fn history(logdir: &str, conf: &[(String, String)], access: Access) -> Result<HttpOptions, Box<dyn Error>> {
    let settings: Settings = settings(conf)?;
    let stores = Stores::new(settings.s3.clone(), Handle::current());
    let folder = LogFolder::new(logdir, &stores)?;
    folder.jobs().await?; // which says if it cannot be read
    let registry = prometheus::with_process(Totals::default().registry()?);
    let jobs = Some(Jobs::History(Arc::new(folder)));
    Ok(HttpOptions { jobs, cluster: None, settings, access, host: None, registry })
}
