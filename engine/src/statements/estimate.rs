//! How many rows a plan has and how many requests its API functions need, before anything is sent: from exact statistics,
//! else from the size of the files and their first records, else it is not known.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::stats::Precision;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::TaskContext;
use datafusion::physical_optimizer::output_requirements::OutputRequirementExec;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::joins::CrossJoinExec;
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use paceline_udfs::spec::Format;
use paceline_udfs::{ApiFunction, wire};
use serde::Serialize;

use crate::api_call::ApiCallExec;
use crate::io::readers;
use crate::io::sink::WriteFilesExec;

/// A number that may not be known exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// The number; absent where nothing is known.
    pub number: Option<u64>,
    /// Whether it is an estimate, from a sample.
    pub estimated: bool,
    /// Whether it may be less.
    pub at_most: bool,
}

impl Estimate {
    const UNKNOWN: Self = Estimate { number: None, estimated: false, at_most: false };

    fn exactly(number: u64) -> Self {
        Estimate { number: Some(number), ..Self::UNKNOWN }
    }

    fn about(number: u64) -> Self {
        Estimate { number: Some(number), estimated: true, at_most: false }
    }

    fn at_most(self) -> Self {
        Estimate { at_most: self.number.is_some_and(|number| number > 0), ..self }
    }

    fn first(self, most: usize) -> Self {
        let most = most as u64;
        match self.number {
            Some(number) if number <= most => self,
            // Of many rows, even about so many, there are these.
            Some(_) => Estimate { number: Some(most), estimated: false, ..self },
            None => Self::exactly(most).at_most(),
        }
    }

    fn with(self, other: Self, together: fn(u64, u64) -> u64) -> Self {
        let number = self.number.zip(other.number).map(|(a, b)| together(a, b));
        let known = number.is_some();
        Estimate {
            number,
            estimated: known && (self.estimated || other.estimated),
            at_most: known && (self.at_most || other.at_most),
        }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(number) = self.number else { return f.write_str("unknown") };
        let (at_most, about) = (if self.at_most { "at most " } else { "" }, if self.estimated { "~" } else { "" });
        write!(f, "{at_most}{about}{number}")
    }
}

/// What one operator `ApiCall` will do.
#[derive(Clone, Debug, Serialize)]
pub struct Calls {
    /// Which function.
    pub function: String,
    /// The limit that it is called under.
    pub quota: String,
    /// What that allows.
    pub limit: String,
    /// Rows that are asked for.
    pub rows: Estimate,
    /// Requests for them, without retries.
    pub requests: Estimate,
    /// How long they take at the limit, in seconds; absent where that is not known or there is no limit.
    pub minimum_s: Option<f64>,
    #[serde(skip)]
    pub(crate) api: Arc<ApiFunction>,
}

/// What a plan will do.
#[derive(Clone, Debug)]
pub(crate) struct Forecast {
    /// The plan, an operator a line.
    pub lines: Vec<String>,
    /// The rows of its result, or those that it writes.
    pub rows: Estimate,
    /// Its calls, from the top down.
    pub calls: Vec<Calls>,
    /// Bytes of the files, or parts of files, that it reads.
    pub input_bytes: u64,
}

impl Forecast {
    /// Looks at a plan. Files may be opened; nothing is sent to an API and nothing is written.
    pub async fn of(plan: &Arc<dyn ExecutionPlan>, context: &TaskContext) -> Result<Self> {
        let mut walk = Walk {
            sampled: sample_files(plan, context).await?,
            batch_rows: context.session_config().batch_size(),
            lines: Vec::new(),
            calls: Vec::new(),
        };
        let rows = walk.rows(plan, 0, None)?;
        Ok(Forecast { lines: walk.lines, rows, calls: walk.calls, input_bytes: input_bytes(plan) })
    }

    /// How long all requests take, where they only wait for the limits; functions of one quota wait for each other.
    pub fn minimum_s(&self) -> Option<f64> {
        let mut quotas: BTreeMap<&str, Option<f64>> = BTreeMap::new();
        for call in self.calls.iter().filter(|call| call.is_limited()) {
            let sum = quotas.entry(&call.quota).or_insert(Some(0.0));
            *sum = sum.zip(call.minimum_s).map(|(sum, own)| sum + own);
        }
        quotas.into_values().try_fold(0.0, |most: f64, own| Some(most.max(own?)))
    }
}

impl Calls {
    fn is_limited(&self) -> bool {
        !self.api.options.pace.limits.all().is_empty()
    }

    /// The time in words.
    pub fn minimum(&self) -> String {
        if self.is_limited() { in_words(self.minimum_s, self.requests) } else { "none, there is no limit".to_owned() }
    }
}

/// Seconds in words, as sure as the number of requests that they come from.
pub(crate) fn in_words(seconds: Option<f64>, requests: Estimate) -> String {
    let Some(seconds) = seconds else { return "unknown".to_owned() };
    let whole = seconds.ceil() as u64;
    let units = [(whole / 86_400, "d"), (whole / 3600 % 24, "h"), (whole / 60 % 60, "min"), (whole % 60, "s")];
    let mut parts: Vec<_> = units.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if parts.is_empty() {
        parts.push("0 s".to_owned());
    }
    let (at_most, about) = (if requests.at_most { "at most " } else { "" }, if requests.estimated { "~" } else { "" });
    format!("{at_most}{about}{}", parts.join(" "))
}

struct Walk {
    /// Rows of files, by the address of their operator.
    sampled: HashMap<usize, u64>,
    batch_rows: usize,
    lines: Vec<String>,
    calls: Vec<Calls>,
}

impl Walk {
    /// `cut` is how many rows an operator above takes at most.
    fn rows(&mut self, plan: &Arc<dyn ExecutionPlan>, depth: usize, cut: Option<usize>) -> Result<Estimate> {
        let line = self.lines.len();
        self.lines.push(format!(
            "{}{}",
            "  ".repeat(depth),
            displayable(plan.as_ref()).one_line().to_string().trim_end()
        ));
        let call = plan.downcast_ref::<ApiCallExec>();
        // Calls stand in the order of the plan, whatever is found out first.
        let place = self.calls.len();
        let takes_all = plan.is::<AggregateExec>() || plan.is::<SortExec>();
        let cuts = if takes_all { None } else { plan.fetch().into_iter().chain(cut).min() };
        let mut children = Vec::new();
        for child in plan.children() {
            children.push(self.rows(child, depth + 1, cuts)?);
        }
        let Some(call) = call else { return self.of_operator(plan, &children) };
        let mut rows = children.first().copied().unwrap_or(Estimate::UNKNOWN);
        let is_cut = cut.is_some_and(|most| rows.number > Some(most as u64));
        let made = self.calls_of(call, if is_cut { rows.at_most() } else { rows });
        self.lines[line].push_str(&format!(", calls={}, requests={}", made.rows, made.requests));
        self.calls.insert(place, made);
        if call.outbox().is_some() {
            rows = rows.at_most();
        }
        Ok(rows)
    }

    fn of_operator(&self, plan: &Arc<dyn ExecutionPlan>, children: &[Estimate]) -> Result<Estimate> {
        let one = children.first().copied().unwrap_or(Estimate::UNKNOWN);
        let fetched = |rows: Estimate| plan.fetch().map_or(rows, |most| rows.first(most));
        if let Some(limit) = plan.downcast_ref::<GlobalLimitExec>() {
            let skip = limit.skip() as u64;
            let left = Estimate { number: one.number.map(|number| number.saturating_sub(skip)), ..one };
            return Ok(limit.fetch().map_or(left, |most| left.first(most)));
        }
        if plan.is::<LocalLimitExec>() {
            return Ok(fetched(one));
        }
        if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
            let single = aggregate.group_expr().is_true_no_grouping();
            return Ok(if single { Estimate::exactly(1) } else { fetched(one.at_most()) });
        }
        if plan.is::<UnionExec>() {
            let sum = children.iter().fold(Estimate::exactly(0), |sum, rows| sum.with(*rows, u64::saturating_add));
            return Ok(sum);
        }
        if plan.is::<CrossJoinExec>() {
            let all = children.iter().fold(Estimate::exactly(1), |all, rows| all.with(*rows, u64::saturating_mul));
            return Ok(all);
        }
        if plan.is::<WriteFilesExec>() {
            return Ok(one);
        }
        match (children, plan.cardinality_effect()) {
            ([], _) => Ok(fetched(self.of_source(plan)?)),
            ([_], CardinalityEffect::Equal) => Ok(fetched(one)),
            // A sort that takes the first rows takes all there are.
            ([_], CardinalityEffect::LowerEqual) if plan.is::<SortExec>() => Ok(fetched(one)),
            ([_], CardinalityEffect::LowerEqual) => Ok(fetched(one.at_most())),
            ([_], _) if plan.is::<SortPreservingMergeExec>() || plan.is::<OutputRequirementExec>() => Ok(fetched(one)),
            _ => Ok(fetched(Estimate::UNKNOWN)),
        }
    }

    fn of_source(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<Estimate> {
        if let Some(rows) = self.sampled.get(&address(plan)) {
            return Ok(Estimate::about(*rows));
        }
        Ok(match StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new())?.num_rows {
            Precision::Exact(rows) => Estimate::exactly(rows as u64),
            Precision::Inexact(rows) => Estimate::about(rows as u64),
            Precision::Absent => Estimate::UNKNOWN,
        })
    }

    fn calls_of(&self, call: &ApiCallExec, rows: Estimate) -> Calls {
        let asked = call.asked();
        let api = Arc::clone(asked.caller.api());
        let rows = if asked.guard.is_some() { rows.at_most() } else { rows };
        let mut requests = Estimate { number: rows.number.map(|rows| self.requests(&api, rows)), ..rows };
        // Batches end where partitions end, and requests with them.
        requests.estimated |= api.options.wire.format != Format::Record && requests.number > Some(1);
        if api.deterministic {
            requests = requests.at_most();
        }
        let limits = &api.options.pace.limits;
        Calls {
            function: api.name.clone(),
            quota: api.options.pace.quota.clone(),
            limit: limits.to_string(),
            rows,
            requests,
            minimum_s: requests.number.and_then(|requests| limits.least_time(requests)).map(|time| time.as_secs_f64()),
            api,
        }
    }

    /// As the rows of one batch after the other are laid into requests.
    fn requests(&self, api: &ApiFunction, rows: u64) -> u64 {
        let batch = self.batch_rows.max(1) as u64;
        let of = |rows: u64| wire::shares(api, usize::try_from(rows).unwrap_or(usize::MAX)).len() as u64;
        (rows / batch).saturating_mul(of(batch)) + of(rows % batch)
    }
}

async fn sample_files(plan: &Arc<dyn ExecutionPlan>, context: &TaskContext) -> Result<HashMap<usize, u64>> {
    let mut sampled = HashMap::new();
    let mut left = vec![Arc::clone(plan)];
    while let Some(plan) = left.pop() {
        left.extend(plan.children().into_iter().cloned());
        let Some(source) = plan.downcast_ref::<DataSourceExec>() else { continue };
        let Some(scan) = source.data_source().downcast_ref::<FileScanConfig>() else { continue };
        if scan.file_source.file_type() != "parquet" {
            let rows = readers::about_how_many_rows(scan, &context.runtime_env()).await?;
            sampled.insert(address(&plan), rows);
        }
    }
    Ok(sampled)
}

fn input_bytes(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let below = plan.children().into_iter().map(input_bytes).fold(0, u64::saturating_add);
    let source = plan.downcast_ref::<DataSourceExec>().and_then(|source| source.data_source().downcast_ref());
    let files = source.into_iter().flat_map(|scan: &FileScanConfig| &scan.file_groups).flat_map(|group| group.files());
    let bytes = files.map(|file| {
        let part = file.range.as_ref().map(|range| u64::try_from(range.end - range.start).unwrap_or(0));
        part.unwrap_or(file.object_meta.size)
    });
    bytes.fold(below, u64::saturating_add)
}

fn address(plan: &Arc<dyn ExecutionPlan>) -> usize {
    Arc::as_ptr(plan).cast::<()>().addr()
}
