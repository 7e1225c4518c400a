//! What is told of a job's statements, as events.

use super::{Ended, Event};
use crate::Outcome;
use crate::job::Told;
use crate::observe::table;

/// Rows and characters of a result that are kept.
const ROWS: usize = 100;
const TABLE: usize = 32 << 10;

impl From<Told<'_>> for Event {
    fn from(told: Told<'_>) -> Self {
        match told {
            Told::Begins { statement, statements, line, text } => {
                Event::StatementStarted { statement, statements, line, text: text.to_owned() }
            }
            Told::DoneBefore { statement } => Event::StatementEnded { statement, ended: Ended::DoneBefore },
            Told::Ends { statement, outcome } => Event::StatementEnded { statement, ended: ended(outcome) },
        }
    }
}

fn ended(outcome: &Outcome) -> Ended {
    match outcome {
        Outcome::Done => Ended::Done,
        Outcome::DoneBefore(_) => Ended::DoneBefore,
        Outcome::Written(written) => Ended::Written {
            output: written.url.to_string(),
            records_read: written.records_read,
            records_written: written.records_written,
            records_failed: written.records_failed,
        },
        Outcome::Rows { schema, batches } => {
            let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
            let mut left = ROWS;
            let first: Vec<_> = batches
                .iter()
                .map(|batch| {
                    let taken = batch.slice(0, left.min(batch.num_rows()));
                    left -= taken.num_rows();
                    taken
                })
                .collect();
            let table = table::format(schema, &first).chars().take(TABLE).collect();
            Ended::Rows { rows: rows as u64, table }
        }
    }
}
