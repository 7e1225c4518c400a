//! A query, and rows that were collected: what `paceline.DataFrame` stands on.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use datafusion_ffi::table_provider::FFI_TableProvider;
use futures::StreamExt;
use futures::stream::BoxStream;
use paceline_engine::{Destination, EngineError, Outcome, Query, Session};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList};

use crate::capsule;
use crate::failure::{OrRaise, raised};
use crate::runtime::{carry_out, runtime, wait};
use crate::values::Converter;

/// A query that is carried out whenever its rows are asked for.
#[pyclass(frozen, module = "paceline._native")]
pub struct NativeQuery {
    session: Arc<Session>,
    query: Query,
}

impl NativeQuery {
    /// Of a session.
    pub fn new(session: Arc<Session>, query: Query) -> Self {
        NativeQuery { session, query }
    }

    /// Its session and itself, for a thread.
    fn both(&self) -> (Arc<Session>, Query) {
        (Arc::clone(&self.session), self.query.clone())
    }
}

#[pymethods]
impl NativeQuery {
    /// Its columns: name, Spark's type, whether it may be NULL.
    fn columns(&self) -> Vec<(String, String, bool)> {
        self.query.columns().map(|(name, kind, nullable)| (name.to_owned(), kind, nullable)).collect()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::schema(py, self.query.schema())
    }

    fn limit(&self, py: Python<'_>, rows: usize) -> PyResult<Self> {
        Ok(NativeQuery { session: Arc::clone(&self.session), query: self.query.limit(rows).or_raise(py)? })
    }

    /// All rows.
    #[pyo3(signature = (progress=None))]
    fn collect(&self, py: Python<'_>, progress: Option<Py<PyAny>>) -> PyResult<NativeRows> {
        let (session, query) = self.both();
        let work = move || async move { session.rows_of(&query).await };
        let rows = carry_out(py, &self.session, progress.as_ref(), work)?.or_raise(py)?;
        Ok(NativeRows { schema: Arc::clone(self.query.schema()), rows })
    }

    /// The rows as they are taken.
    fn stream<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let (session, query) = self.both();
        let work = move || async move { session.stream_of(&query).await };
        let rows = carry_out(py, &self.session, None, work)?.or_raise(py)?;
        let schema = Arc::clone(self.query.schema());
        capsule::stream(py, Box::new(Taken { rows: Some(rows.boxed()), schema, _session: Arc::clone(&self.session) }))
    }

    #[pyo3(signature = (progress=None))]
    fn count(&self, py: Python<'_>, progress: Option<Py<PyAny>>) -> PyResult<u64> {
        let (session, query) = self.both();
        let work = move || async move { session.count_of(&query).await };
        carry_out(py, &self.session, progress.as_ref(), work)?.or_raise(py)
    }

    /// The first rows as text.
    #[pyo3(signature = (rows, progress=None))]
    fn text(&self, py: Python<'_>, rows: usize, progress: Option<Py<PyAny>>) -> PyResult<Vec<Vec<Option<String>>>> {
        let (session, query) = self.both();
        let work = move || async move { session.text_of(&query, rows).await };
        carry_out(py, &self.session, progress.as_ref(), work)?.or_raise(py)
    }

    /// Writes the rows to a folder; returns how many were read, written and set aside.
    #[pyo3(signature = (directory, format, options, overwrite, job, progress=None))]
    #[expect(clippy::too_many_arguments, reason = "they are given by name")]
    fn write(
        &self,
        py: Python<'_>,
        directory: String,
        format: String,
        options: Vec<(String, String)>,
        overwrite: bool,
        job: String,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(u64, u64, u64)> {
        let to = Destination { directory, format, options, overwrite };
        let (session, query) = self.both();
        let work = move || async move { session.write_of(&query, to, &job).await };
        let done = carry_out(py, &self.session, progress.as_ref(), work)?;
        Ok(match done.or_raise(py)? {
            Outcome::Written(written) => (written.records_read, written.records_written, written.records_failed),
            _ => (0, 0, 0),
        })
    }

    /// The query as a table of DataFusion's Python.
    fn table<'py>(&self, py: Python<'py>, context: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyCapsule>> {
        let table = self.session.table_of(&self.query).or_raise(py)?;
        let threads = runtime()?.handle().clone();
        capsule::table(context, |codec| FFI_TableProvider::new_with_ffi_codec(table, false, Some(threads), codec))
    }
}

/// Rows that are there.
#[pyclass(frozen, module = "paceline._native")]
pub struct NativeRows {
    schema: SchemaRef,
    rows: Vec<RecordBatch>,
}

#[pymethods]
impl NativeRows {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema); // a wish, which may be left open
        let rows = self.rows.clone().into_iter().map(Ok);
        capsule::stream(py, Box::new(RecordBatchIterator::new(rows, Arc::clone(&self.schema))))
    }

    fn __len__(&self) -> usize {
        self.rows.iter().map(RecordBatch::num_rows).sum()
    }

    /// The rows as values of Python. `row` is called with the names of a row's fields, and returns what makes a row of values.
    fn values<'py>(&self, py: Python<'py>, row: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let converter = Converter::of_rows(self.schema.fields(), row)?;
        let list = PyList::empty(py);
        for batch in &self.rows {
            for at in 0..batch.num_rows() {
                list.append(converter.row(py, batch.columns(), at)?)?;
            }
        }
        Ok(list)
    }
}

/// Rows that are computed as somebody takes them.
struct Taken<E> {
    /// None once somebody has given up to wait for them.
    rows: Option<BoxStream<'static, Result<RecordBatch, E>>>,
    schema: SchemaRef,
    _session: Arc<Session>,
}

impl<E> Iterator for Taken<E>
where
    EngineError: From<E>,
    E: Send + 'static,
{
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Who takes them may hold the GIL or not; computing them may need it.
        let mut rows = self.rows.take()?;
        let work = move || async move { (rows.next().await, rows) };
        let next = Python::attach(|py| match wait(py, |_| Ok(()), work) {
            Ok((next, rows)) => {
                self.rows = Some(rows);
                next.map(|batch| batch.map_err(|error| raised(py, &EngineError::from(error))))
            }
            Err(stopped) => Some(Err(stopped)),
        });
        Some(next?.map_err(|error| ArrowError::ExternalError(Box::new(error))))
    }
}

impl<E> RecordBatchReader for Taken<E>
where
    EngineError: From<E>,
    E: Send + 'static,
{
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
