//! What a door answers: its own refusals, and the replies that it passes on.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Request, Response, StatusCode, Version};
use tonic::{Code, Status};

/// The body of an answer: passed on as it comes, or nothing.
#[derive(Default)]
pub(super) struct Reply {
    body: Option<Incoming>,
    grpc: bool,
}

impl Reply {
    /// Passes `response` on.
    pub fn pass(response: Response<Incoming>) -> Response<Self> {
        let grpc = is_grpc_type(response.headers());
        response.map(|body| Reply { body: Some(body), grpc })
    }
}

/// How the sender of a request wants to hear of a refusal.
#[derive(Clone, Copy)]
pub(super) enum Manner {
    Grpc,
    Http,
}

impl Manner {
    pub fn of<B>(request: &Request<B>) -> Self {
        let grpc = request.version() == Version::HTTP_2 && is_grpc_type(request.headers());
        if grpc { Manner::Grpc } else { Manner::Http }
    }

    /// Answers `status`.
    pub fn refuse(self, status: Status) -> Response<Reply> {
        match self {
            Manner::Grpc => status.into_http(),
            Manner::Http => {
                let mut response = Response::new(Reply::default());
                *response.status_mut() = match status.code() {
                    Code::Unauthenticated => StatusCode::UNAUTHORIZED,
                    Code::Unimplemented => StatusCode::NOT_FOUND,
                    _ => StatusCode::BAD_GATEWAY,
                };
                if response.status() == StatusCode::UNAUTHORIZED {
                    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                }
                response
            }
        }
    }
}

fn is_grpc_type(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

impl Body for Reply {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        match frame {
            // A gRPC client is told in its own terms; a bare reset would look to it like a fault of its own.
            Some(Err(error)) if self.grpc => {
                self.body = None;
                let mut trailers = HeaderMap::new();
                let lost = Status::unavailable(format!("the connection behind the door was lost: {error}"));
                let sent = lost.add_header(&mut trailers).is_ok();
                Poll::Ready(Some(if sent { Ok(Frame::trailers(trailers)) } else { Err(error) }))
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
