//! What this machine has: memory, the limit of this process's own cgroup, free disk.
//! What the files of the system say is judged in pure functions; decides nothing.

use std::path::{Path, PathBuf};

/// The limits of a machine, in bytes; `None` where the system does not tell, or there is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The smallest limit of memory among this process's cgroup and those above it.
    pub cgroup_memory: Option<u64>,
    /// Memory of the machine.
    pub host_memory: Option<u64>,
    /// Free disk of the folder for spill and shuffle, as far as this user may fill it.
    pub free_disk: Option<u64>,
}

impl Machine {
    /// This machine, with the disk that `folder` lies on. The folder has to exist.
    pub fn here(folder: &Path) -> Self {
        let text = |path: &Path| std::fs::read_to_string(path).ok();
        let cgroups = text(Path::new("/proc/self/cgroup")).unwrap_or_default();
        Machine {
            cgroup_memory: cgroup_memory(&cgroups, Path::new("/sys/fs/cgroup"), text),
            host_memory: text(Path::new("/proc/meminfo")).and_then(|info| host_memory(&info)),
            free_disk: free_disk(folder),
        }
    }
}

/// Free disk of a folder in bytes. `statvfs` asks the folder's own file system, whatever is mounted where.
fn free_disk(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// Bytes of memory, of the text of `/proc/meminfo`.
fn host_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The smallest limit in bytes, of the text of `/proc/self/cgroup`. `mount` is where the cgroups are mounted, and `text` reads
/// one of their files.
fn cgroup_memory(cgroups: &str, mount: &Path, text: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    places(cgroups, mount).iter().filter_map(|file| limit(&text(file)?)).min()
}

/// The files that may hold a limit: of each cgroup with a say in memory, and of those above it.
fn places(cgroups: &str, mount: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in cgroups.lines() {
        // `0::/path` is version 2; `4:memory:/path` is version 1.
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        if controllers.is_empty() {
            // Where version 1 rules, version 2 is mounted beside it.
            for root in [mount.to_owned(), mount.join("unified")] {
                upwards(&root, path, "memory.max", &mut files);
            }
        } else if controllers.split(',').any(|controller| controller == "memory") {
            upwards(&mount.join("memory"), path, "memory.limit_in_bytes", &mut files);
        }
    }
    files
}

/// In a container the path may be the host's, which is not mounted: then only the files above it are there.
fn upwards(root: &Path, path: &str, file: &str, files: &mut Vec<PathBuf>) {
    // A cgroup outside of the container's namespace is shown as `/../..`.
    let names: Vec<_> = path.split('/').filter(|name| !name.is_empty() && *name != "..").collect();
    for deep in (0..=names.len()).rev() {
        let folder: PathBuf = names.iter().take(deep).collect();
        files.push(root.join(folder).join(file));
    }
}

/// Bytes of a limit; none for `max`, and for version 1's way of saying it: the largest number of pages.
fn limit(text: &str) -> Option<u64> {
    const NO_LIMIT: u64 = 1 << 60;
    text.trim().parse().ok().filter(|bytes| *bytes < NO_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::super::byte_size::GIB;
    use super::*;
    use expect_test::expect;

    fn check(cgroups: &str, files: &[(&str, &str)]) -> Option<u64> {
        cgroup_memory(cgroups, Path::new("/c"), |path| {
            let found = files.iter().find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| format!("{text}\n"))
        })
    }

    #[test]
    fn the_smallest_limit_up_to_the_root_counts() {
        let own = "0::/glue.slice/job.scope\n";
        assert_eq!(check(own, &[("/c/glue.slice/job.scope/memory.max", "4294967296")]), Some(4 * GIB));
        let above = [("/c/glue.slice/job.scope/memory.max", "max"), ("/c/glue.slice/memory.max", "1073741824")];
        assert_eq!(check(own, &above), Some(GIB));
        let both = [("/c/glue.slice/job.scope/memory.max", "2147483648"), ("/c/glue.slice/memory.max", "8589934592")];
        assert_eq!(check(own, &both), Some(2 * GIB));
    }

    #[test]
    fn a_container_sees_its_limit_at_the_root() {
        for path in ["0::/", "0::/docker/abc", "0::/../../abc"] {
            assert_eq!(check(path, &[("/c/memory.max", "4294967296")]), Some(4 * GIB), "{path}");
        }
    }

    #[test]
    fn version_1_and_both_beside_each_other_are_read() {
        let hybrid = "5:cpu,cpuacct:/x\n4:memory:/x/y\n1:name=systemd:/\n0::/x\n";
        assert_eq!(check(hybrid, &[("/c/memory/x/y/memory.limit_in_bytes", "1073741824")]), Some(GIB));
        assert_eq!(check(hybrid, &[("/c/memory/memory.limit_in_bytes", "9223372036854771712")]), None);
        assert_eq!(check(hybrid, &[("/c/unified/x/memory.max", "2147483648")]), Some(2 * GIB));
    }

    #[test]
    fn files_are_looked_for_from_the_cgroup_up() {
        let shown: Vec<_> =
            places("2:memory,blkio:/a\n0::/b", Path::new("/c")).iter().map(|p| p.display().to_string()).collect();
        expect![[r#"
            /c/memory/a/memory.limit_in_bytes
            /c/memory/memory.limit_in_bytes
            /c/b/memory.max
            /c/memory.max
            /c/unified/b/memory.max
            /c/unified/memory.max"#]]
        .assert_eq(&shown.join("\n"));
    }

    #[test]
    fn what_cannot_be_read_is_no_limit() {
        for cgroups in ["", "nonsense", "0::", "7:memory"] {
            assert_eq!(check(cgroups, &[]), None, "{cgroups}");
        }
        assert_eq!(check("0::/", &[("/c/memory.max", "many")]), None);
    }

    #[test]
    fn the_host_s_memory_is_read_in_kib() {
        let meminfo = "MemTotal:       24684084 kB\nMemFree:        21948984 kB\n";
        assert_eq!(host_memory(meminfo), Some(24_684_084 * 1024));
        assert_eq!(host_memory("MemFree: 1 kB\n"), None);
        assert_eq!(host_memory("MemTotal: 1 pages\n"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_tells_its_memory_and_disk() {
        let machine = Machine::here(&std::env::temp_dir());
        assert!(machine.host_memory.is_some_and(|bytes| bytes > 0));
        assert!(machine.free_disk.is_some());
        assert_eq!(Machine::here(Path::new("/there/is/no/such/folder")).free_disk, None);
    }
}
