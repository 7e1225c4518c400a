//! Rows into requests, replies back to rows, for one batch of arguments.
//! Encoding and decoding happen where these functions are called; the requests run on the caller's network runtime.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::error::ArrowError;
use bytes::Bytes;
use tokio::task::JoinError;

use crate::caller::{Caller, Fate, Pending};
use crate::dead_letter::{FailureKind, GivenUp};
use crate::retry::Failure;
use crate::wire;

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
    caller.counters().wanted.add(rows.len() as u64);
    let values: Vec<_> = rows.iter().map(|row| caller.primed().take(row)).collect();
    let asked: Vec<_> = (0..rows.len()).filter(|row| values[*row].is_none()).collect();
    if asked.len() < rows.len() {
        caller.counters().reused.add((rows.len() - asked.len()) as u64);
        rows = asked.iter().map(|row| rows[*row].clone()).collect();
    }
    let mut requests = Vec::new();
    for share in wire::shares(caller.api(), rows.len()) {
        let request = wire::encode(caller.api(), &rows[share.clone()], "")
            .map_err(|message| BatchError::Stop { function: caller.api().name.clone(), reason: message })?;
        requests.push((share, request));
    }
    // On the network runtime, so that whoever waits here is woken once a batch and not once a request.
    let submitting = Arc::clone(caller);
    let pending = caller.on_network(async move {
        let mut pending = Vec::with_capacity(requests.len());
        for (rows, request) in requests {
            let request = submitting.submit(request).await;
            pending.push((rows, request));
        }
        pending
    });
    let pending = pending.await?;
    Ok(Sent { caller: Arc::clone(caller), values, asked, pending })
}

/// The fates of requests, up to the first that ends the job.
async fn fates(pending: Vec<(Range<usize>, Pending)>) -> Result<Vec<(Range<usize>, Fate)>, JoinError> {
    let mut fates = Vec::with_capacity(pending.len());
    for (share, request) in pending {
        let fate = request.await?;
        let last = matches!(fate, Fate::Stop(_));
        fates.push((share, fate));
        if last {
            break;
        }
    }
    Ok(fates)
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
        for (share, fate) in caller.on_network(fates(pending)).await?? {
            let rows = &asked[share];
            let reason = match fate {
                Fate::Stop(reason) => return Err(BatchError::Stop { function: api.name.clone(), reason }),
                Fate::GivenUp(reason) => reason,
                Fate::Answered { reply, attempts, .. } => {
                    caller.counters().replied.add(rows.len() as u64);
                    rows.iter().for_each(|row| attempts_of[*row] = attempts);
                    match wire::split(&api, &reply, rows.len()) {
                        Ok(replies) => {
                            rows.iter().zip(replies).for_each(|(row, reply)| values[*row] = Some(reply));
                            continue;
                        }
                        Err(message) => bad_reply(message, reply.body, attempts),
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
        if let (Some(reason), Some((_, last))) = (caller.counters().over(&api.options.failure.budget), given_up.last())
        {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use arrow::array::{Array, AsArray, Int64Array};
    use arrow::datatypes::{DataType, Field, Fields, Float64Type};
    use expect_test::{Expect, expect};

    use super::*;
    use crate::testing::{self, Script, Step};

    const UNLIMITED: (&str, &str) = ("rate_limit_calls", "unlimited");

    fn score() -> DataType {
        DataType::Struct(vec![Field::new("score", DataType::Float64, true)].into())
    }

    fn ids(ids: std::ops::Range<i64>) -> RecordBatch {
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(ids));
        RecordBatch::try_from_iter([("id", ids)]).unwrap()
    }

    fn shown(landed: &Landed) -> String {
        let scores = landed.values.as_struct().column(0).as_primitive::<Float64Type>();
        let value = |row| if landed.values.is_null(row) { "NULL".to_owned() } else { scores.value(row).to_string() };
        let values: Vec<_> = (0..landed.values.len()).map(value).collect();
        let gone = |(row, why): &(usize, GivenUp)| {
            format!("row {row}: {} after {}, {}", why.failure.kind, why.attempts, why.failure.message)
        };
        let gone: Vec<_> = landed.given_up.iter().map(gone).collect();
        [vec![values.join(" ")], gone].concat().join("\n")
    }

    /// Sends the rows 0 to 3 and shows what was sent, the values, and the rows given up.
    async fn check(options: &[(&str, &str)], primed: &[(&str, &str)], steps: &[Step], expected: Expect) {
        let script = Arc::new(Script::new(Duration::from_millis(10), steps.iter().cloned()));
        let caller = testing::caller(Fields::empty(), score(), &[&[UNLIMITED], options].concat(), &script);
        for (row, answer) in primed {
            caller.primed().put(Bytes::from((*row).to_owned()), Bytes::from((*answer).to_owned()));
        }
        let landed = send(&caller, &ids(0..4)).await.unwrap().land().await.unwrap();
        let sent: Vec<_> = script.seen().iter().map(|seen| String::from_utf8_lossy(&seen.body).into_owned()).collect();
        expected.assert_eq(&format!("{}\n{}", sent.join(" "), shown(&landed)));
        let counters = caller.counters();
        let given_up: u64 = counters.given_up().iter().sum();
        assert_eq!(given_up, landed.given_up.len() as u64);
        assert_eq!(counters.answered.get() + given_up, 4);
        assert_eq!(counters.reused.get(), primed.len() as u64);
    }

    #[tokio::test(start_paused = true)]
    async fn rows_come_back_in_their_order_and_a_bad_reply_costs_its_own_row() {
        let steps = [
            Step::Reply(200, r#"{"score": 0.5}"#),
            Step::Reply(200, "<html>"),
            Step::Reply(422, "no"),
            Step::Reply(200, r#"{"score": 3}"#),
        ];
        check(&[], &[], &steps, expect![[r#"
            {"id":0} {"id":1} {"id":2} {"id":3}
            0.5 NULL NULL 3
            row 1: bad_reply after 1, the reply is not Struct("score": Float64): Json error: Encountered unexpected '<' whilst parsing value
            row 2: http_4xx after 1, the API refused the request with status 422"#]]).await;
    }

    #[tokio::test(start_paused = true)]
    async fn arrays_are_taken_apart_and_one_that_is_too_short_costs_its_rows() {
        let steps = [Step::Reply(200, r#"[{"score": 1}, {"error": "bad id"}]"#), Step::Reply(200, r#"[{"score": 1}]"#)];
        check(
            &[("format", "array"), ("batch_size", "2")],
            &[],
            &steps,
            expect![[r#"
            [{"id":0},{"id":1}] [{"id":2},{"id":3}]
            1 NULL NULL NULL
            row 1: bad_reply after 1, the API answered this row with an error: bad id
            row 2: bad_reply after 1, the reply has 1 values for 2 rows
            row 3: bad_reply after 1, the reply has 1 values for 2 rows"#]],
        )
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn rows_with_an_answer_are_not_sent() {
        let primed = [(r#"{"id":1}"#, r#"{"score":7.5}"#), (r#"{"id":3}"#, r#"{"score":8.5}"#)];
        check(
            &[("format", "array")],
            &primed,
            &[Step::Reply(200, r#"[{"score": 1}, {"score": 2}]"#)],
            expect![[r#"
            [{"id":0},{"id":2}]
            1 7.5 2 8.5"#]],
        )
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_ends_the_job_where_the_budget_or_the_credentials_say_so() {
        let stop = async |options: &[(&str, &str)], steps: Vec<Step>, rows: i64| {
            let script = Arc::new(Script::new(Duration::from_millis(10), steps));
            let caller = testing::caller(Fields::empty(), score(), &[&[UNLIMITED], options].concat(), &script);
            let landed = send(&caller, &ids(0..rows)).await.unwrap().land().await;
            landed.unwrap_err().to_string()
        };
        expect!["API function 'f': 2 of 2 rows were given up, more than max_failed_records; the last one: the API refused the request with status 404"].assert_eq(&stop(&[("max_failed_records", "1")], vec![Step::Reply(404, "gone"); 2], 2).await);
        expect!["API function 'f': 101 of 1000 rows were given up, more than max_failed_percent 10; the last one: the API refused the request with status 404"].assert_eq(&stop(&[], vec![Step::Reply(404, "gone"); 101], 1000).await);
        expect!["API function 'f': the first 100 answers were all refusals (401 or 403): check the credentials; the last one: the API refused the request with status 403"].assert_eq(&stop(&[], vec![Step::Echo(403); 100], 100).await);
    }
}
