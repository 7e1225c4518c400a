//! An API to call: deterministic answers, latency, faults and a limit of its own on demand, and a count of what arrived.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use super::arrivals::{Arrivals, OwnLimit, Stats, Welcome};

/// How the API behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct MockApiOptions {
    /// Time from a request to its reply.
    pub latency: Duration,
    /// Of 100 requests this many fail with status 500, spread evenly over the order of arrival.
    pub fail_percent: u8,
    /// Of 100 requests the connection of this many breaks in the midst of the reply, spread likewise.
    pub reset_percent: u8,
    /// What arrives above it is answered with 429 and `Retry-After`, at once.
    pub limit: Option<OwnLimit>,
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
    arrivals: Mutex<Arrivals>,
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
        let arrivals = Mutex::new(Arrivals::new(options.limit));
        let shared = Arc::new(Shared { options, arrivals });
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
        self.shared.arrivals().stats()
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
    fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn call(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let key = headers.get("idempotency-key").map(HeaderValue::as_bytes);
    let welcome = shared.arrivals().arrive(key, Instant::now());
    let number = match welcome {
        Welcome::Number(number) => number,
        Welcome::After(seconds) => {
            return (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds.to_string())]).into_response();
        }
    };
    tokio::time::sleep(shared.options.latency).await;
    if is_due(number + 2, shared.options.reset_percent) {
        let broken = futures::stream::iter([Ok(Bytes::from_static(b"{")), Err(io::Error::other("reset"))]);
        return Body::from_stream(broken).into_response();
    }
    if is_due(number, shared.options.fail_percent) {
        return (StatusCode::INTERNAL_SERVER_ERROR, "out of order").into_response();
    }
    match serde_json::from_slice::<Records>(&body) {
        Ok(Records::One(record)) => {
            shared.arrivals().records += 1;
            let status = if acceptable(&record) { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            (status, answer_or_error(&record).to_string()).into_response()
        }
        Ok(Records::Many(records)) => {
            shared.arrivals().records += records.len();
            Value::from_iter(records.iter().map(answer_or_error)).to_string().into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// Whether the request of this number is one of so many in a hundred.
fn is_due(number: usize, percent: u8) -> bool {
    let percent = usize::from(percent);
    number * percent / 100 > (number - 1) * percent / 100
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
    serde_json::to_string(&shared.arrivals().stats()).unwrap_or_default()
}

async fn reset(State(shared): State<Arc<Shared>>) {
    *shared.arrivals() = Arrivals::new(shared.options.limit);
}
