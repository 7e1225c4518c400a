//! The keeper of the pace in its process: what it remembers from one start to the next.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use paceline_udfs::lease::Keeper;
use tokio::time::Instant;

use crate::EngineError;

/// The file that says, by the time it was changed, that a keeper lived.
const ALIVE: &str = "keeper";
/// How often it says so.
const EVERY: Duration = Duration::from_secs(1);
/// After so long no lease that a keeper gave is in force, and the longest period that is leased in shares is over.
const FORGOTTEN: Duration = Duration::from_secs(70);

/// Starts a keeper that goes on where the last one in `folder` stopped. Without a folder it takes it that there was one.
///
/// # Errors
/// The folder cannot be used.
pub fn start(folder: Option<&Path>) -> Result<Keeper, EngineError> {
    let Some(folder) = folder else { return Ok(Keeper::new(None, true, Instant::now())) };
    let failed = |error: std::io::Error| {
        EngineError::Setting(format!("the keeper's folder '{}' cannot be used: {error}", folder.display()))
    };
    fs::create_dir_all(folder).map_err(failed)?;
    let alive = folder.join(ALIVE);
    let quiet = lived_lately(&alive, SystemTime::now());
    File::create(&alive).map_err(failed)?;
    tokio::spawn(say_alive(alive));
    Ok(Keeper::new(Some(folder.join("quotas")), quiet, Instant::now()))
}

/// A clock that went backwards says nothing, so that counts as lately.
fn lived_lately(alive: &Path, now: SystemTime) -> bool {
    let said = fs::metadata(alive).and_then(|file| file.modified());
    said.is_ok_and(|said| now.duration_since(said).map_or(true, |ago| ago < FORGOTTEN))
}

async fn say_alive(alive: PathBuf) {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = File::create(&alive) {
            tracing::warn!(%error, file = %alive.display(), "the keeper cannot say that it lives");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keeper_is_quiet_where_another_lived_a_moment_ago() {
        let folder = tempfile::tempdir().unwrap();
        let alive = folder.path().join(ALIVE);
        assert!(!lived_lately(&alive, SystemTime::now()), "there was none");
        File::create(&alive).unwrap();
        let now = SystemTime::now();
        assert!(lived_lately(&alive, now) && lived_lately(&alive, now - Duration::from_secs(500)));
        assert!(!lived_lately(&alive, now + FORGOTTEN));
    }
}
