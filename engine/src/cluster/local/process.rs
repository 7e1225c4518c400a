//! A process of this cluster, started by this one and never left behind.
//! It holds the other end of the process's standard input: a line on it asks the process to end in order, and its end, which
//! comes with the death of whoever holds it, to end at once.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process that was started.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    since: Instant,
    stopping: bool,
}

impl Process {
    /// Starts it; what it says is added to the file `log`.
    pub fn start(program: &Path, arguments: &[OsString], log: &Path) -> io::Result<Self> {
        let log = OpenOptions::new().create(true).append(true).open(log)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        // In a group of its own: Ctrl-C in a terminal would reach it too, and executors have to end before their scheduler.
        command.process_group(0);
        Ok(Process { child: command.spawn()?, since: Instant::now(), stopping: false })
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// How long it has been there.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Asks it to end in order: an executor finishes its tasks.
    pub fn stop(&mut self) {
        self.stopping = true;
        if let Some(input) = &mut self.child.stdin {
            let _ = input.write_all(b"stop\n"); // a process that ended does not read
        }
    }

    /// Whether it was asked to end.
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }
}

impl Drop for Process {
    /// Ends it, if it has not ended, and waits for that.
    fn drop(&mut self) {
        if self.ended().is_none() && self.child.kill().is_ok() {
            let _ = self.child.wait(); // a process that was killed ends
        }
    }
}
