//! The tasks that a process has, from when they arrive until they are let go.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A task, by the scheduler's numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TaskId {
    /// Its job.
    pub job: String,
    /// Its stage.
    pub stage: usize,
    /// Its place in the stage.
    pub task: usize,
}

/// Those of a process.
#[derive(Clone, Debug)]
pub struct Running {
    tasks: Arc<Mutex<HashSet<TaskId>>>,
    /// Memory that each has for itself, in bytes.
    pub share: u64,
}

/// A task that is among them until this is dropped.
#[derive(Debug)]
pub struct Begun {
    task: TaskId,
    among: Running,
}

impl Running {
    /// None yet.
    pub fn new(share: u64) -> Self {
        Running { tasks: Arc::default(), share }
    }

    /// A task has arrived.
    pub fn begin(&self, task: TaskId) -> Begun {
        self.tasks().insert(task.clone());
        Begun { task, among: self.clone() }
    }

    /// All of them now.
    pub fn all(&self) -> HashSet<TaskId> {
        self.tasks().clone()
    }

    fn tasks(&self) -> MutexGuard<'_, HashSet<TaskId>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.among.tasks().remove(&self.task);
    }
}
