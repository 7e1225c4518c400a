//! The answers of one partition that were paid for before, by key: in memory, and past a bound in a temporary file.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use redb::{Database, ReadableDatabase, TableDefinition};

use super::segment::Entry;
use crate::ask::Answer;
use crate::key::Key;

/// Status, attempts and latency in µs; the value.
type Row = ((u16, u32, u64), &'static [u8]);

const ANSWERS: TableDefinition<'_, [u8; 16], Row> = TableDefinition::new("answers");

/// An entry takes about this many bytes beside its value.
const ENTRY_BYTES: usize = 64;

/// Answers by key.
#[derive(Debug)]
pub struct Index {
    memory: HashMap<Key, Answer>,
    bytes: usize,
    most_bytes: usize,
    /// In a file without a name, which goes with the process however that ends.
    file: Option<Database>,
}

impl Index {
    /// An empty index that keeps at most `most_bytes` in memory.
    pub(super) fn new(most_bytes: usize) -> Self {
        Index { memory: HashMap::new(), bytes: 0, most_bytes, file: None }
    }

    /// Takes answers in.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub(super) fn add(&mut self, entries: Vec<Entry>) -> Result<(), redb::Error> {
        for (key, mut answer) in entries {
            answer.value = Bytes::copy_from_slice(&answer.value); // a slice would keep its whole block
            self.bytes += ENTRY_BYTES + answer.value.len();
            self.memory.insert(key, answer);
        }
        if self.bytes > self.most_bytes { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), redb::Error> {
        let database = match &self.file {
            Some(database) => database,
            None => self.file.insert(Database::builder().create_file(tempfile::tempfile()?)?),
        };
        let mut transaction = database.begin_write()?;
        transaction.set_durability(redb::Durability::None).map_err(redb::Error::from)?;
        {
            let mut table = transaction.open_table(ANSWERS)?;
            for (key, answer) in self.memory.drain() {
                let latency = u64::try_from(answer.latency.as_micros()).unwrap_or(u64::MAX);
                table.insert(key.0, ((answer.status, answer.attempts, latency), answer.value.as_ref()))?;
            }
        }
        transaction.commit()?;
        self.memory.shrink_to_fit();
        self.bytes = 0;
        Ok(())
    }

    /// The answer with this key.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub(crate) fn find(&self, key: Key) -> Result<Option<Answer>, redb::Error> {
        if let Some(answer) = self.memory.get(&key) {
            return Ok(Some(answer.clone()));
        }
        let Some(database) = &self.file else { return Ok(None) };
        let table = database.begin_read()?.open_table(ANSWERS)?;
        let Some(found) = table.get(key.0)? else { return Ok(None) };
        let ((status, attempts, latency), value) = found.value();
        let latency = Duration::from_micros(latency);
        Ok(Some(Answer { value: Bytes::copy_from_slice(value), status, attempts, latency }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_found_in_memory_and_in_the_file() {
        let mut index = Index::new(10_000);
        for round in 0..5u8 {
            let entry = |number: u8| {
                let value = Bytes::from(vec![number; 50]);
                (
                    Key([round * 50 + number; 16]),
                    Answer { value, status: 201, attempts: 2, latency: Duration::from_millis(7) },
                )
            };
            index.add((0..50).map(entry).collect()).unwrap();
        }
        assert!(index.file.is_some() && index.memory.len() < 150);
        for number in 0..250u8 {
            let answer = index.find(Key([number; 16])).unwrap().unwrap();
            assert_eq!((answer.value.as_ref(), answer.status, answer.attempts), ([number % 50; 50].as_ref(), 201, 2));
            assert_eq!(answer.latency, Duration::from_millis(7));
        }
        assert_eq!(index.find(Key([251; 16])).unwrap(), None);
    }
}
