//! Publishes a job's numbers to CloudWatch, under the names that the Python job had. A job never waits for it and never fails by
//! it: what cannot be sent is dropped and counted.

mod glue;
mod logs;
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
use glue::GlueMeter;
pub(super) use logs::LogStream;
use metrics::{Datum, Meter};

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
    /// Whether there are Glue's names too, in Glue's namespace.
    pub glue: bool,
    /// The log group that events go to; `None` for nowhere.
    pub log_group: Option<String>,
}

impl Default for CloudWatchSettings {
    fn default() -> Self {
        CloudWatchSettings {
            namespace: None,
            interval: Duration::from_secs(20),
            emf: false,
            glue: false,
            log_group: None,
        }
    }
}

/// Publishes the numbers of one job.
#[derive(Debug)]
pub struct Publisher {
    meter: Option<(String, Meter)>,
    glue: Option<GlueMeter>,
    interval: Duration,
    last: Instant,
    out: Out,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Out {
    Calls { calls: mpsc::Sender<String>, sending: JoinHandle<()>, _network: Network },
    Lines,
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
        let meter = settings.namespace.clone().map(|namespace| (namespace, Meter::new(job)));
        let glue = settings.glue.then(|| GlueMeter::new(job, s3.counters.clone()));
        if meter.is_none() && glue.is_none() {
            return Ok(None);
        }
        let dropped = Arc::new(AtomicU64::new(0));
        let out = if settings.emf {
            Out::Lines
        } else {
            let network = Network::start()?;
            let (calls, waiting) = mpsc::channel(WAITING);
            let aws = Aws::new(Arc::new(Stores::new(s3.clone(), network.handle().clone())));
            let sending = network.handle().spawn(send(aws, waiting, Arc::clone(&dropped)));
            Out::Calls { calls, sending, _network: network }
        };
        let last = Instant::now();
        Ok(Some(Publisher { meter, glue, interval: settings.interval, last, out, dropped }))
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
        let now = SystemTime::now();
        if let Some((namespace, meter)) = &mut self.meter {
            let data = meter.read(progress, took);
            self.out.put(namespace, &data, now, &self.dropped);
        }
        if let Some(glue) = &mut self.glue {
            self.out.put(glue::NAMESPACE, &glue.read(progress, took), now, &self.dropped);
        }
    }
}

impl Out {
    fn put(&self, namespace: &str, data: &[Datum], now: SystemTime, dropped: &AtomicU64) {
        match self {
            Out::Calls { calls, .. } => {
                if calls.try_send(metrics::call(namespace, data, now)).is_err() {
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
            Out::Lines => print(&metrics::emf(namespace, data, now)),
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
            Ok(Err(failed)) => failed.to_string(),
            Err(_) => "it does not answer".to_owned(),
        };
        dropped.fetch_add(1, Ordering::Relaxed);
        if !std::mem::replace(&mut told, true) {
            tracing::warn!(error = why, "CloudWatch does not take the job's metrics; the job goes on without them");
        }
    }
}
