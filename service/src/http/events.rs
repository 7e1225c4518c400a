//! Events as they happen, as server-sent events: each a line of the event log, with its number as id. A line is made once, for
//! all who follow.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::watch;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

use super::App;
use super::problem::Problem;

/// How often something is sent when nothing happens, so that a connection which is gone is noticed.
const ALIVE: Duration = Duration::from_secs(15);

type Events = BoxStream<'static, Result<Event, Infallible>>;

/// `GET /jobs/{id}/events`: all events of a job, from behind `Last-Event-ID` on; `end` when no more can come.
pub async fn of_job(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    end: watch::Receiver<bool>,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "malformed", error.body_text()))?;
    let events = app.jobs()?.events(&id).await?;
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse::<usize>().ok()).unwrap_or(0);
    let known: Vec<_> = events.lines.into_iter().enumerate().skip(seen).collect();
    let known = stream::iter(known).map(|(at, line)| event(at as u64 + 1, &line));
    let more: BoxStream<'static, Event> = match events.more {
        None => stream::empty().boxed(),
        Some(more) => BroadcastStream::new(more)
            // Who is too slow misses events; it begins anew when it connects again.
            .take_while(|line| std::future::ready(!matches!(line, Err(BroadcastStreamRecvError::Lagged(_)))))
            .filter_map(async |line| line.ok())
            .map(|line| event(number(&line), &line))
            .boxed(),
    };
    let last = stream::once(async { Event::default().event("end").data("{}") });
    let all = known.chain(more).chain(last).map(Ok).boxed();
    Ok(answer(all, end))
}

/// `GET /events`: what the page of all jobs shows, whenever it changes.
pub async fn of_all(State(app): State<App>, end: watch::Receiver<bool>) -> Response {
    let texts = WatchStream::from_changes(app.board.follow());
    answer(texts.map(|text| Ok(Event::default().data(&*text))).boxed(), end)
}

fn answer(events: Events, mut end: watch::Receiver<bool>) -> Response {
    let ended = async move { drop(end.wait_for(|ended| *ended).await) };
    let events = events.take_until(Box::pin(ended));
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}

/// An event of a line; one that is not kept has no number.
fn event(number: u64, line: &Arc<str>) -> Event {
    let event = Event::default().data(&**line);
    if number == 0 { event } else { event.id(number.to_string()) }
}

/// The number of a line, which stands behind its version.
fn number(line: &str) -> u64 {
    let digits = line.split_once("\"seq\":").map_or("", |(_, rest)| rest);
    let digits = digits.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}
