//! Faults of an S3: answers 503 to the requests that a test chooses, and breaks connections in mid-download.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use async_trait::async_trait;
use axum::http::{Extensions, HeaderMap, Method, Uri};
use s3s::route::S3Route;
use s3s::{Body, S3Request, S3Response, S3Result, s3_error};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Decides by method and URI whether a request is answered with 503 SlowDown.
pub type IsSlowedDown = Arc<dyn Fn(&str, &str) -> bool + Send + Sync>;

/// What goes wrong, and how often.
#[derive(Clone, Default)]
pub struct Faults {
    /// Which requests are answered with 503.
    pub slow_down: Option<IsSlowedDown>,
    /// A connection breaks when it has sent this many bytes.
    pub cut_after: usize,
    /// How many connections do so.
    pub cuts: Arc<AtomicUsize>,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cuts after {} bytes", self.cuts.load(Ordering::Relaxed), self.cut_after)
    }
}

/// The requests that are slowed down, as a route of their own.
pub(super) struct SlowDown(pub IsSlowedDown);

#[async_trait]
impl S3Route for SlowDown {
    fn is_match(&self, method: &Method, uri: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        self.0(method.as_str(), &uri.to_string())
    }

    async fn check_access(&self, _: &mut S3Request<Body>) -> S3Result<()> {
        Ok(())
    }

    async fn call(&self, _: S3Request<Body>) -> S3Result<S3Response<Body>> {
        Err(s3_error!(SlowDown, "Please reduce your request rate."))
    }
}

/// A connection that may break when it has sent enough.
pub(super) struct Breakable {
    socket: TcpStream,
    faults: Faults,
    sent: usize,
}

impl Breakable {
    pub fn new(socket: TcpStream, faults: Faults) -> Self {
        Breakable { socket, faults, sent: 0 }
    }

    /// Breaks once, if a cut is left; a connection that has passed the mark stays whole.
    fn breaks_now(&self, more: usize) -> bool {
        let passes = self.sent < self.faults.cut_after && self.sent + more >= self.faults.cut_after;
        let take = |left: usize| left.checked_sub(1);
        passes && self.faults.cuts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok()
    }
}

impl AsyncRead for Breakable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for Breakable {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.breaks_now(bytes.len()) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = written {
            self.sent += written;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
