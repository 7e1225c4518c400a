//! An API to call: deterministic answers, latency and faults on demand, and a log of what arrived when.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// How the API behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct MockApiOptions {
    /// Time from a request to its reply.
    pub latency: Duration,
    /// Of 100 requests this many fail with status 500, spread evenly over the order of arrival.
    pub fail_percent: u8,
}

/// A running API on threads of its own; it ends when this is dropped.
#[derive(Debug)]
pub struct MockApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

#[derive(Debug)]
struct Shared {
    options: MockApiOptions,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    arrivals: Vec<Instant>,
    records: usize,
}

/// What arrived.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Stats {
    /// Requests to the API itself.
    pub requests: usize,
    /// Records in them.
    pub records: usize,
    /// Requests per second from the first to the last.
    pub requests_per_s: f64,
    /// Most requests in any sliding second.
    pub worst_second: usize,
}

impl MockApi {
    /// Serves on `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub fn start(address: SocketAddr, options: MockApiOptions) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("mock-api").enable_all().build()?;
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = {
            let _runtime = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let shared = Arc::new(Shared { options, log: Mutex::default() });
        let router = Router::new()
            .route("/stats", get(stats))
            .route("/reset", post(reset))
            .fallback(call)
            .with_state(Arc::clone(&shared));
        let listener = listener.tap_io(|socket| {
            socket.set_nodelay(true).ok();
        });
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(MockApi { address, shared, runtime: Some(runtime) })
    }

    /// Where it is called.
    pub fn url(&self) -> String {
        format!("http://{}/process", self.address)
    }

    /// What arrived so far.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

impl Drop for MockApi {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What the API answers to a record: a score between 0 and 1 that depends on every key and value, and nothing else.
pub fn answer(record: &Map<String, Value>) -> Value {
    let mut pairs: Vec<_> = record.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.sort_unstable();
    // FNV-1a, 64 bits: the same on every machine and in every version.
    let hash = pairs
        .join("\n")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    json!({"status": "ok", "score": (hash % 10_000) as f64 / 10_000.0})
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stats(&self) -> Stats {
        let (arrivals, records) = {
            let log = self.log();
            (log.arrivals.clone(), log.records)
        };
        let span = arrivals.first().zip(arrivals.last()).map_or(Duration::ZERO, |(first, last)| *last - *first);
        let gaps = arrivals.len().saturating_sub(1) as f64;
        let requests_per_s = if span.is_zero() { 0.0 } else { gaps / span.as_secs_f64() };
        Stats { requests: arrivals.len(), records, requests_per_s, worst_second: worst_second(&arrivals) }
    }
}

fn worst_second(arrivals: &[Instant]) -> usize {
    let (mut start, mut worst) = (0, 0);
    for (end, arrival) in arrivals.iter().enumerate() {
        while *arrival - arrivals[start] >= Duration::from_secs(1) {
            start += 1;
        }
        worst = worst.max(end - start + 1);
    }
    worst
}

async fn call(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let number = {
        let mut log = shared.log();
        log.arrivals.push(Instant::now());
        log.arrivals.len()
    };
    tokio::time::sleep(shared.options.latency).await;
    let percent = usize::from(shared.options.fail_percent);
    if number * percent / 100 > (number - 1) * percent / 100 {
        return (StatusCode::INTERNAL_SERVER_ERROR, "out of order").into_response();
    }
    match serde_json::from_slice::<Records>(&body) {
        Ok(Records::One(record)) => {
            shared.log().records += 1;
            let status = if acceptable(&record) { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            (status, answer_or_error(&record).to_string()).into_response()
        }
        Ok(Records::Many(records)) => {
            shared.log().records += records.len();
            Value::from_iter(records.iter().map(answer_or_error)).to_string().into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// A request of either format.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Records {
    One(Map<String, Value>),
    Many(Vec<Map<String, Value>>),
}

/// As a real API would, it refuses what it cannot work with.
fn acceptable(record: &Map<String, Value>) -> bool {
    !record.get("email").is_some_and(Value::is_null)
}

fn answer_or_error(record: &Map<String, Value>) -> Value {
    if acceptable(record) { answer(record) } else { json!({"error": "email is required"}) }
}

async fn stats(State(shared): State<Arc<Shared>>) -> String {
    serde_json::to_string(&shared.stats()).unwrap_or_default()
}

async fn reset(State(shared): State<Arc<Shared>>) {
    *shared.log() = Log::default();
}
