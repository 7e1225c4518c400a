//! What requests to S3 come to: a connector around object_store's own that counts what passes, retries included.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use http::header::CONTENT_LENGTH;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, SpawnedReqwestConnector,
};
use prometheus::core::{Collector, Desc};
use prometheus::proto::{MetricFamily, MetricType};

use crate::observe::prometheus::{family, metric};

/// Methods that are told apart; the last stands for all others.
const METHODS: [&str; 6] = ["GET", "HEAD", "PUT", "POST", "DELETE", "other"];
/// How a request fails: it is refused, the store fails, or it is not reached.
const FAILURES: [&str; 3] = ["4xx", "5xx", "connection"];
/// Statuses that answer a question: not changed, not there, there already.
const ANSWERS: [u16; 4] = [304, 404, 409, 412];
const REQUESTS: (&str, &str) = ("paceline_s3_requests_total", "Requests to S3, retries included.");

/// What the requests to S3 of a process came to. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct S3Counters(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    requests: [AtomicU64; METHODS.len()],
    failed: [[AtomicU64; FAILURES.len()]; METHODS.len()],
    sent: AtomicU64,
    received: AtomicU64,
}

/// Connects as object_store does, and counts.
#[derive(Debug)]
pub(super) struct CountedConnector {
    inner: SpawnedReqwestConnector,
    counters: S3Counters,
}

#[derive(Debug)]
struct Counted {
    inner: HttpClient,
    counters: S3Counters,
}

impl CountedConnector {
    /// Counts what goes through `inner`.
    pub fn new(inner: SpawnedReqwestConnector, counters: S3Counters) -> Self {
        CountedConnector { inner, counters }
    }
}

impl HttpConnector for CountedConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = self.inner.connect(options)?;
        Ok(HttpClient::new(Counted { inner, counters: self.counters.clone() }))
    }
}

#[async_trait]
impl HttpService for Counted {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let method = place(request.method().as_str());
        let length = request.body().content_length() as u64;
        let answer = self.inner.execute(request).await;
        let status = answer.as_ref().map(|answer| answer.status().as_u16()).ok();
        let received = answer.as_ref().ok().and_then(|answer| answer.headers().get(CONTENT_LENGTH)?.to_str().ok());
        // What a HEAD names is not sent.
        let received = received.filter(|_| METHODS[method] != "HEAD").and_then(|length| length.parse().ok());
        self.counters.add(method, length, status, received.unwrap_or(0));
        answer
    }
}

fn place(method: &str) -> usize {
    METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1)
}

impl S3Counters {
    /// Bytes of bodies that came from S3, and of those that went there.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.0.received.load(Ordering::Relaxed), self.0.sent.load(Ordering::Relaxed))
    }

    /// Counts a request by the place of its method, with the bytes of its body, and what was answered.
    pub(crate) fn add(&self, method: usize, sent: u64, status: Option<u16>, received: u64) {
        let Counts { requests, failed, .. } = &*self.0;
        requests[method].fetch_add(1, Ordering::Relaxed);
        self.0.sent.fetch_add(sent, Ordering::Relaxed);
        self.0.received.fetch_add(received, Ordering::Relaxed);
        let failure = match status {
            Some(status) if status < 400 || ANSWERS.contains(&status) => return,
            Some(400..=499) => 0,
            Some(_) => 1,
            None => 2,
        };
        failed[method][failure].fetch_add(1, Ordering::Relaxed);
    }
}

impl Collector for S3Counters {
    /// A registry tells collectors apart by these.
    fn desc(&self) -> Vec<&Desc> {
        static DESCRIBED: std::sync::LazyLock<Option<Desc>> = std::sync::LazyLock::new(|| {
            Desc::new(REQUESTS.0.to_owned(), REQUESTS.1.to_owned(), vec!["method".to_owned()], HashMap::new()).ok()
        });
        DESCRIBED.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Counts { requests, failed, sent, received } = &*self.0;
        let kind = MetricType::COUNTER;
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed) as f64;
        let of_methods = METHODS.iter().zip(requests).map(|(method, n)| metric(&[("method", method)], read(n), kind));
        let failures = METHODS.iter().zip(failed).flat_map(|(method, of_method)| {
            let of =
                |(failure, n): (&&str, &AtomicU64)| metric(&[("method", method), ("failure", failure)], read(n), kind);
            FAILURES.iter().zip(of_method).map(of).collect::<Vec<_>>()
        });
        let whole = |name, help, n: &AtomicU64| family(name, help, kind, vec![metric(&[], read(n), kind)]);
        let help = "Requests to S3 that failed, by how: refused, failed there, or not reached. That something is not there is none.";
        vec![
            family(REQUESTS.0, REQUESTS.1, kind, of_methods.collect()),
            family("paceline_s3_errors_total", help, kind, failures.collect()),
            whole("paceline_s3_sent_bytes_total", "Bytes of bodies sent to S3.", sent),
            whole("paceline_s3_received_bytes_total", "Bytes of bodies that S3 announced in its answers.", received),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_told_from_what_was_answered() {
        let counters = S3Counters::default();
        for (method, status) in [("GET", Some(206)), ("GET", Some(404)), ("PUT", Some(412)), ("PUT", Some(403))] {
            counters.add(place(method), 10, status, 7);
        }
        counters.add(place("DELETE"), 0, Some(503), 0);
        counters.add(place("PATCH"), 0, None, 0);
        assert_eq!(counters.bytes(), (28, 40));
        let registry = prometheus::Registry::new();
        registry.register(Box::new(counters)).unwrap();
        let text = crate::observe::prometheus::text(&registry).unwrap();
        let some: Vec<_> = text.lines().filter(|line| !line.starts_with('#') && !line.ends_with(" 0")).collect();
        assert_eq!(
            some,
            [
                r#"paceline_s3_errors_total{method="DELETE",failure="5xx"} 1"#,
                r#"paceline_s3_errors_total{method="PUT",failure="4xx"} 1"#,
                r#"paceline_s3_errors_total{method="other",failure="connection"} 1"#,
                "paceline_s3_received_bytes_total 28",
                r#"paceline_s3_requests_total{method="DELETE"} 1"#,
                r#"paceline_s3_requests_total{method="GET"} 2"#,
                r#"paceline_s3_requests_total{method="PUT"} 2"#,
                r#"paceline_s3_requests_total{method="other"} 1"#,
                "paceline_s3_sent_bytes_total 40",
            ]
        );
    }
}
