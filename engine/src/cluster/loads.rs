//! What executors say of their machines and of S3, and what it comes to for a cluster. Time comes in as an argument.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// How busy an executor's machine was counts for so long.
const HEARD: Duration = Duration::from_secs(3);
/// An executor that says nothing for so long has ended.
const GONE: Duration = Duration::from_secs(60);

/// What an executor says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// How busy the processors of its machine are, in thousandths, where the system tells.
    pub cpu_permille: Option<u32>,
    /// Bytes of bodies that its process got from S3 since it started.
    pub s3_received: u64,
    /// Those that it sent there.
    pub s3_sent: u64,
}

/// What all executors said.
#[derive(Debug, Default)]
pub struct Loads {
    said: HashMap<String, (Load, Instant)>,
    /// Bytes since they are known, of executors that are gone, too.
    s3_received: u64,
    s3_sent: u64,
}

impl Loads {
    /// Hears an executor.
    pub fn hear(&mut self, executor: &str, load: Load, now: Instant) {
        // What it did before it was known was for nobody here.
        let before = self.said.get(executor).map_or(load, |(before, _)| *before);
        // Of two messages the later may come first, and must not be counted again behind the earlier.
        let (s3_received, s3_sent) = (load.s3_received.max(before.s3_received), load.s3_sent.max(before.s3_sent));
        self.s3_received += s3_received - before.s3_received;
        self.s3_sent += s3_sent - before.s3_sent;
        self.said.insert(executor.to_owned(), (Load { s3_received, s3_sent, ..load }, now));
        self.said.retain(|_, (_, heard)| now.saturating_duration_since(*heard) < GONE);
    }

    /// All of them: how busy their machines are on average, and their bytes.
    pub fn all(&self, now: Instant) -> Load {
        let lately = self.said.values().filter(|(_, heard)| now.saturating_duration_since(*heard) < HEARD);
        let busy: Vec<_> = lately.filter_map(|(load, _)| load.cpu_permille.map(u64::from)).collect();
        let mean = busy.iter().sum::<u64>().checked_div(busy.len() as u64);
        let cpu_permille = mean.and_then(|mean| u32::try_from(mean).ok());
        Load { cpu_permille, s3_received: self.s3_received, s3_sent: self.s3_sent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_executors_that_are_gone_stay_and_their_processors_do_not_count() {
        let (mut loads, start) = (Loads::default(), Instant::now());
        let load = |cpu_permille, s3_received, s3_sent| Load { cpu_permille, s3_received, s3_sent };
        let at = |second| start + Duration::from_secs(second);
        assert_eq!(loads.all(start), Load::default());
        // One that was there before the scheduler, and a new one.
        loads.hear("a", load(Some(900), 5_000, 70), at(0));
        loads.hear("b", load(None, 0, 0), at(0));
        assert_eq!(loads.all(at(0)), load(Some(900), 0, 0));
        loads.hear("a", load(Some(600), 5_300, 70), at(1));
        loads.hear("b", load(Some(100), 40, 8), at(1));
        assert_eq!(loads.all(at(1)), load(Some(350), 340, 8));
        for second in 2..70 {
            loads.hear("b", load(Some(200), 41, 8), at(second));
        }
        assert_eq!(loads.all(at(70)), load(Some(200), 341, 8));
        // It says nothing for a moment, and then the rest.
        assert_eq!(loads.all(at(80)), load(None, 341, 8));
        loads.hear("b", load(Some(300), 50, 9), at(81));
        assert_eq!(loads.all(at(81)), load(Some(300), 350, 9));
    }

    #[test]
    fn what_comes_late_is_not_counted_again() {
        let (mut loads, now) = (Loads::default(), Instant::now());
        for bytes in [0, 100, 90, 100, 120] {
            loads.hear("a", Load { cpu_permille: None, s3_received: bytes, s3_sent: bytes }, now);
        }
        assert_eq!(loads.all(now), Load { cpu_permille: None, s3_received: 120, s3_sent: 120 });
    }
}
