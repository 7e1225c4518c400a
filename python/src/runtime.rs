//! Where the engine runs, and how Python waits for it: without the GIL, open to Ctrl-C, and with progress.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use paceline_engine::Session;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{MissedTickBehavior, interval};

/// How long Ctrl-C may take to be seen, and how often progress is shown.
const LOOK: Duration = Duration::from_millis(100);

/// The threads of this process. A child that was forked off has none of its parent's.
static THREADS: Mutex<Option<(u32, Arc<Runtime>)>> = Mutex::new(None);

/// The runtime of this process.
pub fn runtime() -> PyResult<Arc<Runtime>> {
    let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some((of, runtime)) = threads.as_ref().filter(|(of, _)| *of == process) {
        debug_assert_eq!(*of, process);
        return Ok(Arc::clone(runtime));
    }
    // Plans of deeply nested statements are deep too; of a thread's stack only what is used is in memory.
    let built = Builder::new_multi_thread().thread_stack_size(16 << 20).enable_all().build();
    let built =
        Arc::new(built.map_err(|error| PyRuntimeError::new_err(format!("no threads for the engine: {error}")))?);
    if let Some((_, of_parent)) = threads.replace((process, Arc::clone(&built))) {
        std::mem::forget(of_parent); // its threads are not here to be waited for
    }
    Ok(built)
}

/// Waits for `work` without the GIL. `look` is called now and then with it; when it fails, or Ctrl-C comes, the work is dropped.
pub fn wait<T: Send, F: Future<Output = T>>(
    py: Python<'_>,
    look: impl Fn(Python<'_>) -> PyResult<()> + Send + Sync,
    work: impl FnOnce() -> F + Send,
) -> PyResult<T> {
    let runtime = runtime()?;
    py.detach(move || {
        runtime.block_on(async {
            let work = work(); // here, as it need not be able to change threads
            tokio::pin!(work);
            let mut tick = interval(LOOK);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            tick.tick().await; // the first is now
            loop {
                tokio::select! {
                    biased;
                    done = &mut work => return Ok(done),
                    _ = tick.tick() => Python::attach(|py| py.check_signals().and_then(|()| look(py)))?,
                }
            }
        })
    })
}

/// As [`wait`], for the statement of a session: progress is shown as JSON to `progress`, and what a statement that was given up
/// had staged is cleaned up.
pub fn carry_out<T: Send, F: Future<Output = T>>(
    py: Python<'_>,
    session: &Arc<Session>,
    progress: Option<&Py<PyAny>>,
    work: impl FnOnce() -> F + Send,
) -> PyResult<T> {
    let progress = progress.map(|progress| progress.clone_ref(py));
    let shown = Arc::clone(session);
    let look = move |py: Python<'_>| {
        let Some(progress) = &progress else { return Ok(()) };
        let now = serde_json::to_string(&shown.progress()).unwrap_or_default(); // numbers and text, which cannot fail
        progress.call1(py, (now,)).map(drop)
    };
    let done = wait(py, look, work);
    if done.is_err() {
        let runtime = runtime()?;
        let cleaned = py.detach(|| runtime.block_on(session.clean_up()));
        if let (Err(stopped), Err(error)) = (&done, cleaned) {
            let note = format!("what was staged could not be cleaned up: {error}");
            stopped.value(py).call_method1("add_note", (note,)).ok(); // Python 3.10 has no notes
        }
    }
    done
}
