//! AWS beyond S3: secrets of Secrets Manager, and signatures for the APIs that want them, in the name that S3 is asked in.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use object_store::aws::AwsCredential;
use paceline_udfs::auth::{Signer, ToSign};
use paceline_udfs::client::{Reply, SendError, causes, post};
use paceline_udfs::secret::{NoCredentials, Secret, SecretStore};
use serde_json::Value;
use url::Url;

use super::s3::{self, Shared};
use super::stores::Stores;

/// The variables that name another endpoint of Secrets Manager than AWS's.
const ENDPOINT: [&str; 2] = ["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"];

/// Lends the credentials and the region of the stores.
pub struct Aws(Arc<Stores>);

impl Aws {
    /// Nothing is looked up yet.
    pub fn new(stores: Arc<Stores>) -> Self {
        Aws(stores)
    }

    pub(super) async fn shared(&self) -> Result<(&Shared, Arc<AwsCredential>), NoCredentials> {
        let shared = self.0.s3().shared().map_err(|error| NoCredentials::Ever(error.to_string()))?;
        // The chain asks early and again, so a failure here is one for good.
        let credential = shared.credentials.get_credential().await;
        Ok((shared, credential.map_err(|error| NoCredentials::Ever(causes(&error)))?))
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aws")
    }
}

#[async_trait]
impl Signer for Aws {
    async fn ready(&self) -> Result<(), NoCredentials> {
        self.shared().await.map(|_| ())
    }

    async fn sign(&self, request: &ToSign<'_>) -> Result<HeaderMap, NoCredentials> {
        let (shared, credential) = self.shared().await?;
        signature(&credential, request, &shared.region, SystemTime::now())
    }
}

#[async_trait]
impl SecretStore for Aws {
    async fn get(&self, id: &str) -> Result<Secret, NoCredentials> {
        let (shared, credential) = self.shared().await?;
        let region = region_of(id).unwrap_or(&shared.region);
        let url = match s3::endpoint_of_environment(ENDPOINT).map_err(|error| NoCredentials::Ever(error.to_string()))? {
            Some(url) => url,
            None => endpoint(region)?,
        };
        let mut headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1")),
            (HeaderName::from_static("x-amz-target"), HeaderValue::from_static("secretsmanager.GetSecretValue")),
        ]);
        let body = Bytes::from(serde_json::json!({ "SecretId": id }).to_string());
        let service = "secretsmanager";
        let request =
            ToSign { method: &Method::POST, url: &url, headers: &headers, body: &body, service, region: Some(region) };
        let signed = signature(&credential, &request, region, SystemTime::now())?;
        headers.extend(signed);
        match post(&url, headers, body, shared.ca_bundle.as_deref()).await {
            Ok(reply) => secret_of(id, &reply),
            Err(error @ (SendError::Forbidden(_) | SendError::Credentials(_))) => {
                Err(NoCredentials::Ever(format!("{} cannot be read: {error}", named(id))))
            }
            Err(error) => Err(NoCredentials::Now { what: named(id), source: Arc::new(error) }),
        }
    }
}

fn named(id: &str) -> String {
    format!("the secret '{id}' of AWS Secrets Manager")
}

/// The region that an ARN names.
fn region_of(id: &str) -> Option<&str> {
    id.strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty())
}

fn endpoint(region: &str) -> Result<Url, NoCredentials> {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    Url::parse(&format!("https://secretsmanager.{region}.amazonaws.com{suffix}/"))
        .map_err(|_| NoCredentials::Ever(format!("'{region}' is not an AWS region")))
}

/// What GetSecretValue replied.
fn secret_of(id: &str, reply: &Reply) -> Result<Secret, NoCredentials> {
    let fields: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    if reply.status == 200 {
        let none = || NoCredentials::Ever(format!("{} has no text (SecretString)", named(id)));
        return text("SecretString").map(Secret::new).ok_or_else(none);
    }
    // `com.amazonaws...#ResourceNotFoundException`, or without what stands before the #.
    let kind = text("__type").and_then(|kind| kind.rsplit('#').next()).unwrap_or("no reason");
    let message = text("message").or_else(|| text("Message")).unwrap_or_default();
    let why = format!("status {}, {kind}: {message}", reply.status);
    let is_busy = kind.contains("Throttl") || kind.contains("InternalService") || kind.starts_with("ExpiredToken");
    if is_busy || reply.status == 429 || reply.status >= 500 {
        let source: Box<dyn std::error::Error + Send + Sync> = why.into();
        return Err(NoCredentials::Now { what: named(id), source: Arc::from(source) });
    }
    Err(NoCredentials::Ever(format!("{} cannot be read: {why}", named(id))))
}

/// The headers that Signature Version 4 adds to a request.
pub(super) fn signature(
    credential: &AwsCredential,
    request: &ToSign<'_>,
    region: &str,
    now: SystemTime,
) -> Result<HeaderMap, NoCredentials> {
    let failed = |error: &(dyn std::error::Error + 'static)| {
        NoCredentials::Ever(format!("the request cannot be signed for AWS: {}", causes(error)))
    };
    let AwsCredential { key_id, secret_key, token } = credential;
    let identity = Credentials::new(key_id, secret_key, token.clone(), None, "paceline").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(request.region.unwrap_or(region))
        .name(request.service)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| failed(&error))?
        .into();
    let headers = request.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let body = SignableBody::Bytes(request.body);
    let signable = SignableRequest::new(request.method.as_str(), request.url.as_str(), headers, body);
    let signed = sign(signable.map_err(|error| failed(&error))?, &params).map_err(|error| failed(&error))?;
    let mut carrier = http::Request::new(());
    signed.into_parts().0.apply_to_request_http1x(&mut carrier);
    Ok(std::mem::take(carrier.headers_mut()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use expect_test::{Expect, expect};

    use super::*;

    #[test]
    fn a_signature_is_that_of_the_test_suite_of_aws() {
        let credential = AwsCredential {
            key_id: "AKIDEXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            token: None,
        };
        let (url, headers) = (Url::parse("https://example.amazonaws.com/").unwrap(), HeaderMap::new());
        let request =
            ToSign { method: &Method::GET, url: &url, headers: &headers, body: b"", service: "service", region: None };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let signed = signature(&credential, &request, "us-east-1", now).unwrap();
        assert_eq!(signed["x-amz-date"], "20150830T123600Z");
        expect!["AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"]
            .assert_eq(signed["authorization"].to_str().unwrap());
    }

    fn check(status: u16, body: &'static str, expected: Expect) {
        let reply = Reply { status, headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) };
        let shown = match secret_of("prod/api", &reply) {
            Ok(secret) => secret.reveal().to_owned(),
            Err(error @ NoCredentials::Now { .. }) => format!("now: {}", causes(&error)),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn what_secrets_manager_replies() {
        check(200, r#"{"Name": "prod/api", "SecretString": "{\"key\": 1}"}"#, expect![[r#"{"key": 1}"#]]);
        check(
            200,
            r#"{"SecretBinary": "aGk="}"#,
            expect!["the secret 'prod/api' of AWS Secrets Manager has no text (SecretString)"],
        );
        check(
            400,
            r#"{"__type": "ResourceNotFoundException", "Message": "it is not there"}"#,
            expect![
                "the secret 'prod/api' of AWS Secrets Manager cannot be read: status 400, ResourceNotFoundException: it is not there"
            ],
        );
        check(
            400,
            r#"{"__type": "com.amazon.coral.availability#ThrottlingException", "message": "slower"}"#,
            expect![
                "now: the secret 'prod/api' of AWS Secrets Manager cannot be had now: status 400, ThrottlingException: slower"
            ],
        );
        check(
            503,
            "busy",
            expect!["now: the secret 'prod/api' of AWS Secrets Manager cannot be had now: status 503, no reason: "],
        );
    }

    #[test]
    fn an_arn_names_its_region() {
        assert_eq!(region_of("arn:aws:secretsmanager:eu-west-1:1:secret:prod/api-AbCdEf"), Some("eu-west-1"));
        assert_eq!(region_of("prod/api"), None);
        assert_eq!(endpoint("cn-north-1").unwrap().as_str(), "https://secretsmanager.cn-north-1.amazonaws.com.cn/");
    }
}
