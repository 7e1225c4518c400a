//! Judges an answer and schedules the next try. Pure: time and chance come in as arguments.

use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::RETRY_AFTER;

use crate::client::{Reply, SendError};
use crate::dead_letter::FailureKind;

/// When and how often a failed request is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Attempts in all, the first one included.
    pub max_attempts: NonZeroU32,
    /// Upper bound of the first random wait; it doubles with each retry.
    pub delay: Duration,
    /// Largest upper bound of a wait.
    pub max_delay: Duration,
    /// A longer `Retry-After` ends the job.
    pub max_retry_after: Duration,
}

impl Policy {
    /// Full jitter: a wait anywhere between nothing and the bound. `chance` is uniform in [0, 1).
    fn wait_after(&self, attempt: NonZeroU32, chance: f64) -> Duration {
        let doublings = (attempt.get() - 1).min(31);
        self.delay.saturating_mul(1 << doublings).min(self.max_delay).mul_f64(chance)
    }
}

/// What to do with the outcome of one attempt.
#[derive(Debug)]
pub enum Verdict {
    /// It is the answer.
    Keep(Reply),
    /// Send it again.
    Again {
        /// What kind of failure it was.
        cause: FailureKind,
        /// How long this request waits.
        wait: Duration,
        /// How long nothing may be sent under this quota, where the API asked for it.
        pause: Option<Duration>,
    },
    /// The whole job must end; the message says why.
    Stop(String),
    /// No further attempt would help, or none is left.
    GiveUp {
        /// Why.
        failure: Failure,
        /// How long nothing may be sent under this quota, where the API asked for it.
        pause: Option<Duration>,
    },
}

impl Verdict {
    /// How long nothing may be sent under this quota, where the API asked for it.
    pub fn pause(&self) -> Option<Duration> {
        match self {
            Verdict::Again { pause, .. } | Verdict::GiveUp { pause, .. } => *pause,
            Verdict::Keep(_) | Verdict::Stop(_) => None,
        }
    }
}

/// Why a request failed at last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// In words.
    pub message: String,
    /// HTTP status, where there was a reply.
    pub status: Option<u16>,
    /// The reply's body, where there was one.
    pub body: Bytes,
}

/// Judges the outcome of attempt number `attempt`.
pub fn judge(
    outcome: Result<Reply, SendError>,
    attempt: NonZeroU32,
    policy: &Policy,
    chance: f64,
    wall_clock: SystemTime,
) -> Verdict {
    let (failure, retry_after) = match outcome {
        Ok(reply) if (200..300).contains(&reply.status) => return Verdict::Keep(reply),
        Ok(reply) => {
            let retry_after = reply.header(RETRY_AFTER).and_then(|text| parse_retry_after(text, wall_clock));
            (of_status(reply), retry_after)
        }
        // The next attempt carries other credentials; it waits for the limiter only.
        Err(SendError::Refused(_)) if attempt < policy.max_attempts => {
            return Verdict::Again { cause: FailureKind::Http4xx, wait: Duration::ZERO, pause: None };
        }
        Err(SendError::Refused(reply)) => (of_status(*reply), None),
        Err(error) => match of_error(&error) {
            Some(failure) => (failure, None),
            None => return Verdict::Stop(error.to_string()),
        },
    };
    if !is_retryable(&failure) {
        return Verdict::GiveUp { failure, pause: None };
    }
    if let Some(asked) = retry_after.filter(|asked| *asked > policy.max_retry_after) {
        return Verdict::Stop(too_long_a_pause(asked, policy.max_retry_after));
    }
    if attempt >= policy.max_attempts {
        return Verdict::GiveUp { failure, pause: retry_after };
    }
    let wait = policy.wait_after(attempt, chance);
    // What the API asks for wins over our own wait, and it is asked of everyone.
    Verdict::Again { cause: failure.kind, wait: retry_after.unwrap_or(wait), pause: retry_after }
}

/// Why the job ends at a pause that the API asks for.
pub(crate) fn too_long_a_pause(asked: Duration, longest: Duration) -> String {
    let whole_seconds =
        |time: Duration| humantime::format_duration(Duration::from_secs(time.as_secs_f64().ceil() as u64));
    format!(
        "the API asks for a pause of {}, longer than max_retry_after ({}): run the job again later",
        whole_seconds(asked),
        humantime::format_duration(longest)
    )
}

impl Failure {
    /// A request that was not sent because the breaker is open.
    pub(crate) fn of_breaker(open_for: Duration) -> Self {
        let message = format!("the API keeps failing, calls stop for {}", humantime::format_duration(open_for));
        Failure { kind: FailureKind::BreakerOpen, message, status: None, body: Bytes::new() }
    }
}

impl Failure {
    /// A reply that was never ready.
    pub(crate) fn of_polling(timeout: Duration, reply: Reply) -> Self {
        let message = format!("no answer within poll_timeout ({})", humantime::format_duration(timeout));
        Failure { kind: FailureKind::Timeout, message, status: Some(reply.status), body: reply.body }
    }
}

fn of_status(reply: Reply) -> Failure {
    let Reply { status, body, .. } = reply;
    let (kind, message) = match status {
        429 => (FailureKind::RateLimited, "the API said 429: too many requests".to_owned()),
        400..500 => (FailureKind::Http4xx, format!("the API refused the request with status {status}")),
        500..600 => (FailureKind::Http5xx, format!("the API failed with status {status}")),
        300..400 => {
            (FailureKind::BadReply, format!("the API redirects (status {status}); give the final URL as endpoint"))
        }
        _ => (FailureKind::BadReply, format!("unexpected status {status}")),
    };
    Failure { kind, message, status: Some(status), body }
}

/// The failure of one request; `None` where every other would fail like it.
fn of_error(error: &SendError) -> Option<Failure> {
    let kind = match error {
        SendError::Connection(_) => FailureKind::Connection,
        SendError::Timeout(_) => FailureKind::Timeout,
        SendError::TooLarge { .. } => FailureKind::TooLarge,
        SendError::Encoding(_) => FailureKind::BadReply,
        SendError::Forbidden(_) | SendError::Credentials(_) | SendError::Refused(_) => return None,
    };
    Some(Failure { kind, message: error.to_string(), status: None, body: Bytes::new() })
}

fn is_retryable(failure: &Failure) -> bool {
    match failure.kind {
        FailureKind::Connection | FailureKind::Timeout | FailureKind::RateLimited | FailureKind::Http5xx => true,
        FailureKind::Http4xx => matches!(failure.status, Some(408 | 425)),
        FailureKind::BadReply | FailureKind::TooLarge | FailureKind::BreakerOpen | FailureKind::Serialization => false,
    }
}

/// `Retry-After` as seconds or as an HTTP date (RFC 9110, 10.2.3). A date that has passed is no wait.
fn parse_retry_after(text: &str, wall_clock: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    Some(date.duration_since(wall_clock).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::Egress;
    use crate::testing;
    use expect_test::{Expect, expect};
    use url::Url;

    const POLICY: Policy = Policy {
        max_attempts: NonZeroU32::new(3).unwrap(),
        delay: Duration::from_secs(1),
        max_delay: Duration::from_secs(3),
        max_retry_after: Duration::from_secs(60),
    };

    fn check(outcome: Result<Reply, SendError>, attempt: u32, expected: Expect) {
        let attempt = NonZeroU32::new(attempt).unwrap();
        let shown = match judge(outcome, attempt, &POLICY, 0.5, SystemTime::UNIX_EPOCH) {
            Verdict::Keep(reply) => format!("keep {}", String::from_utf8_lossy(&reply.body)),
            Verdict::Again { wait, pause, .. } => format!("again in {wait:?}, pause {pause:?}"),
            Verdict::Stop(reason) => format!("stop: {reason}"),
            Verdict::GiveUp { failure, pause: None } => format!("give up: {} ({})", failure.message, failure.kind),
            Verdict::GiveUp { failure, pause: Some(pause) } => format!("give up: {}, pause {pause:?}", failure.kind),
        };
        expected.assert_eq(&shown);
    }

    fn reply(status: u16, retry_after: Option<&'static str>) -> Result<Reply, SendError> {
        Ok(testing::reply(status, retry_after, "body"))
    }

    #[test]
    fn success_is_kept() {
        check(reply(200, None), 1, expect!["keep body"]);
    }

    #[test]
    fn waits_double_up_to_the_bound_and_attempts_end() {
        check(reply(503, None), 1, expect!["again in 500ms, pause None"]);
        check(reply(503, None), 2, expect!["again in 1s, pause None"]);
        check(reply(503, None), 3, expect!["give up: the API failed with status 503 (http_5xx)"]);
        let late = Policy { max_attempts: NonZeroU32::MAX, ..POLICY };
        assert_eq!(late.wait_after(NonZeroU32::new(3).unwrap(), 1.0), Duration::from_secs(3));
        assert_eq!(late.wait_after(NonZeroU32::MAX, 1.0), Duration::from_secs(3));
    }

    #[test]
    fn what_would_fail_again_is_not_tried_again() {
        check(reply(404, None), 1, expect!["give up: the API refused the request with status 404 (http_4xx)"]);
        check(
            reply(301, None),
            1,
            expect!["give up: the API redirects (status 301); give the final URL as endpoint (bad_reply)"],
        );
        check(
            Err(SendError::TooLarge { limit: 10 }),
            1,
            expect!["give up: the reply is larger than max_reply_bytes (10 bytes) (too_large)"],
        );
        check(reply(408, None), 1, expect!["again in 500ms, pause None"]);
        check(Err(SendError::Timeout("30s".into())), 1, expect!["again in 500ms, pause None"]);
    }

    #[test]
    fn other_credentials_are_tried_at_once_and_where_there_are_none_the_job_ends() {
        let refused = || Err(SendError::Refused(Box::new(testing::reply(401, None, "body"))));
        check(refused(), 1, expect!["again in 0ns, pause None"]);
        check(refused(), 3, expect!["give up: the API refused the request with status 401 (http_4xx)"]);
        check(Err(SendError::Credentials("there is no key".into())), 1, expect!["stop: there is no key"]);
        let error = Egress::new(None, None).check(&Url::parse("http://[fe80::1]/").unwrap()).unwrap_err();
        check(
            Err(SendError::Forbidden(error)),
            1,
            expect![
                "stop: requests to '[fe80::1]' are not allowed: link-local, multicast and unspecified addresses and the metadata services of clouds never are"
            ],
        );
    }

    #[test]
    fn retry_after_wins_and_pauses_the_quota() {
        check(reply(429, Some("7")), 1, expect!["again in 7s, pause Some(7s)"]);
        check(reply(503, Some("Thu, 01 Jan 1970 00:01:00 GMT")), 1, expect!["again in 60s, pause Some(60s)"]);
        check(reply(429, Some("7")), 3, expect!["give up: rate_limited, pause 7s"]);
        check(
            reply(429, Some("61")),
            3,
            expect![
                "stop: the API asks for a pause of 1m 1s, longer than max_retry_after (1m): run the job again later"
            ],
        );
        check(reply(429, Some("when it suits")), 1, expect!["again in 500ms, pause None"]);
    }
}
