//! An S3 in this process: s3s over a folder, spoken to over HTTP like any other.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{Method, Request};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use url::Url;

use super::faults::{Breakable, Faults, SlowDown};
use crate::io::s3::S3Settings;

const ACCESS_KEY: &str = "demo";
const SECRET_KEY: &str = "demo-secret";

/// A running S3; it ends when this is dropped.
#[derive(Debug)]
pub struct DemoS3 {
    address: SocketAddr,
    root: PathBuf,
    server: JoinHandle<()>,
}

impl DemoS3 {
    /// Serves the buckets below `root`, which is there, on a free port of the loopback interface.
    ///
    /// # Errors
    /// There is no free port, or the folder cannot be used.
    pub async fn start(root: &Path) -> io::Result<Self> {
        Self::start_faulty(root, Faults::default()).await
    }

    /// As [`DemoS3::start`], with faults.
    ///
    /// # Errors
    /// There is no free port, or the folder cannot be used.
    pub async fn start_faulty(root: &Path, faults: Faults) -> io::Result<Self> {
        let files = s3s_fs::FileSystem::new(root).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        if let Some(slow_down) = &faults.slow_down {
            service.set_route(SlowDown(Arc::clone(slow_down)));
        }
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        // On S3 an upload is completed in one step; s3s-fs forgets the upload before its file is there.
        let completing = Arc::new(Mutex::new(()));
        let server = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).ok();
                let (service, socket) = (service.clone(), Breakable::new(socket, faults.clone()));
                let completing = Arc::clone(&completing);
                let service = service_fn(move |request: Request<Incoming>| {
                    let completes = request.method() == Method::POST
                        && request.uri().query().is_some_and(|query| query.contains("uploadId="));
                    let (completing, service) = (Arc::clone(&completing), service.clone());
                    async move {
                        let _alone = if completes { Some(completing.lock().await) } else { None };
                        Service::<Request<Incoming>>::call(&service, request).await
                    }
                });
                tokio::spawn(async move {
                    let connections = Builder::new(TokioExecutor::new());
                    let served = connections.serve_connection(TokioIo::new(socket), service).await;
                    if let Err(error) = served {
                        tracing::debug!(%error, "a connection to the demo S3 broke");
                    }
                });
            }
        });
        Ok(DemoS3 { address, root: root.to_owned(), server })
    }

    /// Makes a bucket.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create_bucket(&self, name: &str) -> io::Result<()> {
        std::fs::create_dir_all(self.root.join(name))
    }

    /// How a session reaches it.
    pub fn settings(&self) -> S3Settings {
        S3Settings {
            endpoint: Url::parse(&format!("http://{}", self.address)).ok(), // an address always makes a URL
            region: Some("us-east-1".to_owned()),
            credentials: Some((ACCESS_KEY.to_owned(), SECRET_KEY.to_owned())),
            ..S3Settings::default()
        }
    }
}

impl Drop for DemoS3 {
    fn drop(&mut self) {
        self.server.abort();
    }
}
