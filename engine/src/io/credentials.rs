//! Whose name S3 is asked in: AWS's own chain of credentials, first asked when S3 is first used, and again before they expire.
//! Nothing here is ever printed but the id of a key.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::imds::client::error::ImdsError;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::region::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{Region, imds};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use paceline_udfs::client::causes;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

/// New credentials are asked for this long before the old ones expire. A request is signed once and sent again for up to
/// three minutes ([`object_store::RetryConfig`]).
const BEFORE_EXPIRY: Duration = Duration::from_secs(5 * 60);
/// Between two tries while the old ones are still good.
const BETWEEN_TRIES: Duration = Duration::from_secs(20);
/// For the whole chain: a login through SSO or a process of the user's own may take its time.
const TIMEOUT: Duration = Duration::from_secs(60);
/// For the metadata of an instance, which is last: elsewhere nobody answers at its address.
const METADATA_CONNECT: Duration = Duration::from_secs(1);
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);

/// The chain and what it gave last.
pub(super) struct Chain {
    region: Option<String>,
    ca_bundle: Option<Arc<[u8]>>,
    network: Handle,
    provider: OnceCell<SharedCredentialsProvider>,
    held: Mutex<Option<Held>>,
    /// Held by whoever asks, so that one request serves all.
    asking: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the AWS chain of credentials")
    }
}

impl Chain {
    /// A chain that was not asked yet, whose own traffic runs on `network`.
    pub fn new(region: Option<String>, ca_bundle: Option<Arc<[u8]>>, network: Handle) -> Self {
        let (provider, held, asking) = Default::default();
        Chain { region, ca_bundle, network, provider, held, asking }
    }

    async fn credential(&self, now: impl Fn() -> SystemTime) -> Result<Arc<AwsCredential>, NoCredentials> {
        let _turn = match self.usable(now()) {
            Some((Standing::Fresh, held)) => return Ok(held.credential),
            Some((Standing::Due, held)) => match self.asking.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(held.credential), // somebody else asks, and these are still good
            },
            None => self.asking.lock().await,
        };
        // Whoever had the turn before may have got new ones.
        match self.usable(now()) {
            Some((Standing::Fresh, held)) => Ok(held.credential),
            Some((Standing::Due, held)) => match self.ask().await {
                Ok(given) => Ok(self.hold(Held::new(&given, now()))),
                Err(error) => {
                    tracing::warn!(%error, "new credentials could not be had; the old ones are still good");
                    Ok(self.hold(Held { ask_again: Some(now() + BETWEEN_TRIES), ..held }))
                }
            },
            None => Ok(self.hold(Held::new(&self.ask().await?, now()))),
        }
    }

    /// What is held, unless it has expired.
    fn usable(&self, now: SystemTime) -> Option<(Standing, Held)> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some((held.standing(now)?, held))
    }

    fn hold(&self, held: Held) -> Arc<AwsCredential> {
        let credential = Arc::clone(&held.credential);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        credential
    }

    /// Asks the chain, on the network runtime.
    async fn ask(&self) -> Result<aws_credential_types::Credentials, NoCredentials> {
        let (region, ca_bundle) = (self.region.clone(), self.ca_bundle.clone());
        let made = self.provider.get_or_try_init(|| make(region, ca_bundle));
        let provider = made.await?.clone();
        let asked = async move { tokio::time::timeout(TIMEOUT, provider.provide_credentials()).await };
        match self.network.spawn(asked).await {
            Ok(Ok(given)) => given.map_err(NoCredentials::from),
            Ok(Err(_)) => {
                Err(NoCredentials::Failed(format!("there was no answer within {} seconds", TIMEOUT.as_secs())))
            }
            Err(error) => Err(NoCredentials::Failed(error.to_string())),
        }
    }
}

#[async_trait]
impl CredentialProvider for Chain {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let given = self.credential(SystemTime::now).await;
        given.map_err(|error| object_store::Error::Generic { store: "S3", source: Box::new(error) })
    }
}

/// Credentials and when to ask for new ones; never, if they do not expire.
#[derive(Clone, Debug)]
struct Held {
    credential: Arc<AwsCredential>,
    expiry: Option<SystemTime>,
    ask_again: Option<SystemTime>,
}

/// How good credentials are that have not expired.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// There is no reason to ask.
    Fresh,
    /// They can be used, but new ones are due.
    Due,
}

impl Held {
    fn new(given: &aws_credential_types::Credentials, now: SystemTime) -> Self {
        let credential = AwsCredential {
            key_id: given.access_key_id().to_owned(),
            secret_key: given.secret_access_key().to_owned(),
            token: given.session_token().map(str::to_owned),
        };
        // Those that live for minutes only are used for half of that, or each request would ask.
        let ask_again = given.expiry().map(|expiry| {
            let left = expiry.duration_since(now).unwrap_or_default();
            now + left.saturating_sub(BEFORE_EXPIRY.min(left / 2))
        });
        Held { credential: Arc::new(credential), expiry: given.expiry(), ask_again }
    }

    fn standing(&self, now: SystemTime) -> Option<Standing> {
        let reached = |time: Option<SystemTime>| time.is_some_and(|time| now >= time);
        match (reached(self.expiry), reached(self.ask_again)) {
            (true, _) => None,
            (false, true) => Some(Standing::Due),
            (false, false) => Some(Standing::Fresh),
        }
    }
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoCredentials {
    /// No link of the chain has any.
    #[error(
        "no AWS credentials were found: not in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, not in the {}, \
         not by AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, not from the container \
         (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI), not from the instance's metadata{}; set one of these, \
         or paceline.s3.anonymous=true for a public bucket",
        profile(), .0
    )]
    Nowhere(String),
    /// A link of the chain is set up, but fails.
    #[error(
        "the AWS credentials could not be loaded: {0}; correct or unset what it names (AWS_PROFILE, AWS_CONFIG_FILE, \
         AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_WEB_IDENTITY_TOKEN_FILE)"
    )]
    Failed(String),
}

impl From<CredentialsError> for NoCredentials {
    fn from(error: CredentialsError) -> Self {
        // The last link is there on every machine, whoever answers at its address.
        let instance = error.source().is_some_and(|source| source.is::<ImdsError>());
        match error {
            CredentialsError::CredentialsNotLoaded(_) => NoCredentials::Nowhere(String::new()),
            _ if instance => NoCredentials::Nowhere(format!(" ({})", causes(&error))),
            _ => NoCredentials::Failed(causes(&error)),
        }
    }
}

fn profile() -> String {
    match std::env::var("AWS_PROFILE") {
        Ok(name) => format!("profile '{name}' (~/.aws/config, ~/.aws/credentials)"),
        Err(_) => "default profile (~/.aws/config, ~/.aws/credentials; AWS_PROFILE is not set)".to_owned(),
    }
}

async fn make(
    region: Option<String>,
    ca_bundle: Option<Arc<[u8]>>,
) -> Result<SharedCredentialsProvider, NoCredentials> {
    let config = config(ca_bundle)?;
    let metadata = imds::Client::builder()
        .configure(&config)
        .connect_timeout(METADATA_CONNECT)
        .operation_timeout(METADATA_TIMEOUT)
        .build();
    // With a region of its own the chain does not look for one, which would ask the instance's metadata on every machine.
    let region = Region::new(region.unwrap_or_else(|| "us-east-1".to_owned()));
    let chain = DefaultCredentialsChain::builder().configure(config).imds_client(metadata).region(region);
    Ok(SharedCredentialsProvider::new(chain.build().await))
}

/// How the chain speaks to others: through `HTTPS_PROXY`, trusting this machine's roots and `AWS_CA_BUNDLE`. Containers and
/// instances have theirs at plain HTTP addresses, where no proxy may come between.
fn config(ca_bundle: Option<Arc<[u8]>>) -> Result<ProviderConfig, NoCredentials> {
    let roots = match &ca_bundle {
        Some(pem) => TrustStore::default().with_pem_certificate(pem.to_vec()),
        None => TrustStore::default(),
    };
    let tls = TlsContext::builder().with_trust_store(roots).build();
    let tls = tls.map_err(|error| NoCredentials::Failed(causes(&error)))?;
    let proxy = proxy()?;
    let client = Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls.clone())
            .proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.build()
    });
    Ok(ProviderConfig::without_region().with_http_client(client))
}

fn proxy() -> Result<ProxyConfig, NoCredentials> {
    let of = |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let Some(url) = of(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]) else {
        return Ok(ProxyConfig::disabled());
    };
    let url = if url.contains("://") { url } else { format!("http://{url}") };
    // The URL may hold a password, so it is not shown.
    let proxy = ProxyConfig::https(url).map_err(|_| NoCredentials::Failed("HTTPS_PROXY is not a URL".to_owned()))?;
    Ok(match of(&["NO_PROXY", "no_proxy"]) {
        Some(rules) => proxy.no_proxy(rules),
        None => proxy,
    })
}

/// The region of the profile that is selected.
pub(super) fn region_of_profile(network: &Handle) -> Option<String> {
    let network = network.clone();
    let read = move || network.block_on(async { ProvideRegion::region(&ProfileFileRegionProvider::new()).await });
    // aws-config has this async only, and blocking is not allowed on the thread that we are on. It reads two small files.
    std::thread::spawn(read).join().ok().flatten().map(|region| region.to_string())
}

/// The certificates that `AWS_CA_BUNDLE` names, besides those of this machine.
///
/// # Errors
/// The file cannot be read.
pub(super) fn ca_bundle(path: &Path) -> Result<Arc<[u8]>, String> {
    let failed = |error| format!("cannot read {}, the file that AWS_CA_BUNDLE names: {error}", path.display());
    std::fs::read(path).map(Arc::from).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use aws_credential_types::Credentials;
    use aws_credential_types::provider::future;

    use super::*;

    const START: SystemTime = SystemTime::UNIX_EPOCH;

    fn at(seconds: u64) -> SystemTime {
        START + Duration::from_secs(seconds)
    }

    /// Gives `key-1`, `key-2`, …, each for `life` seconds of a clock that stands still; fails when told to.
    #[derive(Debug, Default)]
    struct Numbered {
        asked: AtomicU32,
        life: u64,
        fails: std::sync::atomic::AtomicBool,
    }

    #[derive(Clone, Debug)]
    struct Shared(Arc<Numbered>);

    impl ProvideCredentials for Shared {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(async {
                let number = self.0.asked.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::task::yield_now().await; // others come in between
                if self.0.fails.load(Ordering::SeqCst) {
                    return Err(CredentialsError::provider_error("the endpoint is down"));
                }
                let expiry = Some(at(self.0.life * u64::from(number)));
                Ok(Credentials::new(format!("key-{number}"), "hunter2", None, expiry, "test"))
            })
        }
    }

    fn chain(life: u64) -> (Chain, Arc<Numbered>) {
        let numbered = Arc::new(Numbered { life, ..Numbered::default() });
        let chain = Chain::new(None, None, Handle::current());
        chain.provider.set(SharedCredentialsProvider::new(Shared(Arc::clone(&numbered)))).unwrap();
        (chain, numbered)
    }

    async fn key(chain: &Chain, seconds: u64) -> String {
        chain.credential(|| at(seconds)).await.unwrap().key_id.clone()
    }

    #[tokio::test]
    async fn credentials_are_kept_until_five_minutes_before_they_expire() {
        let (chain, _) = chain(3600);
        assert_eq!(key(&chain, 0).await, "key-1");
        assert_eq!(key(&chain, 3299).await, "key-1");
        assert_eq!(key(&chain, 3300).await, "key-2");
    }

    #[tokio::test]
    async fn short_lived_ones_are_used_for_half_their_life() {
        let (chain, _) = chain(60);
        assert_eq!(key(&chain, 0).await, "key-1");
        assert_eq!(key(&chain, 29).await, "key-1");
        assert_eq!(key(&chain, 30).await, "key-2");
    }

    #[tokio::test]
    async fn callers_at_the_same_time_share_one_request() {
        let (chain, numbered) = chain(3600);
        let keys = futures::future::join_all((0..50).map(|_| key(&chain, 0))).await;
        assert!(keys.iter().all(|key| key == "key-1"));
        assert_eq!(numbered.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn good_ones_outlive_a_failure_and_expired_ones_do_not() {
        let (chain, numbered) = chain(3600);
        assert_eq!(key(&chain, 0).await, "key-1");
        numbered.fails.store(true, Ordering::SeqCst);
        assert_eq!(key(&chain, 3400).await, "key-1");
        assert_eq!(key(&chain, 3410).await, "key-1");
        assert_eq!(numbered.asked.load(Ordering::SeqCst), 2, "asked again after a while only");
        let error = chain.credential(|| at(3600)).await.unwrap_err().to_string();
        assert!(error.contains("could not be loaded") && error.contains("the endpoint is down"), "{error}");
    }

    #[tokio::test]
    async fn secrets_are_not_shown() {
        let (chain, _) = chain(3600);
        let given = chain.credential(|| at(0)).await.unwrap();
        let shown = format!("{chain:?} {given:?} {:?}", chain.usable(at(0)));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
