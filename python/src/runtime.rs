//! Where the engine runs, and how Python waits for it: without the GIL, open to Ctrl-C, and with progress.

use std::future::Future;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use paceline_engine::Session;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// How long Ctrl-C may take to be seen, and how often progress is shown.
const LOOK: Duration = Duration::from_millis(100);
/// How long an operator of a statement that was given up may take to let go before that is not waited for.
const LET_GO: Duration = Duration::from_secs(5);
/// Plans of deeply nested statements are deep too; of a thread's stack only what is used is in memory.
const STACK: usize = 16 << 20;

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
    let built = tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK).enable_all().build();
    let built = Arc::new(built.map_err(no_threads)?);
    if let Some((_, of_parent)) = threads.replace((process, Arc::clone(&built))) {
        std::mem::forget(of_parent); // its threads are not here to be waited for
    }
    Ok(built)
}

/// Waits for `work` without the GIL. `look` is called now and then with it; when it fails, or Ctrl-C comes, the work is dropped.
///
/// It has a thread of its own: an operator may compute for long before it lets go, and Ctrl-C is seen meanwhile.
pub fn wait<T: Send + 'static, F: Future<Output = T>>(
    py: Python<'_>,
    look: impl Fn(Python<'_>) -> PyResult<()> + Send + Sync,
    work: impl FnOnce() -> F + Send + 'static,
) -> PyResult<T> {
    let runtime = runtime()?;
    let (ended, end) = channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = Builder::new().name("statement".to_owned()).stack_size(STACK).spawn(move || {
        let done = runtime.block_on(async {
            tokio::select! {
                biased;
                _ = stopped => None,
                done = work() => Some(done),
            }
        });
        ended.send(done).ok(); // nobody may wait any more
    });
    thread.map_err(no_threads)?;
    py.detach(move || {
        loop {
            match end.recv_timeout(LOOK) {
                Ok(Some(done)) => return Ok(done),
                Ok(None) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(PyRuntimeError::new_err("the statement broke down; this is a defect of Paceline"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Err(given_up) = Python::attach(|py| py.check_signals().and_then(|()| look(py))) {
                drop(stop);
                end.recv_timeout(LET_GO).ok();
                return Err(given_up);
            }
        }
    })
}

/// As [`wait`], for the statement of a session: progress is shown as JSON to `progress`, and what a statement that was given up
/// had staged is cleaned up.
pub fn carry_out<T: Send + 'static, F: Future<Output = T>>(
    py: Python<'_>,
    session: &Arc<Session>,
    progress: Option<&Py<PyAny>>,
    work: impl FnOnce() -> F + Send + 'static,
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

fn no_threads(error: std::io::Error) -> PyErr {
    PyRuntimeError::new_err(format!("no threads for the engine: {error}"))
}
