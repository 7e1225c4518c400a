//! Options of security: who the API is told we are, how TLS is set up, and which hosts may be reached. They hold references
//! to secrets, never a secret.

use http::{HeaderName, header};
use url::Url;

use super::values::{OptionRow, Values, row};
use super::wire;
use crate::egress::{AllowedHosts, Egress};
use crate::secret::Reference;

pub(super) const ROWS: &[OptionRow] = &[
    row(
        "auth",
        Some("none"),
        "how requests are authenticated: none, bearer, basic, header, query, oauth2 (client credentials, RFC 6749 4.4) or \
         aws-sigv4 (AWS Lambda, IAM-protected API Gateway)",
    ),
    row(
        "auth_secret",
        None,
        "bearer, basic, header, query: reference to the secret: env:NAME, file:PATH (without a newline at its end) or \
         aws-secret:ID#field (field of a JSON secret of AWS Secrets Manager; the whole text without #field). Read when the \
         first request is sent, and once more when the API says 401",
    ),
    row("auth_user", None, "basic: the user, where auth_secret is the password alone and not user:password"),
    row("auth_name", None, "header, query: name of the header or of the query parameter that carries the secret"),
    row("oauth2_token_url", None, "oauth2: URL of the token endpoint, http or https"),
    row("oauth2_client_id", None, "oauth2: the client's id"),
    row("oauth2_client_secret", None, "oauth2: reference to the client's secret, as for auth_secret"),
    row("oauth2_scope", None, "oauth2: scopes that are asked for, with spaces in between (default: the server's)"),
    row("oauth2_audience", None, "oauth2: audience that is asked for, where the server wants one"),
    row(
        "aws_service",
        None,
        "aws-sigv4: name of the service that requests are signed for, such as lambda or execute-api",
    ),
    row("aws_region", None, "aws-sigv4: region that requests are signed for (default: that of the AWS credentials)"),
    row(
        "tls_client_cert",
        None,
        "reference to the client's certificate (chain) in PEM, for an API that demands one (mutual TLS)",
    ),
    row("tls_client_key", None, "reference to its private key in PEM (default: it stands with the certificate)"),
    row(
        "tls_ca",
        None,
        "reference to certificates in PEM that are trusted besides those of this machine. TLS is always verified",
    ),
    row(
        "allowed_hosts",
        None,
        "the only hosts that requests and token requests may go to, with commas in between: a name, *.suffix (all names \
         below it), an address or a CIDR block, each with an optional http:// or https:// before it and an optional port \
         after it (default: any), e.g. 'https://api.example.com:443, *.vendor.com, http://10.0.0.0/8:8080'. Names are \
         checked, and the addresses that they resolve to: what a *.suffix matches must not be at a loopback or private \
         address unless a CIDR block has that. Through a system proxy, which resolves the names, only names are checked, and \
         the proxy itself is not. It can only narrow paceline.api.allowed_hosts. Link-local addresses and the metadata \
         services of clouds are never allowed (default: all others are)",
    ),
];

/// Who the API is told we are, how TLS is set up, and which hosts may be reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Security {
    /// How requests are authenticated.
    pub auth: Auth,
    /// What TLS has besides this machine's own certificates.
    pub tls: Tls,
    /// The only hosts that requests may go to.
    pub allowed_hosts: Option<AllowedHosts>,
}

/// How requests are authenticated.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Auth {
    /// Not at all.
    None,
    /// `Authorization: Bearer`, RFC 6750.
    Bearer(Reference),
    /// `Authorization: Basic`, RFC 7617.
    Basic {
        /// The user; without one the secret is `user:password`.
        user: Option<String>,
        /// The password.
        secret: Reference,
    },
    /// A header of the API's own.
    Header {
        /// Its name.
        name: HeaderName,
        /// Its value.
        secret: Reference,
    },
    /// A parameter in the query of the URL.
    Query {
        /// Its name.
        name: String,
        /// Its value.
        secret: Reference,
    },
    /// A token of an OAuth 2.0 server for client credentials.
    OAuth2(OAuth2),
    /// A signature of AWS, made anew for each attempt.
    AwsSigV4 {
        /// The service as in the signature's scope.
        service: String,
        /// The region; that of the credentials without one.
        region: Option<String>,
    },
}

/// Client credentials, RFC 6749 4.4.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OAuth2 {
    /// The token endpoint.
    pub token_url: Url,
    /// The client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Reference,
    /// The scopes that are asked for.
    pub scope: Option<String>,
    /// The audience that is asked for.
    pub audience: Option<String>,
}

/// What TLS has besides this machine's own certificates, in PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tls {
    /// The client's certificate chain.
    pub client_cert: Option<Reference>,
    /// Its key, where that is elsewhere.
    pub client_key: Option<Reference>,
    /// Further authorities that are trusted.
    pub ca: Option<Reference>,
}

/// Each option that belongs to some kinds of `auth` only, and these.
const BELONGS_TO: &[(&str, &[&str])] = &[
    ("auth_secret", &["bearer", "basic", "header", "query"]),
    ("auth_user", &["basic"]),
    ("auth_name", &["header", "query"]),
    ("oauth2_token_url", &["oauth2"]),
    ("oauth2_client_id", &["oauth2"]),
    ("oauth2_client_secret", &["oauth2"]),
    ("oauth2_scope", &["oauth2"]),
    ("oauth2_audience", &["oauth2"]),
    ("aws_service", &["aws-sigv4"]),
    ("aws_region", &["aws-sigv4"]),
];

pub(super) fn read(endpoint: &Url, values: &Values<'_>) -> Result<Security, String> {
    let security = Security {
        auth: auth(endpoint, values)?,
        tls: tls(endpoint, values)?,
        allowed_hosts: values.read_if_given("allowed_hosts", AllowedHosts::parse)?,
    };
    let egress = Egress::new(security.allowed_hosts.clone(), None);
    egress.check(endpoint).map_err(|error| format!("option 'endpoint': {error}"))?;
    if let Auth::OAuth2(OAuth2 { token_url, .. }) = &security.auth {
        egress.check(token_url).map_err(|error| format!("option 'oauth2_token_url': {error}"))?;
    }
    Ok(security)
}

fn auth(endpoint: &Url, values: &Values<'_>) -> Result<Auth, String> {
    let kind = values.read("auth", kind)?;
    for (option, kinds) in BELONGS_TO {
        if values.is_given(option) && !kinds.contains(&kind) {
            return Err(format!("option '{option}' is for auth {}, but auth is {kind}", kinds.join(", ")));
        }
    }
    let missing = |option: &str| format!("option '{option}' is missing; auth {kind} needs it");
    let text = |option: &str| match values.text(option) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(missing(option)),
    };
    let given = |option: &str| values.text(option).filter(|text| !text.is_empty()).map(str::to_owned);
    let secret = |option: &str| values.read_if_given(option, Reference::parse)?.ok_or_else(|| missing(option));
    Ok(match kind {
        "bearer" => Auth::Bearer(secret("auth_secret")?),
        "basic" => {
            let user = given("auth_user");
            if user.as_ref().is_some_and(|user| user.contains(':')) {
                return Err("option 'auth_user' has a colon, which ends the user in basic authentication".to_owned());
            }
            Auth::Basic { user, secret: secret("auth_secret")? }
        }
        "header" => {
            let name = values.read_if_given("auth_name", header_name)?.ok_or_else(|| missing("auth_name"))?;
            if values.text("idempotency_header").is_some_and(|other| other.eq_ignore_ascii_case(name.as_str())) {
                return Err(format!("options 'auth_name' and 'idempotency_header' both name the header {name}"));
            }
            Auth::Header { name, secret: secret("auth_secret")? }
        }
        "query" => {
            let name = text("auth_name")?;
            if endpoint.query_pairs().any(|(key, _)| key == name) {
                return Err(format!("option 'endpoint' already has the query parameter {name} that 'auth_name' names"));
            }
            Auth::Query { name, secret: secret("auth_secret")? }
        }
        "oauth2" => Auth::OAuth2(OAuth2 {
            token_url: values
                .read_if_given("oauth2_token_url", wire::http_url)?
                .ok_or_else(|| missing("oauth2_token_url"))?,
            client_id: text("oauth2_client_id")?,
            client_secret: secret("oauth2_client_secret")?,
            scope: given("oauth2_scope"),
            audience: given("oauth2_audience"),
        }),
        "aws-sigv4" => Auth::AwsSigV4 { service: text("aws_service")?, region: given("aws_region") },
        _ => Auth::None,
    })
}

fn tls(endpoint: &Url, values: &Values<'_>) -> Result<Tls, String> {
    let tls = Tls {
        client_cert: values.read_if_given("tls_client_cert", Reference::parse)?,
        client_key: values.read_if_given("tls_client_key", Reference::parse)?,
        ca: values.read_if_given("tls_ca", Reference::parse)?,
    };
    if tls.client_key.is_some() && tls.client_cert.is_none() {
        return Err("option 'tls_client_key' is of no use without 'tls_client_cert'".to_owned());
    }
    let of_no_use = ["tls_client_cert", "tls_ca"].into_iter().find(|option| values.is_given(option));
    let token_by_https = values.text("oauth2_token_url").is_some_and(|url| url.to_lowercase().starts_with("https:"));
    match of_no_use {
        Some(option) if endpoint.scheme() == "http" && !token_by_https => {
            Err(format!("option '{option}' is of no use, as 'endpoint' is an http:// URL: give an https:// one"))
        }
        _ => Ok(tls),
    }
}

fn kind(text: &str) -> Result<&'static str, &'static str> {
    let kinds = ["none", "bearer", "basic", "header", "query", "oauth2", "aws-sigv4"];
    let found = kinds.into_iter().find(|kind| kind.eq_ignore_ascii_case(text));
    found.ok_or("none, bearer, basic, header, query, oauth2 or aws-sigv4")
}

fn header_name(text: &str) -> Result<HeaderName, &'static str> {
    let expected = "the name of an HTTP header that says nothing of the connection or the body, such as X-Api-Key";
    let name: HeaderName = text.parse().map_err(|_| expected)?;
    let taken = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::UPGRADE,
        header::TE,
        header::TRAILER,
        header::PROXY_AUTHORIZATION,
    ];
    if taken.contains(&name) { Err(expected) } else { Ok(name) }
}

#[cfg(test)]
mod tests;
