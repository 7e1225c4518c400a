//! Asks for the rows of one request, and where it fails as a whole, halves it until the bad row stands alone.
//! Runs on the network runtime; answers are written down as they come.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderValue;
use tokio::time::Instant;

use crate::caller::{Caller, Fate, Reserved};
use crate::dead_letter::{FailureKind, GivenUp};
use crate::journal::Journal;
use crate::key::Key;
use crate::retry::Failure;
use crate::shared::Leader;
use crate::wire;

/// A value that was paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// JSON, not yet checked against a type.
    pub value: Bytes,
    /// HTTP status of its reply.
    pub status: u16,
    /// How often the request was sent.
    pub attempts: u32,
    /// How long the last attempt took.
    pub latency: Duration,
}

impl Answer {
    /// What is known of an answer that cost nothing.
    pub(crate) fn without_request() -> Self {
        Answer { value: Bytes::new(), status: 200, attempts: 0, latency: Duration::ZERO }
    }
}

/// What became of a row.
#[derive(Clone, Debug)]
pub(crate) enum RowFate {
    /// It has an answer.
    Answered(Answer),
    /// It has none. Most rows have an answer, and are not to carry the room for a reason.
    GivenUp(Box<GivenUp>),
}

/// A row that is asked for.
#[derive(Debug)]
pub(crate) struct Question {
    /// The arguments, as a JSON object.
    pub row: Bytes,
    pub key: Key,
    /// Rows of a deterministic function tell others what they hear.
    pub leader: Option<Leader>,
}

/// Rows that are asked for together.
#[derive(Debug)]
pub(crate) struct Questions {
    pub rows: Vec<Question>,
    /// Where answers are written down, and the partition they are written down for.
    pub journal: Option<(Arc<Journal>, u32)>,
}

/// The whole job must end; the message says why.
#[derive(Clone, Debug)]
pub(crate) struct Stop(pub String);

impl Questions {
    /// Asks until every row has its fate. The first request has its place in flight already.
    pub async fn ask(mut self, caller: &Caller, first: Reserved) -> Result<Vec<RowFate>, Stop> {
        let mut fates: Vec<Option<RowFate>> = vec![None; self.rows.len()];
        let mut first = Some(first);
        let mut splits = 0;
        let mut left = VecDeque::new();
        left.push_back(0..self.rows.len());
        while let Some(range) = left.pop_front() {
            let reserved = match first.take() {
                Some(reserved) => reserved,
                None => caller.reserve().await,
            };
            match self.request(caller, range.clone(), reserved).await? {
                Ok(answers) => {
                    if let Some((journal, partition)) = &self.journal {
                        let keys = self.rows[range.clone()].iter().map(|question| question.key);
                        journal.record(*partition, keys.zip(answers.iter().cloned()));
                    }
                    for (at, answer) in range.zip(answers) {
                        fates[at] = Some(self.tell(at, RowFate::Answered(answer)));
                    }
                }
                Err(given_up) if self.may_split(caller, &range, &given_up, splits) => {
                    splits += 2;
                    caller.counters().split_requests.add(2);
                    let middle = range.start + range.len() / 2;
                    left.push_front(middle..range.end);
                    left.push_front(range.start..middle);
                }
                Err(given_up) => {
                    for at in range {
                        fates[at] = Some(self.tell(at, RowFate::GivenUp(Box::new(given_up.clone()))));
                    }
                }
            }
        }
        Ok(fates.into_iter().flatten().collect())
    }

    /// Whether asking for fewer rows may help. Wrong credentials, a broken connection or a failing API are nobody's row.
    fn may_split(&self, caller: &Caller, range: &Range<usize>, given_up: &GivenUp, splits: u64) -> bool {
        let of_a_row = match given_up.failure.kind {
            FailureKind::Http4xx => !matches!(given_up.failure.status, Some(401 | 403 | 408 | 425)),
            FailureKind::BadReply | FailureKind::TooLarge | FailureKind::Serialization => true,
            _ => false,
        };
        of_a_row && range.len() > 1 && splits + 2 <= caller.api().options.failure.max_split_requests
    }

    /// One request: an answer for each of its rows, or why there is none.
    async fn request(
        &self,
        caller: &Caller,
        range: Range<usize>,
        reserved: Reserved,
    ) -> Result<Result<Vec<Answer>, GivenUp>, Stop> {
        if let Some(broken) = self.journal.as_ref().and_then(|(journal, _)| journal.broken()) {
            return Err(Stop(broken));
        }
        let asked = &self.rows[range];
        let rows: Vec<_> = asked.iter().map(|question| question.row.clone()).collect();
        let id =
            Key::of_request(asked.iter().map(|question| question.key)).map_or(String::new(), |key| key.to_string());
        let mut outgoing = match wire::encode(caller.api(), &rows, &id) {
            Ok(outgoing) => outgoing,
            Err(message) => {
                let kind = FailureKind::Serialization;
                let failure = Failure { kind, message, status: None, body: Bytes::new() };
                return Ok(Err(GivenUp { failure, attempts: 0, at: SystemTime::now() }));
            }
        };
        if let (Some(name), Ok(value)) = (&caller.api().options.answers.idempotency_header, HeaderValue::try_from(id)) {
            outgoing.headers.insert(name, value);
        }
        match caller.call(outgoing, reserved).await {
            Fate::Stop(reason) => Err(Stop(reason)),
            Fate::GivenUp(given_up) => Ok(Err(given_up)),
            Fate::Answered { reply, attempts, latency } => match wire::split(caller.api(), &reply, rows.len()) {
                Ok(values) => {
                    caller.counters().replied.add(rows.len() as u64);
                    let answer = |value| Answer { value, status: reply.status, attempts, latency };
                    Ok(Ok(values.into_iter().map(answer).collect()))
                }
                Err(message) => {
                    let kind = FailureKind::BadReply;
                    let failure = Failure { kind, message, status: Some(reply.status), body: reply.body };
                    Ok(Err(GivenUp { failure, attempts, at: SystemTime::now() }))
                }
            },
        }
    }

    /// Tells a row's fate to the rows that wait for it.
    fn tell(&mut self, at: usize, fate: RowFate) -> RowFate {
        if let Some(leader) = self.rows[at].leader.take() {
            leader.publish(&fate, Instant::now());
        }
        fate
    }
}
