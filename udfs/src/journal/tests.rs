//! The journal over a store in memory, on paused time.

use object_store::memory::InMemory;

use futures::TryStreamExt;

use super::*;

fn answer(number: u64) -> Answer {
    let value = format!("{{\"score\":{number}}}").into();
    Answer { value, status: 200, attempts: 1, latency: Duration::from_millis(50) }
}

fn key(number: u64) -> Key {
    let mut key = [0; 16];
    key[8..].copy_from_slice(&number.to_be_bytes());
    Key(key)
}

async fn open(store: &Arc<InMemory>) -> Arc<Journal> {
    let store = Arc::clone(store) as Arc<dyn ObjectStore>;
    Journal::open(store, Path::from("out/_paceline/job/journal"), 1, &Handle::current()).await.unwrap()
}

async fn segments(store: &Arc<InMemory>) -> Vec<(Path, u64)> {
    let mut all: Vec<_> = store.list(None).map_ok(|file| (file.location, file.size)).try_collect().await.unwrap();
    all.sort();
    all
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_written_within_a_second_and_found_by_the_next_run() {
    let store = Arc::new(InMemory::new());
    let journal = open(&store).await;
    assert!(journal.index(3).await.unwrap().is_none());
    journal.record(3, [(key(1), answer(1))]);
    tokio::time::sleep(Duration::from_millis(999)).await;
    assert_eq!(segments(&store).await.len(), 0);
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(segments(&store).await.len(), 1);
    drop(journal); // as when the process is killed
    let next = open(&store).await;
    let index = next.index(3).await.unwrap().unwrap();
    assert_eq!(index.find(key(1)).unwrap(), Some(answer(1)));
    assert_eq!(index.find(key(2)).unwrap(), None);
    assert!(next.index(4).await.unwrap().is_none());
    assert_eq!(next.counters.found.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_answers_do_not_wait_and_what_is_left_is_written_at_the_end() {
    let store = Arc::new(InMemory::new());
    let journal = open(&store).await;
    for number in 0..=MOST_ANSWERS as u64 {
        journal.record(0, [(key(number), answer(number))]);
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(journal.counters.written.get(), MOST_ANSWERS as u64 + 1);
    journal.record(1, [(key(7), answer(7))]);
    journal.close().await.unwrap();
    assert_eq!((journal.counters.written.get(), journal.counters.segments.get()), (MOST_ANSWERS as u64 + 2, 2));
    let next = open(&store).await;
    let index = next.index(0).await.unwrap().unwrap();
    assert!((0..=MOST_ANSWERS as u64).all(|number| index.find(key(number)).unwrap() == Some(answer(number))));
}

#[tokio::test(start_paused = true)]
async fn a_torn_segment_costs_its_own_answers_only() {
    let store = Arc::new(InMemory::new());
    let journal = open(&store).await;
    for number in 0..3 {
        journal.record(0, [(key(number), answer(number))]);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    drop(journal);
    let written = segments(&store).await;
    let whole = store.get(&written[0].0).await.unwrap().bytes().await.unwrap();
    store.put(&written[0].0, whole.slice(..whole.len() / 2).into()).await.unwrap();
    let mut flipped = store.get(&written[1].0).await.unwrap().bytes().await.unwrap().to_vec();
    flipped[5] ^= 1; // in its block, so that the footer is good
    store.put(&written[1].0, flipped.into()).await.unwrap();
    store.put(&Path::from("out/_paceline/job/journal/0-empty.journal"), bytes::Bytes::new().into()).await.unwrap();

    let next = open(&store).await;
    let index = next.index(0).await.unwrap().unwrap();
    let found: Vec<_> = (0..3).map(|number| index.find(key(number)).unwrap().is_some()).collect();
    assert_eq!((found, next.counters.damaged.get()), (vec![false, false, true], 3));
}

#[tokio::test(start_paused = true)]
async fn many_segments_are_joined_and_nothing_is_lost() {
    let store = Arc::new(InMemory::new());
    let journal = open(&store).await;
    let all = compact::MOST_SEGMENTS as u64 + 3;
    for number in 0..all {
        journal.record((number % 3) as u32, [(key(number), answer(number))]);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    drop(journal);
    assert_eq!(segments(&store).await.len(), 4);
    let next = open(&store).await;
    for number in 0..all {
        let index = next.index((number % 3) as u32).await.unwrap().unwrap();
        assert_eq!(index.find(key(number)).unwrap(), Some(answer(number)));
    }
}

#[tokio::test]
async fn processes_that_share_a_journal_find_what_the_others_wrote_down() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let network = Handle::current();
    let open = || Journal::open_shared(Arc::clone(&store), Path::from("j"), 2, &network);
    let (one, other) = (open().await.unwrap(), open().await.unwrap());
    assert!(other.index(3).await.unwrap().is_none());
    one.record(3, [(key(1), answer(1))]);
    one.flush().await.unwrap();
    let found = other.index(3).await.unwrap().unwrap();
    assert_eq!(found.find(key(1)).unwrap(), Some(answer(1)));
    // A partition that begins again in the same process finds what was not written down yet as well.
    other.record(3, [(key(2), answer(2))]);
    let found = other.index(3).await.unwrap().unwrap();
    assert_eq!(found.find(key(2)).unwrap(), Some(answer(2)));
    one.close().await.unwrap();
    other.close().await.unwrap();
}
