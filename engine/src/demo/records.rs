//! Records to call an API with: deterministic, with names and addresses that look real, and faults on demand.

use std::fmt::Write;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const FIRST: &[&str] =
    &["Ada", "Chen", "Dmitri", "Elif", "Femi", "Grace", "Hana", "Ivan", "José", "Kofi", "Lena", "Zoë"];
const LAST: &[&str] = &["Abe", "Brandt", "Costa", "Diallo", "Eriksen", "Fischer", "García", "Haddad", "Ito", "Novak"];
const COUNTRIES: &[&str] = &["BR", "DE", "ES", "FR", "GB", "IN", "JP", "NG", "TR", "US"];

/// What the records are like.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecordOptions {
    /// How many; the ids are 1 to this.
    pub records: u64,
    /// The same seed makes the same records.
    pub seed: u64,
    /// Percent of the records without an email.
    pub null_percent: u8,
    /// Percent of the lines that end early.
    pub malformed_percent: u8,
    /// Percent of the records that stand there twice.
    pub duplicate_percent: u8,
}

/// The lines of a CSV file in pieces: `id,name,email,country,amount,created_at`, a header first.
#[derive(Debug)]
pub struct Records {
    options: RecordOptions,
    random: SmallRng,
    done: u64,
    header_written: bool,
}

/// Records in a piece.
const PIECE: u64 = 10_000;

impl Records {
    /// The file that `options` describe.
    pub fn new(options: RecordOptions) -> Self {
        Records { options, random: SmallRng::seed_from_u64(options.seed), done: 0, header_written: false }
    }

    fn line(&mut self, id: u64, out: &mut String) -> std::fmt::Result {
        let options = self.options;
        let random = &mut self.random;
        let mut chance = |percent: u8| random.random_range(0..100) < percent;
        let (no_email, short, twice) =
            (chance(options.null_percent), chance(options.malformed_percent), chance(options.duplicate_percent));
        let start = out.len();
        // The name is quoted because it has a comma, as exported files have it.
        write!(out, "{id},\"{}, {}\",", pick(random, LAST), pick(random, FIRST))?;
        if !no_email {
            write!(out, "user{id}@example.com")?;
        }
        write!(out, ",{}", pick(random, COUNTRIES))?;
        let cents: u32 = random.random_range(100..1_000_000);
        let (month, day) = (random.random_range(1..=12), random.random_range(1..=28));
        let (hour, minute, second) =
            (random.random_range(0..24), random.random_range(0..60), random.random_range(0..60));
        if !short {
            write!(out, ",{}.{:02}", cents / 100, cents % 100)?;
            write!(out, ",2025-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")?;
        }
        out.push('\n');
        if twice {
            out.extend_from_within(start..);
        }
        Ok(())
    }
}

impl Iterator for Records {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.header_written && self.done >= self.options.records {
            return None;
        }
        let mut piece = String::new();
        if !self.header_written {
            piece.push_str("id,name,email,country,amount,created_at\n");
            self.header_written = true;
        }
        let end = self.options.records.min(self.done + PIECE);
        for id in self.done + 1..=end {
            self.line(id, &mut piece).ok()?; // writing to a string does not fail
        }
        self.done = end;
        Some(piece)
    }
}

fn pick<'a>(random: &mut SmallRng, from: &[&'a str]) -> &'a str {
    from[random.random_range(0..from.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(options: RecordOptions) -> String {
        Records::new(options).collect()
    }

    #[test]
    fn the_same_seed_writes_the_same_records() {
        let of = |seed| text(RecordOptions { records: 25_000, seed, ..RecordOptions::default() });
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert_eq!(of(1).lines().count(), 25_001);
        assert_eq!(text(RecordOptions::default()).lines().count(), 1);
    }

    #[test]
    fn faults_come_as_often_as_asked_for() {
        let records = 10_000;
        let options = RecordOptions { records, seed: 1, null_percent: 10, malformed_percent: 5, duplicate_percent: 2 };
        let text = text(options);
        let lines: Vec<_> = text.lines().skip(1).collect();
        let about = |found: usize, wanted: usize| found.abs_diff(wanted) < wanted / 4;
        assert!(about(lines.len() - 10_000, 200));
        assert!(about(lines.iter().filter(|line| !line.contains('@')).count(), 1020));
        assert!(about(lines.iter().filter(|line| line.matches(',').count() < 6).count(), 510));
    }
}
