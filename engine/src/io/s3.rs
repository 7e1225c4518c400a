//! How S3 is reached: settings first, then the variables that AWS's own tools read, then the profile.

use std::env;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, AwsCredential, AwsCredentialProvider};
use object_store::client::{ClientConfigKey, SpawnedReqwestConnector};
use object_store::{Certificate, ClientOptions, StaticCredentialProvider};
use tokio::runtime::Handle;
use url::Url;

use super::counted::{CountedConnector, S3Counters};
use super::credentials::{self, Chain};
use crate::EngineError;

/// What is set; the environment says the rest (`AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_PROFILE`, …).
#[derive(Clone, Default)]
pub struct S3Settings {
    /// Another endpoint than AWS's.
    pub endpoint: Option<Url>,
    /// Region of the buckets.
    pub region: Option<String>,
    /// Access key id and secret, in place of the chain of credentials.
    pub credentials: Option<(String, String)>,
    /// Whether requests are sent without a signature, as public buckets allow.
    pub anonymous: bool,
    /// How S3 encrypts what is written.
    pub encryption: Option<Encryption>,
    /// The key for that, at KMS: its id, ARN or alias.
    pub kms_key: Option<String>,
    /// Where requests are counted.
    pub counters: S3Counters,
}

impl fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Settings")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// Whose key S3 encrypts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// S3's own.
    S3,
    /// One of KMS.
    Kms,
    /// One of KMS, in two layers.
    KmsTwice,
}

impl Encryption {
    /// Its name, as S3 has it.
    pub fn name(self) -> &'static str {
        match self {
            Encryption::S3 => "AES256",
            Encryption::Kms => "aws:kms",
            Encryption::KmsTwice => "aws:kms:dsse",
        }
    }

    /// The one of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Encryption::S3, Encryption::Kms, Encryption::KmsTwice].into_iter().find(|it| it.name() == name)
    }
}

/// Makes clients of S3; what they share is looked up when the first is made.
#[derive(Debug)]
pub(super) struct S3 {
    settings: S3Settings,
    network: Handle,
    shared: OnceLock<Shared>,
}

/// What all buckets are reached with.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub region: String,
    pub endpoint: Option<Url>,
    pub credentials: AwsCredentialProvider,
    pub ca_bundle: Option<Arc<[u8]>>,
}

impl S3 {
    pub fn new(settings: S3Settings, network: Handle) -> Self {
        S3 { settings, network, shared: OnceLock::new() }
    }

    /// The connector to S3, on the network runtime.
    pub fn connector(&self) -> CountedConnector {
        CountedConnector::new(SpawnedReqwestConnector::new(self.network.clone()), self.settings.counters.clone())
    }

    pub fn shared(&self) -> Result<&Shared, EngineError> {
        match self.shared.get() {
            Some(shared) => Ok(shared),
            None => {
                let shared = self.look_up()?;
                Ok(self.shared.get_or_init(|| shared))
            }
        }
    }

    fn look_up(&self) -> Result<Shared, EngineError> {
        let bundle = variable(&["AWS_CA_BUNDLE"]).map(|path| credentials::ca_bundle(Path::new(&path)));
        let ca_bundle = bundle.transpose().map_err(EngineError::Setting)?;
        let region = self.settings.region.clone().or_else(|| variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]));
        let region = region.or_else(|| credentials::region_of_profile(&self.network));
        let credentials: AwsCredentialProvider = match &self.settings.credentials {
            Some((id, secret)) => Arc::new(StaticCredentialProvider::new(AwsCredential {
                key_id: id.clone(),
                secret_key: secret.clone(),
                token: None,
            })),
            None => Arc::new(Chain::new(region.clone(), ca_bundle.clone(), self.network.clone())),
        };
        let endpoint = match &self.settings.endpoint {
            Some(endpoint) => Some(endpoint.clone()),
            None => endpoint_of_environment(["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])?,
        };
        Ok(Shared { region: region.unwrap_or_else(|| "us-east-1".to_owned()), endpoint, credentials, ca_bundle })
    }

    /// How the HTTP client of a bucket is made.
    pub fn client_options(&self) -> Result<ClientOptions, EngineError> {
        let shared = self.shared()?;
        let mut options = ClientOptions::new();
        for (name, value) in environment() {
            if let Ok(AmazonS3ConfigKey::Client(key)) = name.parse() {
                options = options.with_config(key, value);
            }
        }
        if let Some(pem) = &shared.ca_bundle {
            let certificates = Certificate::from_pem_bundle(pem).ok().filter(|found| !found.is_empty());
            let none = "the file that AWS_CA_BUNDLE names holds no certificates in PEM";
            let certificates = certificates.ok_or_else(|| EngineError::Setting(none.to_owned()))?;
            options = certificates.into_iter().fold(options, ClientOptions::with_root_certificate);
        }
        if let Some(endpoint) = &shared.endpoint {
            let plain = endpoint.scheme() == "http"; // whoever names such an endpoint means it
            options = options.with_config(ClientConfigKey::AllowHttp, plain.to_string());
        }
        Ok(options)
    }

    /// The client of a bucket.
    ///
    /// # Errors
    /// A setting or a variable of the environment does not fit.
    pub fn bucket(&self, bucket: &str) -> Result<AmazonS3, EngineError> {
        let shared = self.shared()?;
        let mut builder = AmazonS3Builder::new();
        for (name, value) in environment() {
            if let Ok(key) = name.parse() {
                builder = builder.with_config(key, value);
            }
        }
        builder = builder
            .with_client_options(self.client_options()?)
            .with_http_connector(self.connector())
            .with_bucket_name(bucket)
            .with_region(&shared.region)
            .with_credentials(Arc::clone(&shared.credentials));
        if let Some(endpoint) = &shared.endpoint {
            builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
        }
        if self.settings.anonymous {
            builder = builder.with_skip_signature(true);
        }
        for (name, value) in self.encryption()? {
            if let Ok(key) = name.parse::<AmazonS3ConfigKey>() {
                builder = builder.with_config(key, value);
            }
        }
        builder.build().map_err(|source| EngineError::Storage {
            action: "cannot reach",
            url: format!("s3://{bucket}"),
            source,
        })
    }

    /// By the names that object_store has for them.
    fn encryption(&self) -> Result<Vec<(&'static str, &str)>, EngineError> {
        let key = self.settings.kms_key.as_deref();
        match (self.settings.encryption, key) {
            (None | Some(Encryption::S3), Some(_)) => Err(EngineError::Setting(
                "paceline.s3.sse.kms.key names a key of KMS, so paceline.s3.sse must be aws:kms or aws:kms:dsse"
                    .to_owned(),
            )),
            (encryption, key) => {
                let encryption = encryption.map(|encryption| ("aws_server_side_encryption", encryption.name()));
                Ok(encryption.into_iter().chain(key.map(|key| ("aws_sse_kms_key_id", key))).collect())
            }
        }
    }
}

/// The variables that object_store may know, by the names that it has for them. Endpoints are not among them: of two it
/// would take the environment's before the one that is set.
fn environment() -> impl Iterator<Item = (String, String)> {
    let texts = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let ours = texts.filter(|(name, _)| name.starts_with("AWS_") && !name.starts_with("AWS_ENDPOINT"));
    ours.map(|(name, value)| (name.to_ascii_lowercase(), value))
}

fn variable(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
}

/// The URL that the first of these variables has that is set.
pub(super) fn endpoint_of_environment(names: [&str; 2]) -> Result<Option<Url>, EngineError> {
    let Some(text) = variable(&names) else { return Ok(None) };
    match Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https")) {
        Some(url) => Ok(Some(url)),
        None => Err(EngineError::Setting(format!(
            "{} is '{text}', expected an http:// or https:// URL",
            names.join(" or ")
        ))),
    }
}
