//! A destination, and the folder of its own that a job has there.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::commit::STALE;
use super::sink::Kind;
use super::stores::{Place, Store};
use crate::EngineError;
use crate::job::REDRIVE;

/// Paceline's own folder at a destination. Readers skip it, as everything that begins with `_`.
pub(super) const OWN: &str = "_paceline";
pub(super) const SUCCESS: &str = "_SUCCESS";
const DEAD_LETTERS: &str = "_dead_letter";

/// A destination and the job that writes to it; the job's own folder is `<destination>/_paceline/<job>/`.
#[derive(Clone)]
pub struct JobFolder {
    pub(super) destination: Arc<Place>,
    pub(super) job: Arc<str>,
    /// This try of the job; each folder that is made anew is another one.
    pub(super) attempt: Arc<str>,
    /// For how long a commit may show no sign of life before this job takes it over.
    pub(super) stale_after: Duration,
    /// What the commit leaves in `_SUCCESS`.
    pub(super) success: Arc<str>,
    /// Whether checkpoints stay after the commit.
    pub(super) keeps_checkpoints: bool,
    /// Whether files that are there stay, beside those of `replaced`.
    pub(super) appends: bool,
    /// Files that the new ones replace, where the others stay.
    pub(super) replaced: Arc<[String]>,
    /// Whether an overwrite replaces only the partitions that it has rows of.
    pub(super) keeps_other_partitions: bool,
    /// The folder of partitions that is replaced then, whatever the job has rows of.
    pub(super) within: Option<Arc<str>>,
}

impl fmt::Debug for JobFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (job {})", self.destination.url, self.job)
    }
}

impl JobFolder {
    /// The folder of `job` at `destination`. The job's id is made of letters, digits, `-`, `_` and `.`.
    pub fn new(destination: Place, job: &str) -> Self {
        JobFolder {
            destination: Arc::new(destination),
            job: job.into(),
            attempt: Uuid::new_v4().to_string().into(),
            stale_after: STALE,
            success: "".into(),
            keeps_checkpoints: false,
            appends: false,
            replaced: Arc::default(),
            keeps_other_partitions: false,
            within: None,
        }
    }

    /// The folder, whose commit leaves this text in `_SUCCESS`.
    pub fn with_success(self, success: &str) -> Self {
        JobFolder { success: success.into(), ..self }
    }

    /// The folder, whose checkpoints stay after the commit or not.
    pub fn keeping_checkpoints(self, keeps_checkpoints: bool) -> Self {
        JobFolder { keeps_checkpoints, ..self }
    }

    /// The folder, whose commit adds files and takes only these out.
    pub fn appending(self, replaced: Vec<String>) -> Self {
        JobFolder { appends: true, replaced: replaced.into(), ..self }
    }

    /// The folder, whose commit replaces only the partitions that the job has rows of, or everything.
    pub fn keeping_other_partitions(self, keeps_other_partitions: bool) -> Self {
        JobFolder { keeps_other_partitions, ..self }
    }

    /// The folder, whose commit replaces what is below this folder of partitions, `day=2/region=x`.
    pub fn replacing_within(self, within: String) -> Self {
        JobFolder { keeps_other_partitions: true, within: Some(within.into()), ..self }
    }

    /// The folder, whose job takes over a commit that showed no sign of life for so long.
    pub fn taking_over_after(self, stale_after: Duration) -> Self {
        JobFolder { stale_after, ..self }
    }

    /// The job's own folder.
    pub fn own_place(&self) -> Place {
        let path = self.at(&[OWN, &self.job]);
        let mut url = self.url().clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend([OWN, &self.job]);
        }
        Place { store: self.store().clone(), path, url }
    }

    /// The text in `_SUCCESS`, if it is there.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn success(&self) -> Result<Option<String>, EngineError> {
        let failed = self.failed("cannot read _SUCCESS of");
        match self.store().objects().get(&self.at(&[SUCCESS])).await {
            Ok(found) => {
                let bytes = found.bytes().await.map_err(failed)?;
                Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// The files of dead letters that are visible and can be those of the job.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn dead_letters(&self) -> Result<Vec<Path>, EngineError> {
        let listed = self.store().objects().list(Some(&self.letters_of(&self.job))).map_ok(|file| file.location);
        let mut listed: Vec<_> = listed.try_collect().await.map_err(self.failed("cannot list"))?;
        listed.sort();
        Ok(listed)
    }

    /// The id of the job.
    pub fn job(&self) -> &str {
        &self.job
    }

    /// Whether files that are there stay.
    pub fn appends(&self) -> bool {
        self.appends
    }

    /// The destination as the user knows it.
    pub fn url(&self) -> &url::Url {
        &self.destination.url
    }

    /// What is there, for reading.
    pub fn objects(&self) -> &dyn ObjectStore {
        self.store().objects()
    }

    pub(super) fn store(&self) -> &Store {
        &self.destination.store
    }

    /// Where a file will be once it is visible; `within` is the folder of its partition, or nothing.
    pub(super) fn destination(&self, within: &str, name: &str, kind: Kind) -> object_store::Result<Path> {
        let folder = match kind {
            Kind::DeadLetters => self.letters_of(&self.job),
            Kind::Rows if within.is_empty() => self.destination.path.clone(),
            Kind::Rows => self.partition(within)?,
        };
        Ok(folder.join(name))
    }

    /// The folder of a partition; the path as it is, since joining would escape what is escaped already.
    pub(super) fn partition(&self, within: &str) -> object_store::Result<Path> {
        Ok(Path::parse(format!("{}/{within}", self.destination.path))?)
    }

    /// Where the dead letters of a job are. Where a commit leaves other partitions as they are, it leaves the letters of the
    /// jobs that wrote them too. What is sent again is still of the first job.
    pub(super) fn letters_of(&self, job: &str) -> Path {
        match self.keeps_other_partitions {
            true => self.at(&[DEAD_LETTERS, &format!("job={}", job.strip_suffix(REDRIVE).unwrap_or(job))]),
            false => self.at(&[DEAD_LETTERS]),
        }
    }

    /// Where a file is until then, in a store without uploads in parts.
    pub(super) fn staging(&self, name: &str) -> Path {
        self.at(&[OWN, &self.job, "staging", name])
    }

    /// Notes an upload before its first part, so that it can be found and aborted whatever happens.
    pub(super) async fn note_upload(&self, name: &str, path: &Path, id: &str) -> object_store::Result<()> {
        let note = Note { path: path.to_string(), id: id.to_owned() };
        let note = serde_json::to_vec(&note).unwrap_or_default();
        self.store().objects().put(&self.at(&[OWN, &self.job, "uploads", name]), PutPayload::from(note)).await?;
        Ok(())
    }

    pub(super) fn at(&self, parts: &[&str]) -> Path {
        parts.iter().fold(self.destination.path.clone(), |path, part| path.join(*part))
    }

    pub(super) fn failed(&self, action: &'static str) -> impl Fn(object_store::Error) -> EngineError + Copy {
        let url = self.url();
        move |source| EngineError::Storage { action, url: url.to_string(), source }
    }
}

/// Names an upload.
#[derive(Serialize, Deserialize)]
pub(super) struct Note {
    pub path: String,
    pub id: String,
}
