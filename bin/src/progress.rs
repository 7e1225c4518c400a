//! What is shown while a job runs: a bar on a terminal, a line every ten seconds otherwise. Everything here goes to standard error,
//! so that standard output holds results only.

use std::future::Future;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use paceline_engine::Session;
use paceline_engine::observe::progress::Progress;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Says something to the person at the terminal.
#[expect(clippy::print_stderr, reason = "the one place that talks to people")]
pub fn say(text: &str) {
    eprintln!("{text}");
}

const OF_SO_MANY: &str = "{elapsed_precise} [{bar:30}] {human_pos}/{human_len} records, {msg}, ETA {eta}";
const OF_ABOUT: &str = "{elapsed_precise} [{bar:30}] {human_pos} of about {human_len} records, {msg}, ETA {eta}";
const SO_FAR: &str = "{elapsed_precise} {spinner} {human_pos} records, {msg}";

/// How often the bar is drawn.
const DRAW: Duration = Duration::from_millis(200);
/// Without a terminal a line is enough, now and then.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// A bar, wherever its job runs.
pub struct Bar {
    bar: ProgressBar,
    /// The number of records, where it is known before.
    records: Option<u64>,
    /// When requests were counted last, and how many there were.
    last: Option<(Instant, u64)>,
    rate: f64,
    is_terminal: bool,
    last_line: Instant,
}

impl Bar {
    /// A bar for so many records, if that is known.
    pub fn new(records: Option<u64>) -> Self {
        let bar = records.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let bar = Bar {
            bar,
            records,
            last: None,
            rate: 0.0,
            is_terminal: std::io::stderr().is_terminal(),
            last_line: Instant::now(),
        };
        bar.set_template(if records.is_some() { OF_SO_MANY } else { SO_FAR });
        bar
    }

    /// Shows how far the job is.
    pub fn show(&mut self, progress: &Progress) {
        let now = Instant::now();
        let (since, before) = *self.last.get_or_insert((now, progress.requests));
        let seconds = (now - since).as_secs_f64();
        if seconds >= 1.0 {
            self.rate = progress.requests.saturating_sub(before) as f64 / seconds;
            self.last = Some((now, progress.requests));
        }
        if let (None, Some(expected)) = (self.records, progress.expected) {
            if self.bar.length().is_none() {
                self.set_template(OF_ABOUT);
            }
            self.bar.set_length(expected);
        }
        self.bar.set_position(progress.records);
        let message = format!(
            "{:.0} requests/s{}, {} in flight, {} retries, {} failed{}",
            self.rate,
            limits(progress),
            progress.in_flight,
            progress.retries,
            progress.failed,
            if progress.breaker_open { ", breaker OPEN" } else { "" }
        );
        if !self.is_terminal && now - self.last_line >= LINE_EVERY {
            self.last_line = now;
            let eta = self.bar.length().map_or(String::new(), |_| format!(", ETA {}", HumanDuration(self.bar.eta())));
            say(&format!("{} records, {message}{eta}", self.bar.position()));
        }
        self.bar.set_message(message);
    }

    /// Says something above the bar.
    pub fn say(&self, text: &str) {
        self.bar.suspend(|| say(text));
    }

    /// Takes the bar away.
    pub fn end(self) {
        self.bar.finish_and_clear();
    }

    fn set_template(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("=> "));
        }
    }
}

/// Shows the progress of `session` until `job` ends. `records` is the number expected, if it is known.
pub async fn while_running<T>(session: &Session, records: Option<u64>, job: impl Future<Output = T>) -> T {
    let mut bar = Bar::new(records);
    let mut tick = interval(DRAW);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(job);
    loop {
        tokio::select! {
            result = &mut job => {
                bar.end();
                return result;
            }
            _ = tick.tick() => bar.show(&session.progress()),
        }
    }
}

/// The limits in force, as ` (limit 5000 calls per 1s)`.
fn limits(progress: &Progress) -> String {
    let limits: Vec<_> = progress.limits.iter().map(|limit| limit.rate.as_str()).collect();
    if limits.is_empty() { String::new() } else { format!(" (limit {})", limits.join(", ")) }
}
