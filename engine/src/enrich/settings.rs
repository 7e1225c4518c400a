//! The settings of `paceline enrich`: flags win over the environment, the environment over a `.env` file.

use std::collections::BTreeMap;
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::str::FromStr;

use url::Url;

use crate::EngineError;

/// One row of the table of settings.
#[derive(Debug)]
pub struct Row {
    /// Its name in the environment.
    pub name: &'static str,
    /// Its name on the command line, without the hyphens in front.
    pub flag: &'static str,
    /// What is taken when it is not given; `None` where it must be given or `meaning` says what holds.
    pub default: Option<&'static str>,
    /// What it is, with its unit.
    pub meaning: &'static str,
}

const fn row(name: &'static str, flag: &'static str, default: Option<&'static str>, meaning: &'static str) -> Row {
    Row { name, flag, default, meaning }
}

/// Every setting.
pub const SETTINGS: &[Row] = &[
    row("S3_BUCKET", "s3-bucket", None, "bucket of the input (required)"),
    row("S3_KEY", "s3-key", None, "key of the input, a CSV file with a header (required)"),
    row("API_ENDPOINT", "api-endpoint", None, "URL that requests are sent to (required)"),
    row("BATCH_SIZE", "batch-size", Some("1000"), "records in a request of format array"),
    row("MAX_WORKERS", "max-workers", Some("20"), "requests in flight with format array; with record times BATCH_SIZE"),
    row("RATE_LIMIT_CALLS", "rate-limit-calls", Some("5000"), "calls per RATE_LIMIT_PERIOD, or unlimited"),
    row("RATE_LIMIT_PERIOD", "rate-limit-period", Some("1"), "length of the window, in seconds or with a unit"),
    row("CHUNK_SIZE", "chunk-size", Some("8192"), "records read and written at once"),
    row("LOG_LEVEL", "log-level", Some("INFO"), "what is logged: ERROR, WARN or WARNING, INFO, DEBUG, TRACE"),
    row(
        "S3_OUTPUT",
        "s3-output",
        None,
        "where the output goes (default: s3://S3_BUCKET/output/<name of S3_KEY without its ending>/)",
    ),
    row(
        "API_FORMAT",
        "api-format",
        Some("record"),
        "record (one record a request) or array (BATCH_SIZE records a request)",
    ),
];

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The command line.
    Flag,
    /// The environment.
    Environment,
    /// The file `.env`.
    DotEnv,
    /// The table above.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Flag => "flag",
            Source::Environment => "environment",
            Source::DotEnv => ".env",
            Source::Default => "default",
        })
    }
}

/// The values of all settings, each with its source.
#[derive(Clone, Debug, Default)]
pub struct Values(BTreeMap<&'static str, (String, Source)>);

impl Values {
    /// Takes each setting from the first place that has it. An empty value is as good as none.
    pub fn gather(
        flags: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
        dot_env: &BTreeMap<String, String>,
    ) -> Self {
        let given = |value: Option<String>| value.filter(|text| !text.trim().is_empty());
        let find = |row: &Row| {
            let flag = given(flags.get(row.name).cloned()).map(|value| (value, Source::Flag));
            let environment = || given(environment(row.name)).map(|value| (value, Source::Environment));
            let dot_env = || given(dot_env.get(row.name).cloned()).map(|value| (value, Source::DotEnv));
            let default = || row.default.map(|value| (value.to_owned(), Source::Default));
            Some((row.name, flag.or_else(environment).or_else(dot_env).or_else(default)?))
        };
        Values(SETTINGS.iter().filter_map(find).collect())
    }

    /// Every setting with its value and source, `None` where it has no value.
    pub fn list(&self) -> impl Iterator<Item = (&'static Row, Option<&(String, Source)>)> {
        SETTINGS.iter().map(|row| (row, self.0.get(row.name)))
    }

    /// What is logged, in the words of `tracing`.
    ///
    /// # Errors
    /// `LOG_LEVEL` is no level.
    pub fn log_level(&self) -> Result<&'static str, EngineError> {
        match self.required("LOG_LEVEL")?.to_uppercase().as_str() {
            "ERROR" | "CRITICAL" => Ok("error"),
            "WARN" | "WARNING" => Ok("warn"),
            "INFO" => Ok("info"),
            "DEBUG" => Ok("debug"),
            "TRACE" => Ok("trace"),
            _ => Err(self.wrong("LOG_LEVEL", "ERROR, WARNING, INFO, DEBUG or TRACE")),
        }
    }

    fn required(&self, name: &str) -> Result<&str, EngineError> {
        self.optional(name).ok_or_else(|| {
            let flag = SETTINGS.iter().find(|row| row.name == name).map_or(name, |row| row.flag);
            EngineError::Setting(format!("{name} is not set: give --{flag}, or {name} in the environment or in .env"))
        })
    }

    fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|(value, _)| value.trim())
    }

    fn read<T: FromStr>(&self, name: &str, expected: &str) -> Result<T, EngineError> {
        self.required(name)?.parse().map_err(|_| self.wrong(name, expected))
    }

    fn wrong(&self, name: &str, expected: &str) -> EngineError {
        let (value, source) = self.0.get(name).map_or(("", Source::Default), |(v, s)| (v.as_str(), s.clone()));
        EngineError::Setting(format!("{name} is '{value}' ({source}), expected {expected}"))
    }
}

/// The settings, checked.
#[derive(Clone, Debug)]
pub struct EnrichOptions {
    /// URL of the input.
    pub input: String,
    /// URL of the output.
    pub output: String,
    /// The API.
    pub endpoint: Url,
    /// `record` or `array`.
    pub format: String,
    /// Records in a request of format array.
    pub batch_size: NonZeroUsize,
    /// Requests in flight, if that is less than what the engine would choose.
    pub max_in_flight: Option<NonZeroUsize>,
    /// As the API function's option of that name.
    pub rate_limit_calls: String,
    /// As the API function's option of that name.
    pub rate_limit_period: String,
    /// As the API function's option of that name.
    pub quota: String,
    /// Records in a batch.
    pub chunk_size: NonZeroUsize,
}

/// The engine never has more in flight by itself.
const AUTOMATIC_MOST: usize = 10_000;

impl EnrichOptions {
    /// Checks the values.
    ///
    /// # Errors
    /// A setting is missing or wrong; the message names it and where it comes from.
    pub fn new(values: &Values) -> Result<Self, EngineError> {
        let positive = "a whole number above zero";
        let (bucket, key) = (values.required("S3_BUCKET")?, values.required("S3_KEY")?);
        let endpoint: Url = values.read("API_ENDPOINT", "an http:// or https:// URL")?;
        let format = values.required("API_FORMAT")?.to_lowercase();
        if !matches!(format.as_str(), "record" | "array") {
            return Err(values.wrong("API_FORMAT", "record or array"));
        }
        let batch_size: NonZeroUsize = values.read("BATCH_SIZE", positive)?;
        let workers: NonZeroUsize = values.read("MAX_WORKERS", positive)?;
        let most = if format == "array" { workers } else { workers.saturating_mul(batch_size) };
        let calls = values.required("RATE_LIMIT_CALLS")?;
        if !calls.eq_ignore_ascii_case("unlimited") {
            values.read::<NonZeroU32>("RATE_LIMIT_CALLS", "a whole number above zero, or unlimited")?;
        }
        values.log_level()?;
        if bucket.contains('/') {
            return Err(values.wrong("S3_BUCKET", "the name of a bucket, without s3:// and without a path"));
        }
        let name = key.trim_end_matches('/').rsplit('/').next().unwrap_or(key);
        let stem = name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or(name);
        Ok(EnrichOptions {
            input: format!("s3://{bucket}/{}", key.trim_start_matches('/')),
            output: values.optional("S3_OUTPUT").map_or(format!("s3://{bucket}/output/{stem}/"), str::to_owned),
            endpoint,
            format,
            batch_size,
            max_in_flight: (most.get() < AUTOMATIC_MOST).then_some(most),
            rate_limit_calls: calls.to_owned(),
            rate_limit_period: values.required("RATE_LIMIT_PERIOD")?.to_owned(),
            quota: "enrich".to_owned(),
            chunk_size: values.read("CHUNK_SIZE", positive)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn check(flags: &[(&str, &str)], environment: &[(&str, &str)], dot_env: &[(&str, &str)], expected: Expect) {
        let environment = pairs(environment);
        let values = Values::gather(&pairs(flags), |name| environment.get(name).cloned(), &pairs(dot_env));
        let shown = match EnrichOptions::new(&values) {
            Ok(o) => format!("{} → {} {} {:?} {}", o.input, o.output, o.format, o.max_in_flight, o.rate_limit_calls),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    const REQUIRED: [(&str, &str); 3] =
        [("S3_BUCKET", "b"), ("S3_KEY", "in/data.csv.gz"), ("API_ENDPOINT", "http://api.example/")];

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        check(&[], &[], &REQUIRED, expect!["s3://b/in/data.csv.gz → s3://b/output/data/ record None 5000"]);
        check(
            &[("S3_BUCKET", "flag")],
            &[("S3_BUCKET", "env"), ("RATE_LIMIT_CALLS", "7")],
            &REQUIRED,
            expect!["s3://flag/in/data.csv.gz → s3://flag/output/data/ record None 7"],
        );
        check(
            &[("API_FORMAT", "array"), ("S3_OUTPUT", "/tmp/x")],
            &[],
            &REQUIRED,
            expect!["s3://b/in/data.csv.gz → /tmp/x array Some(20) 5000"],
        );
    }

    #[test]
    fn a_missing_or_wrong_setting_names_itself_and_its_source() {
        check(
            &[],
            &[],
            &REQUIRED[1..],
            expect!["S3_BUCKET is not set: give --s3-bucket, or S3_BUCKET in the environment or in .env"],
        );
        check(
            &[],
            &[("BATCH_SIZE", "many")],
            &REQUIRED,
            expect!["BATCH_SIZE is 'many' (environment), expected a whole number above zero"],
        );
        check(
            &[("RATE_LIMIT_CALLS", "0")],
            &[],
            &REQUIRED,
            expect!["RATE_LIMIT_CALLS is '0' (flag), expected a whole number above zero, or unlimited"],
        );
        check(
            &[("S3_BUCKET", "s3://b")],
            &[],
            &REQUIRED,
            expect!["S3_BUCKET is 's3://b' (flag), expected the name of a bucket, without s3:// and without a path"],
        );
        check(
            &[("API_FORMAT", "xml")],
            &[("API_ENDPOINT", "")],
            &REQUIRED,
            expect!["API_FORMAT is 'xml' (flag), expected record or array"],
        );
    }
}
