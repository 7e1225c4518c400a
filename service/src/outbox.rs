//! The events that wait to be sent, as a table of the store: each is written with the change that it tells of, and stays until it
//! was taken, or given up. Numbers are given in the order of the changes, and to each event of a process another.

use std::sync::atomic::{AtomicU64, Ordering};

use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};

use crate::store::Failed;

/// Events as JSON, by who is told and by their numbers.
const OUTBOX: TableDefinition<'_, (&str, u64), &str> = TableDefinition::new("outbox");
/// Events that wait for one of those who are told; what comes beyond that is lost.
const WAITING: usize = 1000;

/// An event that is to be sent.
#[derive(Clone, Debug)]
pub struct Unsent {
    /// Who is told.
    pub to: &'static str,
    /// What, as JSON.
    pub event: String,
}

/// Adds events, behind the number that was given last; returns how many there was no room for.
pub fn add(transaction: &WriteTransaction, last: &AtomicU64, events: &[Unsent]) -> Result<usize, Failed> {
    let mut table = transaction.open_table(OUTBOX)?;
    let mut lost = 0;
    for Unsent { to, event } in events {
        let waiting = table.range((*to, 0)..=(*to, u64::MAX))?.count();
        if waiting < WAITING {
            let number = last.fetch_add(1, Ordering::Relaxed) + 1;
            table.insert((*to, number), event.as_str())?;
        } else {
            lost += 1;
        }
    }
    Ok(lost)
}

/// The number that was given last, of those that are there.
pub fn last(transaction: &ReadTransaction) -> Result<u64, Failed> {
    let table = transaction.open_table(OUTBOX)?;
    let mut last = 0;
    for entry in table.iter()? {
        let (key, _) = entry?;
        last = last.max(key.value().1);
    }
    Ok(last)
}

/// The first event for somebody behind a number, with its own.
pub fn next(transaction: &ReadTransaction, to: &str, behind: u64) -> Result<Option<(u64, String)>, Failed> {
    let table = transaction.open_table(OUTBOX)?;
    let mut waiting = table.range((to, behind.saturating_add(1))..=(to, u64::MAX))?;
    let Some(first) = waiting.next() else { return Ok(None) };
    let (key, event) = first?;
    Ok(Some((key.value().1, event.value().to_owned())))
}

/// Lets go of an event.
pub fn remove(transaction: &WriteTransaction, to: &str, number: u64) -> Result<(), Failed> {
    let mut table = transaction.open_table(OUTBOX)?;
    table.remove((to, number))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn unsent(to: &'static str, event: usize) -> Unsent {
        Unsent { to, event: event.to_string() }
    }

    /// What waits for somebody behind a number.
    fn waiting(store: &Store, to: &str, mut behind: u64) -> Vec<usize> {
        let mut events = Vec::new();
        while let Some((number, event)) = store.unsent(to, behind).unwrap() {
            behind = number;
            events.push(event.parse().unwrap());
        }
        events
    }

    #[test]
    fn events_wait_in_order_until_they_were_sent_and_are_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        let both = |event| [unsent("topic", event), unsent("webhook", event)];
        assert_eq!(store.change(&[], &[], &[both(1), both(2)].concat()).unwrap(), 0);
        let (first, event) = store.unsent("webhook", 0).unwrap().unwrap();
        assert_eq!((event.as_str(), waiting(&store, "webhook", first)), ("1", vec![2]));
        store.sent("webhook", first).unwrap();
        drop(store);
        let (store, _) = Store::open(folder.path()).unwrap();
        store.change(&[], &[], &both(3)).unwrap();
        assert_eq!((waiting(&store, "webhook", 0), waiting(&store, "topic", 0)), (vec![2, 3], vec![1, 2, 3]));
    }

    #[test]
    fn what_there_is_no_room_for_is_lost_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        let events: Vec<_> = (1..=WAITING + 2).map(|event| unsent("webhook", event)).collect();
        assert_eq!(store.change(&[], &[], &events).unwrap(), 2);
        assert_eq!(store.change(&[], &[], &[unsent("topic", 1)]).unwrap(), 0, "others have room of their own");
        let (first, _) = store.unsent("webhook", 0).unwrap().unwrap();
        store.sent("webhook", first).unwrap();
        assert_eq!(store.change(&[], &[], &[unsent("webhook", 7), unsent("webhook", 8)]).unwrap(), 1);
        assert_eq!(waiting(&store, "webhook", 0), (2..=WAITING).chain([7]).collect::<Vec<_>>());
    }
}
