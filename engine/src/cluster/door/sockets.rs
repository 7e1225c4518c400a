//! Where the doors connect to: a server inside the process, or a peer. And directories that only we can enter.

use std::fs::Permissions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::http::uri::Authority;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::tls::TlsRoots;

/// Any connected socket.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A server inside the process, which a door leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// On loopback. Other users of the machine can reach it around the door.
    Tcp(SocketAddr),
    /// On a Unix socket, best in a [`PrivateDir`]: nobody else can reach it.
    Unix(PathBuf),
}

impl From<SocketAddr> for Backend {
    fn from(address: SocketAddr) -> Self {
        Backend::Tcp(address)
    }
}

/// What a link connects to.
pub(super) enum Target {
    Backend(Backend),
    Peer { authority: Authority, tls: Option<TlsRoots>, within: Duration },
}

impl Target {
    /// What a request to it has as its authority.
    pub fn authority(&self) -> Authority {
        match self {
            Target::Backend(_) => Authority::from_static("backend"),
            Target::Peer { authority, .. } => authority.clone(),
        }
    }

    pub fn is_tls(&self) -> bool {
        matches!(self, Target::Peer { tls: Some(_), .. })
    }

    /// Opens a connection.
    pub async fn dial(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Target::Backend(Backend::Tcp(address)) => Ok(Box::new(without_delay(TcpStream::connect(address).await?)?)),
            Target::Backend(Backend::Unix(path)) => Ok(Box::new(UnixStream::connect(path).await?)),
            Target::Peer { authority, tls, within } => match timeout(*within, dial_peer(authority, tls.as_ref())).await
            {
                Ok(stream) => stream,
                Err(_elapsed) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {within:?}"))),
            },
        }
    }
}

async fn dial_peer(authority: &Authority, tls: Option<&TlsRoots>) -> io::Result<Box<dyn Stream>> {
    let port = authority.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
    let host = authority.host();
    let tcp = TcpStream::connect((host.trim_start_matches('[').trim_end_matches(']'), port)).await?;
    let tcp = without_delay(tcp)?;
    match tls {
        Some(roots) => Ok(Box::new(roots.connector.connect(roots.name_of(host)?, tcp).await?)),
        None => Ok(Box::new(tcp)),
    }
}

pub(super) fn without_delay(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A new directory that no other user can enter, removed on drop. Sockets in it need no other protection.
#[derive(Debug)]
pub struct PrivateDir(TempDir);

impl PrivateDir {
    /// Makes one in the system's directory for temporary files.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn new() -> io::Result<Self> {
        tempfile::Builder::new().prefix("pl-").permissions(Permissions::from_mode(0o700)).tempdir().map(PrivateDir)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of a socket in it. Short, for a socket's path has to be: some 100 bytes.
    pub fn socket(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}
