//! What identifies a call: for the journal, for rows that share an answer, and for the API as idempotency key.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use arrow::datatypes::DataType;
use bytes::Bytes;

use crate::ApiFunction;
use crate::journal::{Index, Journal};

/// Identifies one call of one row, today and when the job is resumed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(pub(crate) [u8; 16]);

impl Key {
    /// The key that [`Key`]'s `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32).map(|number| Key(number.to_be_bytes()))
    }

    /// The identity is the hash's key, so that a short row is one block.
    fn of(identity: &[u8; 32], content: &[u8]) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::keyed_hash(identity, content).as_bytes()[..16]);
        Key(key)
    }

    /// The key of a request that carries these rows: a single row's own.
    pub(crate) fn of_request(keys: impl ExactSizeIterator<Item = Key>) -> Option<Key> {
        let mut keys = keys;
        if keys.len() == 1 {
            return keys.next();
        }
        let all: Vec<u8> = keys.flat_map(|key| key.0).collect();
        (!all.is_empty()).then(|| Key::of(&[0; 32], &all))
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// The rows of one partition on their way to one function, in order, and the answers that were paid for before.
#[derive(Debug)]
pub struct Lane {
    keys: Keys,
    journal: Option<Past>,
}

/// Where answers are written down, and those that were.
#[derive(Debug)]
struct Past {
    journal: Arc<Journal>,
    index: Option<Arc<Index>>,
    partition: u32,
}

#[derive(Debug)]
enum Keys {
    /// (function, arguments)
    Deterministic { identity: [u8; 32] },
    /// (function, arguments, partition, n-th occurrence there)
    ByOccurrence { identity: [u8; 32], seen: Occurrences },
    /// Keys that the next rows had in an earlier job.
    Given(VecDeque<Key>, Box<Keys>),
}

impl Lane {
    /// The lane of `partition`. `scope` sets the call apart from all that are another question although their arguments are
    /// equal: it names the job, the statement and the place of the call in it, and is equal when the job is resumed.
    pub fn new(api: &ApiFunction, scope: &str, partition: u32) -> Self {
        let keys = if api.deterministic {
            Keys::Deterministic { identity: identity(api, "", 0) }
        } else {
            Keys::ByOccurrence { identity: identity(api, scope, partition), seen: Occurrences::default() }
        };
        Lane { keys, journal: None }
    }

    /// A lane that no other will ever be equal to, for calls that belong to no job.
    pub fn alone(api: &ApiFunction) -> Self {
        Lane::new(api, &format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)), 0)
    }

    /// The lane, with these keys for its first rows, as an earlier job sent them.
    pub fn with_keys(self, keys: VecDeque<Key>) -> Self {
        Lane { keys: Keys::Given(keys, Box::new(self.keys)), ..self }
    }

    /// The lane, with its answers written to a journal and taken from it.
    ///
    /// # Errors
    /// What was written down cannot be read.
    pub async fn with_journal(self, journal: &Arc<Journal>, partition: u32) -> Result<Self, object_store::Error> {
        let partition = if matches!(self.keys, Keys::Deterministic { .. }) { Journal::SHARED } else { partition };
        let index = journal.index(partition).await?;
        Ok(Lane { journal: Some(Past { journal: Arc::clone(journal), index, partition }), ..self })
    }

    /// The keys of the next rows.
    pub(crate) fn keys(&mut self, rows: &[Bytes]) -> Vec<Key> {
        rows.iter().map(|row| self.keys.next(row)).collect()
    }

    /// The journal, and the partition that it knows this lane by.
    pub(crate) fn journal(&self) -> Option<(&Arc<Journal>, u32)> {
        self.journal.as_ref().map(|past| (&past.journal, past.partition))
    }

    /// The index of answers that were paid for before.
    pub(crate) fn index(&self) -> Option<&Index> {
        self.journal.as_ref()?.index.as_deref()
    }
}

impl Keys {
    fn next(&mut self, row: &Bytes) -> Key {
        match self {
            Keys::Deterministic { identity } => Key::of(identity, row),
            Keys::ByOccurrence { identity, seen } => {
                let arguments = Key::of(identity, row);
                match seen.next(arguments) {
                    0 => arguments,
                    occurrence => Key::of(identity, &[arguments.0.as_slice(), &occurrence.to_be_bytes()].concat()),
                }
            }
            Keys::Given(keys, otherwise) => keys.pop_front().unwrap_or_else(|| otherwise.next(row)),
        }
    }
}

/// What makes two calls with equal arguments the same or another question.
fn identity(api: &ApiFunction, scope: &str, partition: u32) -> [u8; 32] {
    let wire = &api.options.wire;
    let mut content = format!("{}\n{scope}\n{partition}\n{}\n{:?}\n", api.name, wire.endpoint, wire.format);
    for argument in api.arguments.iter() {
        let data_type: &DataType = argument.data_type();
        content += &format!("{} {data_type}\n", argument.name());
    }
    *blake3::hash(content.as_bytes()).as_bytes()
}

/// How often arguments came so far. Exact for the first [`EXACT`] different ones of a lane, which takes a few megabytes; those
/// that come later share counters, so their number may skip, but it is never the same twice for the same arguments, and always
/// the same for the same rows in the same order.
#[derive(Debug, Default)]
struct Occurrences {
    exact: HashMap<u64, u32, BuildHasherDefault<Itself>>,
    shared: Vec<u32>,
}

const EXACT: usize = 200_000;
const SHARED: usize = 1 << 20;

impl Occurrences {
    fn next(&mut self, arguments: Key) -> u32 {
        let [a, b, c, d, e, f, g, h, ..] = arguments.0;
        let hash = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        let full = self.exact.len() >= EXACT;
        let count = match self.exact.get_mut(&hash) {
            Some(count) => count,
            None if !full => self.exact.entry(hash).or_default(),
            None => {
                if self.shared.is_empty() {
                    self.shared.resize(SHARED, 0);
                }
                &mut self.shared[hash as usize % SHARED]
            }
        };
        *count += 1;
        *count - 1
    }
}

/// The keys are hashes already.
#[derive(Default)]
struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use arrow::datatypes::Fields;

    use super::*;

    fn api(deterministic: bool) -> ApiFunction {
        let options = [("endpoint", "http://a/"), ("rate_limit_calls", "1")];
        let options = options.map(|(key, value)| (key.to_owned(), value.to_owned()));
        ApiFunction::declare("f", Fields::empty(), DataType::Utf8, deterministic, &options).unwrap()
    }

    fn rows(ids: impl IntoIterator<Item = u32>) -> Vec<Bytes> {
        ids.into_iter().map(|id| Bytes::from(format!("{{\"id\":{id}}}"))).collect()
    }

    #[test]
    fn every_row_has_a_key_of_its_own_and_the_same_one_again() {
        let ids = [1, 2, 1, 1, 3, 2];
        let keys = Lane::new(&api(false), "job/1/a", 0).keys(&rows(ids));
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), ids.len());
        assert_eq!(Lane::new(&api(false), "job/1/a", 0).keys(&rows(ids)), keys);
        // Rows that are missing, as where a call below gave them up, change nothing for others.
        assert_eq!(Lane::new(&api(false), "job/1/a", 0).keys(&rows([1, 1, 3])), [keys[0], keys[2], keys[4]]);
        for other in
            [Lane::new(&api(false), "job/1/a", 1), Lane::new(&api(false), "job/2/a", 0), Lane::alone(&api(false))]
        {
            let mut other = other;
            assert!(other.keys(&rows(ids)).iter().all(|key| !keys.contains(key)));
        }
    }

    #[test]
    fn equal_arguments_of_a_deterministic_function_have_one_key() {
        let keys = Lane::new(&api(true), "job/1/a", 0).keys(&rows([1, 2, 1]));
        assert!(keys[0] == keys[2] && keys[0] != keys[1]);
        assert_eq!(Lane::new(&api(true), "another/2/b", 7).keys(&rows([1, 2])), keys[..2]);
    }

    #[test]
    fn keys_stay_apart_when_there_are_too_many_to_count_exactly() {
        let mut lane = Lane::new(&api(false), "", 0);
        let many = lane.keys(&rows(0..EXACT as u32));
        let ids: Vec<_> = (0..1000).flat_map(|id| [id, 10_000_000 + id, 10_000_000 + id]).collect();
        let more = lane.keys(&rows(ids.clone()));
        assert_eq!(many.iter().chain(&more).collect::<HashSet<_>>().len(), EXACT + ids.len());
    }

    #[test]
    fn given_keys_come_first_and_a_key_reads_as_it_is_written() {
        let given = Lane::new(&api(false), "earlier", 0).keys(&rows([1]));
        let keys = Lane::new(&api(false), "", 0).with_keys(given.clone().into()).keys(&rows([1, 1]));
        assert!(keys[0] == given[0] && keys[1] != given[0]);
        assert_eq!(Key::parse(&given[0].to_string()), Some(given[0]));
        assert_eq!(Key::parse("12"), None);
    }
}
