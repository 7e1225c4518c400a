//! Where a session runs that was told `auto`. Unlike a job of the command line it has no size before it is used: the cluster that
//! is named is taken if it answers, else this process.

use std::io::{Error, ErrorKind, Result};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use paceline_engine::Settings;
use paceline_engine::cluster::HostPort;
use pyo3::prelude::*;

use crate::failure::configuration;

/// Names a cluster where no setting does.
const VARIABLE: &str = "PACELINE_CLUSTER";
/// How long a cluster may take to answer.
const WITHIN: Duration = Duration::from_secs(3);

/// The place, as the setting `paceline.cluster` has it, and what is to be said where it is not the one that is named.
pub fn choose(py: Python<'_>, settings: &Settings) -> PyResult<(String, Option<String>)> {
    let cluster = match (&settings.large_jobs, std::env::var(VARIABLE)) {
        (Some(cluster), _) => cluster.clone(),
        (None, Ok(text)) if !text.is_empty() => {
            text.parse::<HostPort>().map_err(|error| configuration(py, format!("{VARIABLE}: {error}")))?
        }
        (None, _) => return Ok(("embedded".to_owned(), None)),
    };
    match py.detach(|| answers(&cluster)) {
        Ok(()) => Ok((cluster.to_string(), None)),
        Err(error) => {
            let warning = format!(
                "cluster auto: embedded, because {cluster} does not answer ({error}); limits of calls hold in this process alone"
            );
            Ok(("embedded".to_owned(), Some(warning)))
        }
    }
}

fn answers(cluster: &HostPort) -> Result<()> {
    let host = cluster.host.trim_matches(['[', ']']);
    let mut why = Error::new(ErrorKind::NotFound, "it has no address");
    for address in (host, cluster.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, WITHIN) {
            Ok(_) => return Ok(()),
            Err(error) => why = error,
        }
    }
    Err(why)
}
