//! One HTTP/2 connection that a door forwards requests over: opened when first needed, and again when it died.

use std::fmt::Display;
use std::time::Instant;

use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper::header::HOST;
use hyper::http::uri::{Parts, PathAndQuery, Scheme};
use hyper::{Request, Response, Uri, Version};
use hyper_util::rt::TokioIo;
use tokio::sync::Mutex;
use tonic::Status;
use tracing::debug;

use super::http2;
use super::sockets::Target;

/// How often a request is sent over a new connection after the old one closed before it took the request.
const ATTEMPTS: usize = 3;

/// A connection to one target.
pub(super) struct Link {
    target: Target,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: Option<SendRequest<Incoming>>,
    failed: Option<(Instant, Status)>,
}

impl Link {
    pub fn new(target: Target) -> Self {
        Link { target, state: Mutex::default() }
    }

    /// Sends `request` on, and gives the response as soon as its headers are there.
    pub async fn forward(&self, request: Request<Incoming>) -> Result<Response<Incoming>, Status> {
        let mut request = self.readdress(request)?;
        for _ in 0..ATTEMPTS {
            let mut sender = self.sender().await?;
            let mut error = match sender.try_send_request(request).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            match error.take_message() {
                Some(unsent) => request = unsent,
                None => return Err(self.unavailable(error.error())),
            }
            self.state.lock().await.open.take_if(|open| open.is_closed());
        }
        Err(self.unavailable(&"it keeps closing its connections"))
    }

    /// Points `request` at the target, as HTTP/2.
    fn readdress(&self, mut request: Request<Incoming>) -> Result<Request<Incoming>, Status> {
        let mut uri = Parts::default();
        uri.scheme = Some(if self.target.is_tls() { Scheme::HTTPS } else { Scheme::HTTP });
        uri.authority = Some(self.target.authority());
        let path = request.uri().path_and_query().cloned();
        uri.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
        *request.uri_mut() = Uri::from_parts(uri).map_err(|error| Status::internal(error.to_string()))?;
        *request.version_mut() = Version::HTTP_2;
        request.headers_mut().remove(HOST);
        Ok(request)
    }

    async fn sender(&self) -> Result<SendRequest<Incoming>, Status> {
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(open) = state.open.as_ref().filter(|open| !open.is_closed()) {
            return Ok(open.clone());
        }
        // Who waited for an attempt that failed shares its outcome: else a queue would dial one after the other.
        if let Some((_, status)) = state.failed.as_ref().filter(|(at, _)| *at > asked) {
            return Err(status.clone());
        }
        match self.connect().await {
            Ok(sender) => {
                state.open = Some(sender.clone());
                Ok(sender)
            }
            Err(status) => {
                state.failed = Some((Instant::now(), status.clone()));
                Err(status)
            }
        }
    }

    async fn connect(&self) -> Result<SendRequest<Incoming>, Status> {
        let stream = self.target.dial().await.map_err(|error| self.unavailable(&error))?;
        let handshake = http2::client().handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| self.unavailable(&error))?;
        // Ends by itself: when the peer closes, or when no sender is left and the last stream is done.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "a connection behind the door ended");
            }
        });
        Ok(sender)
    }

    fn unavailable(&self, error: &dyn Display) -> Status {
        match &self.target {
            // What is inside is nobody's business outside.
            Target::Backend(backend) => {
                debug!(?backend, %error, "a server behind the door does not answer");
                Status::unavailable("the server behind the door does not answer")
            }
            Target::Peer { authority, .. } => Status::unavailable(format!("{authority} does not answer: {error}")),
        }
    }
}
