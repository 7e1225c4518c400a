//! Decides where a session runs that was told `auto`. Unlike a job it has no size before it is used: the cluster that is
//! named is taken if it answers, else this process.

use std::io;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::{Placement, named};
use crate::cluster::HostPort;
use crate::{EngineError, Settings};

/// How long a cluster may take to answer, at each address that its name has.
const WITHIN: Duration = Duration::from_secs(3);

/// Where a session of these settings runs. `otherwise` is as in [`super::of`].
///
/// # Errors
/// `otherwise` is no cluster.
pub async fn of_session(settings: &Settings, otherwise: Option<String>) -> Result<Placement, EngineError> {
    let Some(cluster) = named(settings, otherwise)? else { return Ok(Placement::without_choice()) };
    Ok(match answers(&cluster).await {
        Ok(()) => Placement { cluster: Some(cluster), reason: "it answers".to_owned(), silent: None },
        Err(error) => {
            let reason = format!("{cluster} does not answer ({error}); limits of calls hold in this process alone");
            Placement { cluster: None, reason, silent: Some(cluster) }
        }
    })
}

async fn answers(cluster: &HostPort) -> io::Result<()> {
    let host = cluster.host.trim_matches(['[', ']']);
    let mut why = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for address in lookup_host((host, cluster.port)).await? {
        match timeout(WITHIN, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => why = error,
            Err(_) => why = io::Error::new(io::ErrorKind::TimedOut, "connection timed out"),
        }
    }
    Err(why)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Nobody listens there.
    const CLOSED: &str = "df://127.0.0.1:1";

    /// Where a session runs, with `!` where a person should hear of it.
    async fn check(setting: Option<&str>, variable: &str) -> String {
        let mut settings = Settings::default();
        if let Some(at) = setting {
            settings.set("paceline.cluster.auto", at).unwrap();
        }
        match of_session(&settings, Some(variable.to_owned())).await {
            Ok(placement) => format!("{placement}{}", if placement.silent.is_some() { "!" } else { "" }),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn the_cluster_that_is_named_is_taken_if_it_answers() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = format!("df://{}", listener.local_addr().unwrap());
        let taken = format!("cluster auto: {open}, because it answers");
        assert_eq!(check(None, &open).await, taken);
        assert_eq!(check(Some(&open), CLOSED).await, taken, "the setting wins over the environment");
        for said in [check(None, CLOSED).await, check(Some(CLOSED), &open).await] {
            assert!(said.starts_with("cluster auto: embedded, because df://127.0.0.1:1 does not answer ("), "{said}");
            assert!(said.ends_with("); limits of calls hold in this process alone!"), "{said}");
        }
    }

    #[tokio::test]
    async fn without_a_cluster_it_is_this_process_and_a_wrong_name_is_said() {
        let nobody = "embedded, because no cluster is known: set PACELINE_CLUSTER or paceline.cluster.auto";
        assert_eq!(check(None, "").await, format!("cluster auto: {nobody}"));
        let wrong = "PACELINE_CLUSTER: 'http://127.0.0.1' is no cluster; expected df://HOST:PORT";
        assert_eq!(check(None, "http://127.0.0.1").await, wrong);
        let named = check(Some(CLOSED), "http://127.0.0.1").await;
        assert!(named.starts_with("cluster auto: embedded, because df://127.0.0.1:1"), "nobody needs it: {named}");
    }
}
