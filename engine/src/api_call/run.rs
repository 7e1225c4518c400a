//! What the calls of one statement have in common: what sets their keys apart from those of other jobs, and the journal.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::{DataFusionError, Result};
use paceline_udfs::ApiFunction;
use paceline_udfs::journal::Journal;
use paceline_udfs::key::{Key, Lane};

/// One statement being carried out, known to its operators by the session's configuration.
#[derive(Debug, Default)]
pub struct Run {
    /// Equal when the job is resumed, and never otherwise.
    pub scope: String,
    /// Where answers are written down.
    pub journal: Option<Arc<Journal>>,
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
        match &self.journal {
            Some(journal) => lane.with_journal(journal, partition).await.map_err(|error| {
                DataFusionError::Execution(format!(
                    "the journal cannot be read: {}",
                    paceline_udfs::client::causes(&error)
                ))
            }),
            None => Ok(lane),
        }
    }
}
