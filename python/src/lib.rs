//! The engine as an extension of Python: `paceline._native`. What users see is Python, beside this folder in `paceline/`; here is what
//! that needs of the engine, and nothing is decided.

mod capsule;
mod failure;
mod frame;
mod query;
mod runtime;
mod session;
mod values;

use pyo3::prelude::*;

/// What `paceline._native` has.
#[pymodule(name = "_native")]
mod native {
    use std::ffi::OsString;

    use pyo3::prelude::*;

    #[pymodule_export]
    use super::query::{NativeQuery, NativeRows};
    #[pymodule_export]
    use super::session::NativeSession;

    /// Carries out a command line, the program's name first, and returns the exit code. Processes of a cluster are started as `itself`.
    #[pyfunction]
    fn command_line(py: Python<'_>, arguments: Vec<OsString>, itself: Vec<OsString>) -> u8 {
        py.detach(|| paceline_cli::run(arguments, itself).0)
    }

    /// The names of all options of API functions, each with its meaning.
    #[pyfunction]
    fn function_options() -> Vec<(&'static str, &'static str)> {
        paceline_engine::function_options().map(|row| (row.key, row.meaning)).collect()
    }
}
