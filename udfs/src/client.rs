//! Sends one request and reads the reply. The only file that knows reqwest.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{AsHeaderName, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use url::Url;

use crate::spec::Options;

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
}

/// A future of one exchange.
pub type Exchange<'a> = Pin<Box<dyn Future<Output = Result<Reply, SendError>> + Send + 'a>>;

/// Carries a request to the API: over HTTP, or in tests by a script.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Sends the request and reads the whole reply. It counts as sent at the first poll.
    fn send<'a>(&'a self, request: &'a Outgoing) -> Exchange<'a>;
}

/// HTTP, one endpoint, connections kept for reuse.
#[derive(Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    endpoint: Url,
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
            .timeout(options.failure.timeout)
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
            endpoint: options.wire.endpoint.clone(),
            timeout: options.failure.timeout,
            max_reply_bytes: options.failure.max_reply_bytes,
        })
    }

    async fn exchange(&self, outgoing: &Outgoing) -> Result<Reply, SendError> {
        let url = outgoing.url.as_ref().unwrap_or(&self.endpoint).clone();
        let request = self.client.request(outgoing.method.clone(), url).headers(outgoing.headers.clone());
        let request = if outgoing.body.is_empty() { request } else { request.body(outgoing.body.clone()) };
        let mut response = request.send().await.map_err(|error| self.failed(error))?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(error))? {
            if body.len() + chunk.len() > self.max_reply_bytes {
                return Err(SendError::TooLarge { limit: self.max_reply_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, headers, body: body.freeze() })
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
    fn send<'a>(&'a self, request: &'a Outgoing) -> Exchange<'a> {
        Box::pin(self.exchange(request))
    }
}

/// No HTTP client can be made on this machine.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client can be made: {}", causes(.0))]
pub struct ClientError(#[source] reqwest::Error);

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
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread::{self, JoinHandle};

    use arrow::datatypes::{DataType, Fields};
    use expect_test::{Expect, expect};

    use super::*;
    use crate::ApiFunction;

    /// A server for one request: it reads that, writes `reply`, and returns what it read. The connection stays open where it
    /// says nothing, until its result is dropped.
    fn server(reply: &'static str) -> (String, JoinHandle<(String, Option<TcpStream>)>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/process?token=secret", listener.local_addr().unwrap());
        let serve = move || {
            let (mut socket, _) = listener.accept().unwrap();
            let (mut read, mut piece) = (Vec::new(), [0; 1024]);
            while !read.ends_with(b"}") {
                let bytes = socket.read(&mut piece).unwrap();
                read.extend_from_slice(&piece[..bytes]);
            }
            socket.write_all(reply.as_bytes()).unwrap();
            (String::from_utf8(read).unwrap(), reply.is_empty().then_some(socket))
        };
        (url, thread::spawn(serve))
    }

    fn client(url: &str, options: &[(&str, &str)]) -> HttpClient {
        let given = [&[("endpoint", url), ("rate_limit_calls", "1")], options].concat();
        let given: Vec<_> = given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let api = ApiFunction::declare("f", Fields::empty(), DataType::Utf8, false, &given).unwrap();
        HttpClient::new(&api.options).unwrap()
    }

    async fn check(reply: &'static str, options: &[(&str, &str)], expected: Expect) {
        let (url, server) = server(reply);
        let outcome = client(&url, options).send(&Outgoing::json(Bytes::from(r#"{"id":1}"#))).await;
        let shown = match outcome {
            Ok(reply) => {
                format!("{} {:?} {}", reply.status, reply.header("retry-after"), String::from_utf8_lossy(&reply.body))
            }
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
        server.join().unwrap();
    }

    #[tokio::test]
    async fn a_request_is_one_post_of_json() {
        let (url, server) = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
        let reply = client(&url, &[]).send(&Outgoing::json(Bytes::from(r#"{"id":1}"#))).await.unwrap();
        assert_eq!((reply.status, reply.body), (200, Bytes::from("{}")));
        let request = server.join().unwrap().0.to_lowercase();
        assert!(request.starts_with("post /process?token=secret http/1.1\r\n"), "{request}");
        assert!(request.contains("content-type: application/json\r\n"), "{request}");
        assert!(request.ends_with("\r\n\r\n{\"id\":1}"), "{request}");
    }

    #[tokio::test]
    async fn whatever_the_status_the_reply_is_read() {
        check(
            "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nslow",
            &[],
            expect![[r#"429 Some("7") slow"#]],
        )
        .await;
        check(
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            &[],
            expect!["302 None "],
        )
        .await;
        check(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n",
            &[],
            expect!["200 None []"],
        )
        .await;
    }

    #[tokio::test]
    async fn a_reply_that_is_too_large_late_or_cut_off_is_none() {
        check(
            "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n[1, 2]",
            &[("max_reply_bytes", "5")],
            expect!["the reply is larger than max_reply_bytes (5 bytes)"],
        )
        .await;
        check("", &[("timeout", "20 ms")], expect!["no complete reply within the timeout (20ms)"]).await;
        check("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n[1", &[], expect!["no reply: error decoding response body: request or response body error: error reading a body from connection: end of file before message length reached"]).await;
        check(
            "what?",
            &[],
            expect!["no reply: error sending request: client error (SendRequest): invalid HTTP version parsed"],
        )
        .await;
    }

    #[tokio::test]
    async fn where_nobody_listens_the_error_keeps_the_token_to_itself() {
        let url = {
            let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
            format!("http://{}/?token=secret", listener.local_addr().unwrap())
        };
        let error = client(&url, &[]).send(&Outgoing::json(Bytes::from("1"))).await.unwrap_err().to_string();
        assert!(error.starts_with("no reply: error sending request: ") && error.contains("refused"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
