//! What the doors need for TLS: the certificate that one shows, and the ones that the other trusts.

use std::io;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// A certificate with its key, which an incoming door shows.
#[derive(Clone)]
pub struct TlsIdentity(pub(in crate::cluster) TlsAcceptor);

/// The certificates that an outgoing door trusts. It sends its token to nobody else.
#[derive(Clone)]
pub struct TlsRoots {
    pub(super) connector: TlsConnector,
    name: Option<ServerName<'static>>,
}

impl TlsIdentity {
    /// Takes a certificate chain and its private key, both as PEM.
    ///
    /// # Errors
    ///
    /// When either cannot be read, or they do not fit together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> io::Result<Self> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(io::Error::other)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
        Ok(TlsIdentity(TlsAcceptor::from(Arc::new(config))))
    }
}

impl TlsRoots {
    /// Takes the certificates to trust as PEM. A door's certificate must name the host that is dialed, or, where
    /// `name` is given, that name: one certificate then serves a cluster whose hosts come and go.
    ///
    /// # Errors
    ///
    /// When there is no certificate in `roots`, or `name` is not one.
    pub fn from_pem(roots: &[u8], name: Option<&str>) -> io::Result<Self> {
        let mut store = RootCertStore::empty();
        for certificate in certificates(roots)? {
            store.add(certificate).map_err(io::Error::other)?;
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(store)
            .with_no_client_auth();
        config.alpn_protocols = vec![HTTP_2.to_vec()];
        let name = name.map(server_name).transpose()?;
        Ok(TlsRoots { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// The name that the certificate of `host` must have.
    pub(super) fn name_of(&self, host: &str) -> io::Result<ServerName<'static>> {
        self.name.clone().map_or_else(|| server_name(host), Ok)
    }
}

fn server_name(host: &str) -> io::Result<ServerName<'static>> {
    let host = host.trim_start_matches('[').trim_end_matches(']'); // an IPv6 address in an authority has brackets
    ServerName::try_from(host.to_owned()).map_err(io::Error::other)
}

fn certificates(pem: &[u8]) -> io::Result<Vec<CertificateDer<'static>>> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(io::Error::other)?;
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "there is no certificate in the PEM"));
    }
    Ok(found)
}
