//! Accepts connections, with TLS where the process has a certificate. A handshake that takes its time keeps nobody else waiting.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use paceline_engine::cluster::Access;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::task::AbortOnDropHandle;

use crate::ServiceError;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Connections that wait to be served.
const READY: usize = 64;
/// When sockets run out, or something like it, trying at once would not help.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens on a port. Without one it is the first of the usual ones that is free, or any.
///
/// # Errors
/// The port is taken, or anybody could reach it.
pub async fn bind(
    what: &str,
    address: IpAddr,
    port: Option<u16>,
    usual: RangeInclusive<u16>,
    access: &Access,
) -> Result<TcpListener, ServiceError> {
    access.check(address).map_err(|error| ServiceError::Invalid(error.to_string()))?;
    let ports = match port {
        Some(port) => vec![port],
        None => usual.chain([0]).collect(),
    };
    let mut failed = None;
    for port in ports {
        match TcpListener::bind(SocketAddr::new(address, port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = Some(format!("{what} cannot listen on {address}:{port}: {error}")),
        }
    }
    Err(ServiceError::Invalid(failed.unwrap_or_default()))
}

/// Where connections come from.
pub struct Listener {
    ready: mpsc::Receiver<(Socket, SocketAddr)>,
    address: std::io::Result<SocketAddr>,
    _accepting: AbortOnDropHandle<()>,
}

/// A connection that is ready.
pub enum Socket {
    /// Which anybody on the way can read.
    Plain(TcpStream),
    /// Which nobody can.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Listener {
    /// Accepts from now on.
    pub fn new(listener: TcpListener, tls: Option<TlsAcceptor>) -> Self {
        let address = listener.local_addr();
        let (connected, ready) = mpsc::channel(READY);
        let accepting = AbortOnDropHandle::new(tokio::spawn(accept(listener, tls, connected)));
        Listener { ready, address, _accepting: accepting }
    }

    /// The connections, as a stream.
    pub fn connections(self) -> impl Stream<Item = Socket> + Send {
        futures::stream::unfold(self, async |mut listener| {
            let (socket, _) = listener.ready.recv().await?;
            Some((socket, listener))
        })
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, connected: mpsc::Sender<(Socket, SocketAddr)>) {
    loop {
        let (socket, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let _ = socket.set_nodelay(true); // answers are late without it, not wrong
        let Some(tls) = tls.clone() else {
            if connected.send((Socket::Plain(socket), from)).await.is_err() {
                return;
            }
            continue;
        };
        let connected = connected.clone();
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE, tls.accept(socket)).await {
                Ok(Ok(stream)) => drop(connected.send((Socket::Tls(Box::new(stream)), from)).await),
                Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
                Err(_) => tracing::debug!("a handshake took too long"),
            }
        });
    }
}

impl axum::serve::Listener for Listener {
    type Io = Socket;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Socket, SocketAddr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await, // the runtime ends
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.address.as_ref().copied().map_err(|error| error.kind().into())
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Socket::Plain(stream) => Pin::new(stream).poll_read(context, into),
            Socket::Tls(stream) => Pin::new(stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Socket::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Socket::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Socket::Plain(stream) => Pin::new(stream).poll_flush(context),
            Socket::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Socket::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Socket::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
