//! Keeps what was spent of a quota in a file, so that a limit per hour or day outlives the process.
//!
//! A file is written at most once a second, and then counts ahead all calls of the second to come: a process that dies
//! loses no count. It survives the death of the process, not a power cut that takes the last second of writes along.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::limiter::{Admit, Limiter, Spent};

/// How far ahead a file counts.
const AHEAD: Duration = Duration::from_secs(1);
/// Longer names are shortened, because file systems bound them at 255 bytes.
const LONGEST_NAME: usize = 150;

/// The file of one quota, locked against other processes while this lives.
#[derive(Debug)]
pub(crate) struct QuotaStore {
    quota: String,
    path: PathBuf,
    _lock: File,
    /// What the file counts ahead; none where it says exactly what was spent.
    ahead: Option<Ahead>,
}

#[derive(Debug)]
struct Ahead {
    until: Instant,
    calls: u64,
}

/// A file's content.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    quota: String,
    spent: Spent,
}

impl QuotaStore {
    /// Opens the file of a quota in `folder`, which is made where it is not there, and takes what it says into `limiter`.
    ///
    /// # Errors
    /// The folder cannot be written, another process uses the quota, or the file is not one of this quota.
    pub fn open(
        folder: &Path,
        quota: &str,
        limiter: &mut Limiter,
        now: Instant,
        wall: SystemTime,
    ) -> Result<Self, StoreError> {
        let (store, spent) = QuotaStore::open_file(folder, quota)?;
        if let Some(spent) = spent {
            limiter.restore(&spent, now, wall);
        }
        Ok(store)
    }

    /// Opens the file of a quota in `folder`, and reads what it says; there is nothing where there was no file.
    ///
    /// # Errors
    /// The folder cannot be written, another process uses the quota, or the file is not one of this quota.
    pub fn open_file(folder: &Path, quota: &str) -> Result<(Self, Option<Spent>), StoreError> {
        let path = folder.join(format!("{}.json", file_name(quota)));
        let io = |source| StoreError::Io { quota: quota.to_owned(), path: path.clone(), source };
        fs::create_dir_all(folder).map_err(io)?;
        let lock = File::create(path.with_extension("lock")).map_err(io)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::Error(source) => io(source),
            TryLockError::WouldBlock => StoreError::InUse { quota: quota.to_owned(), path: path.clone() },
        })?;
        let spent = match fs::read(&path) {
            Ok(text) => Some(parse(&text, quota, &path)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io(error)),
        };
        Ok((QuotaStore { quota: quota.to_owned(), path, _lock: lock, ahead: None }, spent))
    }

    /// Decides on one call at `now`; before it is admitted, the file counts it.
    ///
    /// # Errors
    /// The file cannot be written. Nothing is admitted then.
    pub fn admit(&mut self, limiter: &mut Limiter, now: Instant, wall: SystemTime) -> Result<Admit, StoreError> {
        if self.ahead.as_ref().is_none_or(|ahead| now >= ahead.until) {
            let calls = limiter.most_from(now, AHEAD).max(1); // without room the limiter says how long there is none
            self.write(limiter.budgets(now, wall).with(calls, AHEAD))?;
            self.ahead = Some(Ahead { until: now + AHEAD, calls });
        }
        let Some(ahead) = &mut self.ahead else { return Ok(Admit::At(now + AHEAD)) };
        if ahead.calls == 0 {
            return Ok(Admit::At(ahead.until));
        }
        let decision = limiter.admit(now);
        if decision == Admit::Now {
            ahead.calls -= 1;
        }
        Ok(decision)
    }

    /// Writes down exactly what was spent.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn flush(&mut self, limiter: &Limiter, now: Instant, wall: SystemTime) -> Result<(), StoreError> {
        if self.ahead.is_some() {
            self.write(limiter.budgets(now, wall))?;
            self.ahead = None;
        }
        Ok(())
    }

    /// A reader finds the old content or the new one, never a part.
    pub fn write(&self, spent: Spent) -> Result<(), StoreError> {
        let content = Content { quota: self.quota.clone(), spent };
        let beside = self.path.with_extension("new");
        let write = || {
            fs::write(&beside, serde_json::to_vec(&content)?)?;
            fs::rename(&beside, &self.path)
        };
        write().map_err(|source| StoreError::Io { quota: self.quota.clone(), path: self.path.clone(), source })
    }
}

fn parse(text: &[u8], quota: &str, path: &Path) -> Result<Spent, StoreError> {
    let unreadable = |source| StoreError::Unreadable { quota: quota.to_owned(), path: path.to_owned(), source };
    let content: Content = serde_json::from_slice(text).map_err(unreadable)?;
    if content.quota == quota {
        Ok(content.spent)
    } else {
        Err(StoreError::OtherQuota { quota: quota.to_owned(), path: path.to_owned(), found: content.quota })
    }
}

/// A quota's name as a file name: everything but small letters, digits, `_` and `-` as its bytes in hexadecimal, so that
/// different names stay different on every file system, and none leads out of the folder.
fn file_name(quota: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    let escaped: String = quota
        .bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") })
        .collect();
    if escaped.len() <= LONGEST_NAME {
        return escaped;
    }
    let digest = blake3::hash(quota.as_bytes()).to_hex();
    format!("{}%{}", &escaped[..LONGEST_NAME - 40], &digest[..32])
}

/// What was spent of a quota cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file or its folder cannot be read or written.
    #[error(
        "what was spent of quota '{quota}' cannot be kept in {}: give a folder that can be written, or free space on its \
         disk", path.display()
    )]
    Io {
        /// The quota.
        quota: String,
        /// Its file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process, or another session of this one, counts in the same file.
    #[error(
        "quota '{quota}' is in use by another process or session (its file is {}): wait for its end, or share the limit \
         between the two by quotas of different names", path.display()
    )]
    InUse {
        /// The quota.
        quota: String,
        /// Its file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error(
        "what was spent of quota '{quota}' is unknown, because {} is damaged: wait for the longest period of the quota \
         to pass since its last job, then delete the file", path.display()
    )]
    Unreadable {
        /// The quota.
        quota: String,
        /// Its file.
        path: PathBuf,
        /// Where it is damaged.
        source: serde_json::Error,
    },
    /// The file was put there for another quota.
    #[error("{} counts for quota '{found}', not for '{quota}': move it back to where it came from", path.display())]
    OtherQuota {
        /// The quota.
        quota: String,
        /// The file at its place.
        path: PathBuf,
        /// The quota that it counts for.
        found: String,
    },
}
