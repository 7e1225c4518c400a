//! Where a cluster's scheduler is: `df://host:port`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::Url;

/// The scheme of a cluster's URL.
const SCHEME: &str = "df";

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// A name, or an address; an IPv6 address is in brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl HostPort {
    /// Whether it is on this machine, and reached without a network.
    pub fn is_loopback(&self) -> bool {
        let address = self.host.trim_matches(['[', ']']).parse::<IpAddr>();
        address.map_or(self.host == "localhost", |address| address.is_loopback())
    }
}

impl FromStr for HostPort {
    type Err = String;

    /// `df://host:port`, or without the scheme.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no cluster; expected {SCHEME}://HOST:PORT");
        let whole = if text.contains("://") { text.to_owned() } else { format!("{SCHEME}://{text}") };
        let url = Url::parse(&whole).map_err(|_| wrong())?;
        match (url.scheme(), url.host_str(), url.port(), url.path()) {
            (SCHEME, Some(host), Some(port), "" | "/") => Ok(HostPort { host: host.to_owned(), port }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_has_a_host_and_a_port() {
        for text in ["df://127.0.0.1:50050", "127.0.0.1:50050", "df://127.0.0.1:50050/"] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), "df://127.0.0.1:50050");
        }
        assert_eq!("df://[::1]:7".parse::<HostPort>().unwrap().host, "[::1]");
        for wrong in ["df://host", "http://host:1", "df://host:1/x", "", "df://:1", "host:99999"] {
            let said = wrong.parse::<HostPort>().unwrap_err();
            assert_eq!(said, format!("'{wrong}' is no cluster; expected df://HOST:PORT"));
        }
    }
}
