//! Who may ask: whoever has the cluster's token, as a bearer, or in a browser as a session that a login began. Without a token
//! only processes of this machine reach the service, and pages of other sites that a browser shows are kept out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use paceline_engine::cluster::Access;
use serde::Deserialize;

use super::problem::Problem;

/// How long a login lasts.
const SESSION: Duration = Duration::from_secs(12 * 3600);
/// Sessions at a time; the oldest ends.
const SESSIONS: usize = 1000;
/// The cookie's name.
const COOKIE: &str = "paceline_session";

/// The guard of a service.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    access: Access,
    /// The name that the service is reached at, beside its addresses.
    host: Option<String>,
    sessions: Mutex<HashMap<String, Instant>>,
}

/// What a login sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    token: String,
}

impl Guard {
    /// A guard that lets in who `access` says.
    pub fn new(access: Access, host: Option<String>) -> Self {
        Guard(Arc::new(Inner { access, host, sessions: Mutex::default() }))
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_logged_in(&self, headers: &HeaderMap) -> bool {
        let Some(session) = cookie(headers) else { return false };
        self.sessions().get(session).is_some_and(|begun| begun.elapsed() < SESSION)
    }

    fn refuse(&self, request: &Request) -> Option<Problem> {
        let headers = request.headers();
        let forbidden = |why: &str| Some(Problem::new(StatusCode::FORBIDDEN, "forbidden", why));
        if !self.0.access.needs_token() && !is_here(headers, self.0.host.as_deref()) {
            return forbidden("the name in the request's Host header is not one of this service");
        }
        let is_bearer = self.0.access.needs_token() && self.0.access.admits(headers);
        if !is_bearer && !matches!(*request.method(), Method::GET | Method::HEAD) && is_of_another_site(headers) {
            return forbidden("a page of another site asks for this");
        }
        let path = request.uri().path();
        let is_open = !path.starts_with("/api") && path != "/metrics";
        if is_open || self.0.access.admits(headers) || self.is_logged_in(headers) {
            return None;
        }
        let how = "send the cluster's token as 'Authorization: Bearer …', or log in on the page";
        Some(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", how))
    }
}

/// Lets a request through, or refuses it.
pub async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api") || request.uri().path() == "/metrics";
    let mut response = match guard.refuse(&request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if is_api {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Begins a session for whoever has the token.
pub async fn login(State(guard): State<Guard>, body: axum::body::Bytes) -> Response {
    let Ok(Login { token }) = serde_json::from_slice(&body) else {
        return Problem::new(StatusCode::BAD_REQUEST, "malformed", "send {\"token\": \"…\"}").into_response();
    };
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::try_from(format!("Bearer {}", token.trim())) {
        headers.insert(header::AUTHORIZATION, value);
    }
    if !guard.0.access.admits(&headers) {
        let why = "that is not the cluster's token";
        return Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", why).into_response();
    }
    let session = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let mut sessions = guard.sessions();
    sessions.retain(|_, begun| begun.elapsed() < SESSION);
    if sessions.len() >= SESSIONS
        && let Some(oldest) = sessions.iter().min_by_key(|(_, begun)| **begun).map(|(session, _)| session.clone())
    {
        sessions.remove(&oldest);
    }
    sessions.insert(session.clone(), Instant::now());
    drop(sessions);
    set_cookie(&session, SESSION, guard.0.access.tls().is_some())
}

/// Ends the session.
pub async fn logout(State(guard): State<Guard>, headers: HeaderMap) -> Response {
    if let Some(session) = cookie(&headers) {
        guard.sessions().remove(session);
    }
    set_cookie("", Duration::ZERO, guard.0.access.tls().is_some())
}

fn set_cookie(session: &str, lasts: Duration, tls: bool) -> Response {
    let secure = if tls { "; Secure" } else { "" };
    let age = lasts.as_secs();
    let cookie = format!("{COOKIE}={session}; HttpOnly; SameSite=Strict; Path=/; Max-Age={age}{secure}");
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// Whether the request names this service by an address, as no name of another site does, or by a name of its own.
fn is_here(headers: &HeaderMap, own: Option<&str>) -> bool {
    // HTTP/2 has no Host header; no browser speaks it without TLS.
    let Some(host) = headers.get(header::HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok() || own == Some(name)
}

/// Whether a browser says that a page of another site sends the request.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let host = text("host").unwrap_or_default();
    text("origin").is_some_and(|origin| origin.split_once("://").is_none_or(|(_, named)| named != host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn pages_of_other_sites_are_told_from_our_own() {
        for own in [
            &[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:4040")][..],
            &[("host", "localhost:4040"), ("origin", "http://localhost:4040")],
            &[("host", "localhost:4040")],
        ] {
            assert!(!is_of_another_site(&headers(own)), "{own:?}");
        }
        for other in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("host", "localhost:4040"), ("origin", "http://localhost:4041")],
            &[("host", "localhost:4040"), ("origin", "null")],
        ] {
            assert!(is_of_another_site(&headers(other)), "{other:?}");
        }
    }

    #[test]
    fn a_name_that_was_bent_to_this_machine_is_not_ours() {
        for (host, here) in [
            ("localhost:4040", true),
            ("127.0.0.1:4040", true),
            ("[::1]:4040", true),
            ("scheduler.internal:4040", true),
            ("evil.example:4040", false),
            ("localhost.evil.example", false),
        ] {
            let headers = headers(&[("host", host)]);
            assert_eq!(is_here(&headers, Some("scheduler.internal")), here, "{host}");
        }
    }

    #[test]
    fn a_session_is_found_among_other_cookies() {
        let found = headers(&[("cookie", "a=b; paceline_session=xyz; c=d")]);
        assert_eq!((cookie(&found), cookie(&headers(&[("cookie", "paceline_session2=x")]))), (Some("xyz"), None));
    }
}
