//! The folder of a journal: the names of its segments, and their footers.

use std::sync::Arc;
use std::time::SystemTime;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};

use super::ENDING;
use super::segment::{self, Footer};

/// Most footers are shorter.
const FOOTER_BYTES: u64 = 8 * 1024;

/// Where the segments are.
#[derive(Clone)]
pub(super) struct Folder {
    pub store: Arc<dyn ObjectStore>,
    pub path: Path,
    /// Segments of this process have this in their names.
    pub writer: String,
}

impl Folder {
    /// The segments there, oldest first, with their size.
    pub async fn list(&self) -> Result<Vec<(Path, u64)>, object_store::Error> {
        let listed = self.store.list(Some(&self.path)).map_ok(|file| (file.location, file.size));
        let mut listed: Vec<_> = listed.try_collect().await?;
        listed.retain(|(path, _)| path.as_ref().ends_with(ENDING));
        listed.sort();
        Ok(listed)
    }

    /// Name of a segment: when it was written, its level, by whom.
    pub fn segment(&self, level: u32, number: u64) -> Path {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        self.path.clone().join(format!("{now:014}-{level}-{}-{number:08}{ENDING}", self.writer))
    }

    pub async fn footer(&self, path: &Path, size: u64) -> Result<Result<Footer, segment::Damage>, object_store::Error> {
        let mut last = self.last(path, FOOTER_BYTES).await?;
        match segment::end_length(&last) {
            Ok(length) if length > last.len() && length as u64 <= size => last = self.last(path, length as u64).await?,
            _ => {}
        }
        Ok(segment::footer(&last, size))
    }

    async fn last(&self, path: &Path, bytes: u64) -> Result<bytes::Bytes, object_store::Error> {
        let options = GetOptions { range: Some(GetRange::Suffix(bytes)), ..GetOptions::default() };
        match self.store.get_opts(path, options).await {
            Ok(found) => found.bytes().await,
            // Some stores refuse a range of nothing: an empty file has no last bytes.
            Err(error) => match self.store.head(path).await {
                Ok(file) if file.size == 0 => Ok(bytes::Bytes::new()),
                _ => Err(error),
            },
        }
    }
}
