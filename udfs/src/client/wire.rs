//! Requests over HTTP as they are given, to hosts that are allowed. The only file that knows reqwest.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;
use url::Url;

use super::{Reply, SendError, causes};
use crate::auth::Services;
use crate::egress::{Egress, Forbidden};
use crate::secret::{NoCredentials, Reference, Source};
use crate::spec::Options;

/// For a token or a secret: these are small, whatever the replies of the API are.
pub(super) const SMALL_REPLY_BYTES: usize = 1 << 20;

/// Requests as they are, to hosts that are allowed.
pub(super) struct Wire {
    /// Made with the first request where it needs secrets.
    client: OnceCell<reqwest::Client>,
    certificate: Option<(Source, Option<Source>)>,
    ca: Option<Source>,
    pub egress: Arc<Egress>,
    timeout: Duration,
}

impl Wire {
    pub fn new(options: &Options, services: &Services, egress: Egress) -> Result<Self, ClientError> {
        let source = |secret: &Reference| Source::new(secret, services.secrets.as_ref());
        let tls = &options.security.tls;
        let certificate = tls.client_cert.as_ref().map(|cert| (source(cert), tls.client_key.as_ref().map(source)));
        let (ca, egress, timeout) = (tls.ca.as_ref().map(source), Arc::new(egress), options.failure.timeout);
        let client = match (&certificate, &ca) {
            (None, None) => OnceCell::new_with(Some(build(builder(timeout, &egress))?)),
            _ => OnceCell::new(),
        };
        Ok(Wire { client, certificate, ca, egress, timeout })
    }

    pub async fn client(&self) -> Result<&reqwest::Client, SendError> {
        self.client.get_or_try_init(|| self.build_with_secrets()).await
    }

    async fn build_with_secrets(&self) -> Result<reqwest::Client, SendError> {
        let mut builder = builder(self.timeout, &self.egress);
        if let Some(ca) = &self.ca {
            builder = with_roots(builder, ca.get().await?.0.reveal().as_bytes()).ok_or_else(|| {
                SendError::Credentials(format!("tls_ca {} has no certificates in PEM", ca.reference()))
            })?;
        }
        if let Some((cert, key)) = &self.certificate {
            let mut pem = cert.get().await?.0.reveal().to_owned();
            if let Some(key) = key {
                pem = format!("{pem}\n{}", key.get().await?.0.reveal());
            }
            let key = key.as_ref().map_or_else(String::new, |key| format!(" with {}", key.reference()));
            let no_pair =
                || format!("tls_client_cert {}{key} is not a certificate and its key in PEM", cert.reference());
            let identity =
                reqwest::Identity::from_pem(pem.as_bytes()).map_err(|_| SendError::Credentials(no_pair()))?;
            builder = builder.identity(identity);
        }
        build(builder).map_err(|error| SendError::Credentials(error.to_string()))
    }

    pub async fn send(
        &self,
        method: &Method,
        url: Url,
        headers: HeaderMap,
        body: Bytes,
        limit: usize,
    ) -> Result<Reply, SendError> {
        let request = self.client().await?.request(method.clone(), url).headers(headers);
        let request = if body.is_empty() { request } else { request.body(body) };
        let mut response = request.send().await.map_err(|error| self.failed(error))?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(error))? {
            if body.len() + chunk.len() > limit {
                return Err(SendError::TooLarge { limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, headers, body: body.freeze() })
    }

    fn failed(&self, error: reqwest::Error) -> SendError {
        if let Some(forbidden) = forbidden(&error) {
            SendError::Forbidden(forbidden)
        } else if error.is_timeout() {
            SendError::Timeout(humantime::format_duration(self.timeout).to_string())
        } else {
            // The URL may carry a token in its query; the function's name says enough.
            SendError::Connection(Box::new(error.without_url()))
        }
    }
}

fn builder(timeout: Duration, egress: &Arc<Egress>) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .dns_resolver(Arc::new(Checked(Arc::clone(egress))))
        .tcp_nodelay(true)
        // One request per connection, and none that the client sends again by itself: HTTP/2 would queue requests, and
        // repeat some, behind the limiter's back.
        .http1_only()
        .retry(reqwest::retry::never())
        .user_agent(concat!("paceline/", env!("CARGO_PKG_VERSION")))
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, ClientError> {
    builder.build().map_err(ClientError::Machine)
}

fn with_roots(builder: reqwest::ClientBuilder, pem: &[u8]) -> Option<reqwest::ClientBuilder> {
    let roots = reqwest::Certificate::from_pem_bundle(pem).ok().filter(|roots| !roots.is_empty())?;
    Some(roots.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate))
}

/// Resolves names, and leaves out the addresses that are not allowed.
struct Checked(Arc<Egress>);

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let egress = Arc::clone(&self.0);
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let check = |address: &SocketAddr| egress.check_resolved(name.as_str(), address.ip());
            let allowed: Vec<_> = found.iter().copied().filter(|address| check(address).is_ok()).collect();
            match found.iter().find_map(|address| check(address).err()) {
                Some(error) if allowed.is_empty() => Err(error.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// The refusal of [`Checked`] among the causes of an error.
fn forbidden(error: &reqwest::Error) -> Option<Forbidden> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(forbidden) = error.downcast_ref::<Forbidden>() {
            return Some(forbidden.clone());
        }
        cause = error.source();
    }
    None
}

/// Sends one POST to a service beside the API, such as AWS Secrets Manager, trusting `roots` (PEM) besides those of this
/// machine. It takes up to 30 seconds and reads up to 1 MiB.
///
/// # Errors
/// As for `Transport::send`.
pub async fn post(url: &Url, headers: HeaderMap, body: Bytes, roots: Option<&[u8]>) -> Result<Reply, SendError> {
    let (timeout, egress) = (Duration::from_secs(30), Arc::new(Egress::new(None, None)));
    egress.check(url).map_err(SendError::Forbidden)?;
    let mut builder = builder(timeout, &egress);
    if let Some(pem) = roots {
        let none = || SendError::Credentials("the extra certificates are not in PEM".to_owned());
        builder = with_roots(builder, pem).ok_or_else(none)?;
    }
    let client = build(builder).map_err(|error| SendError::Credentials(error.to_string()))?;
    let wire = Wire { client: OnceCell::new_with(Some(client)), certificate: None, ca: None, egress, timeout };
    wire.send(&Method::POST, url.clone(), headers, body, SMALL_REPLY_BYTES).await
}

/// Why a function has no HTTP client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// None can be made on this machine.
    #[error("no HTTP client can be made: {}", causes(.0))]
    Machine(#[source] reqwest::Error),
    /// The session does not allow a host.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Its requests cannot be authenticated here.
    #[error(transparent)]
    Credentials(#[from] NoCredentials),
}
