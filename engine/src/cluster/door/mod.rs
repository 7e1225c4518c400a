//! Token and TLS around Ballista, which has neither: a door in front of its servers and one behind its clients.

mod http2;
mod incoming;
mod link;
mod outgoing;
mod reply;
mod serve;
mod sockets;
mod tls;
mod token;

pub use incoming::Door;
pub use outgoing::{Dial, Outgoing};
pub use sockets::{Backend, PrivateDir};
pub use tls::{TlsIdentity, TlsRoots};
pub use token::{Token, TokenError};
