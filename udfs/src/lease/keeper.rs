//! Keeps the pace of a cluster: hears asks, answers with grants. One of it for all quotas.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::kept::Kept;
use super::{Ask, Grant, LEASE, certainly};
use crate::client::causes;
use crate::limiter::Limits;
use crate::quota::RateConflict;
use crate::quota_store::StoreError;

/// Whoever leases the limits of a cluster's quotas to its processes.
#[derive(Debug)]
pub struct Keeper {
    quotas: HashMap<String, Kept>,
    /// Where budgets outlive the keeper.
    folder: Option<PathBuf>,
    /// When the last lease ends that an earlier keeper may have granted.
    quiet_until: Option<Instant>,
}

/// Why there is no grant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum Refused {
    /// A later ask of the holder was heard, or it has left. Nothing is wrong.
    #[error("a later message of this process came first")]
    Late,
    /// The quota is in use under other limits.
    #[error("{0}")]
    Conflict(String),
    /// The limits cannot be meant.
    #[error("{0}")]
    Limits(String),
    /// What is spent of the quota cannot be kept.
    #[error("{0}")]
    NotKept(String),
    /// The message contradicts itself.
    #[error("the processes of this cluster are of different versions: a message about a quota is not as it should be")]
    Malformed,
}

impl Refused {
    pub(super) fn not_kept(error: &StoreError) -> Self {
        Refused::NotKept(causes(error))
    }
}

impl Keeper {
    /// A keeper that starts at `now`. `quiet` says that another may have granted leases before: then units are given only
    /// to who had them, until the last of those leases must have ended and its units have rested.
    ///
    /// What was spent of limits over a minute or more is kept in `folder`; without one, a keeper that begins quietly lets
    /// a whole period pass.
    pub fn new(folder: Option<PathBuf>, quiet: bool, now: Instant) -> Self {
        Keeper { quotas: HashMap::new(), folder, quiet_until: quiet.then(|| now + certainly(LEASE)) }
    }

    /// Answers one ask; `wall` is the wall clock's time. Writes a file once a second at most for each quota with a long limit.
    ///
    /// # Errors
    /// Why there is no grant. The holder goes on with the lease that it has.
    pub fn ask(&mut self, ask: &Ask, now: Instant, wall: SystemTime) -> Result<Grant, Refused> {
        let asked = if ask.limits.is_empty() {
            Limits::UNLIMITED
        } else if ask.limits.iter().any(|limit| limit.period.is_zero()) {
            return Err(Refused::Malformed);
        } else {
            Limits::new(ask.limits.clone()).map_err(|error| Refused::Limits(error.to_string()))?
        };
        let mut quiet_until = self.quiet_until;
        if let Some(kept) = self.quotas.get_mut(&ask.quota).filter(|kept| kept.limits != asked) {
            if kept.in_use(now) {
                let (quota, in_force) = (ask.quota.clone(), kept.limits.clone());
                return Err(Refused::Conflict(RateConflict { quota, in_force, asked }.to_string()));
            }
            // Units of the old limits may still rest: as long as if an earlier keeper had leased them.
            let rest = kept.limits.all().iter().map(|limit| limit.period).filter(|period| *period < super::LONG).max();
            quiet_until = Some(now + certainly(rest.unwrap_or_default()));
            self.quotas.remove(&ask.quota);
        }
        let kept = match self.quotas.entry(ask.quota.clone()) {
            std::collections::hash_map::Entry::Occupied(kept) => kept.into_mut(),
            std::collections::hash_map::Entry::Vacant(vacant) => {
                let kept = Kept::new(ask, asked, self.folder.as_deref(), quiet_until, now, wall);
                vacant.insert(kept.map_err(|error| Refused::not_kept(&error))?)
            }
        };
        kept.ask(ask, now, wall)
    }

    /// Writes down exactly what was spent of long limits.
    ///
    /// # Errors
    /// It cannot be written down.
    pub fn flush(&mut self, now: Instant, wall: SystemTime) -> Result<(), StoreError> {
        self.quotas.values_mut().try_for_each(|kept| kept.flush(now, wall))
    }

    /// Units that are counted of each limit of a quota that is leased in units.
    #[cfg(test)]
    pub(super) fn units(&self, quota: &str) -> Vec<u32> {
        self.quotas.get(quota).map_or_else(Vec::new, Kept::units)
    }

    /// Units of the finest limit that nobody has.
    #[cfg(test)]
    pub(super) fn free(&self, quota: &str) -> u32 {
        self.quotas.get(quota).map_or(0, Kept::free)
    }
}
