//! Rows into requests, replies back to rows, for one batch of arguments.
//! Encoding and decoding happen where these functions are called; the requests run on the caller's network runtime.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::error::ArrowError;
use bytes::Bytes;

use crate::caller::{Caller, Fate, Pending};
use crate::dead_letter::{FailureKind, GivenUp};
use crate::retry::Failure;
use crate::wire::{self, Request};

/// A batch whose requests are all on their way.
#[derive(Debug)]
pub struct Sent {
    caller: Arc<Caller>,
    /// Answers that were there before; one place per row.
    values: Vec<Option<Bytes>>,
    /// The rows that are asked for, in order.
    asked: Vec<usize>,
    /// Requests, each with its share of `asked`.
    pending: Vec<(Range<usize>, Pending)>,
}

/// A batch whose rows all have their fate.
#[derive(Debug)]
pub struct Landed {
    /// One value per row; NULL where the row was given up.
    pub values: ArrayRef,
    /// The rows given up, by their number in the batch.
    pub given_up: Vec<(usize, GivenUp)>,
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
    /// The network runtime is gone, or a request broke down.
    #[error("a request did not end: {0}")]
    Request(#[from] tokio::task::JoinError),
}

/// Sends every row of `arguments` (one column per argument, named like it). Returns when all have a place in flight.
///
/// # Errors
/// A type cannot be carried by the function's format.
pub async fn send(caller: &Arc<Caller>, arguments: &RecordBatch) -> Result<Sent, BatchError> {
    let mut rows = wire::objects(arguments).map_err(|source| types(caller, source))?;
    let values: Vec<_> = rows.iter().map(|row| caller.primed().take(row)).collect();
    let asked: Vec<_> = (0..rows.len()).filter(|row| values[*row].is_none()).collect();
    if asked.len() < rows.len() {
        caller.counters().reused.add((rows.len() - asked.len()) as u64);
        rows = asked.iter().map(|row| rows[*row].clone()).collect();
    }
    let requests = wire::requests(&caller.api().options, &rows);
    let mut pending = Vec::with_capacity(requests.len());
    for Request { rows, body } in requests {
        let request = caller.submit(body, rows.len()).await;
        pending.push((rows, request));
    }
    Ok(Sent { caller: Arc::clone(caller), values, asked, pending })
}

impl Sent {
    /// Waits for every row's fate and decodes the replies.
    ///
    /// # Errors
    /// A request broke down, or the declared type cannot be carried by the function's format.
    pub async fn land(self) -> Result<Landed, BatchError> {
        let Sent { caller, mut values, asked, pending } = self;
        let api = Arc::clone(caller.api());
        let mut attempts_of = vec![0; values.len()];
        let mut given_up = Vec::new();
        for (share, request) in pending {
            let rows = &asked[share];
            let reason = match request.await? {
                Fate::Stop(reason) => return Err(BatchError::Stop { function: api.name.clone(), reason }),
                Fate::GivenUp(reason) => reason,
                Fate::Answered { body, attempts } => {
                    rows.iter().for_each(|row| attempts_of[*row] = attempts);
                    match wire::split(&api.options, &body, rows.len()) {
                        Ok(replies) => {
                            rows.iter().zip(replies).for_each(|(row, reply)| values[*row] = Some(reply));
                            continue;
                        }
                        Err(message) => bad_reply(message, body, attempts),
                    }
                }
            };
            given_up.extend(rows.iter().map(|row| (*row, reason.clone())));
        }

        let decoded = wire::decode(&api.returns, &values).map_err(|source| types(&caller, source))?;
        for bad in decoded.bad {
            let body = values[bad.row].take().unwrap_or_default();
            given_up.push((bad.row, bad_reply(bad.message, body, attempts_of[bad.row])));
        }
        given_up.sort_by_key(|(row, _)| *row);
        caller.counters().answered.add((values.len() - given_up.len()) as u64);
        for (_, reason) in &given_up {
            caller.counters().give_up(reason.failure.kind);
        }
        if let (Some(reason), Some((_, last))) = (caller.counters().over(&api.options.budget), given_up.last()) {
            let reason = format!("{reason}; the last one: {}", last.failure.message);
            return Err(BatchError::Stop { function: api.name.clone(), reason });
        }
        Ok(Landed { values: decoded.values, given_up })
    }
}

/// A reply that came, with a good status, and is not what the function declares.
fn bad_reply(message: String, body: Bytes, attempts: u32) -> GivenUp {
    let failure = Failure { kind: FailureKind::BadReply, message, status: Some(200), body };
    GivenUp { failure, attempts, at: SystemTime::now() }
}

fn types(caller: &Caller, source: ArrowError) -> BatchError {
    BatchError::Types { function: caller.api().name.clone(), source }
}
