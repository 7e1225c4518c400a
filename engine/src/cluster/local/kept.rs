//! A process that is kept running until it is asked to end.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Instant;

use super::backoff::Backoff;
use super::process::Process;

/// A process by its name, whatever runs under it.
#[derive(Debug)]
pub(super) struct Kept {
    name: String,
    /// What others know it by; another one at each start.
    id: String,
    state: State,
    backoff: Backoff,
}

#[derive(Debug)]
enum State {
    /// It is to be started.
    Due(Instant),
    Runs(Process),
    /// It was asked to end.
    Gone,
}

impl Kept {
    /// One that is to be started.
    pub fn new(name: String) -> Self {
        Kept { name, id: String::new(), state: State::Due(Instant::now()), backoff: Backoff::new() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of what runs.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Starts it, if that is due, with what `told` says for a new id, and notices its end.
    pub fn mend(
        &mut self,
        program: &Path,
        log_dir: &Path,
        tell: fn(&str),
        told: impl FnOnce(&str) -> io::Result<Vec<OsString>>,
    ) {
        let Kept { name, id, state, backoff } = self;
        match state {
            State::Due(at) if *at <= Instant::now() => {
                *id = uuid::Uuid::now_v7().to_string();
                let log = log_dir.join(format!("{name}.log"));
                match told(id).and_then(|arguments| Process::start(program, &arguments, &log)) {
                    Ok(process) => {
                        tracing::info!(name, pid = process.id(), id, "started");
                        *state = State::Runs(process);
                    }
                    Err(error) => {
                        let wait = backoff.after(Default::default());
                        tell(&format!("{name} cannot be started: {error}; again in {} s", wait.as_secs()));
                        *state = State::Due(Instant::now() + wait);
                    }
                }
            }
            State::Runs(process) => {
                let Some(how) = process.ended() else { return };
                if process.is_stopping() {
                    tracing::info!(name, how, "ended as it was asked");
                    *state = State::Gone;
                    return;
                }
                let wait = backoff.after(process.age());
                tell(&format!("{name} ended ({how}); it is started again in {} s", wait.as_secs()));
                *state = State::Due(Instant::now() + wait);
            }
            State::Due(_) | State::Gone => {}
        }
    }

    /// Asks it to end.
    pub fn stop(&mut self) {
        match &mut self.state {
            State::Runs(process) => process.stop(),
            State::Due(_) | State::Gone => self.state = State::Gone,
        }
    }

    /// Whether it was asked to end.
    pub fn is_stopping(&self) -> bool {
        match &self.state {
            State::Runs(process) => process.is_stopping(),
            State::Due(_) => false,
            State::Gone => true,
        }
    }

    /// Whether it was asked to end, and has.
    pub fn is_gone(&self) -> bool {
        matches!(self.state, State::Gone)
    }

    /// Whether nothing runs.
    pub fn has_ended(&mut self) -> bool {
        match &mut self.state {
            State::Runs(process) => process.ended().is_some(),
            State::Due(_) | State::Gone => true,
        }
    }
}
