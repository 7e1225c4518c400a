//! Memory of this process.

/// Largest resident set so far, in bytes; `None` where the system does not tell (it is read from Linux's `/proc`).
pub(super) fn peak_rss_bytes() -> Option<u64> {
    field("/proc/self/status", "VmHWM:")
}

/// The resident set as a share of the memory that this process may have: its cgroup's limit, or the machine's memory.
pub(crate) fn rss_share() -> Option<f64> {
    let limit = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let limit: Option<u64> = limit.and_then(|limit| limit.trim().parse().ok());
    let machine = field("/proc/meminfo", "MemTotal:")?;
    let most = limit.unwrap_or(machine).min(machine);
    Some(field("/proc/self/status", "VmRSS:")? as f64 / most as f64)
}

/// The same in thousandths.
pub(crate) fn rss_permille() -> Option<u32> {
    rss_share().map(|share| (share * 1000.0).round() as u32)
}

/// A number of KiB behind a name in a file of the system, in bytes.
fn field(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
