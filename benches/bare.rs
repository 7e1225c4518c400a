//! The loop to compare with: requests made beforehand, a number of them in flight, replies read and thrown away. It has
//! neither limit nor retries, rows, files or counters.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use tokio::task::JoinSet;

/// Bodies as the job sends them for the records 1 to n.
#[derive(Clone, Debug)]
pub struct Bodies(Arc<Vec<Bytes>>);

impl Bodies {
    /// One object each.
    pub fn records(records: usize) -> Self {
        Bodies(Arc::new((1..=records).map(|id| object(id).into()).collect()))
    }

    /// Arrays of `rows` objects each.
    pub fn arrays(records: usize, rows: usize) -> Self {
        let array = |start: usize| {
            let objects: Vec<_> = (start..=records.min(start + rows - 1)).map(object).collect();
            format!("[{}]", objects.join(",")).into()
        };
        Bodies(Arc::new((1..=records).step_by(rows).map(array).collect()))
    }
}

fn object(id: usize) -> String {
    format!(r#"{{"id":{id},"email":"user{id}@example.com"}}"#)
}

/// Sends every body once, `in_flight` at a time, and says how long that took.
///
/// # Errors
/// A request fails, or its status is no success.
pub async fn bare_loop(url: &str, bodies: &Bodies, in_flight: usize) -> Result<Duration, Box<dyn Error>> {
    // As the job's own client is made.
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .tcp_nodelay(true)
        .http1_only()
        .retry(reqwest::retry::never())
        .build()?;
    let url = reqwest::Url::parse(url)?;
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..in_flight {
        let (client, url, bodies, next) = (client.clone(), url.clone(), bodies.0.clone(), Arc::clone(&next));
        tasks.spawn(async move {
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                let request = client.post(url.clone()).header(CONTENT_TYPE, "application/json").body(body.clone());
                request.send().await?.error_for_status()?.bytes().await?;
            }
            Ok::<_, reqwest::Error>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(start.elapsed())
}
