//! Authenticates requests: a header, a query parameter or a signature, made for each attempt from what is secret.

mod oauth2;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::client::Transport;
use crate::egress::AllowedHosts;
use crate::secret::{Kept, NoCredentials, Reference, Secret, SecretStore, Source};
use crate::spec::Auth;
use oauth2::Tokens;

/// What the engine lends to the clients of all functions.
#[derive(Clone, Debug, Default)]
pub struct Services {
    /// AWS Secrets Manager, for references `aws-secret:`.
    pub secrets: Option<Arc<dyn SecretStore>>,
    /// Signs for `auth = aws-sigv4`.
    pub signer: Option<Arc<dyn Signer>>,
    /// The only hosts that any function may reach.
    pub allowed_hosts: Option<AllowedHosts>,
}

/// Signs requests with AWS Signature Version 4.
#[async_trait]
pub trait Signer: Send + Sync + fmt::Debug {
    /// Has credentials when it returns, so that [`Signer::sign`] need not wait for them.
    ///
    /// # Errors
    /// There are none.
    async fn ready(&self) -> Result<(), NoCredentials>;

    /// The headers that the signature adds to a request.
    ///
    /// # Errors
    /// There are no credentials, or the request cannot be signed.
    async fn sign(&self, request: &ToSign<'_>) -> Result<HeaderMap, NoCredentials>;
}

/// A request as far as a signature covers it.
#[derive(Clone, Copy, Debug)]
pub struct ToSign<'a> {
    /// The HTTP method.
    pub method: &'a Method,
    /// The URL with its query.
    pub url: &'a Url,
    /// The headers, without `Host`, which follows from the URL.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
    /// The service in the signature's scope.
    pub service: &'a str,
    /// The region there; that of the credentials without one.
    pub region: Option<&'a str>,
}

/// What one attempt carries. Never shown.
#[derive(Default)]
pub(crate) struct Proof {
    /// Headers besides, or in place of, those of the request.
    pub headers: HeaderMap,
    /// A parameter for the query of the URL.
    pub query: Option<(String, Secret)>,
    /// Which value it was made from, where another may be had.
    version: Option<u64>,
    /// What must not come back in an error.
    secrets: Vec<Secret>,
}

/// How the requests of one function are authenticated.
#[derive(Debug)]
pub(crate) struct Authenticator(Kind);

#[derive(Debug)]
enum Kind {
    None,
    Bearer(Source),
    Basic { user: Option<String>, secret: Source },
    Header { name: HeaderName, secret: Source },
    Query { name: String, secret: Source },
    OAuth2(Box<Tokens>),
    AwsSigV4 { signer: Arc<dyn Signer>, service: String, region: Option<String> },
}

impl Authenticator {
    /// Reads no secret yet.
    ///
    /// # Errors
    /// A signature is asked for where nobody can sign.
    pub fn new(auth: &Auth, services: &Services) -> Result<Self, NoCredentials> {
        let source = |secret: &Reference| Source::new(secret, services.secrets.as_ref());
        Ok(Authenticator(match auth {
            Auth::None => Kind::None,
            Auth::Bearer(secret) => Kind::Bearer(source(secret)),
            Auth::Basic { user, secret } => Kind::Basic { user: user.clone(), secret: source(secret) },
            Auth::Header { name, secret } => Kind::Header { name: name.clone(), secret: source(secret) },
            Auth::Query { name, secret } => Kind::Query { name: name.clone(), secret: source(secret) },
            Auth::OAuth2(options) => Kind::OAuth2(Box::new(Tokens::new(options, source(&options.client_secret)))),
            Auth::AwsSigV4 { service, region } => {
                let none = || NoCredentials::Ever("auth is aws-sigv4, but requests cannot be signed here".to_owned());
                let signer = services.signer.clone().ok_or_else(none)?;
                Kind::AwsSigV4 { signer, service: service.clone(), region: region.clone() }
            }
        }))
    }

    /// Whether requests carry anything that is secret.
    pub fn is_some(&self) -> bool {
        !matches!(self.0, Kind::None)
    }

    /// Has what is secret, or good for a while yet, when it returns. Token requests go to `tokens`.
    pub async fn ready(&self, tokens: &dyn Transport) -> Result<(), NoCredentials> {
        match &self.0 {
            Kind::None => Ok(()),
            Kind::OAuth2(source) => source.prepare(tokens).await,
            Kind::AwsSigV4 { signer, .. } => signer.ready().await,
            Kind::Bearer(secret)
            | Kind::Basic { secret, .. }
            | Kind::Header { secret, .. }
            | Kind::Query { secret, .. } => secret.get().await.map(|_| ()),
        }
    }

    /// Makes what this attempt carries. The service and region of `request` are filled in here.
    pub async fn prove(&self, request: ToSign<'_>, tokens: &dyn Transport) -> Result<Proof, NoCredentials> {
        match &self.0 {
            Kind::None => Ok(Proof::default()),
            Kind::Bearer(source) => {
                let (secret, version) = source.get().await?;
                bearer(&secret, version).ok_or_else(|| not_a_header(source))
            }
            Kind::OAuth2(source) => {
                let (token, version) = source.get(tokens).await?;
                bearer(&token, version).ok_or_else(|| {
                    NoCredentials::Ever(
                        "the token of the token endpoint has characters that no header can carry".into(),
                    )
                })
            }
            Kind::Basic { user, secret: source } => {
                let (secret, version) = source.get().await?;
                let pair = match user {
                    Some(user) => Secret::new(format!("{user}:{}", secret.reveal())),
                    None if secret.reveal().contains(':') => secret.clone(),
                    None => {
                        let reference = source.reference();
                        return Err(NoCredentials::Ever(format!(
                            "the secret {reference} is not user:password; give the user as auth_user"
                        )));
                    }
                };
                let password = pair.reveal().split_once(':').map(|(_, password)| Secret::new(password));
                let encoded = Secret::new(STANDARD.encode(pair.reveal()));
                let mut proof = Proof::of(version, secret);
                proof.put(AUTHORIZATION, &format!("Basic {}", encoded.reveal())).ok_or_else(|| not_a_header(source))?;
                proof.secrets.push(encoded);
                proof.secrets.extend(password);
                Ok(proof)
            }
            Kind::Header { name, secret: source } => {
                let (secret, version) = source.get().await?;
                let mut proof = Proof::of(version, secret.clone());
                proof.put(name.clone(), secret.reveal()).ok_or_else(|| not_a_header(source))?;
                Ok(proof)
            }
            Kind::Query { name, secret: source } => {
                let (secret, version) = source.get().await?;
                let mut proof = Proof::of(version, secret.clone());
                proof.secrets.push(Secret::new(byte_serialize(secret.reveal().as_bytes()).collect::<String>()));
                proof.query = Some((name.clone(), secret));
                Ok(proof)
            }
            Kind::AwsSigV4 { signer, service, region } => {
                let request = ToSign { service, region: region.as_deref(), ..request };
                let mut headers = signer.sign(&request).await?;
                headers.values_mut().for_each(|value| value.set_sensitive(true));
                // A signature is of no use later, but the token of a session is.
                let secrets = headers.values().filter_map(|value| value.to_str().ok());
                let secrets = secrets.map(|value| Secret::new(value.to_owned())).collect();
                Ok(Proof { headers, secrets, ..Proof::default() })
            }
        }
    }

    /// Notes that the API refused a proof with 401. Returns whether another one is there or may be had.
    pub fn refused(&self, proof: &Proof) -> bool {
        proof.version.zip(self.kept()).is_some_and(|(version, kept)| kept.refused(version))
    }

    /// Notes that the API accepted a proof.
    pub fn accepted(&self, proof: &Proof) {
        if let Some((version, kept)) = proof.version.zip(self.kept()) {
            kept.accepted(version);
        }
    }

    fn kept(&self) -> Option<&Kept<Secret>> {
        match &self.0 {
            Kind::None | Kind::AwsSigV4 { .. } => None,
            Kind::OAuth2(source) => Some(source.kept()),
            Kind::Bearer(secret)
            | Kind::Basic { secret, .. }
            | Kind::Header { secret, .. }
            | Kind::Query { secret, .. } => Some(secret.kept()),
        }
    }
}

impl Proof {
    fn of(version: u64, secret: Secret) -> Self {
        Proof { version: Some(version), secrets: vec![secret], ..Proof::default() }
    }

    fn put(&mut self, name: HeaderName, value: &str) -> Option<()> {
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Some(())
    }

    /// Takes the secrets out of the body of an error, which may quote the request. Shorter ones than six bytes stay: they
    /// would be found in anything.
    pub fn hide_in(&self, body: Bytes) -> Bytes {
        let text = String::from_utf8_lossy(&body);
        let found: Vec<_> =
            self.secrets.iter().flat_map(written).filter(|s| s.len() >= 6 && text.contains(s.as_str())).collect();
        match found.is_empty() {
            true => body,
            false => found.iter().fold(text.into_owned(), |text, s| text.replace(s.as_str(), "(not shown)")).into(),
        }
    }
}

/// A secret as it stands in a text, and in a string of JSON.
fn written(secret: &Secret) -> [String; 2] {
    let quoted = serde_json::to_string(secret.reveal()).unwrap_or_default();
    let quoted = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
    [secret.reveal().to_owned(), quoted.to_owned()]
}

fn bearer(token: &Secret, version: u64) -> Option<Proof> {
    let mut proof = Proof::of(version, token.clone());
    proof.put(AUTHORIZATION, &format!("Bearer {}", token.reveal()))?;
    Some(proof)
}

fn not_a_header(source: &Source) -> NoCredentials {
    NoCredentials::Ever(format!("the secret {} has characters that no header can carry", source.reference()))
}
