//! A job's events in CloudWatch Logs: batches of JSON lines. A job never waits for it and never fails by it: what cannot be sent
//! is dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::io::aws::Aws;
use crate::io::s3::S3Settings;
use crate::io::stores::Stores;
use crate::network::Network;

/// Events that wait to be sent.
const WAITING: usize = 1000;
/// A call has events of so long a time, so many, and so many bytes; PutLogEvents takes 10,000 and 1,048,576.
const GATHER: Duration = Duration::from_secs(1);
const EVENTS: usize = 1000;
const BYTES: usize = 900_000;
/// Bytes of one event that are sent; the service takes 256 KiB.
const OF_ONE: usize = 200_000;
/// How long the service may take to answer, and the last calls in the end.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The way to a stream of a log group.
#[derive(Debug)]
pub struct LogStream {
    events: mpsc::Sender<(u64, String)>,
    sending: JoinHandle<()>,
    dropped: Arc<AtomicU64>,
    _network: Network,
}

impl LogStream {
    /// Begins to send to a stream, which is made where it is not there.
    ///
    /// # Errors
    /// The threads for its traffic cannot be started.
    pub fn start(group: &str, stream: &str, s3: &S3Settings) -> std::io::Result<Self> {
        let network = Network::start()?;
        let aws = Aws::new(Arc::new(Stores::new(s3.clone(), network.handle().clone())));
        let (events, waiting) = mpsc::channel(WAITING);
        let dropped = Arc::new(AtomicU64::new(0));
        let place = (group.to_owned(), stream.replace([':', '*'], "_"));
        let sending = network.handle().spawn(send(aws, place, waiting, Arc::clone(&dropped)));
        Ok(LogStream { events, sending, dropped, _network: network })
    }

    /// Sends a line, when its turn comes.
    pub fn add(&self, line: &str) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut end = line.len().min(OF_ONE);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        let event = (u64::try_from(now.as_millis()).unwrap_or(u64::MAX), line[..end].to_owned());
        if self.events.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends the rest, and waits a while for it. Returns how many events were dropped.
    pub async fn close(self) -> u64 {
        drop(self.events);
        if timeout(ANSWER_WITHIN, self.sending).await.is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        self.dropped.load(Ordering::Relaxed)
    }
}

async fn send(aws: Aws, place: (String, String), mut events: mpsc::Receiver<(u64, String)>, dropped: Arc<AtomicU64>) {
    let (group, stream) = place;
    let mut told = false;
    let mut made = false;
    while let Some(first) = events.recv().await {
        let batch = gathered(first, &mut events).await;
        let call = async {
            if !made {
                aws.create_log_stream(&group, &stream).await?;
                made = true;
            }
            aws.put_log_events(&group, &stream, &batch).await
        };
        let why = match timeout(ANSWER_WITHIN, call).await {
            Ok(Ok(())) => continue,
            Ok(Err(failed)) => failed.to_string(),
            Err(_) => "it does not answer".to_owned(),
        };
        dropped.fetch_add(batch.len() as u64, Ordering::Relaxed);
        if !std::mem::replace(&mut told, true) {
            tracing::warn!(
                error = why,
                group,
                "CloudWatch Logs does not take the job's events; the job goes on without"
            );
        }
    }
}

/// An event, and those that come soon after it.
async fn gathered(first: (u64, String), events: &mut mpsc::Receiver<(u64, String)>) -> Vec<(u64, String)> {
    let mut bytes = first.1.len();
    let mut batch = vec![first];
    let more = async {
        while batch.len() < EVENTS && bytes < BYTES - OF_ONE {
            let Some(event) = events.recv().await else { return };
            bytes += event.1.len();
            batch.push(event);
        }
    };
    let _ = timeout(GATHER, more).await; // what came is enough
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_has_the_events_of_a_moment_and_not_too_many() {
        let (sender, mut events) = mpsc::channel(WAITING);
        for number in 0..5 {
            sender.send((number, "x".repeat(OF_ONE))).await.unwrap();
        }
        let first = events.recv().await.unwrap();
        let batch = gathered(first, &mut events).await;
        assert!((2..5).contains(&batch.len()), "{}", batch.len());
        let sizes: usize = batch.iter().map(|(_, line)| line.len()).sum();
        assert!(sizes <= BYTES, "{sizes}");
        let first = events.recv().await.unwrap();
        let batch = gathered(first, &mut events).await; // nothing comes any more, and the time passes
        assert_eq!(batch.last().unwrap().0, 4);
    }
}
