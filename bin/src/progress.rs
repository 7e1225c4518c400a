//! What is shown while a job runs: a bar on a terminal, a line every ten seconds otherwise. Everything here goes to standard error,
//! so that standard output holds results only.

use std::future::Future;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use paceline_engine::Session;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Says something to the person at the terminal.
#[expect(clippy::print_stderr, reason = "the one place that talks to people")]
pub fn say(text: &str) {
    eprintln!("{text}");
}

const OF_SO_MANY: &str = "{elapsed_precise} [{bar:30}] {human_pos}/{human_len} records, {msg}, ETA {eta}";
const OF_ABOUT: &str = "{elapsed_precise} [{bar:30}] {human_pos} of about {human_len} records, {msg}, ETA {eta}";
const SO_FAR: &str = "{elapsed_precise} {spinner} {human_pos} records, {msg}";

fn set_template(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
}

/// Without a terminal a line is enough, now and then.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows the progress of `session` until `job` ends. `records` is the number expected, if it is known.
pub async fn while_running<T>(session: &Session, records: Option<u64>, job: impl Future<Output = T>) -> T {
    let bar = records.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    set_template(&bar, if records.is_some() { OF_SO_MANY } else { SO_FAR });
    let mut tick = interval(Duration::from_millis(200));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = (Instant::now(), session.progress().requests);
    let mut rate = 0.0;
    let (is_terminal, mut last_line) = (std::io::stderr().is_terminal(), Instant::now());
    tokio::pin!(job);
    loop {
        tokio::select! {
            result = &mut job => {
                bar.finish_and_clear();
                return result;
            }
            now = tick.tick() => {
                let progress = session.progress();
                let seconds = (now - last.0).as_secs_f64();
                if seconds >= 1.0 {
                    rate = progress.requests.saturating_sub(last.1) as f64 / seconds;
                    last = (now, progress.requests);
                }
                if let (None, Some(expected)) = (records, progress.expected) {
                    if bar.length().is_none() {
                        set_template(&bar, OF_ABOUT);
                    }
                    bar.set_length(expected);
                }
                bar.set_position(progress.replied.max(progress.answered + progress.failed));
                let message = format!(
                    "{rate:.0} requests/s{}, {} in flight, {} retries, {} failed{}",
                    limit(session),
                    progress.in_flight,
                    progress.retries,
                    progress.failed,
                    if progress.breaker_open { ", breaker OPEN" } else { "" }
                );
                if !is_terminal && now - last_line >= LINE_EVERY {
                    last_line = now;
                    let eta = bar.length().map_or(String::new(), |_| format!(", ETA {}", HumanDuration(bar.eta())));
                    say(&format!("{} records, {message}{eta}", bar.position()));
                }
                bar.set_message(message);
            }
        }
    }
}

/// The limits in force, as ` (limit 5000 calls per 1s)`.
fn limit(session: &Session) -> String {
    let limits: Vec<_> = session.quotas().all().iter().map(|quota| quota.limiter().rate().to_string()).collect();
    if limits.is_empty() { String::new() } else { format!(" (limit {})", limits.join(", ")) }
}
