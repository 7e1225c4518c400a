//! Tells a webhook, and a topic of AWS SNS, of changes of state, in the form of the events that AWS Glue sends to EventBridge. Jobs
//! never wait for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use paceline_engine::io::aws::Aws;
use paceline_engine::io::s3::S3Settings;
use paceline_engine::io::stores::Stores;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use url::Url;

use crate::ServiceError;
use crate::clock;
use crate::run::{Run, State};

/// Events that wait to be sent.
const WAITING: usize = 1000;
/// How long an answer is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Pauses before the second, third and fourth try.
const AGAIN_AFTER: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30)];

/// Who is told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// By a POST of JSON.
    pub webhook: Option<Url>,
    /// The ARN of a topic of SNS.
    pub topic: Option<String>,
}

/// The ways to those who are told.
#[derive(Clone, Debug)]
pub struct Webhook {
    events: Vec<mpsc::Sender<Value>>,
    lost: Arc<AtomicU64>,
}

/// A way to one of them.
enum Way {
    Http(reqwest::Client, Url),
    Topic(Aws, String),
}

/// An event was not taken.
struct NotTaken {
    why: String,
    /// Whether it may be another time.
    again: bool,
}

impl Webhook {
    /// Tells these from now on; `None` where there is nobody. A topic is called in the name that S3 is asked in.
    ///
    /// # Errors
    /// There is no HTTP client, as where the system's certificates cannot be read, or the topic is none.
    pub fn start(told: Told, s3: &S3Settings) -> Result<Option<Self>, ServiceError> {
        let Told { webhook, topic } = told;
        let mut ways = Vec::new();
        if let Some(url) = webhook {
            let no_client = |error| ServiceError::Invalid(format!("the webhook cannot be used: {error}"));
            let client = reqwest::Client::builder().timeout(ANSWER_WITHIN).build().map_err(no_client)?;
            ways.push(Way::Http(client, url));
        }
        if let Some(topic) = topic {
            if !topic.starts_with("arn:") || !topic.contains(":sns:") {
                let wanted = "the ARN of a topic of SNS, as arn:aws:sns:eu-central-1:123456789012:jobs";
                return Err(ServiceError::Invalid(format!("'{topic}' is no topic; expected {wanted}")));
            }
            let stores = Stores::new(s3.clone(), Handle::current());
            ways.push(Way::Topic(Aws::new(Arc::new(stores)), topic));
        }
        if ways.is_empty() {
            return Ok(None);
        }
        let lost = Arc::new(AtomicU64::new(0));
        let open = |way| {
            let (events, waiting) = mpsc::channel(WAITING);
            tokio::spawn(send_all(way, waiting, Arc::clone(&lost)));
            events
        };
        Ok(Some(Webhook { events: ways.into_iter().map(open).collect(), lost }))
    }

    /// The run has come to a state.
    pub fn changed(&self, run: &Run) {
        self.send("Paceline Job State Change", run);
    }

    /// The run takes longer than it was expected to.
    pub fn late(&self, run: &Run) {
        self.send("Paceline Job Run Status", run);
    }

    /// Events that could not be told.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn send(&self, kind: &str, run: &Run) {
        let event = event(kind, run, clock::now_ms());
        for events in &self.events {
            if events.try_send(event.clone()).is_err() {
                self.lost.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(job = run.id, "who is told of jobs is too slow; an event is lost");
            }
        }
    }
}

impl Way {
    fn name(&self) -> &'static str {
        match self {
            Way::Http(..) => "the webhook",
            Way::Topic(..) => "the topic of SNS",
        }
    }

    async fn send(&self, event: &Value) -> Result<(), NotTaken> {
        let body = event.to_string();
        match self {
            Way::Http(client, url) => {
                let request = client.post(url.clone()).header("content-type", "application/json").body(body);
                match request.send().await {
                    Ok(reply) if reply.status().is_success() => Ok(()),
                    Ok(reply) => {
                        // Saying the same again would not help.
                        let refused = reply.status().is_client_error() && reply.status() != 429;
                        Err(NotTaken { why: reply.status().to_string(), again: !refused })
                    }
                    Err(error) => Err(NotTaken { why: error.without_url().to_string(), again: true }),
                }
            }
            Way::Topic(aws, topic) => {
                let text = |name: &str| event["detail"][name].as_str().unwrap_or_default();
                let subject = format!("{}: {}", text("jobName"), text("state"));
                let sent = aws.publish(topic, &subject, text("state"), &body);
                match tokio::time::timeout(ANSWER_WITHIN, sent).await {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(failed)) => Err(NotTaken { again: failed.may_pass(), why: failed.to_string() }),
                    Err(_) => Err(NotTaken { why: "it does not answer".to_owned(), again: true }),
                }
            }
        }
    }
}

fn event(kind: &str, run: &Run, now_ms: u64) -> Value {
    let severity = match run.state {
        State::Failed | State::Error => "ERROR",
        State::Timeout => "WARN",
        _ => "INFO",
    };
    json!({
        "version": "0",
        "id": uuid::Uuid::now_v7().to_string(),
        "detail-type": kind,
        "source": "paceline",
        "time": clock::text(now_ms),
        "detail": {
            "jobName": run.submission.job_name,
            "jobRunId": run.attempt_id(),
            "runName": run.submission.run_name,
            "state": run.state,
            "severity": severity,
            "message": run.error().unwrap_or_default(),
            "startedOn": run.started_ms().map(clock::text),
            "notifyDelayAfter": run.submission.notify_delay_after_s.filter(|_| run.late),
        },
    })
}

async fn send_all(way: Way, mut events: mpsc::Receiver<Value>, lost: Arc<AtomicU64>) {
    while let Some(event) = events.recv().await {
        let mut pauses = AGAIN_AFTER.into_iter();
        while let Err(NotTaken { why, again }) = way.send(&event).await {
            let Some(pause) = pauses.next().filter(|_| again) else {
                lost.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(error = why, "{} does not take an event; it is lost", way.name());
                break;
            };
            tokio::time::sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Kind;

    #[test]
    fn an_event_is_as_glue_s() {
        let submission = serde_json::from_str(r#"{"sql":"SELECT 1","job_name":"nightly"}"#).unwrap();
        let run = Run::new(1, Kind::Submitted, submission, 0).in_state(State::Starting, None, 1).unwrap();
        let run = run.in_state(State::Failed, Some("the input is gone".to_owned()), 2).unwrap();
        let event = event("Paceline Job State Change", &run, 1_700_000_000_000);
        assert_eq!(event["time"], "2023-11-14T22:13:20.000Z");
        let detail = &event["detail"];
        assert_eq!((&detail["jobName"], &detail["state"]), (&json!("nightly"), &json!("FAILED")));
        assert_eq!((&detail["severity"], &detail["message"]), (&json!("ERROR"), &json!("the input is gone")));
        assert_eq!(detail["jobRunId"], run.id);
    }
}
