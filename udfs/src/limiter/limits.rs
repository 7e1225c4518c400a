//! What the owner of an API allows: one rate, several limits together, or none that is stated.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Limits with a period from here on outlive a process, because a restart may come within their period.
const LONG: Duration = Duration::from_secs(60);

/// A rate that calls are spaced by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    /// At most `calls` in any half-open window of length `period`.
    Limited {
        /// Calls per period.
        calls: NonZeroU32,
        /// Length of the window, above zero.
        period: Duration,
    },
    /// No limit, said on purpose.
    Unlimited,
}

impl Rate {
    /// Calls per second, or `None` without a limit.
    pub fn per_second(&self) -> Option<f64> {
        match self {
            Rate::Limited { calls, period } => Some(f64::from(calls.get()) / period.as_secs_f64()),
            Rate::Unlimited => None,
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rate::Limited { calls, period } => {
                write!(f, "{calls} calls per {}", humantime::format_duration(*period))
            }
            Rate::Unlimited => write!(f, "unlimited"),
        }
    }
}

/// At most `calls` in any half-open window of length `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Calls per period.
    pub calls: NonZeroU32,
    /// Length of the window, above zero.
    pub period: Duration,
}

impl From<Limit> for Rate {
    fn from(Limit { calls, period }: Limit) -> Self {
        Rate::Limited { calls, period }
    }
}

/// Every limit of one quota. All of them hold at once.
///
/// The one with the shortest period is the finest: calls are spaced evenly by it. The others are budgets that may be
/// spent as fast as the finest allows. A limit that others make useless is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// By period, no two alike; empty for no limit.
    limits: Vec<Limit>,
    /// Calls per period that an adaptive rate never falls below.
    floor: Option<NonZeroU32>,
}

impl Limits {
    /// No limit, said on purpose.
    pub const UNLIMITED: Limits = Limits { limits: Vec::new(), floor: None };

    /// Limits that hold together.
    ///
    /// # Errors
    /// There is none, or two have the same period, of which one would be a mistake.
    pub fn new(mut limits: Vec<Limit>) -> Result<Self, LimitsError> {
        limits.sort_by_key(|limit| limit.period);
        if let Some(twice) = limits.windows(2).find(|pair| pair[0].period == pair[1].period) {
            return Err(LimitsError::SamePeriod(twice[0].into(), twice[1].into()));
        }
        if limits.is_empty() { Err(LimitsError::None) } else { Ok(Limits { limits, floor: None }) }
    }

    /// A rate between `floor` and `ceiling` calls per period that follows the API's answers.
    ///
    /// # Errors
    /// The floor is above the ceiling.
    pub fn adaptive(floor: NonZeroU32, ceiling: Limit) -> Result<Self, LimitsError> {
        if floor > ceiling.calls {
            return Err(LimitsError::FloorAboveCeiling { floor, ceiling: ceiling.calls });
        }
        Ok(Limits { limits: vec![ceiling], floor: Some(floor) })
    }

    /// Each limit, by period; none where calls are unlimited.
    pub fn all(&self) -> &[Limit] {
        &self.limits
    }

    /// The finest limit, or the ceiling of an adaptive rate.
    pub fn finest(&self) -> Rate {
        self.limits.first().map_or(Rate::Unlimited, |limit| (*limit).into())
    }

    /// Calls per period that an adaptive rate never falls below; `None` where the rate is fixed.
    pub fn floor(&self) -> Option<NonZeroU32> {
        self.floor
    }

    /// Most calls that all limits together allow in `span` from a fresh start; `None` without a limit.
    /// It counts whole budgets, and the finest limit as a share of its period.
    pub fn most_in(&self, span: Duration) -> Option<f64> {
        let share = |limit: &Limit| f64::from(limit.calls.get()) * span.as_secs_f64() / limit.period.as_secs_f64();
        let budget = |limit: &Limit| {
            let begun = (span.as_nanos() / limit.period.as_nanos().max(1)) as f64 + 1.0;
            f64::from(limit.calls.get()) * begun
        };
        let (finest, coarser) = self.limits.split_first()?;
        Some(coarser.iter().map(budget).fold(share(finest), f64::min))
    }

    /// The least time in which so many calls are sent from a fresh start; `None` without a limit.
    pub fn least_time(&self, calls: u64) -> Option<Duration> {
        let (finest, coarser) = self.limits.split_first()?;
        let share = finest.period.as_secs_f64() * calls as f64 / f64::from(finest.calls.get());
        // The last budget that is begun need not end.
        let budget = |limit: &Limit| {
            limit.period.as_secs_f64() * (calls.saturating_sub(1) / u64::from(limit.calls.get())) as f64
        };
        Duration::try_from_secs_f64(coarser.iter().map(budget).fold(share, f64::max)).ok()
    }

    /// Whether what was sent must be remembered past the end of the process: there are several limits, or one over a
    /// minute or more.
    pub fn outlive_a_process(&self) -> bool {
        self.limits.len() > 1 || self.limits.iter().any(|limit| limit.period >= LONG)
    }
}

impl From<Rate> for Limits {
    fn from(rate: Rate) -> Self {
        match rate {
            Rate::Limited { calls, period } => Limits { limits: vec![Limit { calls, period }], floor: None },
            Rate::Unlimited => Limits::UNLIMITED,
        }
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(floor) = self.floor {
            return write!(f, "adaptive, {floor} to {}", self.finest());
        }
        let Some((finest, coarser)) = self.limits.split_first() else { return write!(f, "unlimited") };
        write!(f, "{}", Rate::from(*finest))?;
        coarser
            .iter()
            .try_for_each(|limit| write!(f, ", {} per {}", limit.calls, humantime::format_duration(limit.period)))
    }
}

/// Limits that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub enum LimitsError {
    /// The list is empty.
    #[error("there is no limit in it")]
    None,
    /// Two limits of one period.
    #[error("{0} and {1} have the same period: give one of them")]
    SamePeriod(Rate, Rate),
    /// An adaptive rate could not be in its bounds.
    #[error("the floor of {floor} calls is above the limit of {ceiling}")]
    FloorAboveCeiling {
        /// The lower bound.
        floor: NonZeroU32,
        /// The upper bound.
        ceiling: NonZeroU32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_time_is_that_of_the_slowest_limit() {
        let limit =
            |calls, seconds| Limit { calls: NonZeroU32::new(calls).unwrap(), period: Duration::from_secs(seconds) };
        let limits = Limits::new(vec![limit(10, 1), limit(60, 60)]).unwrap();
        let least = |calls| limits.least_time(calls).unwrap().as_secs_f64();
        assert_eq!((least(0), least(10), least(60), least(61), least(121)), (0.0, 1.0, 6.0, 60.0, 120.0));
        assert_eq!(Limits::UNLIMITED.least_time(7), None);
    }
}
