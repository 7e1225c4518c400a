//! How the job service is reached: its URL, what is shown to it, and how its answers are printed.

use std::error::Error;
use std::path::PathBuf;

use paceline_engine::cluster::{Access, AccessFiles};
use paceline_service::client::Client;
use paceline_service::http::Http;
use url::Url;

/// Where it is, if not said otherwise.
const VARIABLE: &str = "PACELINE_SERVER";
const HERE: &str = "http://127.0.0.1:4040";

/// Where it is.
#[derive(clap::Args)]
pub struct ServerArguments {
    /// URL of the scheduler's page (default: PACELINE_SERVER, or http://127.0.0.1:4040)
    #[arg(long, value_name = "URL", global = true)]
    server: Option<Url>,
    /// File with the token that every request needs (default: PACELINE_TOKEN)
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// File with the certificates that are trusted, as PEM
    #[arg(long, value_name = "FILE", global = true)]
    tls_ca: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

impl ServerArguments {
    /// The way to it.
    pub fn client(&self) -> Result<Client, Box<dyn Error>> {
        let access = Access::find(&AccessFiles { token: self.token_file.clone(), ..AccessFiles::default() })?;
        let read =
            |path: &PathBuf| std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()));
        let roots = self.tls_ca.as_ref().map(read).transpose()?;
        Ok(Client::new(self.at()?, access, roots.as_deref())?)
    }

    /// Where it is.
    pub fn at(&self) -> Result<Url, String> {
        if let Some(server) = &self.server {
            return Ok(server.clone());
        }
        let server = std::env::var(VARIABLE).unwrap_or_else(|_| HERE.to_owned());
        server.parse().map_err(|error| format!("{VARIABLE} is '{server}', which is no URL: {error}"))
    }
}

/// The URL of a page that listens.
pub fn url(http: &Http, access: &Access) -> std::io::Result<String> {
    let scheme = if access.tls().is_some() { "https" } else { "http" };
    Ok(format!("{scheme}://{}", http.address()?))
}
