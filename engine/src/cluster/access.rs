//! Who may talk to a process of a cluster, and how that is shown to others.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ballista_core::extension::EndpointOverrideFn;
use http::{HeaderMap, HeaderValue};
use tokio::runtime::Handle;
use tokio_rustls::TlsAcceptor;

use super::door::{Dial, Outgoing, TlsIdentity, TlsRoots, Token, TokenError};
use crate::EngineError;

/// How long a peer may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long a peer may take to begin an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Files with what a process needs to show others and to know them by.
#[derive(Clone, Debug, Default)]
pub struct AccessFiles {
    /// The token; without a file it is in `PACELINE_TOKEN`.
    pub token: Option<PathBuf>,
    /// The chain of certificates that a server shows, and their key, both as PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The certificates that a client trusts, as PEM.
    pub roots: Option<PathBuf>,
    /// The name that every certificate of the cluster has, where it is not the host's.
    pub name: Option<String>,
}

/// What a process shows others, and knows them by.
#[derive(Clone, Default)]
pub struct Access {
    pub(super) token: Option<Token>,
    pub(super) identity: Option<TlsIdentity>,
    roots: Option<TlsRoots>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (token, tls) = (self.token.is_some(), self.identity.is_some() || self.roots.is_some());
        f.debug_struct("Access").field("token", &token).field("tls", &tls).finish()
    }
}

impl Access {
    /// What the files and the environment have.
    ///
    /// # Errors
    /// A file cannot be read, or its content cannot be used.
    pub fn find(files: &AccessFiles) -> Result<Self, EngineError> {
        let setting = |what: &str, error: &dyn std::fmt::Display| EngineError::Setting(format!("{what}: {error}"));
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| setting(&format!("cannot read {}", path.display()), &error))
        };
        let token = match Token::find(files.token.as_deref()) {
            Ok(token) => Some(token),
            Err(TokenError::Missing) => None,
            Err(error) => return Err(setting("the cluster's token cannot be used", &error)),
        };
        let identity = files.identity.as_ref().map(|(chain, key)| {
            let made = TlsIdentity::from_pem(&read(chain)?, &read(key)?);
            made.map_err(|error| setting(&format!("the certificate {} cannot be used", chain.display()), &error))
        });
        let roots = files.roots.as_ref().map(|roots| {
            let made = TlsRoots::from_pem(&read(roots)?, files.name.as_deref());
            made.map_err(|error| setting(&format!("the certificates {} cannot be used", roots.display()), &error))
        });
        Ok(Access { token, identity: identity.transpose()?, roots: roots.transpose()? })
    }

    /// Whether a process may listen there.
    ///
    /// # Errors
    /// Others could reach it, and nothing keeps them out.
    pub fn check(&self, bind: IpAddr) -> Result<(), EngineError> {
        if bind.is_loopback() || self.token.is_some() {
            return Ok(());
        }
        Err(EngineError::Setting(format!(
            "{bind} can be reached from other machines: set a token with PACELINE_TOKEN or --token-file, or bind to 127.0.0.1"
        )))
    }

    /// Whether requests need a token.
    pub fn needs_token(&self) -> bool {
        self.token.is_some()
    }

    /// Whether who sends these headers may come in.
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        self.token.as_ref().is_none_or(|token| token.is_in(headers))
    }

    /// The header that shows the token.
    pub fn header(&self) -> Option<HeaderValue> {
        self.token.as_ref().map(Token::header)
    }

    /// What makes a listener speak TLS, where it shall.
    pub fn tls(&self) -> Option<TlsAcceptor> {
        self.identity.as_ref().map(|identity| identity.0.clone())
    }

    /// Whether what a process dials must show something.
    fn is_shown(&self) -> bool {
        self.token.is_some() || self.roots.is_some()
    }

    /// The way out of this process; `None` where what it dials need not be shown anything. It works on `network`.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(super) async fn way_out(&self, network: &Handle) -> Result<Option<WayOut>, EngineError> {
        if !self.is_shown() {
            return Ok(None);
        }
        let dial = Dial {
            token: self.token.clone(),
            tls: self.roots.clone(),
            connect_within: CONNECT_WITHIN,
            answer_within: Some(ANSWER_WITHIN),
        };
        let failed =
            |error: &dyn std::fmt::Display| EngineError::Setting(format!("the way out cannot be opened: {error}"));
        let opened = network.spawn(Outgoing::open(dial)).await.map_err(|error| failed(&error))?;
        Ok(Some(WayOut(Arc::new(opened.map_err(|error| failed(&error))?))))
    }
}

/// An open outgoing door.
#[derive(Clone)]
pub(super) struct WayOut(pub Arc<Outgoing>);

impl WayOut {
    /// Sends what dials through it.
    pub fn endpoint_override(&self) -> EndpointOverrideFn {
        self.0.endpoint_override()
    }
}

impl std::fmt::Debug for WayOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WayOut")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_kept_out_unless_there_is_a_token() {
        let open = Access::default();
        let guarded = Access { token: Token::new("0123456789abcdef").ok(), ..Access::default() };
        let (inside, outside) = ("127.0.0.1".parse().unwrap(), "0.0.0.0".parse().unwrap());
        assert!(open.check(inside).is_ok() && guarded.check(outside).is_ok());
        let refused = open.check(outside).unwrap_err().to_string();
        assert!(refused.starts_with("0.0.0.0 can be reached from other machines"), "{refused}");
    }
}
