//! Tells a webhook, and a topic of AWS SNS, of changes of state, in the form of the events that AWS Glue sends to EventBridge. Jobs
//! never wait for them: events wait in the store, with the change that they tell of, until they were taken. Who was killed in between
//! sends them again, under the same id.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use paceline_engine::io::aws::Aws;
use paceline_engine::io::s3::S3Settings;
use paceline_engine::io::stores::Stores;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::ServiceError;
use crate::clock;
use crate::outbox::Unsent;
use crate::run::{Run, State};
use crate::store::Store;

/// The header that names an event, the same each time that it is sent, as Standard Webhooks have it.
const ID: &str = "webhook-id";
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

/// Those who are told. When this is dropped they are told no more, and what waits stays in the store.
#[derive(Debug)]
pub struct Webhook {
    tellers: Vec<Teller>,
    lost: Arc<AtomicU64>,
}

/// Who tells one of them.
#[derive(Debug)]
struct Teller {
    to: &'static str,
    /// There may be an event for it.
    more: Arc<Notify>,
    _sending: AbortOnDropHandle<()>,
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
    /// Tells these from now on, first of what waits in the store; `None` where there is nobody. A topic is called in the name that S3
    /// is asked in.
    ///
    /// # Errors
    /// There is no HTTP client, as where the system's certificates cannot be read, or the topic is none.
    pub fn start(told: Told, s3: &S3Settings, store: &Arc<Store>) -> Result<Option<Self>, ServiceError> {
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
        let open = |way: Way| {
            let (to, more) = (way.to(), Arc::new(Notify::new()));
            let sending = send_all(way, Arc::clone(store), Arc::clone(&more), Arc::clone(&lost));
            Teller { to, more, _sending: AbortOnDropHandle::new(tokio::spawn(sending)) }
        };
        Ok(Some(Webhook { tellers: ways.into_iter().map(open).collect(), lost }))
    }

    /// What is to be told of a run that has come to a state.
    pub fn changed(&self, run: &Run) -> Vec<Unsent> {
        self.unsent("Paceline Job State Change", run)
    }

    /// What is to be told of a run that takes longer than it was expected to.
    pub fn late(&self, run: &Run) -> Vec<Unsent> {
        self.unsent("Paceline Job Run Status", run)
    }

    /// There are events in the store; for so many there was no room.
    pub fn go_on(&self, lost: usize) {
        if lost > 0 {
            self.lost.fetch_add(lost as u64, Ordering::Relaxed);
            tracing::warn!(lost, "who is told of jobs is too slow; events are lost");
        }
        self.tellers.iter().for_each(|teller| teller.more.notify_one());
    }

    /// Events that could not be told.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn unsent(&self, kind: &str, run: &Run) -> Vec<Unsent> {
        let event = event(kind, run, clock::now_ms()).to_string();
        self.tellers.iter().map(|teller| Unsent { to: teller.to, event: event.clone() }).collect()
    }
}

impl Way {
    /// Its name in the store.
    fn to(&self) -> &'static str {
        match self {
            Way::Http(..) => "webhook",
            Way::Topic(..) => "topic",
        }
    }

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
                let request = client.post(url.clone()).header("content-type", "application/json");
                let request = request.header(ID, event["id"].as_str().unwrap_or_default());
                match request.body(body).send().await {
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

/// Sends what waits in the store, one event after the other.
async fn send_all(way: Way, store: Arc<Store>, more: Arc<Notify>, lost: Arc<AtomicU64>) {
    let (to, mut last) = (way.to(), 0);
    loop {
        let next = ask(&store, move |store| store.unsent(to, last)).await;
        let Some((number, event)) = next.flatten() else {
            more.notified().await;
            continue;
        };
        let sent = match serde_json::from_str(&event) {
            Ok(event) => send(&way, &event).await,
            Err(error) => Err(format!("it is damaged: {error}")),
        };
        if let Err(error) = sent {
            lost.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(error, "{} does not take an event; it is lost", way.name());
        }
        // Where that cannot be kept, the event is sent again by the next process.
        ask(&store, move |store| store.sent(to, number)).await;
        last = number;
    }
}

/// Sends an event until it is taken, or there is no use in it any more.
async fn send(way: &Way, event: &Value) -> Result<(), String> {
    let mut pauses = AGAIN_AFTER.into_iter();
    while let Err(NotTaken { why, again }) = way.send(event).await {
        let Some(pause) = pauses.next().filter(|_| again) else { return Err(why) };
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// What the store says, outside of the runtime's threads; `None` where it fails.
async fn ask<T: Send + 'static>(
    store: &Arc<Store>,
    ask: impl FnOnce(&Store) -> Result<T, ServiceError> + Send + 'static,
) -> Option<T> {
    let store = Arc::clone(store);
    let said = tokio::task::spawn_blocking(move || ask(&store)).await;
    let said = said.unwrap_or_else(|error| Err(ServiceError::Internal(error.to_string())));
    said.inspect_err(|error| tracing::error!(%error, "who is told of jobs")).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use axum::Router;
    use axum::body::Bytes;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::post;
    use paceline_engine::Settings;
    use tokio::net::TcpListener;
    use tokio::sync::{mpsc, oneshot};

    use super::*;
    use crate::run::Kind;
    use crate::service::{JobService, ServiceOptions};

    /// An event that came, and the way to say whether it is taken.
    struct Came {
        id: String,
        event: Value,
        answer: oneshot::Sender<StatusCode>,
    }

    impl Came {
        fn taken(self) -> (String, Value) {
            self.answer.send(StatusCode::NO_CONTENT).unwrap();
            (self.id, self.event)
        }

        fn state(&self) -> &str {
            self.event["detail"]["state"].as_str().unwrap()
        }
    }

    /// The place of somebody who is told, and what comes there.
    async fn receiver() -> (Url, mpsc::UnboundedReceiver<Came>) {
        let (came, comes) = mpsc::unbounded_channel();
        let take = move |headers: HeaderMap, body: Bytes| {
            let came = came.clone();
            async move {
                let (answer, answered) = oneshot::channel();
                let id = headers[ID].to_str().unwrap().to_owned();
                came.send(Came { id, event: serde_json::from_slice(&body).unwrap(), answer }).unwrap();
                answered.await.unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(take))).await });
        (url, comes)
    }

    /// A service that has room for no run, and tells of each that it waits.
    fn service(folder: &Path, url: &Url) -> (JobService, impl Future<Output = ()> + use<>) {
        let options = ServiceOptions {
            folder: folder.to_owned(),
            settings: Settings::default(),
            cluster: None,
            most_at_once: 0,
            told: Told { webhook: Some(url.clone()), topic: None },
            dpus: 1.0,
        };
        JobService::start(options, std::future::pending()).unwrap()
    }

    /// Ends a service amid what it does, as a kill would.
    async fn kill(service: JobService) {
        let webhook = Arc::into_inner(service.0).unwrap().webhook.unwrap();
        for teller in webhook.tellers {
            teller._sending.abort();
            assert!(teller._sending.await.unwrap_err().is_cancelled());
        }
    }

    /// Has a run submitted, and cancelled if that is wanted.
    async fn submitted(service: &JobService, work: impl Future<Output = ()>, cancelled: bool) -> Arc<Run> {
        let run = async {
            let run = service.submit(serde_json::from_str(r#"{"sql":"SELECT 1"}"#).unwrap()).await.unwrap();
            if cancelled { service.cancel(&run.id).await.unwrap() } else { run }
        };
        tokio::select! {
            run = run => run,
            () = work => panic!("the service ended"),
        }
    }

    #[tokio::test]
    async fn an_event_that_was_on_its_way_when_the_service_was_killed_comes_again_as_the_same() {
        let (folder, (url, mut comes)) = (tempfile::tempdir().unwrap(), receiver().await);
        let (killed, work) = service(folder.path(), &url);
        let run = submitted(&killed, work, false).await;
        let first = comes.recv().await.unwrap();
        assert_eq!((first.state(), &first.event["id"]), ("WAITING", &json!(first.id)));
        kill(killed).await;

        let (again, work) = service(folder.path(), &url);
        assert_eq!(again.get(&run.id).unwrap(), run);
        let second = comes.recv().await.unwrap();
        assert_eq!(second.taken(), (first.id, first.event));
        let cancelled = async { again.cancel(&run.id).await.unwrap() };
        tokio::select! {
            run = cancelled => assert_eq!(run.state, State::Stopped),
            () = work => panic!("the service ended"),
        }
        assert_eq!(comes.recv().await.unwrap().state(), "STOPPED", "once is enough");
    }

    #[tokio::test]
    async fn an_event_that_was_taken_does_not_come_again() {
        let (folder, (url, mut comes)) = (tempfile::tempdir().unwrap(), receiver().await);
        let (killed, work) = service(folder.path(), &url);
        submitted(&killed, work, true).await;
        let first = comes.recv().await.unwrap();
        assert_eq!(first.state(), "WAITING");
        let (first, _) = first.taken();
        let second = comes.recv().await.unwrap();
        assert_eq!((second.state(), second.id == first), ("STOPPED", false));
        kill(killed).await;
        let (_again, _work) = service(folder.path(), &url);
        assert_eq!(comes.recv().await.unwrap().id, second.id);
    }

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
