//! The secret that the processes of one cluster share.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs, io};

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use subtle::ConstantTimeEq;

/// Where a process finds its token.
const VARIABLE: &str = "PACELINE_TOKEN";

/// Shorter ones can be guessed.
const SHORTEST: usize = 16;

const SCHEME: &[u8] = b"Bearer ";

/// A shared secret. Nothing prints it.
#[derive(Clone)]
pub struct Token(Arc<HeaderValue>);

/// Why there is no usable token.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenError {
    /// Neither the variable nor a file gives one.
    Missing,
    /// Too few characters.
    Short,
    /// Characters that a header cannot carry: only visible ASCII can be used.
    Characters,
    /// The file cannot be read.
    File(PathBuf, io::Error),
}

impl Token {
    /// Takes `secret` without the white space around it.
    ///
    /// # Errors
    ///
    /// When it is shorter than 16 characters or not all visible ASCII.
    pub fn new(secret: &str) -> Result<Self, TokenError> {
        let secret = secret.trim();
        if secret.len() < SHORTEST {
            return Err(TokenError::Short);
        }
        if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Characters);
        }
        let mut header =
            HeaderValue::try_from(format!("Bearer {secret}")).map_err(|_ignored| TokenError::Characters)?;
        header.set_sensitive(true); // HPACK then keeps it out of its table, and Debug does not print it
        Ok(Token(Arc::new(header)))
    }

    /// Reads the token from `file`, or without one from `PACELINE_TOKEN`.
    ///
    /// # Errors
    ///
    /// When there is none or it cannot be used.
    pub fn find(file: Option<&Path>) -> Result<Self, TokenError> {
        match file {
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|error| TokenError::File(path.to_owned(), error))?;
                Token::new(&text)
            }
            None => Token::new(&env::var(VARIABLE).map_err(|_ignored| TokenError::Missing)?),
        }
    }

    /// The value of an `authorization` header that carries this token.
    pub(in crate::cluster) fn header(&self) -> HeaderValue {
        HeaderValue::clone(&self.0)
    }

    /// Whether `headers` carry this token, once. Takes the same time wherever a wrong one differs.
    pub(in crate::cluster) fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let (Some(given), None) = (given.next(), given.next()) else { return false };
        let Some((scheme, secret)) = given.as_bytes().split_at_checked(SCHEME.len()) else { return false };
        scheme.eq_ignore_ascii_case(SCHEME) && bool::from(secret.ct_eq(&self.0.as_bytes()[SCHEME.len()..]))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenError::Missing => write!(f, "there is no token: set {VARIABLE}, or name a file that has it"),
            TokenError::Short => write!(f, "the token has less than {SHORTEST} characters"),
            TokenError::Characters => f.write_str("the token has characters other than visible ASCII"),
            TokenError::File(path, error) => write!(f, "the token file {} cannot be read: {error}", path.display()),
        }
    }
}

impl std::error::Error for TokenError {}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    fn admits(token: &Token, values: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        token.is_in(&headers)
    }

    #[test]
    fn only_the_token_itself_admits() {
        let token = Token::new(SECRET).unwrap();
        assert!(admits(&token, &["Bearer 0123456789abcdef"]));
        assert!(admits(&token, &["bearer 0123456789abcdef"]));
        for wrong in ["Bearer 0123456789abcdeX", "Bearer 0123456789abcde", "Bearer 0123456789abcdef0", "Bearer ", "B"] {
            assert!(!admits(&token, &[wrong]), "{wrong}");
        }
        assert!(!admits(&token, &["Basic 0123456789abcdef", SECRET]));
        assert!(!admits(&token, &[SECRET]));
        assert!(!admits(&token, &[]));
        assert!(!admits(&token, &["Bearer 0123456789abcdef", "Bearer 0123456789abcdef"]));
    }

    #[test]
    fn nothing_prints_it() {
        let token = Token::new(SECRET).unwrap();
        let printed = format!("{token} {token:?} {:?} {:#?}", token.header(), token);
        assert!(!printed.contains("0123"), "{printed}");
    }

    #[test]
    fn bad_tokens_are_refused() {
        for short in ["", "\n", "short", "012345678901234", "  012345678901234  \n"] {
            assert!(matches!(Token::new(short), Err(TokenError::Short)), "{short:?}");
        }
        for odd in ["0123456789abcdef\n0123456789abcdef", "0123456789 abcdef", "0123456789äbcdef"] {
            assert!(matches!(Token::new(odd), Err(TokenError::Characters)), "{odd:?}");
        }
    }

    #[test]
    fn a_file_may_end_in_a_newline() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, format!("{SECRET}\r\n")).unwrap();
        assert!(admits(&Token::find(Some(&path)).unwrap(), &["Bearer 0123456789abcdef"]));
        let missing = Token::find(Some(&directory.path().join("none"))).unwrap_err();
        assert!(missing.to_string().contains("none"), "{missing}");
    }
}
