//! Sends one request and reads the reply. The only file that knows reqwest.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};

use crate::spec::Options;

/// What came back, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The header `Retry-After` as it came.
    pub retry_after: Option<String>,
    /// The whole body.
    pub body: Bytes,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// No connection, or it broke before the reply was complete.
    #[error("no reply: {}", causes(.0.as_ref()))]
    Connection(#[source] Box<dyn Error + Send + Sync>),
    /// The attempt took longer than `timeout`.
    #[error("no complete reply within the timeout ({0})")]
    Timeout(String),
    /// The reply was cut off at the limit.
    #[error("the reply is larger than max_reply_bytes ({limit} bytes)")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

/// A future of one exchange.
pub type Exchange<'a> = Pin<Box<dyn Future<Output = Result<Reply, SendError>> + Send + 'a>>;

/// Carries a request to the API: over HTTP, or in tests by a script.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Sends the body and reads the whole reply. The request counts as sent at the first poll.
    fn send(&self, body: Bytes) -> Exchange<'_>;
}

/// HTTP, one endpoint, connections kept for reuse.
#[derive(Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    endpoint: reqwest::Url,
    timeout: Duration,
    max_reply_bytes: usize,
}

impl HttpClient {
    /// A client for one function.
    ///
    /// # Errors
    /// The TLS roots or the proxy settings of this machine cannot be read.
    pub fn new(options: &Options) -> Result<Self, ClientError> {
        let client = reqwest::Client::builder()
            .timeout(options.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            // One request per connection, and none that the client sends again by itself: HTTP/2 would queue requests, and
            // repeat some, behind the limiter's back.
            .http1_only()
            .retry(reqwest::retry::never())
            .user_agent(concat!("paceline/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(ClientError)?;
        Ok(HttpClient {
            client,
            endpoint: options.endpoint.clone(),
            timeout: options.timeout,
            max_reply_bytes: options.max_reply_bytes,
        })
    }

    async fn exchange(&self, body: Bytes) -> Result<Reply, SendError> {
        let request = self.client.post(self.endpoint.clone()).header(CONTENT_TYPE, "application/json").body(body);
        let mut response = request.send().await.map_err(|error| self.failed(error))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(error))? {
            if body.len() + chunk.len() > self.max_reply_bytes {
                return Err(SendError::TooLarge { limit: self.max_reply_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, retry_after, body: body.freeze() })
    }

    fn failed(&self, error: reqwest::Error) -> SendError {
        if error.is_timeout() {
            SendError::Timeout(humantime::format_duration(self.timeout).to_string())
        } else {
            // The URL may carry a token in its query; the function's name says enough.
            SendError::Connection(Box::new(error.without_url()))
        }
    }
}

impl Transport for HttpClient {
    fn send(&self, body: Bytes) -> Exchange<'_> {
        Box::pin(self.exchange(body))
    }
}

/// No HTTP client can be made on this machine.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client can be made: {}", causes(.0))]
pub struct ClientError(#[source] reqwest::Error);

/// An error and its causes in one line, which is where the real reason stands.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
