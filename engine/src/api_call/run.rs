//! What the calls of one statement have in common: what sets their keys apart from those of other jobs, and the journal.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::{DataFusionError, Result};
use paceline_udfs::ApiFunction;
use paceline_udfs::journal::Journal;
use paceline_udfs::key::{Key, Lane};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use crate::io::stores::Place;

/// One statement being carried out, known to its operators by the session's configuration.
#[derive(Debug, Default)]
pub struct Run {
    /// Equal when the job is resumed, and never otherwise.
    pub scope: String,
    /// Where answers are written down.
    pub journal: Answers,
    /// Keys that the rows of a call had in an earlier job, by the call's name; for a plan whose rows come in one partition.
    pub keys: Mutex<HashMap<String, VecDeque<Key>>>,
}

impl Run {
    /// The lane of one partition of the call that is named `site`.
    pub(super) async fn lane(&self, api: &ApiFunction, site: &str, partition: usize) -> Result<Lane> {
        let partition = u32::try_from(partition).map_err(|error| DataFusionError::External(Box::new(error)))?;
        let lane = Lane::new(api, &format!("{}/{site}", self.scope), partition);
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(site);
        let lane = match keys {
            Some(keys) => lane.with_keys(keys),
            None => lane,
        };
        match self.journal.open().await.map_err(unreadable)? {
            Some(journal) => lane.with_journal(journal, partition).await.map_err(unreadable),
            None => Ok(lane),
        }
    }

    /// Makes sure that every answer so far is written down.
    pub(crate) async fn flush(&self) -> Result<()> {
        match self.journal.opened() {
            Some(journal) => journal.flush().await.map_err(DataFusionError::Execution),
            None => Ok(()),
        }
    }
}

/// It may be read when it is tried again.
fn unreadable(error: object_store::Error) -> DataFusionError {
    let causes = paceline_udfs::client::causes(&error);
    DataFusionError::IoError(std::io::Error::other(format!("the journal cannot be read: {causes}")))
}

/// Where answers are written down.
#[derive(Debug, Default)]
pub enum Answers {
    /// Nowhere.
    #[default]
    Nowhere,
    /// In a journal of this process.
    In(Arc<Journal>),
    /// In one that other processes write to as well, opened when the first row comes.
    Shared(SharedJournal),
}

/// A journal that other processes write to as well.
#[derive(Debug)]
pub struct SharedJournal {
    /// Its folder.
    pub place: Place,
    /// Partitions of its statement that run here at once.
    pub partitions: usize,
    /// Where it writes.
    pub network: Handle,
    /// It, once it is open.
    pub opened: OnceCell<Arc<Journal>>,
}

impl Answers {
    async fn open(&self) -> Result<Option<&Arc<Journal>>, object_store::Error> {
        let Answers::Shared(shared) = self else { return Ok(self.opened()) };
        let SharedJournal { place, partitions, network, opened } = shared;
        let open = || Journal::open_shared(place.store.shared(), place.path.clone(), *partitions, network);
        opened.get_or_try_init(open).await.map(Some)
    }

    /// The journal, if it is open.
    pub fn opened(&self) -> Option<&Arc<Journal>> {
        match self {
            Answers::Nowhere => None,
            Answers::In(journal) => Some(journal),
            Answers::Shared(shared) => shared.opened.get(),
        }
    }
}

impl From<Option<Arc<Journal>>> for Answers {
    fn from(journal: Option<Arc<Journal>>) -> Self {
        journal.map_or(Answers::Nowhere, Answers::In)
    }
}
