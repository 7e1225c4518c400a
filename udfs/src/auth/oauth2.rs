//! Tokens for client credentials (RFC 6749 4.4): fetched when first needed, shared by all requests, renewed before they expire.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::client::{Outgoing, Reply, SendError, Transport};
use crate::secret::{Fetched, Kept, NoCredentials, Secret, Source};
use crate::spec::OAuth2;

/// The token of one function.
#[derive(Debug)]
pub(super) struct Tokens {
    options: OAuth2,
    client_secret: Source,
    kept: Kept<Secret>,
}

impl Tokens {
    pub fn new(options: &OAuth2, client_secret: Source) -> Self {
        Tokens { options: options.clone(), client_secret, kept: Kept::of_values_always_new() }
    }

    /// What is kept of it; whoever uses the token reports there how it went.
    pub fn kept(&self) -> &Kept<Secret> {
        &self.kept
    }

    /// Renews the token if it is due.
    pub async fn prepare(&self, transport: &dyn Transport) -> Result<(), NoCredentials> {
        self.kept.prepare(|| self.fetch(transport)).await
    }

    /// The token, and which one it is.
    pub async fn get(&self, transport: &dyn Transport) -> Result<(Secret, u64), NoCredentials> {
        self.kept.get(|| self.fetch(transport)).await
    }

    async fn fetch(&self, transport: &dyn Transport) -> Result<Fetched<Secret>, NoCredentials> {
        let (secret, version) = self.client_secret.get().await?;
        match self.ask(&secret, transport).await {
            // The secret may have been replaced since it was read.
            Err(NoCredentials::Ever(_)) if self.client_secret.kept().refused(version) => {
                let (secret, version) = self.client_secret.get().await?;
                let token = self.ask(&secret, transport).await;
                match &token {
                    Ok(_) => self.client_secret.kept().accepted(version),
                    Err(_) => _ = self.client_secret.kept().refused(version),
                }
                token
            }
            Ok(token) => {
                self.client_secret.kept().accepted(version);
                Ok(token)
            }
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, secret: &Secret, transport: &dyn Transport) -> Result<Fetched<Secret>, NoCredentials> {
        match transport.send(&self.request(secret)?).await {
            Ok(reply) => self.token(&reply),
            Err(SendError::Forbidden(error)) => Err(NoCredentials::Ever(error.to_string())),
            Err(SendError::Connection(cause)) => Err(self.later(Arc::from(cause))),
            Err(error) => Err(self.later(Arc::new(error))),
        }
    }

    fn request(&self, secret: &Secret) -> Result<Outgoing, NoCredentials> {
        // RFC 6749 2.3.1: both are encoded as in a form before they are joined.
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(&self.options.client_id), encoded(secret.reveal()));
        let basic = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)));
        let mut basic = basic.map_err(|error| NoCredentials::Ever(error.to_string()))?;
        basic.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, basic),
            (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ]);
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        for (name, value) in [("scope", &self.options.scope), ("audience", &self.options.audience)] {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        let url = Some(self.options.token_url.clone());
        Ok(Outgoing { method: Method::POST, url, headers, body: Bytes::from(form.finish()) })
    }

    fn token(&self, reply: &Reply) -> Result<Fetched<Secret>, NoCredentials> {
        let fields: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        match reply.status {
            200..300 => {}
            408 | 425 | 429 | 500..600 => return Err(self.later(because(format!("it said {}", reply.status)))),
            300..400 => {
                let redirects = "redirects; give the final URL as oauth2_token_url";
                return Err(NoCredentials::Ever(format!("{} {redirects} (status {})", self.endpoint(), reply.status)));
            }
            status => {
                // Its description may quote what we sent, its code cannot.
                let is_code = |code: &&str| code.len() < 40 && code.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                let code = text("error").filter(is_code).map(|code| format!(", {code}")).unwrap_or_default();
                return Err(NoCredentials::Ever(format!(
                    "{} refused the client (status {status}{code}): check oauth2_client_id, oauth2_client_secret ({}), \
                     oauth2_scope and oauth2_audience",
                    self.endpoint(),
                    self.client_secret.reference()
                )));
            }
        }
        let Some(token) = text("access_token").filter(|token| !token.is_empty()) else {
            return Err(self.later(because("its reply has no access_token".to_owned())));
        };
        if text("token_type").is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(NoCredentials::Ever(format!("{} gives tokens that are no bearer tokens", self.endpoint())));
        }
        // Seconds; some servers send them as text.
        let seconds = fields.get("expires_in").and_then(|life| life.as_u64().or_else(|| life.as_str()?.parse().ok()));
        Ok(Fetched { value: Secret::new(token), life: seconds.map(Duration::from_secs) })
    }

    /// The token endpoint, without what its query may hold.
    fn endpoint(&self) -> String {
        let url = &self.options.token_url;
        format!("the token endpoint {}{}", url.origin().ascii_serialization(), url.path())
    }

    fn later(&self, source: Arc<dyn Error + Send + Sync>) -> NoCredentials {
        NoCredentials::Now { what: format!("a token of {}", self.endpoint()), source }
    }
}

fn because(reason: String) -> Arc<dyn Error + Send + Sync> {
    Arc::from(Box::<dyn Error + Send + Sync>::from(reason))
}

#[cfg(test)]
mod tests;
