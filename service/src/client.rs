//! A client of the job service, for the command line.

use std::fmt;
use std::time::Duration;

use paceline_engine::cluster::Access;
use reqwest::{Certificate, Method, StatusCode};
use serde_json::Value;
use url::Url;

/// How long an answer is waited for.
const WITHIN: Duration = Duration::from_secs(60);

/// The way to a job service.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    access: Access,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum ClientError {
    /// The service refuses, for a reason.
    Refused(StatusCode, String),
    /// It cannot be reached, or what it says cannot be understood.
    Unreachable(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Refused(_, why) | ClientError::Unreachable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for ClientError {}

impl Client {
    /// The service at a URL; `roots` are certificates to trust, as PEM.
    ///
    /// # Errors
    /// The certificates cannot be used.
    pub fn new(server: Url, access: Access, roots: Option<&[u8]>) -> Result<Self, ClientError> {
        let failed = |error: reqwest::Error| ClientError::Unreachable(format!("there is no HTTP client: {error}"));
        let mut http = reqwest::Client::builder().timeout(WITHIN);
        for root in roots.map(Certificate::from_pem_bundle).transpose().map_err(failed)?.unwrap_or_default() {
            http = http.add_root_certificate(root);
        }
        Ok(Client { http: http.build().map_err(failed)?, server, access })
    }

    /// Asks for what is at `/api/v1/` and a path; segments may hold anything.
    ///
    /// # Errors
    /// It is refused, or the service cannot be reached.
    pub async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, ClientError> {
        self.ask(Method::GET, path, query, None).await
    }

    /// Sends something there.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post(&self, path: &[&str], body: Option<&Value>) -> Result<Value, ClientError> {
        self.ask(Method::POST, path, &[], body).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        let mut url = self.server.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.http.request(method, url);
        if let Some(token) = self.access.header() {
            request = request.header("authorization", token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let at = &self.server;
        let lost = |error: reqwest::Error| {
            let mut why = error.without_url().to_string();
            why = why.trim_end_matches('.').to_owned();
            ClientError::Unreachable(format!(
                "the job service at {at} does not answer: {why}; is 'paceline cluster' or 'paceline scheduler' running \
                 there, and is --server its page?"
            ))
        };
        let reply = request.send().await.map_err(lost)?;
        let status = reply.status();
        let text = reply.text().await.map_err(lost)?;
        let value: Option<Value> = serde_json::from_str(&text).ok();
        match value {
            Some(value) if status.is_success() => Ok(value),
            Some(problem) => {
                let detail = problem.get("detail").and_then(Value::as_str).unwrap_or(&text);
                let hint = if status == StatusCode::UNAUTHORIZED { " (--token-file or PACELINE_TOKEN)" } else { "" };
                Err(ClientError::Refused(status, format!("{detail}{hint}")))
            }
            None => {
                let why = format!("what answers at {at} is no job service: status {status}, and no JSON");
                Err(ClientError::Unreachable(why))
            }
        }
    }
}
