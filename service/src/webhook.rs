//! Tells a webhook of changes of state, in the form of the events that AWS Glue sends to EventBridge. Jobs never wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use url::Url;

use crate::clock;
use crate::run::{Run, State};

/// Events that wait to be sent.
const WAITING: usize = 1000;
/// How long an answer is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Pauses before the second, third and fourth try.
const AGAIN_AFTER: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30)];

/// The way to a webhook.
#[derive(Clone, Debug)]
pub struct Webhook {
    events: mpsc::Sender<Value>,
    lost: Arc<AtomicU64>,
}

impl Webhook {
    /// Sends to `url` from now on.
    ///
    /// # Errors
    /// There is no HTTP client, as where the system's certificates cannot be read.
    pub fn start(url: Url) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().timeout(ANSWER_WITHIN).build()?;
        let (events, waiting) = mpsc::channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        tokio::spawn(send_all(client, url, waiting, Arc::clone(&lost)));
        Ok(Webhook { events, lost })
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
        if self.events.try_send(event(kind, run, clock::now_ms())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(job = run.id, "the webhook is too slow; an event is lost");
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

async fn send_all(client: reqwest::Client, url: Url, mut events: mpsc::Receiver<Value>, lost: Arc<AtomicU64>) {
    while let Some(event) = events.recv().await {
        let body = event.to_string();
        let mut pauses = AGAIN_AFTER.into_iter();
        loop {
            let request = client.post(url.clone()).header("content-type", "application/json").body(body.clone());
            let why = match request.send().await {
                Ok(reply) if reply.status().is_success() => break,
                // Saying the same again would not help.
                Ok(reply) if reply.status().is_client_error() && reply.status() != 429 => {
                    lost.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(status = reply.status().as_u16(), "the webhook refuses an event; it is lost");
                    break;
                }
                Ok(reply) => reply.status().to_string(),
                Err(error) => error.without_url().to_string(),
            };
            let Some(pause) = pauses.next() else {
                lost.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(error = why, "the webhook does not answer; an event is lost");
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
