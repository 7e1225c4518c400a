//! Accepts connections and serves them until told to stop: then each may finish what it has begun.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, warn};

use super::http2;
use super::reply::Reply;
use super::sockets::Stream;

/// A connection that shows no valid token for so long is closed: strangers hold nothing open.
const ADMIT_WITHIN: Duration = Duration::from_secs(10);

/// Connections at a time. More wait to be accepted.
const CONNECTIONS: usize = 4096;

/// Sockets ran out, or something like it: trying at once would not help.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where connections come from.
pub(super) trait Listen: Send + Sync + 'static {
    type Socket: Send + 'static;

    fn accept(&self) -> impl Future<Output = io::Result<Self::Socket>> + Send;
}

/// What happens on one connection.
pub(super) trait Visit: Send + Sync + 'static {
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Response<Reply>> + Send;

    /// Whether a request of it was let through.
    fn admitted(&self) -> &AtomicBool;
}

/// A running accept loop. Dropping it cuts all its connections.
pub(super) struct Serving {
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl Serving {
    /// Accepts from `listener` on the current runtime; `open` readies each socket.
    pub fn start<L, V, O, F>(listener: L, open: O) -> Self
    where
        L: Listen,
        V: Visit,
        O: Fn(L::Socket) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<(Box<dyn Stream>, V)>> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let task = tokio::spawn(accept(listener, open, stop.clone()));
        Serving { stop, task: AbortOnDropHandle::new(task) }
    }

    /// Accepts no more, lets open streams finish for as long as `within`, and cuts the rest. Tells if all finished.
    pub async fn close(self, within: Duration) -> bool {
        self.stop.cancel();
        timeout(within, self.task).await.is_ok()
    }
}

async fn accept<L, V, O, F>(listener: L, open: O, stop: CancellationToken)
where
    L: Listen,
    V: Visit,
    O: Fn(L::Socket) -> F + Send + Sync + 'static,
    F: Future<Output = io::Result<(Box<dyn Stream>, V)>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut visits = JoinSet::new();
    loop {
        let socket = tokio::select! {
            () = stop.cancelled() => break,
            Some(_ended) = visits.join_next() => continue,
            socket = async {
                let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
                listener.accept().await.map(|socket| (socket, place))
            } => socket,
        };
        match socket {
            Ok((socket, place)) => {
                let (opening, stop) = (open(socket), stop.clone());
                visits.spawn(async move {
                    let opened = tokio::select! {
                        () = stop.cancelled() => return,
                        opened = timeout(ADMIT_WITHIN, opening) => opened,
                    };
                    match opened {
                        Ok(Ok((stream, visit))) => serve(stream, visit, stop).await,
                        Ok(Err(error)) => debug!(%error, "a connection was not opened"),
                        Err(_elapsed) => debug!("a connection took too long to open"),
                    }
                    drop(place);
                });
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while visits.join_next().await.is_some() {}
}

async fn serve<V: Visit>(stream: Box<dyn Stream>, visit: V, stop: CancellationToken) {
    let visit = Arc::new(visit);
    let service = service_fn({
        let visit = Arc::clone(&visit);
        move |request| {
            let visit = Arc::clone(&visit);
            async move { Ok::<_, Infallible>(visit.answer(request).await) }
        }
    });
    let server = http2::server();
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    let mut deadline = pin!(sleep(ADMIT_WITHIN));
    let (mut stopping, mut admitted) = (false, false);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    debug!(error, "a connection ended");
                }
                return;
            }
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = deadline.as_mut(), if !admitted => {
                admitted = visit.admitted().load(Ordering::Relaxed);
                if !admitted {
                    return;
                }
            }
        }
    }
}
