//! Answers that are there before their rows are called: each is used once, for a row with the same arguments.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// Answers by the JSON object of the row that they were given to.
#[derive(Debug, Default)]
pub struct Primed {
    answers: Mutex<HashMap<Bytes, Vec<Bytes>>>,
    left: AtomicUsize,
}

impl Primed {
    /// Keeps an answer for one row with these arguments.
    pub fn put(&self, row: Bytes, answer: Bytes) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).entry(row).or_default().push(answer);
        self.left.fetch_add(1, Ordering::Release);
    }

    /// Takes an answer for a row, if there is one left.
    pub(crate) fn take(&self, row: &Bytes) -> Option<Bytes> {
        if self.left.load(Ordering::Acquire) == 0 {
            return None; // the usual case costs no lock
        }
        let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).get_mut(row)?.pop()?;
        self.left.fetch_sub(1, Ordering::Release);
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_used_once() {
        let primed = Primed::default();
        let row = Bytes::from("{}");
        assert_eq!(primed.take(&row), None);
        primed.put(row.clone(), Bytes::from("1"));
        assert_eq!(primed.take(&Bytes::from("{\"a\":1}")), None);
        assert_eq!(primed.take(&row), Some(Bytes::from("1")));
        assert_eq!(primed.take(&row), None);
    }
}
