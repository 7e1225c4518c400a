//! Records to call an API with: deterministic, with names and addresses that look real.

use std::io::{self, Write};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const FIRST: &[&str] =
    &["Ada", "Chen", "Dmitri", "Elif", "Femi", "Grace", "Hana", "Ivan", "José", "Kofi", "Lena", "Zoë"];
const LAST: &[&str] = &["Abe", "Brandt", "Costa", "Diallo", "Eriksen", "Fischer", "García", "Haddad", "Ito", "Novak"];
const COUNTRIES: &[&str] = &["BR", "DE", "ES", "FR", "GB", "IN", "JP", "NG", "TR", "US"];

/// Writes a CSV file with a header and `records` records, ids from 1: `id,name,email,country,amount,created_at`.
///
/// # Errors
/// Writing fails.
pub fn write_csv(out: &mut impl Write, records: u64, seed: u64) -> io::Result<()> {
    let mut random = SmallRng::seed_from_u64(seed);
    writeln!(out, "id,name,email,country,amount,created_at")?;
    for id in 1..=records {
        let (first, last) = (pick(&mut random, FIRST), pick(&mut random, LAST));
        let country = pick(&mut random, COUNTRIES);
        let cents = random.random_range(100..1_000_000);
        let (month, day) = (random.random_range(1..=12), random.random_range(1..=28));
        let (hour, minute, second) =
            (random.random_range(0..24), random.random_range(0..60), random.random_range(0..60));
        // The name is quoted because it has a comma, as exported files have it.
        write!(out, "{id},\"{last}, {first}\",user{id}@example.com,{country},{}.{:02},", cents / 100, cents % 100)?;
        writeln!(out, "2025-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")?;
    }
    Ok(())
}

fn pick<'a>(random: &mut SmallRng, from: &[&'a str]) -> &'a str {
    from[random.random_range(0..from.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_writes_the_same_records() {
        let write = |seed| {
            let mut out = Vec::new();
            write_csv(&mut out, 100, seed).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(write(1), write(1));
        assert_ne!(write(1), write(2));
        assert_eq!(write(1).lines().count(), 101);
    }
}
