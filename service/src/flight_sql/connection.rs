//! One connection: its session, the statements that it prepared, and those whose rows it has not read. All of it ends with it.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use paceline_engine::job::JobId;
use paceline_engine::{Outcome, Prepared, Query, Session, Settings};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::transport::server::Connected;

use super::status;
use crate::listen::Socket;

/// Statements that a connection may have prepared, and results that it may leave unread.
const HELD: usize = 1000;

/// A socket, and what belongs to it.
pub struct Guest {
    socket: Socket,
    connection: Arc<Connection>,
}

/// What belongs to a connection.
pub struct Connection {
    settings: Arc<Settings>,
    places: Arc<Semaphore>,
    session: tokio::sync::Mutex<Option<(Arc<Session>, OwnedSemaphorePermit)>>,
    /// Held while a statement is planned, or carried out: they may change the session.
    turn: Arc<tokio::sync::Mutex<()>>,
    prepared: Mutex<HashMap<String, String>>,
    results: Mutex<HashMap<String, Held>>,
}

/// A result, by the handle in its ticket.
enum Held {
    Unread(Rows),
    /// It is being read.
    Read(CancellationToken),
}

/// What there is to read.
pub enum Rows {
    /// A query, which runs when it is read.
    Query(Box<Query>),
    /// What a statement answered.
    There {
        /// Its columns.
        schema: SchemaRef,
        /// Its rows.
        batches: Vec<RecordBatch>,
    },
}

impl Rows {
    /// Their columns.
    pub fn schema(&self) -> &SchemaRef {
        match self {
            Rows::Query(query) => query.schema(),
            Rows::There { schema, .. } => schema,
        }
    }
}

/// A result that is being read. It is forgotten when this is dropped.
pub struct Reading {
    connection: Arc<Connection>,
    handle: String,
    /// Somebody wants it to end.
    pub stop: CancellationToken,
}

impl Connection {
    /// Its session.
    pub async fn session(&self) -> Result<Arc<Session>, Status> {
        let mut slot = self.session.lock().await;
        if let Some((session, _)) = &*slot {
            return Ok(Arc::clone(session));
        }
        let full = |_| Status::resource_exhausted("too many connections have sessions; close one, or try again later");
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(full)?;
        let session = Session::new((*self.settings).clone()).map_err(|error| status::of(&error))?;
        let session = Arc::new(session);
        *slot = Some((Arc::clone(&session), place));
        Ok(session)
    }

    /// Ends its session; the next statement begins another one.
    pub async fn close(&self) {
        *self.session.lock().await = None;
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.results.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Plans a statement; one that is no query is carried out. Given up on the way, what it had staged is removed before the
    /// next one begins.
    pub async fn open(&self, text: &str) -> Result<Prepared, Status> {
        let text = one_statement(text)?.to_owned();
        let session = self.session().await?;
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let (runtime, given_up) = (Handle::current(), CancellationToken::new());
        let stop = given_up.clone();
        let _gone = given_up.drop_guard();
        // On a thread of its own: deep plans need its stack.
        let work = move || runtime.block_on(carried_out(&session, &text, &stop, turn));
        let opened = tokio::task::spawn_blocking(work).await;
        opened.map_err(|error| Status::internal(format!("the statement was not carried out: {error}")))?
    }

    /// The columns of a statement, which is not carried out; `None` where it has none.
    pub async fn columns(&self, text: &str) -> Result<Option<SchemaRef>, Status> {
        let session = self.session().await?;
        let _turn = self.turn.lock().await;
        session.columns_of(one_statement(text)?).await.map_err(|error| status::of(&error))
    }

    /// Keeps a statement, and tells its columns; `None` where it has none.
    pub async fn prepare(&self, text: &str) -> Result<(String, Option<SchemaRef>), Status> {
        let columns = self.columns(text).await?;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if prepared.len() >= HELD {
            return Err(Status::resource_exhausted("too many prepared statements; close some"));
        }
        let handle = new_handle();
        prepared.insert(handle.clone(), text.to_owned());
        Ok((handle, columns))
    }

    /// The text of a prepared statement.
    pub fn prepared(&self, handle: &[u8]) -> Result<String, Status> {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let text = prepared.get(&*String::from_utf8_lossy(handle)).cloned();
        text.ok_or_else(|| Status::not_found("this connection has no such prepared statement"))
    }

    /// Forgets a prepared statement.
    pub fn forget(&self, handle: &[u8]) {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.remove(&*String::from_utf8_lossy(handle));
    }

    /// Keeps a result until it is read, and gives its handle.
    pub fn keep(&self, rows: Rows) -> Result<String, Status> {
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        if results.len() >= HELD {
            return Err(Status::resource_exhausted("too many results were not read; read or cancel some"));
        }
        let handle = new_handle();
        results.insert(handle.clone(), Held::Unread(rows));
        Ok(handle)
    }

    /// Begins to read a result, which can be done once.
    pub fn read(self: &Arc<Self>, handle: &[u8]) -> Result<(Rows, Reading), Status> {
        let handle = String::from_utf8_lossy(handle).into_owned();
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        let stop = CancellationToken::new();
        match results.remove(&handle) {
            Some(Held::Unread(rows)) => {
                results.insert(handle.clone(), Held::Read(stop.clone()));
                Ok((rows, Reading { connection: Arc::clone(self), handle, stop }))
            }
            Some(read) => {
                results.insert(handle, read);
                Err(Status::already_exists("this result is being read; run the statement again for another one"))
            }
            None => Err(Status::not_found("this connection has no such result: it can be read once")),
        }
    }

    /// Cancels a result. Whether there was one.
    pub fn cancel(&self, handle: &[u8]) -> bool {
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        match results.remove(&*String::from_utf8_lossy(handle)) {
            Some(Held::Read(stop)) => {
                stop.cancel();
                true
            }
            Some(Held::Unread(_)) => true,
            None => false,
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.connection.results.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.handle);
    }
}

/// What a statement answered that is no query.
pub fn answered(outcome: Outcome) -> Rows {
    match outcome {
        Outcome::Rows { schema, batches } => Rows::There { schema, batches },
        _ => Rows::There { schema: Arc::new(Schema::empty()), batches: Vec::new() },
    }
}

fn new_handle() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn one_statement(text: &str) -> Result<&str, Status> {
    match paceline_engine::split(text).as_slice() {
        [one] => Ok(one.text),
        [] => Err(Status::invalid_argument("there is no statement in the text")),
        _ => Err(Status::invalid_argument("there is more than one statement in the text: send one after the other")),
    }
}

/// Carries a statement out unless `stop` comes first; `turn` is over when nothing of it is left.
async fn carried_out(
    session: &Session,
    text: &str,
    stop: &CancellationToken,
    turn: OwnedMutexGuard<()>,
) -> Result<Prepared, Status> {
    let id = JobId::generate();
    tokio::select! {
        prepared = session.prepare(text, id.as_str()) => return prepared.map_err(|error| status::of(&error)),
        () = stop.cancelled() => {}
    }
    if let Err(error) = session.clean_up().await {
        tracing::warn!(%error, "what a cancelled statement staged could not be removed");
    }
    drop(turn);
    Err(Status::cancelled("the statement was cancelled"))
}

impl Guest {
    /// A connection that has no session yet.
    pub fn new(socket: Socket, settings: Arc<Settings>, places: Arc<Semaphore>) -> Self {
        let connection = Connection {
            settings,
            places,
            session: tokio::sync::Mutex::default(),
            turn: Arc::default(),
            prepared: Mutex::default(),
            results: Mutex::default(),
        };
        Guest { socket, connection: Arc::new(connection) }
    }
}

impl Connected for Guest {
    type ConnectInfo = Arc<Connection>;

    fn connect_info(&self) -> Arc<Connection> {
        Arc::clone(&self.connection)
    }
}

impl AsyncRead for Guest {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_read(context, into)
    }
}

impl AsyncWrite for Guest {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(context)
    }
}
