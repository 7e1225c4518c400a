//! The numbers of API functions and quotas as Prometheus has them: names, what they count, and how they are written.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use paceline_udfs::caller::Watch;
use paceline_udfs::counters::{Counters, Latency};
use paceline_udfs::dead_letter::FailureKind;
use paceline_udfs::quota::Quotas;
use prometheus::proto::{self, MetricFamily, MetricType};
use prometheus::{Encoder, Registry, TextEncoder};

use crate::EngineError;

/// Functions by name; one that was replaced counts on under its name.
pub(super) type Functions = BTreeMap<String, Vec<Watch>>;

/// A number of one function.
type Number = fn(&Watch) -> f64;

/// Counters by name, with what they count.
const COUNTERS: &[(&str, &str, Number)] = &[
    ("paceline_requests_total", "Requests handed to the client, retries included.", |w| of(w, |c| c.requests.get())),
    ("paceline_records_total", "Rows handed over to be answered.", |w| of(w, |c| c.wanted.get())),
    ("paceline_records_answered_total", "Rows with an answer.", |w| of(w, |c| c.answered.get())),
    ("paceline_rate_limit_hits_total", "Replies with status 429.", |w| of(w, |c| c.rate_limit_hits.get())),
    ("paceline_split_requests_total", "Requests made of others that failed as a whole.", |w| {
        of(w, |c| c.split_requests.get())
    }),
    ("paceline_polls_total", "Requests for a reply that was not ready before.", |w| of(w, |c| c.polls.get())),
    ("paceline_journal_hits_total", "Rows whose answer an earlier run had paid for.", |w| {
        of(w, |c| c.journal_hits.get())
    }),
    ("paceline_cache_hits_total", "Rows whose answer was in the cache.", |w| of(w, |c| c.cache_hits.get())),
    ("paceline_shared_requests_total", "Rows that shared the request of another.", |w| {
        of(w, |c| c.shared_requests.get())
    }),
    ("paceline_sent_bytes_total", "Bytes of request bodies.", |w| of(w, |c| c.bytes_sent.get())),
    ("paceline_received_bytes_total", "Bytes of reply bodies.", |w| of(w, |c| c.bytes_received.get())),
    ("paceline_breaker_openings_total", "How often the breaker has opened.", |w| w.breaker().openings() as f64),
];

/// Numbers that go up and down.
const GAUGES: &[(&str, &str, Number)] = &[
    ("paceline_requests_in_flight", "Requests in flight now.", |w| of(w, Counters::in_flight)),
    ("paceline_breaker_open", "1 while the breaker is open, else 0.", |w| f64::from(u8::from(w.breaker().is_open()))),
    ("paceline_requests_per_second", "Requests handed to the client in the last full second.", |w| {
        of(w, |c| c.requests_last_second(tokio::time::Instant::now()))
    }),
];

fn of(watch: &Watch, number: fn(&Counters) -> u64) -> f64 {
    number(watch.counters()) as f64
}

/// The registry, with what the system knows of this process: CPU time, memory, open files.
pub fn with_process(registry: Registry) -> Registry {
    let process = prometheus::process_collector::ProcessCollector::for_self();
    if let Err(error) = registry.register(Box::new(process)) {
        tracing::warn!(%error, "what the system knows of this process is not in the metrics");
    }
    registry
}

/// What a registry holds, in Prometheus' text format.
///
/// # Errors
/// A metric is malformed.
pub fn text(registry: &Registry) -> Result<String, EngineError> {
    let mut text = Vec::new();
    let encoded = TextEncoder::new().encode(&registry.gather(), &mut text);
    encoded.map_err(|error| EngineError::Setting(format!("the metrics cannot be written: {error}")))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The functions by name, each with all that count under it, and the limits.
pub(super) fn families(functions: &Functions, quotas: &[Arc<Quotas>]) -> Vec<MetricFamily> {
    let table = |rows: &[(&str, &str, Number)], kind: MetricType| {
        let family = |(name, help, number): &(&str, &str, Number)| {
            let metric = |(function, watches): (&String, &Vec<Watch>)| {
                metric(&[("function", function)], watches.iter().map(number).sum(), kind)
            };
            family(name, help, kind, functions.iter().map(metric).collect())
        };
        rows.iter().map(family).collect::<Vec<_>>()
    };
    let mut all = table(COUNTERS, MetricType::COUNTER);
    all.extend(table(GAUGES, MetricType::GAUGE));
    let retries = |watch: &Watch| watch.counters().retries_by_cause();
    let failed = |watch: &Watch| watch.counters().given_up();
    let help = "Requests sent again, by what had failed.";
    all.push(by_kind(functions, "paceline_retries_total", help, "cause", retries));
    all.push(by_kind(functions, "paceline_records_failed_total", "Rows given up, by kind.", "kind", failed));
    let help = "Latency of attempts with a reply.";
    all.push(summary(functions, "paceline_latency_seconds", help, Counters::latency));
    let help = "How long requests that were ready waited for breaker and limiter.";
    all.push(summary(functions, "paceline_limiter_wait_seconds", help, Counters::wait));
    let mut under = BTreeSet::new();
    for (function, watches) in functions {
        under.extend(watches.iter().map(|watch| (function.clone(), watch.quota().to_owned())));
    }
    let under = under
        .iter()
        .map(|(function, quota)| metric(&[("function", function), ("quota", quota)], 1.0, MetricType::GAUGE));
    let help = "1 for each function and the quota that it is called under.";
    all.push(family("paceline_function_info", help, MetricType::GAUGE, under.collect()));
    let mut rates = BTreeMap::new();
    for quota in quotas.iter().flat_map(|quotas| quotas.all()) {
        if let Some(allowed) = quota.limiter().rate().per_second() {
            rates.insert(quota.name().to_owned(), allowed);
        }
    }
    let rates = rates.iter().map(|(quota, allowed)| metric(&[("quota", quota)], *allowed, MetricType::GAUGE));
    let help = "Requests per second that the quota allows now.";
    all.push(family("paceline_quota_requests_per_second", help, MetricType::GAUGE, rates.collect()));
    all.retain(|family| !family.get_metric().is_empty());
    all
}

fn by_kind(
    functions: &Functions,
    name: &str,
    help: &str,
    label: &str,
    numbers: fn(&Watch) -> [u64; FailureKind::ALL.len()],
) -> MetricFamily {
    let mut metrics = Vec::new();
    for (function, watches) in functions {
        let mut sums: HashMap<usize, u64> = HashMap::new();
        for (at, number) in watches.iter().flat_map(|watch| numbers(watch).into_iter().enumerate()) {
            *sums.entry(at).or_default() += number;
        }
        for (at, kind) in FailureKind::ALL.iter().enumerate() {
            let sum = sums.get(&at).copied().unwrap_or_default() as f64;
            metrics.push(metric(&[("function", function), (label, kind.name())], sum, MetricType::COUNTER));
        }
    }
    family(name, help, MetricType::COUNTER, metrics)
}

/// Quantiles of the function that is declared now.
fn summary(functions: &Functions, name: &str, help: &str, times: fn(&Counters) -> Option<Latency>) -> MetricFamily {
    let mut metrics = Vec::new();
    for (function, watches) in functions {
        let Some(Latency { p50, p90, p99, max, .. }) = watches.last().and_then(|watch| times(watch.counters())) else {
            continue;
        };
        for (quantile, ms) in [("0.5", p50), ("0.9", p90), ("0.99", p99), ("1", max)] {
            let labels = [("function", function.as_str()), ("quantile", quantile)];
            metrics.push(metric(&labels, ms / 1000.0, MetricType::GAUGE));
        }
    }
    family(name, help, MetricType::GAUGE, metrics)
}

pub(crate) fn family(name: &str, help: &str, kind: MetricType, metrics: Vec<proto::Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

pub(crate) fn metric(labels: &[(&str, &str)], value: f64, kind: MetricType) -> proto::Metric {
    let label = |(name, value): &(&str, &str)| {
        let mut pair = proto::LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    let mut metric = proto::Metric::default();
    metric.set_label(labels.iter().map(label).collect());
    if kind == MetricType::COUNTER {
        let mut counter = proto::Counter::default();
        counter.set_value(value);
        metric.set_counter(counter);
    } else {
        let mut gauge = proto::Gauge::default();
        gauge.set_value(value);
        metric.set_gauge(gauge);
    }
    metric
}
