//! Where credentials come from: references, which may be shown, and their values, which never are.
//! A value is read only where the call is made, and kept in memory only.

mod kept;

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

pub(crate) use kept::{Fetched, Kept};

/// A value that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Makes a secret of a text.
    pub fn new(value: impl Into<Arc<str>>) -> Self {
        Secret(value.into())
    }

    /// The value, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

/// Where a secret is. It may be shown, and be part of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// `env:NAME`, a variable of the environment.
    Env(String),
    /// `file:PATH`, the content of a file without a newline at its end.
    File(PathBuf),
    /// `aws-secret:ID#field`, a secret of AWS Secrets Manager.
    Aws {
        /// Its name or ARN.
        id: String,
        /// A field of its JSON object; the whole text without one.
        field: Option<String>,
    },
}

impl Reference {
    /// Reads a reference.
    ///
    /// # Errors
    /// The text is none; it may be the secret itself, so whoever reports this must not show it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let expected = "a reference to a secret: env:NAME, file:PATH or aws-secret:ID#field (never the secret itself)";
        let is_name = |name: &str| {
            !name.starts_with(|first: char| first.is_ascii_digit())
                && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
        };
        let (id, field) = text.split_once('#').map_or((text, None), |(id, field)| (id, Some(field.to_owned())));
        match text.split_once(':') {
            Some((_, "")) => Err(expected),
            Some(("env", name)) if is_name(name) => Ok(Reference::Env(name.to_owned())),
            Some(("file", path)) => Ok(Reference::File(path.into())),
            Some(("aws-secret", _)) => match id.strip_prefix("aws-secret:") {
                Some(id) if !id.is_empty() && field.as_deref() != Some("") => {
                    Ok(Reference::Aws { id: id.to_owned(), field })
                }
                _ => Err(expected),
            },
            _ => Err(expected),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Env(name) => write!(f, "env:{name}"),
            Reference::File(path) => write!(f, "file:{}", path.display()),
            Reference::Aws { id, field: None } => write!(f, "aws-secret:{id}"),
            Reference::Aws { id, field: Some(field) } => write!(f, "aws-secret:{id}#{field}"),
        }
    }
}

/// Why there are no credentials. It never holds one.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoCredentials {
    /// Whoever has them cannot be reached or is busy; another attempt may do.
    #[error("{what} cannot be had now")]
    Now {
        /// Which, in words.
        what: String,
        /// The cause.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// Another attempt would fail too. The message says what to do.
    #[error("{0}")]
    Ever(String),
}

/// A store of secrets, such as AWS Secrets Manager.
#[async_trait]
pub trait SecretStore: Send + Sync + fmt::Debug {
    /// The text of a secret.
    ///
    /// # Errors
    /// There is none, it may not be read, or the store cannot be reached.
    async fn get(&self, id: &str) -> Result<Secret, NoCredentials>;
}

/// A secret by its reference, read when first needed and after a refusal.
pub(crate) struct Source {
    reference: Reference,
    store: Option<Arc<dyn SecretStore>>,
    kept: Kept<Secret>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({})", self.reference)
    }
}

impl Source {
    pub fn new(reference: &Reference, store: Option<&Arc<dyn SecretStore>>) -> Self {
        Source { reference: reference.clone(), store: store.cloned(), kept: Kept::of_values_that_stay() }
    }

    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// What is kept of it; whoever uses the value reports there how it went.
    pub fn kept(&self) -> &Kept<Secret> {
        &self.kept
    }

    /// The value, and which one it is.
    pub async fn get(&self) -> Result<(Secret, u64), NoCredentials> {
        self.kept.get(|| async { Ok(Fetched { value: self.read().await?, life: None }) }).await
    }

    async fn read(&self) -> Result<Secret, NoCredentials> {
        let failed = |why: &str| NoCredentials::Ever(format!("the secret {} cannot be read: {why}", self.reference));
        let secret = match &self.reference {
            Reference::Env(name) => match std::env::var(name) {
                Ok(value) => Secret::new(value),
                Err(std::env::VarError::NotPresent) => return Err(failed("there is no such variable")),
                Err(std::env::VarError::NotUnicode(_)) => return Err(failed("it is not UTF-8")),
            },
            Reference::File(path) => {
                let path = path.clone();
                // A file may be on a network, and this thread has requests to carry.
                let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
                let bytes =
                    read.map_err(|error| failed(&error.to_string()))?.map_err(|error| failed(&error.to_string()))?;
                let text = String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8"))?;
                let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
                Secret::new(line.unwrap_or(&text))
            }
            Reference::Aws { id, field } => {
                let Some(store) = &self.store else {
                    return Err(failed("there is no access to AWS Secrets Manager here"));
                };
                let text = store.get(id).await?;
                match field {
                    Some(field) => field_of(&text, field).map_err(failed)?,
                    None => text,
                }
            }
        };
        if secret.reveal().is_empty() { Err(failed("it is empty")) } else { Ok(secret) }
    }
}

fn field_of(text: &Secret, field: &str) -> Result<Secret, &'static str> {
    use serde_json::Value;
    // What serde_json says of malformed text may quote it.
    let Ok(Value::Object(fields)) = serde_json::from_str(text.reveal()) else {
        return Err("it is not a JSON object, so it has no fields");
    };
    match fields.get(field) {
        Some(Value::String(value)) => Ok(Secret::new(value.as_str())),
        Some(Value::Number(value)) => Ok(Secret::new(value.to_string())),
        Some(_) => Err("the field is not text"),
        None => Err("its JSON object has no such field"),
    }
}

#[cfg(test)]
mod tests;
