//! Rows into requests, replies back to rows, for one batch of arguments.
//! Encoding and decoding happen where these functions are called; the requests run on the caller's network runtime.

use std::sync::Arc;
use std::time::SystemTime;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::error::ArrowError;
use bytes::Bytes;

use crate::caller::{Caller, Fate, Pending};
use crate::dead_letter::{FailureKind, GivenUp};
use crate::retry::Failure;
use crate::wire;

/// A batch whose requests are all on their way.
#[derive(Debug)]
pub struct Sent {
    caller: Arc<Caller>,
    pending: Vec<Pending>,
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
    /// The network runtime is gone, or a request broke down.
    #[error("a request did not end: {0}")]
    Request(#[from] tokio::task::JoinError),
}

/// Sends every row of `arguments` (one column per argument, named like it). Returns when all have a place in flight.
///
/// # Errors
/// A type cannot be carried by the function's format.
pub async fn send(caller: &Arc<Caller>, arguments: &RecordBatch) -> Result<Sent, BatchError> {
    let bodies = wire::encode(caller.api().options.format, arguments).map_err(|source| types(caller, source))?;
    let mut pending = Vec::with_capacity(bodies.len());
    for body in bodies {
        pending.push(caller.submit(body).await);
    }
    Ok(Sent { caller: Arc::clone(caller), pending })
}

impl Sent {
    /// Waits for every row's fate and decodes the replies.
    ///
    /// # Errors
    /// A request broke down, or the declared type cannot be carried by the function's format.
    pub async fn land(self) -> Result<Landed, BatchError> {
        let Sent { caller, pending } = self;
        let mut replies = Vec::with_capacity(pending.len());
        let mut given_up = Vec::new();
        for (row, request) in pending.into_iter().enumerate() {
            replies.push(match request.await? {
                Fate::Answered { body, attempts } => Some((body, attempts)),
                Fate::GivenUp(reason) => {
                    given_up.push((row, reason));
                    None
                }
            });
        }

        let bodies: Vec<Option<Bytes>> = replies.iter().map(|reply| Some(reply.as_ref()?.0.clone())).collect();
        let api = caller.api();
        let decoded =
            wire::decode(api.options.format, &api.returns, &bodies).map_err(|source| types(&caller, source))?;
        for bad in decoded.bad {
            let Some((body, attempts)) = replies[bad.row].take() else { continue };
            let failure = Failure { kind: FailureKind::BadReply, message: bad.message, status: Some(200), body };
            given_up.push((bad.row, GivenUp { failure, attempts, at: SystemTime::now() }));
        }
        given_up.sort_by_key(|(row, _)| *row);
        caller.counters().answered.add((bodies.len() - given_up.len()) as u64);
        caller.counters().given_up.add(given_up.len() as u64);
        Ok(Landed { values: decoded.values, given_up })
    }
}

fn types(caller: &Caller, source: ArrowError) -> BatchError {
    BatchError::Types { function: caller.api().name.clone(), source }
}
