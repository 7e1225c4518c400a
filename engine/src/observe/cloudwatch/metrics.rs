//! Which numbers CloudWatch gets, by the names of the Python job, and how they are written. Pure.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use paceline_udfs::counters::Latency;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::observe::memory::rss_share;
use crate::observe::progress::Progress;

/// A number at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// Its name.
    pub name: &'static str,
    /// Its value: of counts, what was added since the last time.
    pub value: f64,
    /// CloudWatch's name of its unit.
    pub unit: &'static str,
    /// The job's name, and what else tells it apart.
    pub dimensions: Vec<(&'static str, String)>,
}

/// Reads progress, and knows what it was before.
#[derive(Debug)]
pub struct Meter {
    job: String,
    before: Progress,
    since: Duration,
}

impl Meter {
    /// For a job of a name.
    pub fn new(job: &str) -> Self {
        Meter { job: job.to_owned(), before: Progress::default(), since: Duration::ZERO }
    }

    /// What happened in the time `took` since the last reading.
    pub fn read(&mut self, now: &Progress, took: Duration) -> Vec<Datum> {
        let before = std::mem::replace(&mut self.before, now.clone());
        let added = |of: fn(&Progress) -> u64| of(now).saturating_sub(of(&before)) as f64;
        let own = || vec![("JobName", self.job.clone())];
        let (records, failed) = (added(|progress| progress.records), added(|progress| progress.failed));
        let requests = added(|progress| progress.requests);
        let retries = added(|progress| progress.retries);
        let seconds = took.as_secs_f64();
        self.since += took;
        let since = self.since.as_secs_f64();
        let mut data = Vec::new();
        let mut add = |name, value: f64, unit| {
            // PutMetricData takes no NaN.
            if value.is_finite() {
                data.push(Datum { name, value, unit, dimensions: own() });
            }
        };
        add("ProcessedRecords", records, "Count");
        add("ProcessingTime", since, "Seconds");
        add("FailedRecords", failed, "Count");
        if records > 0.0 {
            add("SuccessRate", 100.0 * (records - failed).max(0.0) / records, "Percent");
        }
        if seconds > 0.0 {
            add("ProcessingSpeed", records / seconds, "Count/Second");
        }
        add("RateLimitHits", added(|progress| progress.rate_limit_hits), "Count");
        add("RetryCount", retries, "Count");
        if requests > retries {
            add("AverageBatchSize", records / (requests - retries), "Count");
        }
        let busiest = now.functions.values().max_by_key(|function| function.done.requests);
        if let Some(Latency { mean, .. }) = busiest.and_then(|function| function.done.latency_ms) {
            add("APILatencyAvg", mean, "Milliseconds");
        }
        add("BreakerOpen", f64::from(u8::from(now.breaker_open)), "Count");
        let allowed: f64 = now.limits.iter().filter_map(|limit| limit.requests_per_s).sum();
        if allowed > 0.0 && seconds > 0.0 {
            add("PaceUtilization", 100.0 * requests / seconds / allowed, "Percent");
        }
        let executors = now.executors.and_then(|executors| executors.memory_permille);
        let fullest = executors.map(|permille| f64::from(permille) / 1000.0);
        if let Some(share) = rss_share().into_iter().chain(fullest).reduce(f64::max) {
            add("MemoryUtilization", 100.0 * share, "Percent");
        }
        for (kind, rows) in &now.failures_by_kind {
            let rows = rows.saturating_sub(before.failures_by_kind.get(kind).copied().unwrap_or(0));
            if rows > 0 {
                let dimensions = vec![("JobName", self.job.clone()), ("ErrorType", kind.clone())];
                data.push(Datum { name: "Errors", value: rows as f64, unit: "Count", dimensions });
            }
        }
        data
    }
}

/// The body of a call PutMetricData. There are far fewer numbers than the 1,000 that it takes.
pub fn call(namespace: &str, data: &[Datum], now: SystemTime) -> String {
    let at = humantime::format_rfc3339_seconds(now).to_string();
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", "PutMetricData")
        .append_pair("Version", "2010-08-01")
        .append_pair("Namespace", namespace);
    for (number, datum) in (1..).zip(data) {
        let key = |rest: &str| format!("MetricData.member.{number}.{rest}");
        form.append_pair(&key("MetricName"), datum.name)
            .append_pair(&key("Value"), &datum.value.to_string())
            .append_pair(&key("Unit"), datum.unit)
            .append_pair(&key("Timestamp"), &at);
        for (number, (name, value)) in (1..).zip(&datum.dimensions) {
            form.append_pair(&key(&format!("Dimensions.member.{number}.Name")), name)
                .append_pair(&key(&format!("Dimensions.member.{number}.Value")), value);
        }
    }
    form.finish()
}

/// The same in the embedded metric format: a line for each set of dimensions.
pub fn emf(namespace: &str, data: &[Datum], now: SystemTime) -> Vec<String> {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let at = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let mut groups: BTreeMap<Vec<(&str, String)>, Vec<&Datum>> = BTreeMap::new();
    for datum in data {
        groups.entry(datum.dimensions.clone()).or_default().push(datum);
    }
    let line = |(dimensions, data): (Vec<(&str, String)>, Vec<&Datum>)| {
        let names: Vec<_> = dimensions.iter().map(|(name, _)| *name).collect();
        let metrics: Vec<_> = data.iter().map(|datum| json!({ "Name": datum.name, "Unit": datum.unit })).collect();
        let mut line = Map::new();
        let of_aws = json!({ "Namespace": namespace, "Dimensions": [names], "Metrics": metrics });
        line.insert("_aws".to_owned(), json!({ "Timestamp": at, "CloudWatchMetrics": [of_aws] }));
        line.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))));
        line.extend(data.iter().map(|datum| (datum.name.to_owned(), Value::from(datum.value))));
        Value::Object(line).to_string()
    };
    groups.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::progress::Limit;

    fn progress(records: u64, failed: u64, requests: u64) -> Progress {
        let limits = vec![Limit { quota: "q".to_owned(), requests_per_s: Some(100.0), rate: String::new() }];
        let failures_by_kind = BTreeMap::from([("http_4xx".to_owned(), failed)]);
        Progress { records, failed, requests, limits, failures_by_kind, ..Progress::default() }
    }

    fn value(data: &[Datum], name: &str) -> Option<f64> {
        data.iter().find(|datum| datum.name == name).map(|datum| datum.value)
    }

    #[test]
    fn counts_are_what_was_added_since_the_last_time() {
        let mut meter = Meter::new("nightly");
        let took = Duration::from_secs(10);
        let first = meter.read(&progress(400, 20, 450), took);
        assert_eq!((value(&first, "ProcessedRecords"), value(&first, "FailedRecords")), (Some(400.0), Some(20.0)));
        assert_eq!((value(&first, "SuccessRate"), value(&first, "ProcessingSpeed")), (Some(95.0), Some(40.0)));
        assert_eq!((value(&first, "PaceUtilization"), value(&first, "Errors")), (Some(45.0), Some(20.0)));
        let second = meter.read(&progress(500, 20, 550), took);
        assert_eq!((value(&second, "ProcessedRecords"), value(&second, "SuccessRate")), (Some(100.0), Some(100.0)));
        assert_eq!(value(&second, "Errors"), None);
        // Nothing happened: no rate of nothing.
        let third = meter.read(&progress(500, 20, 550), took);
        assert_eq!((value(&third, "ProcessedRecords"), value(&third, "SuccessRate")), (Some(0.0), None));
        assert_eq!((value(&first, "ProcessingTime"), value(&third, "ProcessingTime")), (Some(10.0), Some(30.0)));
    }

    #[test]
    fn a_call_and_a_line_say_the_same() {
        let data = Meter::new("a&b").read(&progress(10, 1, 10), Duration::from_secs(1));
        let body = call("SparkProcessing", &data, SystemTime::UNIX_EPOCH);
        let start = "Action=PutMetricData&Version=2010-08-01&Namespace=SparkProcessing&MetricData.member.1.MetricName=\
                     ProcessedRecords&MetricData.member.1.Value=10&MetricData.member.1.Unit=Count&MetricData.member.1.\
                     Timestamp=1970-01-01T00%3A00%3A00Z&MetricData.member.1.Dimensions.member.1.Name=JobName&MetricData.\
                     member.1.Dimensions.member.1.Value=a%26b&";
        assert!(body.starts_with(start), "{body}");
        let lines = emf("SparkProcessing", &data, SystemTime::UNIX_EPOCH);
        let errors: Value = serde_json::from_str(&lines[1]).unwrap();
        let (of_aws, errors_of) = (&errors["_aws"]["CloudWatchMetrics"][0], &errors["ErrorType"]);
        assert_eq!(
            (of_aws["Dimensions"].to_string(), errors_of),
            (r#"[["JobName","ErrorType"]]"#.to_owned(), &json!("http_4xx"))
        );
        assert_eq!((lines.len(), &errors["Errors"]), (2, &json!(1.0)));
    }
}
