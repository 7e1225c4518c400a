//! The flags that say who may talk to a process of a cluster.

use std::ffi::OsString;
use std::path::PathBuf;

use paceline_engine::cluster::AccessFiles;

/// Token and certificates.
#[derive(clap::Args)]
pub struct AccessArguments {
    /// File with the token that every request needs; without it PACELINE_TOKEN, or none on loopback
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// File with the chain of certificates that this process shows, as PEM; then it speaks TLS only
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// File with the key of the first of them, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// File with the certificates that it trusts, as PEM; then it speaks TLS to others
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// The name in every certificate of the cluster, where that is not the host's
    #[arg(long, value_name = "NAME", requires = "tls_ca")]
    tls_name: Option<String>,
}

impl AccessArguments {
    /// The same flags, for another process.
    pub fn flags(&self) -> Vec<OsString> {
        let AccessArguments { token_file, tls_cert, tls_key, tls_ca, tls_name } = self;
        let files =
            [("--token-file", token_file), ("--tls-cert", tls_cert), ("--tls-key", tls_key), ("--tls-ca", tls_ca)];
        let files = files.into_iter().filter_map(|(flag, file)| Some((flag, file.as_ref()?.as_os_str().to_owned())));
        let name = tls_name.iter().map(|name| ("--tls-name", OsString::from(name)));
        files.chain(name).flat_map(|(flag, value)| [OsString::from(flag), value]).collect()
    }
}

impl From<AccessArguments> for AccessFiles {
    fn from(arguments: AccessArguments) -> Self {
        let AccessArguments { token_file, tls_cert, tls_key, tls_ca, tls_name } = arguments;
        AccessFiles { token: token_file, identity: tls_cert.zip(tls_key), roots: tls_ca, name: tls_name }
    }
}
