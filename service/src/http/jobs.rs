//! The REST of jobs.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use paceline_engine::observe::masked;
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::problem::Problem;
use super::query::Query;
use crate::board;
use crate::run::{Run, State as RunState, Submission};
use crate::service::JobService;
use crate::watched::{JobView, Jobs, view};

/// Items on a page, where nothing is said, and at most.
const USUAL: usize = 50;
const MOST: usize = 500;

/// A part of a path, or what is wrong with it.
type Id = Result<Path<String>, PathRejection>;

/// What is asked of a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    limit: Option<usize>,
    page_token: Option<String>,
    state: Option<RunState>,
    job_name: Option<String>,
}

/// What is asked of lines or letters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    limit: Option<usize>,
    page_token: Option<String>,
}

/// `GET /jobs`
pub async fn list(State(app): State<App>, Query(asked): Query<Listing>) -> Result<Response, Problem> {
    let limit = limit(asked.limit)?;
    let below = number(asked.page_token.as_deref())?.unwrap_or(u64::MAX);
    let matches = |job: &JobView| {
        job.number < below
            && asked.state.is_none_or(|state| job.state == state.name())
            && asked.job_name.as_ref().is_none_or(|name| job.job_name == *name)
    };
    let mut jobs: Vec<_> = app.jobs()?.list().await?.into_iter().filter(matches).take(limit + 1).collect();
    let more = jobs.len() > limit;
    jobs.truncate(limit);
    let next = jobs.last().filter(|_| more).map(|job| job.number.to_string());
    Ok(axum::Json(json!({ "jobs": jobs, "next_page_token": next })).into_response())
}

/// `POST /jobs`
pub async fn submit(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let service = live(&app)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let why = "a job is submitted as application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", why));
    }
    let body = body.map_err(|error| Problem::new(error.status(), "malformed", error.body_text()))?;
    let submission: Submission = serde_json::from_slice(&body).map_err(|error| {
        let status = if error.is_data() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_REQUEST };
        Problem::new(status, "malformed", format!("the submission cannot be read: {error}"))
    })?;
    let before = service.runs().last().map_or(0, |run| run.number);
    let run = service.submit(submission).await?;
    // One with the token of another is that one: nothing was made.
    let status = if run.number > before { StatusCode::CREATED } else { StatusCode::OK };
    Ok(with_place(status, service, &run))
}

/// `GET /jobs/{id}`
pub async fn detail(State(app): State<App>, id: Id) -> Result<Response, Problem> {
    Ok(axum::Json(app.jobs()?.get(&known(id)?).await?).into_response())
}

/// `GET /jobs/{id}/plan`
pub async fn plan(State(app): State<App>, id: Id) -> Result<Response, Problem> {
    Ok(axum::Json(json!({ "stages": app.jobs()?.stages(&known(id)?).await? })).into_response())
}

/// `GET /jobs/{id}/dead-letters`
pub async fn dead_letters(State(app): State<App>, id: Id, Query(asked): Query<Paging>) -> Result<Response, Problem> {
    let (limit, skip) = (limit(asked.limit)?, place(asked.page_token.as_deref())?);
    let mut letters = app.jobs()?.dead_letters(&known(id)?, skip, limit + 1).await?;
    let more = letters.len() > limit;
    letters.truncate(limit);
    let next = more.then(|| (skip + limit).to_string());
    Ok(axum::Json(json!({ "dead_letters": letters, "next_page_token": next })).into_response())
}

/// `GET /jobs/{id}/logs`: what happened, line by line; numbers of progress are left out.
pub async fn logs(State(app): State<App>, id: Id, Query(asked): Query<Paging>) -> Result<Response, Problem> {
    let (limit, skip) = (limit(asked.limit)?, place(asked.page_token.as_deref())?);
    let events = app.jobs()?.events(&known(id)?).await?;
    let lines = events.lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines = lines.filter(|line| !matches!(line["event"].as_str(), Some("progress" | "stages" | "executors")));
    let mut lines: Vec<_> = lines.skip(skip).take(limit + 1).collect();
    let more = lines.len() > limit;
    lines.truncate(limit);
    let next = more.then(|| (skip + limit).to_string());
    Ok(axum::Json(json!({ "lines": lines, "next_page_token": next })).into_response())
}

/// `POST /jobs/{id}/cancel`
pub async fn cancel(State(app): State<App>, id: Id) -> Result<Response, Problem> {
    let service = live(&app)?;
    let run = service.cancel(&known(id)?).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(view(&run, service))).into_response())
}

/// `POST /jobs/{id}/resume`
pub async fn resume(State(app): State<App>, id: Id) -> Result<Response, Problem> {
    let service = live(&app)?;
    let run = service.resume(&known(id)?).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(view(&run, service))).into_response())
}

/// `POST /jobs/{id}/redrive`
pub async fn redrive(State(app): State<App>, id: Id) -> Result<Response, Problem> {
    let service = live(&app)?;
    let run = service.redrive(&known(id)?).await?;
    Ok(with_place(StatusCode::CREATED, service, &run))
}

/// `GET /executors`
pub async fn executors(State(app): State<App>) -> Response {
    axum::Json(json!({ "executors": board::executors(&app.board) })).into_response()
}

/// `GET /configuration`
pub async fn configuration(State(app): State<App>) -> Response {
    let given = masked(app.settings.given.iter().map(|(name, value)| (name, value)));
    let place = app.settings.cluster.as_ref().map_or("embedded".to_owned(), ToString::to_string);
    let shown = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "place": place,
        "settings": given,
        "state_dir": app.settings.state_dir,
        "can_submit": matches!(app.jobs, Some(Jobs::Live(_))),
    });
    axum::Json(shown).into_response()
}

fn with_place(status: StatusCode, service: &JobService, run: &Run) -> Response {
    let location = format!("/api/v1/jobs/{}", run.id);
    (status, [(header::LOCATION, location)], axum::Json(view(run, service))).into_response()
}

fn live(app: &App) -> Result<&JobService, Problem> {
    match app.jobs()? {
        Jobs::Live(service) => Ok(service),
        Jobs::History(_) => {
            let why = "this is the page of event logs: nothing runs here";
            Err(Problem::new(StatusCode::CONFLICT, "history", why))
        }
    }
}

fn known(id: Id) -> Result<String, Problem> {
    let Path(id) = id.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "malformed", error.body_text()))?;
    Ok(id)
}

fn limit(asked: Option<usize>) -> Result<usize, Problem> {
    match asked {
        None => Ok(USUAL),
        Some(limit @ 1..=MOST) => Ok(limit),
        Some(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", format!("limit: 1 to {MOST}"))),
    }
}

fn number(token: Option<&str>) -> Result<Option<u64>, Problem> {
    let unknown = |_| Problem::new(StatusCode::BAD_REQUEST, "malformed", "page_token: not one that was given out");
    token.map(str::parse).transpose().map_err(unknown)
}

fn place(token: Option<&str>) -> Result<usize, Problem> {
    let place = number(token)?.unwrap_or(0);
    // Far behind any end, and far from where sums overflow.
    Ok(usize::try_from(place).unwrap_or(usize::MAX).min(1 << 40))
}
