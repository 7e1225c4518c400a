//! The outgoing door: what a process dials goes through it, and gets the token and TLS on the way.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ballista_core::extension::EndpointOverrideFn;
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::http::uri::Authority;
use hyper::{Request, Response};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{Instant, sleep, timeout_at};
use tonic::Status;
use tonic::transport::Endpoint;

use super::link::Link;
use super::reply::{Manner, Reply};
use super::serve::{Listen, Serving, Visit};
use super::sockets::{PrivateDir, Stream, Target};
use super::tls::TlsRoots;
use super::token::Token;

const SOCKET: &str = "out";

/// How long to wait before another try to reach a peer.
const AGAIN: Duration = Duration::from_millis(200);

/// How an outgoing door reaches its peers.
#[derive(Clone)]
pub struct Dial {
    /// What it shows them.
    pub token: Option<Token>,
    /// Which of them it trusts; without, it speaks plain HTTP/2, and anyone on the way can read the token.
    pub tls: Option<TlsRoots>,
    /// How long a connection may take.
    pub connect_within: Duration,
    /// How long a peer may take to begin an answer. Ballista's own limits do not pass the override.
    pub answer_within: Option<Duration>,
}

/// An open outgoing door, on a Unix socket that no other user of the machine can reach. Dropping it cuts everything.
pub struct Outgoing {
    dial: Arc<Dial>,
    directory: PrivateDir,
    _serving: Serving,
}

/// One connection from a client in this process, which has its own connection to the peer.
struct Caller {
    dial: Arc<Dial>,
    links: Mutex<HashMap<Authority, Arc<Link>>>,
    admitted: AtomicBool,
}

impl Outgoing {
    /// Opens the door. Its work is done on the runtime that this is called on.
    ///
    /// # Errors
    ///
    /// When its socket cannot be made.
    pub async fn open(dial: Dial) -> io::Result<Self> {
        let directory = PrivateDir::new()?;
        let listener = UnixListener::bind(directory.socket(SOCKET))?;
        let dial = Arc::new(dial);
        let serving = Serving::start(listener, {
            let dial = Arc::clone(&dial);
            move |socket: UnixStream| {
                let caller = Caller::new(Arc::clone(&dial));
                async move { Ok((Box::new(socket) as Box<dyn Stream>, caller)) }
            }
        });
        Ok(Outgoing { dial, directory, _serving: serving })
    }

    /// Sends what dials `http://host:port` through the door: it connects to the socket, and names the peer as the
    /// authority of its requests. An [`Endpoint`] can be given no other address, so its other settings are lost.
    pub fn endpoint_override(&self) -> EndpointOverrideFn {
        let socket = format!("unix://{}", self.directory.socket(SOCKET).display());
        let answer_within = self.dial.answer_within;
        Arc::new(move |endpoint| {
            let peer = endpoint.uri().clone();
            if peer.authority().is_none() {
                return Err(format!("{peer} has no host").into());
            }
            let endpoint = Endpoint::from_shared(socket.clone())?.origin(peer);
            Ok(answer_within.into_iter().fold(endpoint, Endpoint::timeout))
        })
    }

    /// Waits at most `within` for `host` to accept connections. Through a door connecting always succeeds, so what
    /// counts on a refused connection to try again must wait here first.
    ///
    /// # Errors
    ///
    /// The last failure, when the time is over.
    pub async fn reach(&self, host: &str, port: u16, within: Duration) -> io::Result<()> {
        let deadline = Instant::now() + within;
        let authority = Authority::try_from(format!("{host}:{port}")).map_err(io::Error::other)?;
        let target = self.dial.target(authority);
        loop {
            match timeout_at(deadline, target.dial()).await {
                Ok(Ok(_connected)) => return Ok(()),
                Ok(Err(error)) if Instant::now() + AGAIN >= deadline => return Err(error),
                Ok(Err(_try_again)) => sleep(AGAIN).await,
                Err(elapsed) => return Err(elapsed.into()),
            }
        }
    }
}

impl Dial {
    fn target(&self, authority: Authority) -> Target {
        Target::Peer { authority, tls: self.tls.clone(), within: self.connect_within }
    }
}

impl Listen for UnixListener {
    type Socket = UnixStream;

    async fn accept(&self) -> io::Result<UnixStream> {
        UnixListener::accept(self).await.map(|(socket, _)| socket)
    }
}

impl Caller {
    fn new(dial: Arc<Dial>) -> Self {
        // Who can open the socket is admitted: connections of a pool may be idle from the start.
        Caller { dial, links: Mutex::default(), admitted: AtomicBool::new(true) }
    }

    fn link(&self, request: &Request<Incoming>) -> Result<Arc<Link>, Status> {
        let authority = request.uri().authority().ok_or_else(|| Status::invalid_argument("a request names no peer"))?;
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = links.get(authority) {
            return Ok(Arc::clone(link));
        }
        let link = Arc::new(Link::new(self.dial.target(authority.clone())));
        links.insert(authority.clone(), Arc::clone(&link));
        Ok(link)
    }
}

impl Visit for Caller {
    async fn answer(&self, mut request: Request<Incoming>) -> Response<Reply> {
        let manner = Manner::of(&request);
        let link = match self.link(&request) {
            Ok(link) => link,
            Err(status) => return manner.refuse(status),
        };
        if let Some(token) = &self.dial.token {
            request.headers_mut().insert(AUTHORIZATION, token.header());
        }
        link.forward(request).await.map_or_else(|status| manner.refuse(status), Reply::pass)
    }

    fn admitted(&self) -> &AtomicBool {
        &self.admitted
    }
}
