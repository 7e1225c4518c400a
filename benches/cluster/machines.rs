//! A scheduler and its executors, each a process of its own; they end with this.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use paceline_benches::paceline;
use tempfile::TempDir;

use crate::Result;

pub struct Machines {
    folder: TempDir,
    scheduler: Child,
    pub executors: Vec<Child>,
    pub at: String,
    flags: Vec<String>,
}

impl Machines {
    /// `flags` are the executors'.
    pub fn start(executors: usize, flags: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(paceline()?);
        command.args(["scheduler", "--bind", "127.0.0.1:0", "--state-dir"]).arg(folder.path());
        let mut scheduler = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut said = String::new();
        BufReader::new(scheduler.stderr.take().ok_or("no standard error")?).read_line(&mut said)?;
        let at = said.split_whitespace().find_map(|word| word.strip_prefix("df://")).map(str::to_owned);
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        let mut machines = Machines { folder, scheduler, executors: Vec::new(), at: at.unwrap_or_default(), flags };
        if machines.at.is_empty() {
            return Err(format!("the scheduler does not start: {said}").into());
        }
        (0..executors).try_for_each(|_| machines.add())?;
        Ok(machines)
    }

    pub fn add(&mut self) -> Result<()> {
        let work = self.folder.path().join(format!("executor-{}", self.executors.len()));
        let mut command = Command::new(paceline()?);
        command.args(["executor", "--slots", "4", "--scheduler", &self.at, "--work-dir"]).arg(work);
        self.executors.push(command.args(&self.flags).stdin(Stdio::null()).stderr(Stdio::null()).spawn()?);
        Ok(())
    }

    /// The most memory that an executor has had, in bytes.
    pub fn peak_memory(&self) -> Result<f64> {
        let mut most = 0.0;
        for executor in &self.executors {
            let status = std::fs::read_to_string(format!("/proc/{}/status", executor.id()))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
            let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
            most = f64::max(most, kib * 1024.0);
        }
        Ok(most)
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        for child in self.executors.iter_mut().chain([&mut self.scheduler]) {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
