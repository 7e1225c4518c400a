//! Publishes a job's numbers to CloudWatch, under the names that the Python job had. A job never waits for it and never fails by
//! it: what cannot be sent is dropped and counted.

mod calls;
mod glue;
mod logs;
mod metrics;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::progress::Progress;
use crate::io::aws::Aws;
use crate::io::stores::Stores;
use crate::network::Network;
use calls::Calls;
use glue::GlueMeter;
pub(super) use logs::LogStream;
use metrics::{Datum, Meter};

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
    /// What calls run on.
    _network: Option<Network>,
}

#[derive(Debug)]
enum Out {
    Calls(Calls),
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
        let (out, network) = if settings.emf {
            (Out::Lines, None)
        } else {
            let network = Network::start()?;
            let aws = Arc::new(Aws::new(Arc::new(Stores::new(s3.clone(), network.handle().clone()))));
            let post = move |call: String| {
                let aws = Arc::clone(&aws);
                async move { aws.put_metric_data(call).await }
            };
            (Out::Calls(Calls::start(network.handle(), post)), Some(network))
        };
        let last = Instant::now();
        Ok(Some(Publisher { meter, glue, interval: settings.interval, last, out, _network: network }))
    }

    /// Publishes what has changed, when it is time.
    pub fn observe(&mut self, progress: &Progress) {
        if let Some(glue) = &mut self.glue {
            glue.see(progress);
        }
        if self.last.elapsed() >= self.interval {
            self.publish(progress);
        }
    }

    /// Publishes the rest, and waits a while until it is sent. Returns how many calls were dropped.
    pub async fn close(mut self, progress: &Progress) -> u64 {
        self.publish(progress);
        match self.out {
            Out::Calls(calls) => calls.close().await,
            Out::Lines => 0,
        }
    }

    fn publish(&mut self, progress: &Progress) {
        let took = self.last.elapsed();
        self.last = Instant::now();
        let now = SystemTime::now();
        if let Some((namespace, meter)) = &mut self.meter {
            self.out.put(namespace, &meter.read(progress, took), now);
        }
        if let Some(glue) = &mut self.glue {
            self.out.put(glue::NAMESPACE, &glue.read(progress, took), now);
        }
    }
}

impl Out {
    fn put(&mut self, namespace: &str, data: &[Datum], now: SystemTime) {
        match self {
            Out::Calls(calls) => calls.add(metrics::call(namespace, data, now)),
            Out::Lines => print(&metrics::emf(namespace, data, now)),
        }
    }
}

#[expect(clippy::print_stdout, reason = "standard output is where the format is read")]
fn print(lines: &[String]) {
    lines.iter().for_each(|line| println!("{line}"));
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::runtime::Handle;

    use super::calls::{ANSWER_WITHIN, FLUSH_WITHIN, WAITING};
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// CloudWatch, which answers or does not, and has the records of the calls that it took.
    #[derive(Clone, Default)]
    struct Endpoint {
        answers: Arc<AtomicBool>,
        taken: Arc<Mutex<Vec<u64>>>,
    }

    impl Endpoint {
        fn taken(&self) -> Vec<u64> {
            self.taken.lock().unwrap().clone()
        }

        fn publisher(&self) -> Publisher {
            let endpoint = self.clone();
            let post = move |call: String| {
                let endpoint = endpoint.clone();
                async move {
                    if !endpoint.answers.load(Ordering::Relaxed) {
                        std::future::pending::<()>().await;
                    }
                    endpoint.taken.lock().unwrap().push(records(&call));
                    Ok(())
                }
            };
            let out = Out::Calls(Calls::start(&Handle::current(), post));
            let meter = Some(("SparkProcessing".to_owned(), Meter::new("nightly")));
            Publisher { meter, glue: None, interval: SECOND, last: Instant::now(), out, _network: None }
        }
    }

    /// The ProcessedRecords of a call, which tell it from others: in the second n there are n more.
    fn records(call: &str) -> u64 {
        let (_, behind) = call.split_once("MetricName=ProcessedRecords&MetricData.member.1.Value=").unwrap();
        behind.split('&').next().unwrap().parse().unwrap()
    }

    fn progress(second: u64) -> Progress {
        Progress { records: second * (second + 1) / 2, ..Progress::default() }
    }

    /// Lets these seconds pass; the job's side takes none of them.
    async fn observe(publisher: &mut Publisher, seconds: std::ops::RangeInclusive<u64>) {
        for second in seconds {
            tokio::time::sleep(SECOND).await;
            let before = Instant::now();
            publisher.observe(&progress(second));
            assert_eq!(before.elapsed(), Duration::ZERO, "second {second}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_cloudwatch_that_never_answers_holds_up_nothing_but_the_end_for_a_moment() {
        let endpoint = Endpoint::default();
        let mut publisher = endpoint.publisher();
        observe(&mut publisher, 1..=60).await;
        let before = Instant::now();
        assert_eq!(publisher.close(&progress(61)).await, 61, "all calls were dropped");
        assert_eq!((before.elapsed(), endpoint.taken()), (FLUSH_WITHIN, vec![]));
    }

    #[tokio::test(start_paused = true)]
    async fn of_calls_that_wait_the_newest_arrive_when_cloudwatch_answers_again() {
        let endpoint = Endpoint::default();
        let mut publisher = endpoint.publisher();
        observe(&mut publisher, 1..=60).await;
        endpoint.answers.store(true, Ordering::Relaxed);
        // The one that is on its way is given up.
        tokio::time::sleep(ANSWER_WITHIN).await;
        let newest = 60 - WAITING as u64 + 1..=60;
        assert_eq!(endpoint.taken(), newest.clone().collect::<Vec<_>>());
        observe(&mut publisher, 61..=65).await;
        let dropped = publisher.close(&progress(66)).await;
        assert_eq!(endpoint.taken(), (*newest.start()..=66).collect::<Vec<_>>(), "what comes later arrives too");
        assert_eq!(dropped, newest.start() - 1);
    }
}
