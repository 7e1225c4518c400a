//! The settings of a session, each spelled once.

mod spark;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use etcetera::{BaseStrategy, choose_base_strategy};
use paceline_udfs::egress::AllowedHosts;
use prometheus::Registry;
use url::Url;

pub use paceline_sql::catalog::{SETTINGS, find_setting};

use crate::EngineError;
use crate::api_defaults::{self, ApiDefaults};
use crate::checkpoint::CheckpointSettings;
use crate::cluster::{Access, HostPort};
use crate::io::s3::{Encryption, S3Settings};
use crate::observe::{CloudWatchSettings, Totals};

/// How a session runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How S3 is reached.
    pub s3: S3Settings,
    /// Rows in a batch.
    pub batch_rows: NonZeroUsize,
    /// Partitions that a query is cut into.
    pub partitions: NonZeroUsize,
    /// Whether and where checkpoints are kept.
    pub checkpoints: CheckpointSettings,
    /// Where jobs are remembered, so that they can be resumed by their id; `None` for nowhere.
    pub state_dir: Option<PathBuf>,
    /// The folder that jobs' event logs are written to, a path or URL; `None` for nowhere.
    pub event_log_dir: Option<String>,
    /// Whether and how a job's numbers are published to CloudWatch.
    pub cloudwatch: CloudWatchSettings,
    /// Whether rows may be given up without bound, whatever their function says.
    pub unlimited_failures: bool,
    /// What was set, as it was given.
    pub given: Vec<(String, String)>,
    /// The only hosts that API functions may reach.
    pub allowed_hosts: Option<AllowedHosts>,
    /// Options of API functions that their declarations do not give.
    pub api: ApiDefaults,
    /// The cluster that plans run on; `None` for this process.
    pub cluster: Option<HostPort>,
    /// Whether the size of a job decides where its plans run.
    pub by_size: bool,
    /// The cluster for jobs that are too large for this process.
    pub large_jobs: Option<HostPort>,
    /// Who keeps the pace of this process's calls together with other processes; `None` for nobody.
    pub quota: Option<HostPort>,
    /// What is shown to a cluster and to who keeps the pace.
    pub access: Access,
    /// Where API functions are counted for Prometheus; sessions with the same are counted together.
    pub totals: Totals,
}

const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

impl Default for Settings {
    fn default() -> Self {
        Settings {
            s3: S3Settings::default(),
            batch_rows: NonZeroUsize::new(8192).unwrap_or(NonZeroUsize::MIN),
            // Two for each core, so that a core has work while a partition waits for its last replies.
            partitions: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN).saturating_mul(TWO),
            checkpoints: CheckpointSettings::default(),
            state_dir: None,
            event_log_dir: None,
            cloudwatch: CloudWatchSettings::default(),
            unlimited_failures: false,
            given: Vec::new(),
            allowed_hosts: None,
            api: ApiDefaults::default(),
            cluster: None,
            by_size: false,
            large_jobs: None,
            quota: None,
            access: Access::default(),
            totals: Totals::default(),
        }
    }
}

/// A key of `--conf`.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it does, with its unit and default.
    pub meaning: &'static str,
    set: fn(&mut Settings, &str) -> Result<(), &'static str>,
}

/// Every key.
pub const KEYS: &[Key] = &[
    Key {
        name: "paceline.api.allowed_hosts",
        meaning: "the only hosts that API functions may reach, as their option allowed_hosts has it, which can only narrow it \
                  (default: all but link-local addresses and the metadata services of clouds)",
        set: |settings, text| AllowedHosts::parse(text).map(|list| settings.allowed_hosts = Some(list)),
    },
    Key {
        name: "paceline.batch.rows",
        meaning: "rows in a batch (default 8192)",
        set: |settings, text| number(text).map(|number| settings.batch_rows = number),
    },
    Key {
        name: "paceline.partitions",
        meaning: "partitions that a query is cut into (default: twice the number of cores)",
        set: |settings, text| number(text).map(|number| settings.partitions = number),
    },
    Key {
        name: "paceline.cluster",
        meaning: "where plans run: embedded for this process, the URL of a cluster, as df://127.0.0.1:50050, or auto: in this \
                  process if it is large enough for the job within its pace (default embedded)",
        set: |settings, text| {
            settings.cluster = match text {
                "embedded" | "auto" => None,
                url => Some(url.parse().map_err(|_| "embedded, auto or df://HOST:PORT")?),
            };
            settings.by_size = text == "auto";
            Ok(())
        },
    },
    Key {
        name: "paceline.cluster.auto",
        meaning: "the cluster that auto chooses for large jobs, as df://127.0.0.1:50050 (default: PACELINE_CLUSTER)",
        set: |settings, text| text.parse().map(|at| settings.large_jobs = Some(at)).map_err(|_| "df://HOST:PORT"),
    },
    Key {
        name: "paceline.quota",
        meaning: "who keeps limits that other processes have too, as df://127.0.0.1:50050: a scheduler or 'paceline quota'; a \
                  cluster's executors ask where their own option --quota says (default: nobody, each process has its own)",
        set: |settings, text| text.parse().map(|at| settings.quota = Some(at)).map_err(|_| "df://HOST:PORT"),
    },
    Key {
        name: "paceline.checkpoint.enabled",
        meaning: "whether answers of an INSERT are written down, so that a job that is resumed buys none twice (default true)",
        set: |settings, text| flag(text).map(|flag| settings.checkpoints.enabled = flag),
    },
    Key {
        name: "paceline.checkpoint.location",
        meaning: "where they are written down: a path or URL (default: <output>/_paceline/<job id>/)",
        set: |settings, text| {
            settings.checkpoints.location = Some(text.to_owned());
            Ok(())
        },
    },
    Key {
        name: "paceline.checkpoint.keep",
        meaning: "whether they stay after a successful commit (default false)",
        set: |settings, text| flag(text).map(|flag| settings.checkpoints.keep = flag),
    },
    Key {
        name: "paceline.state.dir",
        meaning: "folder that remembers jobs, for resume and redrive (default: the user's state folder, as \
                  ~/.local/state/paceline)",
        set: |settings, text| {
            settings.state_dir = Some(PathBuf::from(text));
            Ok(())
        },
    },
    Key {
        name: "paceline.eventlog.dir",
        meaning: "folder for the event logs of jobs, a path or URL, which paceline ui shows (default: none are written)",
        set: |settings, text| {
            settings.event_log_dir = Some(text.to_owned());
            Ok(())
        },
    },
    Key {
        name: "paceline.cloudwatch.namespace",
        meaning: "namespace of CloudWatch that a job's numbers are published to, as SparkProcessing, with the dimension JobName: \
                  spark.app.name, a submitted job's name, or the job's id (default: none are)",
        set: |settings, text| {
            settings.cloudwatch.namespace = Some(text.to_owned());
            Ok(())
        },
    },
    Key {
        name: "paceline.cloudwatch.interval",
        meaning: "seconds between two calls, 1 to 60 (default 20)",
        set: |settings, text| match number(text)?.get() {
            seconds @ 1..=60 => {
                settings.cloudwatch.interval = Duration::from_secs(seconds as u64);
                Ok(())
            }
            _ => Err("a number from 1 to 60"),
        },
    },
    Key {
        name: "paceline.cloudwatch.emf",
        meaning: "whether they go to standard output in CloudWatch's embedded metric format, without calls (default false)",
        set: |settings, text| flag(text).map(|flag| settings.cloudwatch.emf = flag),
    },
    Key {
        name: "paceline.cloudwatch.glue",
        meaning: "whether CloudWatch also gets numbers by the names that Glue has for its own, in the namespace Glue: only where \
                  Glue does not publish them itself (default false)",
        set: |settings, text| flag(text).map(|flag| settings.cloudwatch.glue = flag),
    },
    Key {
        name: "paceline.cloudwatch.log_group",
        meaning: "log group of CloudWatch Logs that a job's events go to, without its data, in a stream of the job's id (default: \
                  none)",
        set: |settings, text| {
            settings.cloudwatch.log_group = Some(text.to_owned());
            Ok(())
        },
    },
    Key {
        name: "paceline.s3.endpoint",
        meaning: "URL of the S3 service (default: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, then AWS's own)",
        set: |settings, text| {
            let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            settings.s3.endpoint = Some(url.ok_or("an http:// or https:// URL")?);
            Ok(())
        },
    },
    Key {
        name: "paceline.s3.region",
        meaning: "region of the buckets (default: AWS_REGION, AWS_DEFAULT_REGION, the profile's, then us-east-1)",
        set: |settings, text| {
            settings.s3.region = Some(text.to_owned());
            Ok(())
        },
    },
    Key {
        name: "paceline.s3.anonymous",
        meaning: "whether requests to S3 go without a signature, as public buckets allow (default false)",
        set: |settings, text| {
            settings.s3.anonymous = flag(text)?;
            Ok(())
        },
    },
    Key {
        name: "paceline.s3.sse",
        meaning: "how S3 encrypts what is written: AES256, aws:kms or aws:kms:dsse (default: as the bucket has it)",
        set: |settings, text| {
            settings.s3.encryption = Some(Encryption::parse(text).ok_or("AES256, aws:kms or aws:kms:dsse")?);
            Ok(())
        },
    },
    Key {
        name: "paceline.s3.sse.kms.key",
        meaning: "id, ARN or alias of the key for that at KMS (default: the one that AWS keeps for S3)",
        set: |settings, text| {
            settings.s3.kms_key = Some(text.to_owned());
            Ok(())
        },
    },
];

impl Settings {
    /// A registry of Prometheus with what functions, limits and S3 came to under these settings.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn registry(&self) -> Result<Registry, EngineError> {
        let registry = self.totals.registry()?;
        let registered = registry.register(Box::new(self.s3.counters.clone()));
        registered.map_err(|error| EngineError::Setting(format!("the metrics cannot be registered: {error}")))?;
        Ok(registry)
    }

    /// The settings of a person on this machine: as the default, and jobs are remembered in the user's state folder.
    pub fn of_user() -> Self {
        let folders = choose_base_strategy().ok();
        let state_dir = folders.and_then(|folders| folders.state_dir()).map(|folder| folder.join("paceline"));
        Settings { state_dir, ..Settings::default() }
    }

    /// Takes what an earlier run was given, where nothing else is given now.
    ///
    /// # Errors
    /// As [`Settings::set`].
    pub fn take_earlier(&mut self, earlier: &[(String, String)]) -> Result<(), EngineError> {
        let now: Vec<_> = self.given.iter().map(|(name, _)| name.clone()).collect();
        for (name, value) in earlier.iter().filter(|(name, _)| !now.contains(name)) {
            self.set(name, value)?;
        }
        Ok(())
    }

    /// Sets one key.
    ///
    /// # Errors
    /// There is no such key, or the value is not of its kind.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), EngineError> {
        // First the keys: paceline.api.allowed_hosts begins as the options of functions do.
        if let Some(key) = KEYS.iter().find(|key| key.name == name) {
            (key.set)(self, value.trim()).map_err(|expected| {
                EngineError::Setting(format!("setting '{name}' is '{value}', expected {expected}"))
            })?;
        } else if let Some(rest) = name.strip_prefix(api_defaults::PREFIX) {
            self.api.set(rest, value)?;
        } else if name.starts_with(spark::PREFIX) {
            spark::check(name, value)?;
        } else {
            let patterns = api_defaults::PATTERNS.iter().map(|(name, _)| *name);
            let names: Vec<_> = KEYS.iter().map(|key| key.name).chain(patterns).collect();
            let names = names.join(", ");
            return Err(EngineError::Setting(format!(
                "there is no setting '{name}'; there are {names}, and Spark's own"
            )));
        }
        self.given.push((name.to_owned(), value.to_owned()));
        self.partitions = spark::partitions(&self.given).unwrap_or(self.partitions);
        Ok(())
    }
}

fn flag(text: &str) -> Result<bool, &'static str> {
    text.to_lowercase().parse().map_err(|_| "true or false")
}

fn number(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "a whole number above zero")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn what_is_said_of_api_functions_is_kept_for_a_job_that_goes_on() {
        let mut begun = Settings::default();
        begun.set("paceline.api.allowed_hosts", "api.example.com").unwrap();
        begun.set("paceline.api.f.rate_limit_calls", "7").unwrap();
        let mut resumed = Settings::default();
        resumed.take_earlier(&begun.given).unwrap();
        assert!(resumed.allowed_hosts.is_some());
        assert_eq!((&resumed.allowed_hosts, &resumed.api), (&begun.allowed_hosts, &begun.api));
    }

    #[test]
    fn a_setting_is_set_or_the_mistake_is_named() {
        let mut settings = Settings::default();
        settings.set("paceline.batch.rows", "100").unwrap();
        assert_eq!(settings.batch_rows.get(), 100);
        let error = settings.set("paceline.batch.rows", "none").unwrap_err().to_string();
        expect!["setting 'paceline.batch.rows' is 'none', expected a whole number above zero"].assert_eq(&error);
        let error = settings.set("paceline.cores", "1").unwrap_err().to_string();
        expect!["there is no setting 'paceline.cores'; there are paceline.api.allowed_hosts, paceline.batch.rows, paceline.partitions, paceline.cluster, paceline.cluster.auto, paceline.quota, paceline.checkpoint.enabled, paceline.checkpoint.location, paceline.checkpoint.keep, paceline.state.dir, paceline.eventlog.dir, paceline.cloudwatch.namespace, paceline.cloudwatch.interval, paceline.cloudwatch.emf, paceline.cloudwatch.glue, paceline.cloudwatch.log_group, paceline.s3.endpoint, paceline.s3.region, paceline.s3.anonymous, paceline.s3.sse, paceline.s3.sse.kms.key, paceline.api.<function>.<option>, paceline.api.default.<option>, and Spark's own"]
        .assert_eq(&error);
    }
}
