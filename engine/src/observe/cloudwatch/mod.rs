//! Publishes a job's numbers to CloudWatch, under the names that the Python job had. A job never waits for it and never fails by
//! it: what cannot be sent is dropped and counted.

mod metrics;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::progress::Progress;
use crate::io::aws::Aws;
use crate::io::stores::Stores;
use crate::network::Network;
use metrics::Meter;

/// Calls that wait to be sent.
const WAITING: usize = 16;
/// How long the last ones may take in the end.
const FLUSH_WITHIN: Duration = Duration::from_secs(10);
/// How long CloudWatch may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Whether and how numbers are published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudWatchSettings {
    /// The namespace; `None` for nowhere.
    pub namespace: Option<String>,
    /// How often.
    pub interval: Duration,
    /// To standard output in CloudWatch's embedded metric format, instead of calls.
    pub emf: bool,
}

impl Default for CloudWatchSettings {
    fn default() -> Self {
        CloudWatchSettings { namespace: None, interval: Duration::from_secs(20), emf: false }
    }
}

/// Publishes the numbers of one job.
#[derive(Debug)]
pub struct Publisher {
    meter: Meter,
    interval: Duration,
    last: Instant,
    out: Out,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Out {
    Calls { calls: mpsc::Sender<String>, sending: JoinHandle<()>, namespace: String, _network: Network },
    Lines { namespace: String },
}

impl Publisher {
    /// Publishes for a job called `job`, where the settings say so.
    ///
    /// # Errors
    /// The threads for its traffic cannot be started.
    pub fn start(
        settings: &CloudWatchSettings,
        job: &str,
        s3: &crate::io::s3::S3Settings,
    ) -> std::io::Result<Option<Self>> {
        let Some(namespace) = settings.namespace.clone() else { return Ok(None) };
        let dropped = Arc::new(AtomicU64::new(0));
        let out = if settings.emf {
            Out::Lines { namespace }
        } else {
            let network = Network::start()?;
            let (calls, waiting) = mpsc::channel(WAITING);
            let aws = Aws::new(Arc::new(Stores::new(s3.clone(), network.handle().clone())));
            let sending = network.handle().spawn(send(aws, waiting, Arc::clone(&dropped)));
            Out::Calls { calls, sending, namespace, _network: network }
        };
        let (meter, last) = (Meter::new(job), Instant::now());
        Ok(Some(Publisher { meter, interval: settings.interval, last, out, dropped }))
    }

    /// Publishes what has changed, when it is time.
    pub fn observe(&mut self, progress: &Progress) {
        if self.last.elapsed() >= self.interval {
            self.publish(progress);
        }
    }

    /// Publishes the rest, and waits a while until it is sent. Returns how many calls were dropped.
    pub async fn close(mut self, progress: &Progress) -> u64 {
        self.publish(progress);
        if let Out::Calls { calls, sending, .. } = self.out {
            drop(calls);
            if tokio::time::timeout(FLUSH_WITHIN, sending).await.is_err() {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.dropped.load(Ordering::Relaxed)
    }

    fn publish(&mut self, progress: &Progress) {
        let took = self.last.elapsed();
        self.last = Instant::now();
        let data = self.meter.read(progress, took);
        let now = SystemTime::now();
        match &self.out {
            Out::Calls { calls, namespace, .. } => {
                if calls.try_send(metrics::call(namespace, &data, now)).is_err() {
                    self.dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
            Out::Lines { namespace } => print(&metrics::emf(namespace, &data, now)),
        }
    }
}

#[expect(clippy::print_stdout, reason = "standard output is where the format is read")]
fn print(lines: &[String]) {
    lines.iter().for_each(|line| println!("{line}"));
}

async fn send(aws: Aws, mut calls: mpsc::Receiver<String>, dropped: Arc<AtomicU64>) {
    let mut told = false;
    while let Some(call) = calls.recv().await {
        let sent = tokio::time::timeout(ANSWER_WITHIN, aws.put_metric_data(call)).await;
        let why = match sent {
            Ok(Ok(())) => continue,
            Ok(Err(why)) => why,
            Err(_) => "it does not answer".to_owned(),
        };
        dropped.fetch_add(1, Ordering::Relaxed);
        if !std::mem::replace(&mut told, true) {
            tracing::warn!(error = why, "CloudWatch does not take the job's metrics; the job goes on without them");
        }
    }
}
