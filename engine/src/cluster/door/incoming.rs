//! The incoming door: the one public address of a process, which lets in who has the token.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tonic::Status;

use super::link::Link;
use super::reply::{Manner, Reply};
use super::serve::{Listen, Serving, Visit};
use super::sockets::{Backend, Stream, Target, without_delay};
use super::tls::TlsIdentity;
use super::token::Token;

/// How a TLS connection begins: the type of its first record.
const TLS_HANDSHAKE: u8 = 22;

/// An open incoming door. Dropping it cuts all connections at once.
pub struct Door {
    address: SocketAddr,
    serving: Serving,
}

struct Rules {
    token: Option<Token>,
    backends: Vec<(String, Backend)>,
}

/// One connection. It has its own links, for a shared one would put all peers under the limits of one connection.
struct Guest {
    rules: Arc<Rules>,
    links: Vec<Link>,
    missing_tls: bool,
    admitted: AtomicBool,
}

impl Door {
    /// Opens a door at `bind`. Who has the token is forwarded to the backend with the longest prefix of the request's
    /// path. Without a `token` everybody is let in; without `tls` the token can be read on the way.
    ///
    /// Its work is done on the runtime that this is called on.
    ///
    /// # Errors
    ///
    /// When `bind` is taken.
    pub async fn open(
        bind: SocketAddr,
        token: Option<Token>,
        tls: Option<TlsIdentity>,
        mut backends: Vec<(String, Backend)>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(bind).await?;
        let address = listener.local_addr()?;
        backends.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        let rules = Arc::new(Rules { token, backends });
        let serving = Serving::start(listener, move |socket| receive(socket, tls.clone(), Arc::clone(&rules)));
        Ok(Door { address, serving })
    }

    /// Where it is, with the port that was chosen if none was given.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets nobody in any more, waits at most `within` for open streams, and cuts the rest. Tells if all finished.
    pub async fn close(self, within: Duration) -> bool {
        self.serving.close(within).await
    }
}

impl Listen for TcpListener {
    type Socket = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        TcpListener::accept(self).await.map(|(socket, _)| socket)
    }
}

async fn receive(
    socket: TcpStream,
    tls: Option<TlsIdentity>,
    rules: Arc<Rules>,
) -> io::Result<(Box<dyn Stream>, Guest)> {
    let socket = without_delay(socket)?;
    let mut guest = Guest::new(rules);
    let Some(TlsIdentity(acceptor)) = tls else { return Ok((Box::new(socket), guest)) };
    let mut first = [0];
    socket.peek(&mut first).await?;
    if first == [TLS_HANDSHAKE] {
        return Ok((Box::new(acceptor.accept(socket).await?), guest));
    }
    // Ballista's scheduler dials a new executor in plain HTTP/2, and takes it if that connects. It asks nothing there.
    guest.missing_tls = true;
    Ok((Box::new(socket), guest))
}

impl Guest {
    fn new(rules: Arc<Rules>) -> Self {
        let links = rules.backends.iter().map(|(_, backend)| Link::new(Target::Backend(backend.clone()))).collect();
        Guest { rules, links, missing_tls: false, admitted: AtomicBool::new(false) }
    }

    /// The link for `request`, if it may pass.
    fn admit(&self, request: &Request<Incoming>) -> Result<&Link, Status> {
        if self.missing_tls {
            return Err(Status::unauthenticated("this door speaks TLS only"));
        }
        if self.rules.token.as_ref().is_some_and(|token| !token.is_in(request.headers())) {
            return Err(Status::unauthenticated("this door needs a valid token"));
        }
        self.admitted.store(true, Ordering::Relaxed);
        let path = request.uri().path();
        let backend = self.rules.backends.iter().position(|(prefix, _)| path.starts_with(prefix.as_str()));
        backend
            .and_then(|index| self.links.get(index))
            .ok_or_else(|| Status::unimplemented("nothing behind this door has that path"))
    }
}

impl Visit for Guest {
    async fn answer(&self, mut request: Request<Incoming>) -> Response<Reply> {
        let manner = Manner::of(&request);
        let link = match self.admit(&request) {
            Ok(link) => link,
            Err(status) => return manner.refuse(status),
        };
        request.headers_mut().remove(AUTHORIZATION); // it has done its work; what is behind needs no secrets
        link.forward(request).await.map_or_else(|status| manner.refuse(status), Reply::pass)
    }

    fn admitted(&self) -> &AtomicBool {
        &self.admitted
    }
}
