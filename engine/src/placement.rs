//! Decides whether a job runs in this process or in a cluster: by what it reads and calls, against what one machine does
//! within the job's pace. Looks at the job as a dry run does, and starts nothing. `session` decides for a session.

mod session;

use std::fmt;

use crate::cluster::HostPort;
use crate::cluster::sizing::show_bytes;
use crate::dry_run::{self, DryRun};
use crate::job::Job;
use crate::{EngineError, Session, Settings};

pub use session::of_session;

/// The variable of the environment that names a cluster where no setting does.
pub const VARIABLE: &str = "PACELINE_CLUSTER";

/// Requests a second that one machine makes: a thread of the network runtime carries some 10,000, and there are two.
const REQUESTS_PER_S: u64 = 10_000;
/// Bytes of input a second that a core reads and computes with. Taken, not measured: it differs with the job.
const BYTES_PER_S: u64 = 50_000_000;
/// A job that takes this machine no longer, in seconds, is not worth a cluster.
const PATIENCE_S: u64 = 300;

/// Where a job or a session runs, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The cluster; `None` for this process.
    pub cluster: Option<HostPort>,
    /// Why.
    pub reason: String,
    /// The cluster that was named and does not answer, of which a person should hear.
    pub silent: Option<HostPort>,
}

impl Placement {
    /// This process, where nobody has named a cluster.
    fn without_choice() -> Self {
        let reason = format!("no cluster is known: set {VARIABLE} or paceline.cluster.auto");
        Placement { cluster: None, reason, silent: None }
    }

    /// The place, as the setting `paceline.cluster` has it.
    pub fn place(&self) -> String {
        self.cluster.as_ref().map_or("embedded".to_owned(), HostPort::to_string)
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cluster auto: {}, because {}", self.place(), self.reason)
    }
}

/// Where a job of these settings runs. `otherwise` is what [`VARIABLE`] says, for where the settings name no cluster.
///
/// # Errors
/// `otherwise` is no cluster.
pub async fn of(job: &Job, settings: &Settings, otherwise: Option<String>) -> Result<Placement, EngineError> {
    let Some(cluster) = named(settings, otherwise)? else { return Ok(Placement::without_choice()) };
    let session = Session::new(settings.clone())?;
    Ok(match dry_run::run(&session, job).await {
        Ok(planned) => {
            let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
            choose(Work::of(&planned), cores, cluster)
        }
        // What is wrong with the job is said where it runs.
        Err(error) => {
            let reason = format!("the job's size cannot be told beforehand: {error}");
            Placement { cluster: None, reason, silent: None }
        }
    })
}

/// The cluster that the settings name, else the environment; an empty variable names none.
fn named(settings: &Settings, otherwise: Option<String>) -> Result<Option<HostPort>, EngineError> {
    match (&settings.large_jobs, otherwise.filter(|text| !text.is_empty())) {
        (Some(cluster), _) => Ok(Some(cluster.clone())),
        (None, Some(text)) => match text.parse::<HostPort>() {
            Ok(cluster) => Ok(Some(cluster)),
            Err(error) => Err(EngineError::Setting(format!("{VARIABLE}: {error}"))),
        },
        (None, None) => Ok(None),
    }
}

/// What a job has to do.
#[derive(Clone, Copy, Debug)]
struct Work {
    input_bytes: u64,
    /// `None` where nobody knows.
    requests: Option<u64>,
    /// The time that its requests take at the limits; `None` where nobody knows.
    pace_s: Option<f64>,
}

impl Work {
    fn of(planned: &DryRun) -> Self {
        let calls = planned.statements.iter().flat_map(|statement| &statement.calls);
        let requests =
            calls.map(|call| call.requests.number).try_fold(0, |sum: u64, number| Some(sum.saturating_add(number?)));
        let bytes = planned.statements.iter().map(|statement| statement.input_bytes);
        Work { input_bytes: bytes.fold(0, u64::saturating_add), requests, pace_s: planned.minimum_s }
    }
}

fn choose(work: Work, cores: usize, cluster: HostPort) -> Placement {
    let Work { input_bytes, requests, pace_s } = work;
    let reading_s = input_bytes / (BYTES_PER_S * cores.max(1) as u64);
    let calling_s = requests.unwrap_or(0) / REQUESTS_PER_S;
    let machine_s = reading_s.max(calling_s);
    let pace_s = pace_s.map_or(0, |seconds| seconds.ceil() as u64);
    let requests = requests.map_or("an unknown number of".to_owned(), |number| number.to_string());
    let size =
        format!("{} of input and {requests} requests take this machine about {machine_s} s", show_bytes(input_bytes));
    let (cluster, reason) = if machine_s <= PATIENCE_S {
        (None, format!("{size}, and up to {PATIENCE_S} s are not worth a cluster"))
    } else if machine_s <= pace_s {
        (None, format!("{size}, less than the {pace_s} s that the limits of the calls take anyhow"))
    } else {
        (
            Some(cluster),
            format!("{size}, more than {PATIENCE_S} s and than the {pace_s} s that the limits of the calls take"),
        )
    };
    Placement { cluster, reason, silent: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_job_goes_to_the_cluster_when_this_machine_is_slower_than_its_pace() {
        let check = |input_bytes: u64, requests: Option<u64>, pace_s: Option<f64>| {
            let work = Work { input_bytes, requests, pace_s };
            format!("{}\n", choose(work, 4, HostPort { host: "h".to_owned(), port: 1 }))
        };
        let cases = [
            check(1 << 20, Some(100_000), Some(20.0)),
            check(1 << 30, Some(18_000_000), Some(3600.0)),
            check(1 << 30, Some(18_000_000), Some(600.0)),
            check(200 << 30, Some(0), Some(0.0)),
            check(1 << 30, None, None),
        ];
        expect![[r#"
            cluster auto: embedded, because 1 MiB of input and 100000 requests take this machine about 10 s, and up to 300 s are not worth a cluster
            cluster auto: embedded, because 1 GiB of input and 18000000 requests take this machine about 1800 s, less than the 3600 s that the limits of the calls take anyhow
            cluster auto: df://h:1, because 1 GiB of input and 18000000 requests take this machine about 1800 s, more than 300 s and than the 600 s that the limits of the calls take
            cluster auto: df://h:1, because 200 GiB of input and 0 requests take this machine about 1073 s, more than 300 s and than the 0 s that the limits of the calls take
            cluster auto: embedded, because 1 GiB of input and an unknown number of requests take this machine about 5 s, and up to 300 s are not worth a cluster
        "#]]
        .assert_eq(&cases.concat());
    }
}
