//! Decides which hosts and addresses may be reached. It never resolves a name: `client` hands the addresses over.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use url::{Host, Url};

/// Metadata services of clouds that are not at a link-local address: AWS, Google, Alibaba, Oracle, Azure.
const METADATA: [IpAddr; 5] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
];

/// Their names, which a proxy would resolve where we do not see it.
const METADATA_NAMES: [&str; 2] = ["metadata.google.internal", "metadata.goog"];

/// A list of hosts that may be reached, as `allowed_hosts` has it: `https://api.example.com:443, *.vendor.com, 10.0.0.0/8`.
///
/// An entry is a host name, `*.` and a suffix (every name below it, not the suffix itself), an address or a CIDR block (IPv6
/// with a port in brackets: `[fd00::/8]:443`), with a scheme before it and a port after it where only these are meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AllowedHosts(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    https: Option<bool>,
    port: Option<u16>,
    hosts: Hosts,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Hosts {
    Name(String),
    /// With the dot that it begins with.
    Suffix(String),
    Block {
        network: IpAddr,
        prefix: u8,
    },
}

impl AllowedHosts {
    /// Reads a list with commas in between.
    ///
    /// # Errors
    /// The list is empty or one of its entries is none; says what is expected.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let expected = "a list such as 'https://api.example.com:443, *.vendor.com, 10.0.0.0/8:8080': names, *.suffixes, addresses \
             or CIDR blocks, each with an optional http:// or https:// and an optional port, and no path";
        let entries: Option<Vec<_>> = text.split(',').map(|entry| Entry::parse(entry.trim())).collect();
        entries.map(AllowedHosts).ok_or(expected)
    }

    /// Whether some name or address behind this target may be allowed, as far as can be told without its addresses.
    fn may_allow(&self, target: &Target, host: &str) -> bool {
        self.0
            .iter()
            .any(|entry| entry.fits(target) && (entry.names(host) || matches!(entry.hosts, Hosts::Block { .. })))
    }

    /// Whether this address may be reached for a target whose name is `host`; an address in a URL has no name.
    fn allows(&self, target: &Target, host: Option<&str>, address: IpAddr) -> bool {
        self.0.iter().filter(|entry| entry.fits(target)).any(|entry| match &entry.hosts {
            Hosts::Name(_) => host.is_some_and(|host| entry.names(host)),
            // Whoever runs a public suffix must not be able to point a name at our own network.
            Hosts::Suffix(_) => host.is_some_and(|host| entry.names(host)) && !is_internal(address),
            Hosts::Block { network, prefix } => is_in(address, *network, *prefix),
        })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        let (https, text) = match text.split_once("://") {
            None => (None, text),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Some(true), rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Some(false), rest),
            Some(_) => return None,
        };
        let (host, port) = match (text.strip_prefix('[').and_then(|rest| rest.split_once(']')), text.split_once(':')) {
            (Some((host, rest)), _) => {
                let (length, port) = rest.split_once(':').map_or((rest, None), |(length, port)| (length, Some(port)));
                (format!("{host}{length}"), port)
            }
            (None, Some((host, port))) if !port.contains(':') => (host.to_owned(), Some(port)),
            (None, _) => (text.to_owned(), None),
        };
        let port = match port.map(str::parse) {
            None => None,
            Some(Ok(0) | Err(_)) => return None,
            Some(Ok(port)) => Some(port),
        };
        Some(Entry { https, port, hosts: Hosts::parse(&host)? })
    }

    fn fits(&self, target: &Target) -> bool {
        self.https.is_none_or(|https| https == target.https) && self.port.is_none_or(|port| port == target.port)
    }

    fn names(&self, host: &str) -> bool {
        match &self.hosts {
            Hosts::Name(name) => name == host,
            Hosts::Suffix(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
            Hosts::Block { .. } => false,
        }
    }
}

impl Hosts {
    fn parse(text: &str) -> Option<Self> {
        if let Some((network, prefix)) = text.split_once('/') {
            let network: IpAddr = network.parse().ok()?;
            let prefix = prefix.parse().ok().filter(|prefix| *prefix <= if network.is_ipv4() { 32 } else { 128 })?;
            return Some(Hosts::Block { network, prefix });
        }
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            let network = plain(IpAddr::V6(address));
            return Some(Hosts::Block { network, prefix: if network.is_ipv4() { 32 } else { 128 } });
        }
        let (suffix, text) = text.strip_prefix("*.").map_or((false, text), |rest| (true, rest));
        match Host::parse(text).ok()? {
            Host::Domain(name) if name.contains('*') || name.trim_matches('.').is_empty() => None,
            Host::Domain(name) if suffix => Some(Hosts::Suffix(format!(".{}", name.trim_end_matches('.')))),
            Host::Domain(name) => Some(Hosts::Name(name.trim_end_matches('.').to_owned())),
            Host::Ipv4(network) if !suffix => Some(Hosts::Block { network: IpAddr::V4(network), prefix: 32 }),
            _ => None,
        }
    }
}

/// How a host is to be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    https: bool,
    port: u16,
}

/// What one function may reach: where each of its lists agrees, and never the metadata of a cloud.
#[derive(Debug)]
pub(crate) struct Egress {
    lists: Vec<(&'static str, AllowedHosts)>,
    /// The names that requests were sent to. Any other name that is resolved is that of a proxy.
    targets: Mutex<HashMap<String, BTreeSet<Target>>>,
}

/// A host that must not be reached. Shows no more of a URL than the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forbidden {
    host: String,
    reason: String,
}

impl std::error::Error for Forbidden {}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "requests to '{}' are not allowed: {}", self.host, self.reason)
    }
}

impl Forbidden {
    /// Credentials that were declared for another host.
    pub(crate) fn other_origin(url: &Url, endpoint: &Url) -> Self {
        let shown = |url: &Url| url.host_str().unwrap_or_default().to_owned();
        let reason = format!(
            "the credentials of the function are for its endpoint at '{}'; name the other hosts in allowed_hosts",
            shown(endpoint)
        );
        Forbidden { host: shown(url), reason }
    }
}

impl Egress {
    /// The list of the function and that of the session.
    pub fn new(function: Option<AllowedHosts>, session: Option<AllowedHosts>) -> Self {
        let function = function.map(|list| ("allowed_hosts", list));
        let session = session.map(|list| ("paceline.api.allowed_hosts", list));
        Egress { lists: function.into_iter().chain(session).collect(), targets: Mutex::default() }
    }

    /// Whether there is a list at all.
    pub fn is_limited(&self) -> bool {
        !self.lists.is_empty()
    }

    /// Checks a URL before a request: an address for good, a name as far as it goes.
    ///
    /// # Errors
    /// No request may go there.
    pub fn check(&self, url: &Url) -> Result<(), Forbidden> {
        let shown = url.host_str().unwrap_or_default();
        let forbidden = |reason: String| Err(Forbidden { host: shown.to_owned(), reason });
        let (Some(host), Some(port), "http" | "https") = (url.host(), url.port_or_known_default(), url.scheme()) else {
            return forbidden("it is no http:// or https:// URL with a host".to_owned());
        };
        let target = Target { https: url.scheme() == "https", port };
        let name = match host {
            Host::Ipv4(address) => return self.check_address(&target, shown, None, IpAddr::V4(address)),
            Host::Ipv6(address) => return self.check_address(&target, shown, None, IpAddr::V6(address)),
            Host::Domain(name) => plain_name(name),
        };
        if METADATA_NAMES.contains(&name.as_str()) {
            return forbidden(NEVER.to_owned());
        }
        if let Some((option, _)) = self.lists.iter().find(|(_, list)| !list.may_allow(&target, &name)) {
            return forbidden(format!("no entry of {option} fits {}", shown_target(&target)));
        }
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default().insert(target);
        Ok(())
    }

    /// Checks an address that a name was resolved to. The names of proxies go unchecked.
    ///
    /// # Errors
    /// No request may go there.
    pub fn check_resolved(&self, name: &str, address: IpAddr) -> Result<(), Forbidden> {
        let host = plain_name(name);
        let targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner).get(&host).cloned();
        // A resolver is not told the port: an address must do for each that the name was asked for with.
        targets.into_iter().flatten().try_for_each(|target| self.check_address(&target, name, Some(&host), address))
    }

    fn check_address(
        &self,
        target: &Target,
        shown: &str,
        host: Option<&str>,
        address: IpAddr,
    ) -> Result<(), Forbidden> {
        let address = plain(address);
        let forbidden = |reason: String| Err(Forbidden { host: shown.to_owned(), reason });
        let its = if host.is_some() { format!("its address {address}: ") } else { String::new() };
        if is_never_allowed(address) {
            return forbidden(format!("{its}{NEVER}"));
        }
        match self.lists.iter().find(|(_, list)| !list.allows(target, host, address)) {
            Some((option, _)) => forbidden(format!("{its}no entry of {option} fits {}", shown_target(target))),
            None => Ok(()),
        }
    }
}

const NEVER: &str = "link-local, multicast and unspecified addresses and the metadata services of clouds never are";

fn shown_target(target: &Target) -> String {
    format!("it ({}, port {})", if target.https { "https" } else { "http" }, target.port)
}

fn plain_name(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// The IPv4 address that an IPv6 address stands for (RFC 4291 mapped and compatible, RFC 6052 translated), or itself.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let [high @ .., a, b] = six.segments();
    let [c, d] = a.to_be_bytes();
    let [e, f] = b.to_be_bytes();
    let four = IpAddr::V4(Ipv4Addr::new(c, d, e, f));
    match high {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => four,
        [0, 0, 0, 0, 0, 0] if !six.is_loopback() && !six.is_unspecified() => four,
        _ => address,
    }
}

fn is_never_allowed(address: IpAddr) -> bool {
    METADATA.contains(&address)
        || match address {
            // The whole of 0.0.0.0/8 is this machine or nothing.
            IpAddr::V4(four) => {
                four.is_link_local() || four.is_multicast() || four.is_broadcast() || four.octets()[0] == 0
            }
            IpAddr::V6(six) => six.is_unicast_link_local() || six.is_multicast() || six.is_unspecified(),
        }
}

/// Loopback and private addresses, and those that carriers share (RFC 6598).
fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            four.is_loopback() || four.is_private() || is_in(address, IpAddr::V4(Ipv4Addr::new(100, 64, 0, 0)), 10)
        }
        IpAddr::V6(six) => six.is_loopback() || six.is_unique_local(),
    }
}

fn is_in(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    let prefix = u32::from(prefix);
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (address.to_bits() ^ network.to_bits()).checked_shr(32 - prefix).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            (address.to_bits() ^ network.to_bits()).checked_shr(128 - prefix).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
