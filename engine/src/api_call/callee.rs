//! What is called, wherever the plan is.

use std::sync::Arc;

use datafusion::common::{Result, internal_datafusion_err};
use paceline_udfs::{ApiFunction, Caller};

/// An API function, and who calls it in this process. In a plan on its way between processes there is nobody yet.
#[derive(Clone, Debug)]
pub struct Callee {
    api: Arc<ApiFunction>,
    caller: Option<Arc<Caller>>,
}

impl Callee {
    /// A function that is called elsewhere.
    pub fn elsewhere(api: Arc<ApiFunction>) -> Self {
        Callee { api, caller: None }
    }

    /// The function.
    pub fn api(&self) -> &Arc<ApiFunction> {
        &self.api
    }

    /// Who calls it.
    ///
    /// # Errors
    /// The plan has not arrived where it runs.
    pub fn caller(&self) -> Result<&Arc<Caller>> {
        let nobody = || internal_datafusion_err!("nobody calls '{}' in this process", self.api.name);
        self.caller.as_ref().ok_or_else(nobody)
    }
}

impl From<Arc<Caller>> for Callee {
    fn from(caller: Arc<Caller>) -> Self {
        Callee { api: Arc::clone(caller.api()), caller: Some(caller) }
    }
}
