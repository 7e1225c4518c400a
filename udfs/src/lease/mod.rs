//! The pace shared by a cluster: a keeper leases shares of each limit to the processes that call, for a short time.
//! Pure: time comes in as an argument, messages go in and out as plain structs; only `driver` waits.
//!
//! # Why no window ever holds more than the limit
//!
//! A limit of L calls per period T is cut into L units. At every moment the units that a holder may be using, summed over
//! all holders, are at most L: a unit is given on only when its old holder certainly does not use it any more, because it
//! said so or because its lease has ended, and after a rest (`rest_of`). Write k(t) for the units that the keeper counts
//! for one holder, rests included. Each holder sends at most ∫k/T calls in any window of length T, so all send at most L:
//!
//! * A holder with k units is a bucket that a call fills by 1 and that drains by k calls in T + τ. It sends while the bucket
//!   holds no more than the tolerance j = k·τ/(T+τ). So n calls without a change of k have n − 1 − j ≤ (n's time)·k/(T+τ),
//!   which is n < k + 1: at most k, because k is whole.
//! * At each change of k the bucket first drains by the old k, and then starts with 1 + j in it (`meter`).
//!   If the window has a call after a change, all calls but the last and the 1 were drained within the window: n ≤ ∫k/T.
//! * If it has a change but no call after it, the last call and the tolerance are drained while the units rest:
//!   a rest is (1 + j)·T/k. Where the window ends before the rest does, k was the same all the time.
//! * Units that nobody used for T need no such start (`at_once`): within the window they are their new holder's alone.
//!
//! A holder may give all its units up by itself, in an ask. From then on it applies no grant of an earlier ask, and the
//! ask's `applied` says so. A new keeper counts what a holder says it has until one of its own grants is in force: a grant of
//! the old keeper that comes instead brings units that the new one does not give away yet.
//!
//! Clocks may differ in rate by `DRIFT` from the true one: holders stretch T by it, the keeper stretches what it waits.
//!
//! A limit over a minute or more is a budget instead (`long`): a grant says how many calls the holder may have sent in all,
//! and the keeper counts what may still be sent as sent. Adaptive rates are refused: what one process learns of the API's
//! mood is no rate for the others, and a learnt rate that is shared must fall everywhere before it falls.

mod demand;
mod driver;
mod fair;
mod guard;
mod holder;
mod keeper;
mod kept;
mod lessee;
mod long;
mod meter;
mod pool;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::limiter::Limit;

pub(crate) use driver::Driver;
pub(crate) use guard::Guards;
pub use holder::Holder;
pub use keeper::{Keeper, Refused};

/// How long a lease lasts from the moment it is asked for, by the holder's clock. A holder that cannot reach the keeper
/// stops after this; a holder that died keeps its units from the others for it. So it must bear a few lost messages, and no
/// more.
pub const LEASE: Duration = Duration::from_secs(2);
/// How often a lease is renewed, so that seven messages may be lost one after the other.
pub const RENEWAL: Duration = Duration::from_millis(250);
/// How soon a holder asks again that has news, and does not know yet whether they were heard, or that shall have more units
/// as soon as others give them up.
const SOON: Duration = Duration::from_millis(30);
/// After so many asks without an answer it is in no hurry any more.
const UNANSWERED: u64 = 16;
/// Two asks are never closer together.
const CLOSEST: Duration = Duration::from_millis(10);
/// How often a process looks whether its demand has ended.
const LOOK: Duration = Duration::from_millis(25);
/// Limits with a period from here on are budgets: their shares would rest too long.
const LONG: Duration = Duration::from_secs(60);
/// Latest that a timer fires: a call that is so late does not delay those after it.
const TOLERANCE: Duration = Duration::from_millis(5);
/// A clock's rate differs from the true one by so many percent at most.
const DRIFT: u32 = 1;

/// What a process tells the keeper of one quota, and asks for. All durations are counted from when it is made.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Name of the quota.
    pub quota: String,
    /// Its limits, by period; empty where calls are unlimited.
    pub limits: Vec<Limit>,
    /// Who asks: a random number, new for each start of a process.
    pub holder: u64,
    /// Counts the holder's asks, from 1.
    pub number: u64,
    /// The ask whose grant is in force, or was the last, or the last ask before all units were given up; 0 for none. No grant
    /// of an earlier ask is used any more, and this one's only for what is `held`.
    pub applied: u64,
    /// What it holds, for each limit that is leased in units; nothing where its lease has ended.
    pub held: Vec<Held>,
    /// Calls per period of the finest limit that it could send now; [`u32::MAX`] for all it can get.
    pub demand: u32,
    /// Calls sent since the process started.
    pub sent: u64,
    /// How much longer the API wants a pause, as it told this process.
    pub paused_for: Duration,
    /// The breakers that opened in this process.
    pub breakers: Vec<OpenBreaker>,
    /// Whether this is the last ask: what the holder had is free.
    pub leaving: bool,
}

/// What a process holds of one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Calls per period.
    pub units: u32,
    /// How much longer units that it gave up have to rest.
    pub rest: Duration,
    /// How much longer until its last call is a period old.
    pub warm: Duration,
}

/// A breaker that is not closed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenBreaker {
    /// Function and endpoint.
    pub key: String,
    /// How much longer nobody else may call.
    pub open_for: Duration,
}

/// The answer to one ask. It is in force until [`LEASE`] after the holder asked, or until a later one is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Name of the quota.
    pub quota: String,
    /// The ask that this answers.
    pub number: u64,
    /// For each limit that is leased in units.
    pub shares: Vec<Share>,
    /// Calls that the process may have sent since it started; `None` without a long limit.
    pub up_to: Option<u64>,
    /// How much longer nobody may call, because the API asked some process for a pause.
    pub pause: Duration,
    /// Breakers that other processes hold open. What is missing here is not open any more.
    pub breakers: Vec<OpenBreaker>,
    /// When to ask again.
    pub ask_again: Duration,
}

/// A share of one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Calls per period.
    pub units: u32,
    /// Nobody used them for a period: who has none yet may send at once.
    pub at_once: bool,
}

/// The way to the keeper.
#[async_trait]
pub trait Leases: Send + Sync + std::fmt::Debug {
    /// Brings asks to the keeper and its answers back, one for each ask in their order. It may be called again while an
    /// earlier call has not come back or was dropped; answers that come late are worth nothing.
    ///
    /// # Errors
    /// The keeper cannot be reached, or does not answer.
    async fn ask(&self, asks: Vec<Ask>) -> Result<Vec<Result<Grant, Refused>>, LinkError>;
}

/// The keeper cannot be reached. Leases that are in force stay so until they end.
#[derive(Debug, thiserror::Error)]
#[error("the keeper of the cluster's pace cannot be reached")]
pub struct LinkError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The limits that are leased in units: those with short periods, or else the finest, which then only spaces the calls.
fn leased(limits: &[Limit]) -> impl Iterator<Item = Limit> {
    let short = limits.iter().filter(|limit| limit.period < LONG).count();
    limits.iter().copied().take(short.max(1))
}

/// The limits that are budgets.
fn budgeted(limits: &[Limit]) -> impl Iterator<Item = Limit> {
    limits.iter().copied().filter(|limit| limit.period >= LONG)
}

/// A span by any clock that is at least `span` by the true one.
fn stretched(span: Duration) -> Duration {
    span + percent_of(span, DRIFT)
}

/// A span by the keeper's clock that is at least `span` by any other clock: (1 + d)/(1 − d) is below 1 + 3d for small d.
fn certainly(span: Duration) -> Duration {
    span + percent_of(span, 3 * DRIFT)
}

/// Rounded up.
fn percent_of(span: Duration, percent: u32) -> Duration {
    (span * percent + Duration::from_nanos(99)) / 100
}

/// How late a call may be without delaying the next.
fn tolerance(period: Duration) -> Duration {
    (period / 200).min(TOLERANCE)
}

/// Time between two calls at `units` calls per period, by a holder's clock; the limit's whole period without units.
fn spacing(period: Duration, units: u32) -> Duration {
    let within = stretched(period) + tolerance(period);
    let nanos = within.as_nanos().div_ceil(u128::from(units.max(1)));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// How long units rest by the keeper's clock, if it does not know when they were used last: until what `units` calls per
/// period may have sent at most is paid for.
fn rest_of(period: Duration, units: u32) -> Duration {
    certainly(spacing(period, units) + tolerance(period))
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
