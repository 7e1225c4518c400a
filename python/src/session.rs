//! A session, as `paceline.Session` stands on it.

use std::num::NonZeroUsize;
use std::sync::Arc;

use arrow::datatypes::Schema;
use paceline_engine::cluster::{Access, AccessFiles};
use paceline_engine::enrich::{self, EnrichOptions};
use paceline_engine::job::JobId;
use paceline_engine::{Outcome, Prepared, Session, Settings, placement};
use pyo3::prelude::*;

use crate::failure::{OrRaise, configuration};
use crate::frame::Frame;
use crate::query::NativeQuery;
use crate::runtime::{carry_out, runtime, wait};

/// Views, functions and settings of one user.
#[pyclass(frozen, module = "paceline._native")]
pub struct NativeSession {
    session: Arc<Session>,
    cluster: Option<String>,
    warnings: Vec<String>,
}

#[pymethods]
impl NativeSession {
    /// With settings as `--conf` takes them; `cluster` is where plans run.
    #[new]
    fn new(py: Python<'_>, conf: Vec<(String, String)>, cluster: Option<&str>) -> PyResult<Self> {
        let mut settings = Settings::of_user();
        for (key, value) in &conf {
            settings.set(key, value).or_raise(py)?;
        }
        if let Some(cluster) = cluster {
            settings.set("paceline.cluster", cluster).or_raise(py)?;
        }
        let mut warnings: Vec<String> = Vec::new();
        if settings.by_size {
            let (asked, otherwise) = (settings.clone(), std::env::var(placement::VARIABLE).ok());
            let placed = wait(py, |_| Ok(()), move || async move { placement::of_session(&asked, otherwise).await })?;
            let placement = placed.or_raise(py)?;
            settings.set("paceline.cluster", &placement.place()).or_raise(py)?;
            warnings.extend(placement.silent.is_some().then(|| placement.to_string()));
        }
        settings.access = Access::find(&AccessFiles::default()).map_err(|error| configuration(py, error))?;
        let of_spark = settings.spark_warnings();
        warnings.extend(of_spark.into_iter().map(|warning| warning.to_string()));
        let cluster = settings.cluster.as_ref().map(ToString::to_string);
        let runtime = runtime()?;
        let session = py.detach(|| {
            let _entered = runtime.enter();
            Session::new(settings)
        });
        Ok(NativeSession { session: Arc::new(session.or_raise(py)?), cluster, warnings })
    }

    /// The URL of the cluster that plans run on; None for this process.
    fn cluster(&self) -> Option<String> {
        self.cluster.clone()
    }

    /// What was not taken as it was given: of Spark's settings, and of where plans run.
    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    /// Plans a query, or carries out a command. What a command shows is a query too, without columns where it shows nothing.
    #[pyo3(signature = (text, progress=None))]
    fn sql(&self, py: Python<'_>, text: &str, progress: Option<Py<PyAny>>) -> PyResult<NativeQuery> {
        let (session, text) = (Arc::clone(&self.session), text.to_owned());
        let work = move || async move {
            match session.prepare(&text, JobId::generate().as_str()).await? {
                Prepared::Query(query) => Ok(*query),
                Prepared::Done(Outcome::Rows { schema, batches }) => session.query_of_rows(schema, batches).await,
                Prepared::Done(_) => session.query_of_rows(Arc::new(Schema::empty()), Vec::new()).await,
            }
        };
        let query = carry_out(py, &self.session, progress.as_ref(), work)?.or_raise(py)?;
        Ok(NativeQuery::new(Arc::clone(&self.session), query))
    }

    /// Shows a frame as a view. `open` gives an object with `__arrow_c_stream__` each time it is called.
    fn register(&self, py: Python<'_>, name: &str, open: &Bound<'_, PyAny>) -> PyResult<()> {
        let (session, name, frame) = (Arc::clone(&self.session), name.to_owned(), Frame::new(open)?);
        wait(py, |_| Ok(()), move || async move { session.hand_over(&name, frame).await })?.or_raise(py)
    }

    /// The query of a view's rows with an API's answers beside them.
    #[pyo3(signature = (view, options, returns=None, progress=None))]
    fn answered(
        &self,
        py: Python<'_>,
        view: String,
        options: Vec<(String, String)>,
        returns: Option<String>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let session = Arc::clone(&self.session);
        let work = move || async move {
            let returns = returns.as_deref();
            enrich::answered(&session, &view, "the frame", &options, returns, &JobId::generate()).await
        };
        carry_out(py, &self.session, progress.as_ref(), work)?.or_raise(py)
    }

    /// The classic job, from files to files; returns its report as JSON.
    #[pyo3(signature = (input, output, endpoint, format, batch_size, max_in_flight, rate_limit, quota, chunk_size, returns=None, job_id=None, progress=None))]
    #[expect(clippy::too_many_arguments, reason = "they are given by name")]
    fn enrich(
        &self,
        py: Python<'_>,
        input: String,
        output: String,
        endpoint: &str,
        format: String,
        batch_size: NonZeroUsize,
        max_in_flight: Option<NonZeroUsize>,
        rate_limit: (String, String),
        quota: String,
        chunk_size: NonZeroUsize,
        returns: Option<String>,
        job_id: Option<&str>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let endpoint =
            endpoint.parse().map_err(|error| configuration(py, format!("'{endpoint}' is no URL: {error}")))?;
        let job = job_id.map_or_else(|| Ok(JobId::generate()), JobId::parse).or_raise(py)?;
        let (rate_limit_calls, rate_limit_period) = rate_limit;
        let options = EnrichOptions {
            input,
            output,
            endpoint,
            format,
            batch_size,
            max_in_flight,
            rate_limit_calls,
            rate_limit_period,
            quota,
            chunk_size,
        };
        let session = Arc::clone(&self.session);
        let work = move || async move { enrich::run(&session, &options, returns.as_deref(), &job).await };
        let (report, result) = carry_out(py, &self.session, progress.as_ref(), work)?;
        result.or_raise(py)?;
        serde_json::to_string(&report).map_err(|error| configuration(py, error))
    }

    /// Whether there are files at a place.
    fn has_files(&self, py: Python<'_>, place: String) -> PyResult<bool> {
        let session = Arc::clone(&self.session);
        wait(py, |_| Ok(()), move || async move { session.has_files(&place).await })?.or_raise(py)
    }

    /// The numbers of all calls so far, as JSON.
    fn progress(&self) -> String {
        serde_json::to_string(&self.session.progress()).unwrap_or_default() // numbers and text, which cannot fail
    }
}
