//! The services of AWS that a job tells of itself: CloudWatch, CloudWatch Logs and SNS. Each call is one request, signed in the
//! name that S3 is asked in (decision 0036).

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use paceline_udfs::auth::ToSign;
use paceline_udfs::client::post;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::aws::{Aws, signature};
use super::s3;

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const JSON: &str = "application/x-amz-json-1.1";

/// A service, as it is signed for and as its host begins, and the variable that names another endpoint of it.
struct Service(&'static str, &'static str);

const METRICS: Service = Service("monitoring", "AWS_ENDPOINT_URL_CLOUDWATCH");
const LOGS: Service = Service("logs", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS");
const TOPICS: Service = Service("sns", "AWS_ENDPOINT_URL_SNS");

/// A call was not taken.
#[derive(Debug)]
pub struct CallFailed {
    /// What was answered, if anything was.
    pub status: Option<u16>,
    why: String,
}

impl CallFailed {
    fn before(why: impl fmt::Display) -> Self {
        CallFailed { status: None, why: why.to_string() }
    }

    /// Whether the same call may be taken later.
    pub fn may_pass(&self) -> bool {
        self.status.is_none_or(|status| status == 429 || status >= 500) || self.why.contains("Throttl")
    }
}

impl fmt::Display for CallFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "status {status}: {}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

impl Aws {
    /// Calls CloudWatch's PutMetricData, whose form this is.
    ///
    /// # Errors
    /// It was not taken.
    pub async fn put_metric_data(&self, form: String) -> Result<(), CallFailed> {
        self.call(&METRICS, None, FORM, None, form).await
    }

    /// Publishes a message of some kind to a topic of SNS.
    ///
    /// # Errors
    /// It was not taken.
    pub async fn publish(&self, topic: &str, subject: &str, state: &str, message: &str) -> Result<(), CallFailed> {
        let attribute = "MessageAttributes.entry.1";
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", "Publish")
            .append_pair("Version", "2010-03-31")
            .append_pair("TopicArn", topic)
            .append_pair("Subject", &subject_of(subject))
            .append_pair("Message", message)
            .append_pair(&format!("{attribute}.Name"), "state")
            .append_pair(&format!("{attribute}.Value.DataType"), "String")
            .append_pair(&format!("{attribute}.Value.StringValue"), state)
            .finish();
        let region = topic.split(':').nth(3).filter(|region| !region.is_empty());
        self.call(&TOPICS, region, FORM, None, form).await
    }

    /// Makes a stream of CloudWatch Logs, and its group, where they are not there.
    ///
    /// # Errors
    /// They could not be made.
    pub async fn create_log_stream(&self, group: &str, stream: &str) -> Result<(), CallFailed> {
        let group_only = json!({ "logGroupName": group });
        let both = json!({ "logGroupName": group, "logStreamName": stream });
        for (target, body) in [("CreateLogGroup", group_only), ("CreateLogStream", both)] {
            match self.logs(target, &body).await {
                Err(failed) if !failed.why.contains("ResourceAlreadyExists") => return Err(failed),
                _ => {}
            }
        }
        Ok(())
    }

    /// Adds events, each with its time in milliseconds since 1970 and in their order, to a stream of CloudWatch Logs.
    ///
    /// # Errors
    /// They were not taken.
    pub async fn put_log_events(&self, group: &str, stream: &str, events: &[(u64, String)]) -> Result<(), CallFailed> {
        let event = |(timestamp, message): &(u64, String)| json!({ "timestamp": timestamp, "message": message });
        let events: Vec<Value> = events.iter().map(event).collect();
        let body = json!({ "logGroupName": group, "logStreamName": stream, "logEvents": events });
        self.logs("PutLogEvents", &body).await
    }

    async fn logs(&self, target: &str, body: &Value) -> Result<(), CallFailed> {
        self.call(&LOGS, None, JSON, Some(&format!("Logs_20140328.{target}")), body.to_string()).await
    }

    async fn call(
        &self,
        service: &Service,
        region: Option<&str>,
        kind: &'static str,
        target: Option<&str>,
        body: String,
    ) -> Result<(), CallFailed> {
        let Service(service, variable) = service;
        let (shared, credential) = self.shared().await.map_err(CallFailed::before)?;
        let region = region.unwrap_or(&shared.region);
        let named = s3::endpoint_of_environment([variable, "AWS_ENDPOINT_URL"]).map_err(CallFailed::before)?;
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        let usual = || Url::parse(&format!("https://{service}.{region}.amazonaws.com{suffix}/"));
        let no_region = |_| CallFailed::before(format!("'{region}' is not an AWS region"));
        let url = named.map_or_else(usual, Ok).map_err(no_region)?;
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        if let Some(target) = target {
            let target = HeaderValue::try_from(target).map_err(CallFailed::before)?;
            headers.insert(HeaderName::from_static("x-amz-target"), target);
        }
        let body = Bytes::from(body);
        let request =
            ToSign { method: &Method::POST, url: &url, headers: &headers, body: &body, service, region: Some(region) };
        let signed = signature(&credential, &request, region, SystemTime::now()).map_err(CallFailed::before)?;
        headers.extend(signed);
        let reply = post(&url, headers, body, shared.ca_bundle.as_deref()).await.map_err(CallFailed::before)?;
        match reply.status {
            200..=299 => Ok(()),
            status => Err(CallFailed { status: Some(status), why: String::from_utf8_lossy(&reply.body).into_owned() }),
        }
    }
}

/// A subject of SNS: up to 100 characters of printable ASCII.
fn subject_of(text: &str) -> String {
    text.chars().take(100).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_short_and_printable() {
        assert_eq!(subject_of("job n\u{e4}chtlich\n: FAILED"), "job n?chtlich?: FAILED");
        assert_eq!(subject_of(&"x".repeat(200)).len(), 100);
    }

    #[test]
    fn what_was_refused_for_good_is_not_sent_again() {
        let failed = |status, why: &str| CallFailed { status, why: why.to_owned() };
        assert!(failed(None, "it does not answer").may_pass() && failed(Some(503), "").may_pass());
        assert!(failed(Some(400), "ThrottlingException").may_pass());
        assert!(!failed(Some(403), "AccessDenied").may_pass());
    }
}
