//! Rows into requests, replies back to rows, for one batch of arguments.
//! Rows become JSON, and JSON columns, where these functions are called; requests are laid out, sent and taken apart on the
//! caller's network runtime.

use std::sync::Arc;
use std::time::SystemTime;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::error::ArrowError;
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::ask::{Answer, Question, Questions, RowFate, Stop};
use crate::caller::Caller;
use crate::dead_letter::{FailureKind, GivenUp};
use crate::journal::Journal;
use crate::key::{Key, Lane};
use crate::result;
use crate::retry::Failure;
use crate::shared::{Claim, Follower};
use crate::wire;

/// A batch whose requests are all on their way.
#[derive(Debug)]
pub struct Sent {
    caller: Arc<Caller>,
    /// The rows, and what is known of each.
    keys: Vec<Key>,
    fates: Vec<Option<RowFate>>,
    on_their_way: Vec<(Vec<usize>, Pending)>,
}

/// A request, with whatever it is split into.
type Pending = AbortOnDropHandle<Result<Vec<RowFate>, Stop>>;

/// A batch whose rows all have their fate.
#[derive(Debug)]
pub struct Landed {
    /// One value per row; NULL where the row was given up.
    pub values: ArrayRef,
    /// The rows given up, by their number in the batch.
    pub given_up: Vec<(usize, GivenUp)>,
    /// What identifies the call of each row; `None` where a row was not called.
    pub keys: Vec<Option<Key>>,
}

/// What goes wrong with a batch as a whole.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The arguments or the declared type cannot be carried by the format.
    #[error("API function '{function}' cannot carry these types: {source}")]
    Types {
        /// Which function.
        function: String,
        /// Why not.
        source: ArrowError,
    },
    /// The job must end.
    #[error("API function '{function}': {reason}")]
    Stop {
        /// Which function.
        function: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Answers that were written down cannot be read back.
    #[error("the journal's temporary file cannot be read: {0}")]
    Journal(#[source] object_store::Error),
    /// The network runtime is gone, or a request broke down.
    #[error("a request did not end: {0}")]
    Request(#[from] tokio::task::JoinError),
}

/// Sends every row of `arguments` (one column per argument, named like it). Returns when all have a place in flight.
///
/// # Errors
/// A type cannot be carried by the function's format, or the journal cannot be read.
pub async fn send(caller: &Arc<Caller>, lane: &mut Lane, arguments: &RecordBatch) -> Result<Sent, BatchError> {
    let rows = wire::objects(arguments).map_err(|source| types(caller, source))?;
    let keys = lane.keys(&rows);
    let counters = caller.counters();
    counters.wanted.add(rows.len() as u64);

    let mut fates: Vec<Option<RowFate>> = vec![None; rows.len()];
    let (mut asking, mut questions, mut following) = (Vec::new(), Vec::new(), Vec::new());
    for (at, (row, key)) in rows.into_iter().zip(&keys).enumerate() {
        let known = match caller.primed().take(&row).map(|value| Answer { value, ..Answer::without_request() }) {
            Some(answer) => Some(answer),
            None => paid_for(caller, lane, *key)?,
        };
        if let Some(answer) = known {
            counters.reused.add(1);
            fates[at] = Some(RowFate::Answered(answer));
            continue;
        }
        let leader = match caller.shared().map(|shared| shared.claim(*key, Instant::now())) {
            Some(Claim::Cached(answer)) => {
                cached(caller, lane.journal(), *key, &answer);
                fates[at] = Some(RowFate::Answered(answer));
                continue;
            }
            Some(Claim::Follow(follower)) => {
                following.push((at, Question { row, key: *key, leader: None }, follower));
                continue;
            }
            Some(Claim::Lead(leader)) => Some(leader),
            None => None,
        };
        asking.push(at);
        questions.push(Question { row, key: *key, leader });
    }

    let journal = lane.journal().map(|(journal, partition)| (Arc::clone(journal), partition));
    let submitting = Arc::clone(caller);
    // On the network runtime, so that whoever waits here is woken once a batch and not once a request.
    let on_their_way = caller.on_network(async move {
        let shares = wire::shares(submitting.api(), questions.len());
        let mut on_their_way = Vec::with_capacity(shares.len() + following.len());
        let mut left = questions.into_iter();
        for share in shares {
            let questions = Questions { rows: left.by_ref().take(share.len()).collect(), journal: journal.clone() };
            let reserved = submitting.reserve().await;
            let caller = Arc::clone(&submitting);
            let pending = submitting.on_network(async move { questions.ask(&caller, reserved).await });
            on_their_way.push((asking[share].to_vec(), pending));
        }
        for (at, question, follower) in following {
            let (caller, journal) = (Arc::clone(&submitting), journal.clone());
            let questions = Questions { rows: vec![question], journal };
            let pending = submitting.on_network(async move { follow(caller, questions, follower).await });
            on_their_way.push((vec![at], pending));
        }
        on_their_way
    });
    Ok(Sent { caller: Arc::clone(caller), on_their_way: on_their_way.await?, keys, fates })
}

/// The answer that an earlier run paid for.
fn paid_for(caller: &Caller, lane: &Lane, key: Key) -> Result<Option<Answer>, BatchError> {
    let Some(index) = lane.index() else { return Ok(None) };
    let found = index.find(key).map_err(|error| BatchError::Journal(crate::journal::spill_error(error)))?;
    if found.is_some() {
        caller.counters().journal_hits.add(1);
    }
    Ok(found)
}

/// Counts an answer out of the cache, and writes it down: it may come from a statement that is not resumed.
fn cached(caller: &Caller, journal: Option<(&Arc<Journal>, u32)>, key: Key, answer: &Answer) {
    caller.counters().reused.add(1);
    caller.counters().cache_hits.add(1);
    if let Some((journal, partition)) = journal {
        journal.record(partition, [(key, answer.clone())]);
    }
}

/// Waits for the row that asks the same; where it goes without a fate, asks.
async fn follow(caller: Arc<Caller>, mut questions: Questions, follower: Follower) -> Result<Vec<RowFate>, Stop> {
    let mut follower = follower;
    loop {
        if let Some(fate) = follower.fate().await {
            if matches!(fate, RowFate::Answered(_)) {
                caller.counters().reused.add(1);
                caller.counters().shared_requests.add(1);
            }
            return Ok(vec![fate]);
        }
        let (Some(shared), Some(question)) = (caller.shared(), questions.rows.first_mut()) else {
            return Ok(Vec::new());
        };
        match shared.claim(question.key, Instant::now()) {
            Claim::Cached(answer) => {
                let journal = questions.journal.as_ref().map(|(journal, partition)| (journal, *partition));
                cached(&caller, journal, question.key, &answer);
                return Ok(vec![RowFate::Answered(answer)]);
            }
            Claim::Follow(other) => follower = other,
            Claim::Lead(leader) => {
                question.leader = Some(leader);
                let reserved = caller.reserve().await;
                return questions.ask(&caller, reserved).await;
            }
        }
    }
}

/// The fates of all rows, or why the job ends. Later requests are dropped with the first that ends the job.
async fn fates(pending: Vec<(Vec<usize>, Pending)>) -> Result<Result<Vec<(usize, RowFate)>, Stop>, JoinError> {
    let mut fates = Vec::new();
    for (rows, request) in pending {
        match request.await? {
            Ok(of_rows) => fates.extend(rows.into_iter().zip(of_rows)),
            Err(stop) => return Ok(Err(stop)),
        }
    }
    Ok(Ok(fates))
}

impl Sent {
    /// Waits for every row's fate and decodes the replies.
    ///
    /// # Errors
    /// A request broke down, or the declared type cannot be carried by the function's format.
    pub async fn land(self) -> Result<Landed, BatchError> {
        let Sent { caller, keys, mut fates, on_their_way } = self;
        let api = Arc::clone(caller.api());
        let stop = |reason| BatchError::Stop { function: api.name.clone(), reason };
        let pending = self::fates(on_their_way);
        for (row, fate) in caller.on_network(pending).await??.map_err(|Stop(reason)| stop(reason))? {
            fates[row] = Some(fate);
        }

        let (mut answers, mut given_up) = (vec![None; fates.len()], Vec::new());
        for (row, fate) in fates.into_iter().enumerate() {
            match fate {
                Some(RowFate::Answered(answer)) => answers[row] = Some(answer),
                Some(RowFate::GivenUp(reason)) => given_up.push((row, *reason)),
                None => return Err(stop(format!("row {row} of a batch has no fate; this is a defect of Paceline"))),
            }
        }
        let values: Vec<_> = answers.iter().map(|answer| answer.as_ref().map(|answer| answer.value.clone())).collect();
        let decoded = result::decode(&api.returns, &values).map_err(|source| types(&caller, source))?;
        for bad in decoded.bad {
            if let Some(answer) = answers[bad.row].take() {
                given_up.push((bad.row, bad_reply(bad.message, answer)));
            }
        }
        given_up.sort_by_key(|(row, _)| *row);
        caller.counters().answered.add((answers.len() - given_up.len()) as u64);
        for (_, reason) in &given_up {
            caller.counters().give_up(reason.failure.kind);
        }
        if let (Some(reason), Some((_, last))) = (caller.counters().over(&api.options.failure.budget), given_up.last())
        {
            return Err(stop(format!("{reason}; the last one: {}", last.failure.message)));
        }
        let values = result::with_metadata(&api.returns, decoded.values, &answers, &given_up);
        Ok(Landed {
            values: values.map_err(|source| types(&caller, source))?,
            given_up,
            keys: keys.into_iter().map(Some).collect(),
        })
    }
}

/// A reply that came, with a good status, and is not what the function declares.
fn bad_reply(message: String, answer: Answer) -> GivenUp {
    let failure = Failure { kind: FailureKind::BadReply, message, status: Some(answer.status), body: answer.value };
    GivenUp { failure, attempts: answer.attempts, at: SystemTime::now() }
}

fn types(caller: &Caller, source: ArrowError) -> BatchError {
    BatchError::Types { function: caller.api().name.clone(), source }
}

#[cfg(test)]
mod schedules;
#[cfg(test)]
mod tests;
