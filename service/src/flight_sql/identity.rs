//! Who may ask: whoever has the cluster's token, as a bearer or as the password of any user.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use paceline_engine::cluster::Access;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// The header of tokens and passwords.
pub(super) const AUTHORIZATION: &str = "authorization";
/// How a password is sent (RFC 7617).
const BASIC: &str = "Basic ";
/// What who logs in is told to send where no token is needed.
const NO_TOKEN: &str = "Bearer none";

/// Knows who may ask.
#[derive(Clone)]
pub struct Identity(Access);

impl Identity {
    pub fn new(access: Access) -> Self {
        Identity(access)
    }

    /// What a driver that logged in with a password sends from then on.
    ///
    /// # Errors
    /// The token is no header, which [`Access`] sees to.
    pub fn bearer(&self) -> Result<MetadataValue<Ascii>, Status> {
        let Some(header) = self.0.header() else { return Ok(MetadataValue::from_static(NO_TOKEN)) };
        let value = header.to_str().ok().and_then(|text| text.parse().ok());
        value.ok_or_else(|| Status::internal("the token cannot be sent"))
    }

    fn admits(&self, sent: &MetadataMap) -> bool {
        if !self.0.needs_token() {
            return true;
        }
        let mut headers = sent.clone();
        if let Some(password) = sent.get(AUTHORIZATION).and_then(password) {
            let Ok(bearer) = format!("Bearer {password}").parse() else { return false };
            headers.insert(AUTHORIZATION, bearer);
        }
        self.0.admits(&headers.into_headers())
    }
}

impl Interceptor for Identity {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        if self.admits(request.metadata()) {
            return Ok(request);
        }
        Err(Status::unauthenticated(
            "send the cluster's token as 'Authorization: Bearer …', or as the password of any user",
        ))
    }
}

/// The password of `Basic …`.
fn password(header: &MetadataValue<Ascii>) -> Option<String> {
    let text = header.to_str().ok()?;
    let (scheme, encoded) = text.split_at_checked(BASIC.len())?;
    if !scheme.eq_ignore_ascii_case(BASIC) {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(value: &str) -> MetadataMap {
        let mut sent = MetadataMap::new();
        sent.insert(AUTHORIZATION, value.parse().unwrap());
        sent
    }

    #[test]
    fn a_password_is_what_stands_behind_the_first_colon() {
        let of = |text: &str| password(&format!("Basic {}", STANDARD.encode(text)).parse().unwrap());
        assert_eq!(of("ada:0123456789abcdef").as_deref(), Some("0123456789abcdef"));
        assert_eq!(of(":a:b").as_deref(), Some("a:b"));
        assert_eq!(of("nobody"), None);
        assert_eq!(password(&"Basic ???".parse().unwrap()), None);
        assert_eq!(password(&"Bearer abc".parse().unwrap()), None);
    }

    #[test]
    fn the_token_is_asked_for_where_there_is_one() {
        let open = Identity::new(Access::default());
        assert!(open.admits(&MetadataMap::new()) && open.admits(&sent("Bearer anything")));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "0123456789abcdef").unwrap();
        let files = paceline_engine::cluster::AccessFiles { token: Some(file), ..Default::default() };
        let guarded = Identity::new(Access::find(&files).unwrap());
        assert!(guarded.admits(&sent("Bearer 0123456789abcdef")));
        assert!(guarded.admits(&sent(&format!("basic {}", STANDARD.encode("ada:0123456789abcdef")))));
        for wrong in ["Bearer 0123456789abcdeX", "Basic 0123456789abcdef", "0123456789abcdef"] {
            assert!(!guarded.admits(&sent(wrong)), "{wrong}");
        }
        assert!(!guarded.admits(&sent(&format!("Basic {}", STANDARD.encode("0123456789abcdef:wrong")))));
        assert!(!guarded.admits(&MetadataMap::new()));
        assert_eq!(guarded.bearer().unwrap().to_str().unwrap(), "Bearer 0123456789abcdef");
    }
}
