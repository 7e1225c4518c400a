//! Sends one request, with what authenticates it, and reads the reply. Only its part `wire` knows reqwest.

mod wire;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, AsHeaderName, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use url::Url;

use crate::auth::{Authenticator, Services, ToSign};
use crate::compression::{DecompressError, decompress};
use crate::egress::{Egress, Forbidden};
use crate::secret::NoCredentials;
use crate::spec::{Auth, Options};
use wire::{SMALL_REPLY_BYTES, Wire};

pub use wire::{ClientError, post};

/// A request as it is sent, the same at every attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The HTTP method.
    pub method: Method,
    /// Where to, where that is not the function's endpoint.
    pub url: Option<Url>,
    /// Headers beside those that every request has.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
}

impl Outgoing {
    /// A POST of a JSON body to the function's endpoint.
    pub fn json(body: Bytes) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Outgoing { method: Method::POST, url: None, headers, body }
    }
}

/// What came back, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Reply {
    /// A header's text, where it is there and is text.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
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
    /// The reply cannot be decompressed.
    #[error(transparent)]
    Encoding(DecompressError),
    /// Its host or its address must not be reached.
    #[error(transparent)]
    Forbidden(Forbidden),
    /// There are no credentials, and another attempt would find none either. The message says what to do.
    #[error("{0}")]
    Credentials(String),
    /// The API refused credentials (401) that are no longer the newest: another attempt carries others.
    #[error("the API refused the credentials with status {}", .0.status)]
    Refused(Box<Reply>),
}

impl From<NoCredentials> for SendError {
    fn from(error: NoCredentials) -> Self {
        match error {
            NoCredentials::Now { .. } => SendError::Connection(Box::new(error)),
            NoCredentials::Ever(message) => SendError::Credentials(message),
        }
    }
}

impl From<DecompressError> for SendError {
    fn from(error: DecompressError) -> Self {
        match error {
            DecompressError::TooLarge { limit } => SendError::TooLarge { limit },
            other => SendError::Encoding(other),
        }
    }
}

/// A future of one exchange.
pub type Exchange<'a> = Pin<Box<dyn Future<Output = Result<Reply, SendError>> + Send + 'a>>;

/// A future of what must be there before requests are sent.
pub type Readiness<'a> = Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>>;

/// Carries a request to the API: over HTTP, or in tests by a script.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Has what requests need, such as a token, when it returns. To be awaited before the limiter is asked: requests that
    /// waited for a token after their permit would all be sent at once.
    fn ready(&self) -> Readiness<'_> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Sends the request and reads the whole reply. It counts as sent at the first poll.
    fn send<'a>(&'a self, request: &'a Outgoing) -> Exchange<'a>;
}

/// HTTP, one endpoint, connections kept for reuse.
pub struct HttpClient {
    endpoint: Url,
    max_reply_bytes: usize,
    auth: Authenticator,
    wire: Wire,
}

impl HttpClient {
    /// A client for one function.
    ///
    /// # Errors
    /// The TLS roots or the proxy settings of this machine cannot be read, a host is not allowed by the session, or nobody
    /// can sign for AWS here.
    pub fn new(options: &Options, services: &Services) -> Result<Self, ClientError> {
        let egress = Egress::new(options.security.allowed_hosts.clone(), services.allowed_hosts.clone());
        egress.check(&options.wire.endpoint)?;
        if let Auth::OAuth2(oauth2) = &options.security.auth {
            egress.check(&oauth2.token_url)?;
        }
        Ok(HttpClient {
            endpoint: options.wire.endpoint.clone(),
            max_reply_bytes: options.failure.max_reply_bytes,
            auth: Authenticator::new(&options.security.auth, services)?,
            wire: Wire::new(options, services, egress)?,
        })
    }

    async fn exchange(&self, outgoing: &Outgoing) -> Result<Reply, SendError> {
        let Outgoing { method, url, headers, body } = outgoing;
        if let Some(url) = url {
            self.check(url)?;
        }
        let mut url = url.as_ref().unwrap_or(&self.endpoint).clone();
        let to_sign = ToSign { method, url: &url, headers, body, service: "", region: None };
        let mut proof = self.auth.prove(to_sign, &Tokens(&self.wire)).await?;
        if let Some((name, secret)) = &proof.query {
            url.query_pairs_mut().append_pair(name, secret.reveal());
        }
        let mut headers = headers.clone();
        headers.extend(std::mem::take(&mut proof.headers));
        headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("gzip, deflate"));
        let mut reply = self.wire.send(method, url, headers, body.clone(), self.max_reply_bytes).await?;
        if let Some(encoding) = reply.header(CONTENT_ENCODING) {
            reply.body = decompress(encoding, &reply.body, self.max_reply_bytes)?;
        }
        match reply.status {
            200..300 => self.auth.accepted(&proof),
            _ => reply.body = proof.hide_in(reply.body),
        }
        if reply.status == 401 && self.auth.refused(&proof) {
            return Err(SendError::Refused(Box::new(reply)));
        }
        Ok(reply)
    }

    /// Checks the URL of a request that has its own.
    fn check(&self, url: &Url) -> Result<(), SendError> {
        // Without a list, a URL made from a row could carry our credentials anywhere.
        if self.auth.is_some() && !self.wire.egress.is_limited() && url.origin() != self.endpoint.origin() {
            return Err(SendError::Forbidden(Forbidden::other_origin(url, &self.endpoint)));
        }
        self.wire.egress.check(url).map_err(SendError::Forbidden)
    }
}

impl Transport for HttpClient {
    fn ready(&self) -> Readiness<'_> {
        Box::pin(async {
            self.wire.client().await?;
            Ok(self.auth.ready(&Tokens(&self.wire)).await?)
        })
    }

    fn send<'a>(&'a self, request: &'a Outgoing) -> Exchange<'a> {
        Box::pin(self.exchange(request))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL may carry a token in its query, and reqwest's client the password of a proxy.
        f.debug_struct("HttpClient").field("host", &self.endpoint.host_str()).finish_non_exhaustive()
    }
}

/// Token requests, which go the way of all requests but carry no credentials of the API.
struct Tokens<'a>(&'a Wire);

impl Transport for Tokens<'_> {
    fn send<'a>(&'a self, request: &'a Outgoing) -> Exchange<'a> {
        let Outgoing { method, url, headers, body } = request;
        Box::pin(async move {
            let Some(url) = url else { return Err(SendError::Credentials("the token request has no URL".to_owned())) };
            self.0.send(method, url.clone(), headers.clone(), body.clone(), SMALL_REPLY_BYTES).await
        })
    }
}

impl fmt::Debug for Tokens<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

/// An error and its causes in one line, which is where the real reason stands.
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
