//! What Prometheus reads of the service and of its cluster, beside the functions of its jobs.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use paceline_engine::cluster::QuotaSeen;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Encoder, GaugeVec, IntCounter, IntGauge, IntGaugeVec, Opts, TextEncoder};

use super::App;
use super::problem::Problem;
use crate::board::Board;
use crate::run::State as RunState;
use crate::service::JobService;

/// Quotas that are told apart.
const QUOTAS: usize = 100;
/// What the jobs of a service are counted as.
const JOBS: &str = "Jobs that are kept, by state.";

/// The gauges of a service.
pub struct ServiceGauges {
    service: JobService,
    /// A registry tells collectors apart by these.
    described: Option<Desc>,
}

impl ServiceGauges {
    /// The gauges of this service.
    pub fn new(service: JobService) -> Self {
        let labels = vec!["state".to_owned()];
        let described = Desc::new("paceline_jobs".to_owned(), JOBS.to_owned(), labels, HashMap::new()).ok();
        ServiceGauges { service, described }
    }
}

impl Collector for ServiceGauges {
    fn desc(&self) -> Vec<&Desc> {
        self.described.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let runs = self.service.runs();
        let of_state = |state: RunState| runs.iter().filter(|run| run.state == state).count() as i64;
        let jobs = IntGaugeVec::new(Opts::new("paceline_jobs", JOBS), &["state"]);
        let lost =
            IntCounter::new("paceline_webhook_events_lost_total", "Events that the webhook or the topic did not take.");
        let mut families = Vec::new();
        if let Ok(jobs) = jobs {
            RunState::ALL.iter().for_each(|state| jobs.with_label_values(&[state.name()]).set(of_state(*state)));
            families.extend(jobs.collect());
        }
        if let (Ok(lost), Some(webhook)) = (lost, &self.service.0.webhook) {
            lost.inc_by(webhook.lost());
            families.extend(lost.collect());
        }
        families.extend(self.tasks());
        families
    }
}

impl ServiceGauges {
    /// Tasks of the plans that run now.
    fn tasks(&self) -> Vec<MetricFamily> {
        let runs = self.service.runs();
        let live = runs.iter().filter(|run| run.state.is_active());
        let tasks = live.filter_map(|run| Some(self.service.recorder(&run.id)?.latest().0.tasks));
        let (mut running, mut completed, mut failed, mut total) = (0, 0, 0, 0);
        for tasks in tasks {
            running += tasks.running;
            completed += tasks.completed;
            failed += tasks.failed;
            total += tasks.total;
        }
        let waiting = total.saturating_sub(running + completed);
        let Ok(gauge) =
            IntGaugeVec::new(Opts::new("paceline_tasks", "Tasks of the plans that run now, by state."), &["state"])
        else {
            return Vec::new();
        };
        for (state, number) in
            [("waiting", waiting), ("running", running), ("completed", completed), ("failed", failed)]
        {
            gauge.with_label_values(&[state]).set(i64::try_from(number).unwrap_or(i64::MAX));
        }
        gauge.collect()
    }
}

fn of_cluster(board: &Board) -> Vec<MetricFamily> {
    let Some(seen) = board.cluster() else { return Vec::new() };
    let slots = seen.executors.iter().map(|executor| executor.slots).sum();
    let running = seen.executors.iter().map(|executor| executor.running).sum();
    let rows = [
        ("paceline_executors", "Executors of the cluster.", seen.executors.len()),
        ("paceline_slots", "Tasks that they can run at once.", slots),
        ("paceline_slots_used", "Tasks that they run.", running),
    ];
    let gauge = |(name, help, value): (&str, &str, usize)| {
        let gauge = IntGauge::new(name, help).ok()?;
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        Some(gauge.collect())
    };
    let mut families: Vec<_> = rows.into_iter().filter_map(gauge).flatten().collect();
    families.extend(quotas(&seen.quotas));
    families
}

/// A number of a quota, with its name and what it is.
type OfQuota = (&'static str, &'static str, fn(&QuotaSeen) -> f64);

const OF_QUOTAS: [OfQuota; 4] = [
    ("paceline_cluster_quota_allowed_per_second", "Calls a second that a quota allows the whole cluster.", |it| {
        it.allowed
    }),
    ("paceline_cluster_quota_used_per_second", "Calls a second that all processes together make under it.", |it| {
        it.reached
    }),
    ("paceline_cluster_quota_leases", "Processes that have a lease of it.", |it| it.leases as f64),
    ("paceline_cluster_quota_leased_calls", "Calls per period that these leases come to.", |it| it.leased as f64),
];

fn quotas(seen: &[QuotaSeen]) -> Vec<MetricFamily> {
    let family = |(name, help, number): &OfQuota| {
        let gauge = GaugeVec::new(Opts::new(*name, *help), &["quota"]).ok()?;
        seen.iter().take(QUOTAS).for_each(|quota| gauge.with_label_values(&[&quota.name]).set(number(quota)));
        Some(gauge.collect())
    };
    if seen.is_empty() { Vec::new() } else { OF_QUOTAS.iter().filter_map(family).flatten().collect() }
}

/// `GET /metrics`
pub async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let mut families = app.registry.gather();
    families.extend(of_cluster(&app.board));
    let mut text = Vec::new();
    let encoded = TextEncoder::new().encode(&families, &mut text);
    encoded.map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response())
}

/// `GET /health`
pub async fn health() -> Response {
    axum::Json(serde_json::json!({ "status": "ok" })).into_response()
}
