//! The object stores of a session, one client per bucket, behind the URL schemes that Spark users write.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::{DataFusionError, Result as DataFusionResult, not_impl_err};
use datafusion::execution::object_store::ObjectStoreRegistry;
use object_store::ObjectStore;
use object_store::aws::AmazonS3;
use object_store::local::LocalFileSystem;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use tokio::runtime::Handle;
use url::Url;

use super::pieces::InPieces;
use super::s3::{S3, S3Settings};
use crate::EngineError;

/// The stores, made at first use.
#[derive(Debug)]
pub struct Stores {
    s3: S3,
    buckets: Mutex<HashMap<String, Arc<AmazonS3>>>,
    local: Arc<LocalFileSystem>,
}

/// A place in a store.
#[derive(Clone, Debug)]
pub struct Place {
    /// The store that holds it.
    pub store: Store,
    /// Where in it.
    pub path: Path,
    /// As the user may know it.
    pub url: Url,
}

impl Place {
    /// Another place in the same store.
    pub fn at(&self, path: Path) -> Place {
        let mut url = self.url.clone();
        // A URL decodes what stands behind a '%'; here it is a part of the name.
        url.set_path(&format!("/{path}").replace('%', "%25"));
        Place { store: self.store.clone(), path, url }
    }
}

/// A store by what it can do at commit.
#[derive(Clone, Debug)]
pub enum Store {
    /// Uploads parts that stay invisible until the upload is completed.
    S3(Arc<AmazonS3>),
    /// Renames.
    Local(Arc<LocalFileSystem>),
}

impl Store {
    /// Reading, listing, deleting.
    pub fn objects(&self) -> &dyn ObjectStore {
        match self {
            Store::S3(store) => store.as_ref(),
            Store::Local(store) => store.as_ref(),
        }
    }

    /// Uploads in parts, where the store has them.
    pub fn multipart(&self) -> Option<&dyn MultipartStore> {
        match self {
            Store::S3(store) => Some(store.as_ref()),
            Store::Local(_) => None,
        }
    }

    /// For whoever keeps it, as those do that read tables.
    pub fn shared(&self) -> Arc<dyn ObjectStore> {
        match self {
            Store::S3(store) => Arc::new(InPieces::new(Arc::clone(store))),
            Store::Local(store) => Arc::clone(store) as _,
        }
    }
}

impl Stores {
    /// Stores whose traffic runs on `network`.
    pub fn new(s3: S3Settings, network: Handle) -> Self {
        // Deleting the last file of a folder deletes the folder, as on S3.
        let local = LocalFileSystem::new().with_automatic_cleanup(true);
        Stores { s3: S3::new(s3, network), buckets: Mutex::default(), local: Arc::new(local) }
    }

    /// The place that a path or URL names: `s3://`, `s3a://`, `s3n://`, `file://` or a plain path.
    ///
    /// # Errors
    /// The scheme is another, or the path is malformed.
    pub fn place(&self, text: &str) -> Result<Place, EngineError> {
        let url = parse_url(text)?;
        let wrong = |why: String| EngineError::Setting(format!("'{text}' is not a path that can be used: {why}"));
        let path = if url.scheme() == "file" {
            let path = url.to_file_path().map_err(|()| wrong("it has a host".to_owned()))?;
            Path::from_absolute_path(path).map_err(|error| wrong(error.to_string()))?
        } else {
            Path::from_url_path(url.path()).map_err(|error| wrong(error.to_string()))?
        };
        Ok(Place { store: self.store(&url)?, path, url })
    }

    pub(super) fn s3(&self) -> &S3 {
        &self.s3
    }

    fn store(&self, url: &Url) -> Result<Store, EngineError> {
        match (url.scheme(), url.host_str()) {
            ("file", _) => Ok(Store::Local(Arc::clone(&self.local))),
            ("s3" | "s3a" | "s3n", Some(bucket)) => Ok(Store::S3(self.bucket(bucket)?)),
            ("s3" | "s3a" | "s3n", None) => Err(EngineError::Setting(format!("'{url}' names no bucket"))),
            (scheme, _) => {
                let known = "use s3://, s3a://, file:// or a plain path";
                Err(EngineError::Setting(format!("cannot reach '{url}': the scheme '{scheme}' is not known; {known}")))
            }
        }
    }

    fn bucket(&self, bucket: &str) -> Result<Arc<AmazonS3>, EngineError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = buckets.get(bucket) {
            return Ok(Arc::clone(store));
        }
        let store = self.s3.bucket(bucket)?;
        Ok(Arc::clone(buckets.entry(bucket.to_owned()).or_insert(Arc::new(store))))
    }
}

impl ObjectStoreRegistry for Stores {
    fn register_store(&self, _: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        Some(store) // refused: stores are made from their URLs only
    }

    fn deregister_store(&self, url: &Url) -> DataFusionResult<Arc<dyn ObjectStore>> {
        not_impl_err!("stores are made from their URLs and stay; '{url}' cannot be taken out")
    }

    fn get_store(&self, url: &Url) -> DataFusionResult<Arc<dyn ObjectStore>> {
        let store = self.store(url).map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(store.shared())
    }
}

/// A plain path becomes an absolute `file://` URL.
fn parse_url(text: &str) -> Result<Url, EngineError> {
    let wrong = |why: String| EngineError::Setting(format!("'{text}' is not a URL or path: {why}"));
    if text.is_empty() {
        return Err(wrong("it is empty".to_owned()));
    }
    if text.contains("://") || text.starts_with("file:/") {
        return Url::parse(text).map_err(|error| wrong(error.to_string()));
    }
    let path = std::path::absolute(text).map_err(|error| wrong(error.to_string()))?;
    let url = Url::from_file_path(path).map_err(|()| wrong("it cannot be made absolute".to_owned()))?;
    Url::parse(url.as_str()).map_err(|error| wrong(error.to_string())) // which resolves `..`
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        let stores = Stores::new(S3Settings::default(), Handle::current());
        let shown = match stores.place(text) {
            Ok(Place { store: Store::S3(_), path, url }) => format!("s3 {}: {path}", url.host_str().unwrap()),
            Ok(Place { path, .. }) => format!("local: {path}"),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[tokio::test]
    async fn every_scheme_of_s3_is_the_same_bucket() {
        check("s3://b/a/records.csv", expect!["s3 b: a/records.csv"]);
        check("s3a://b/a%20b/", expect!["s3 b: a b"]);
        let stores = Stores::new(S3Settings::default(), Handle::current());
        let same = Arc::ptr_eq(&stores.bucket("b").unwrap(), &stores.bucket("b").unwrap());
        assert!(same);
    }

    #[tokio::test]
    async fn files_have_urls_and_plain_paths() {
        check("file:///tmp/x", expect!["local: tmp/x"]);
        check("/tmp/a b/../x", expect!["local: tmp/x"]);
    }

    #[tokio::test]
    async fn what_cannot_be_reached_is_named() {
        check(
            "gs://b/x",
            expect![[
                "cannot reach 'gs://b/x': the scheme 'gs' is not known; use s3://, s3a://, file:// or a plain path"
            ]],
        );
        check("", expect!["'' is not a URL or path: it is empty"]);
    }
}
