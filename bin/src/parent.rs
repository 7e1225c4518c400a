//! Ends this process with the one that started it.

use std::io::{BufRead, stdin};
use std::process::exit;
use std::time::Duration;

use signal_hook::consts::SIGTERM;
use signal_hook::low_level::raise;

/// Where nobody is left to wait for what a process still does, it has so long to end in order.
const LEFT_ALONE: Duration = Duration::from_secs(3);

/// Whether a process belongs to one that started it.
#[derive(clap::Args)]
pub struct ParentArguments {
    /// Stop as after SIGTERM when a line comes on standard input, and soon when that ends
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
}

impl ParentArguments {
    /// Waits for the end of the parent, who holds the other end of standard input, if there is one.
    pub fn watch(&self) {
        if self.until_stdin_closes {
            std::thread::spawn(until_alone);
        }
    }
}

fn until_alone() {
    let mut input = stdin().lock();
    let mut line = String::new();
    // A pipe that breaks is closed.
    if input.read_line(&mut line).is_ok_and(|read| read > 0) {
        stop();
        line.clear();
        while input.read_line(&mut line).is_ok_and(|read| read > 0) {}
    } else {
        stop();
    }
    std::thread::sleep(LEFT_ALONE);
    exit(1);
}

/// As if the signal had come from outside, so that there is one way to stop.
fn stop() {
    if let Err(error) = raise(SIGTERM) {
        tracing::error!(%error, "cannot stop in order");
    }
}
