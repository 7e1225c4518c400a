//! The units of one limit that no holder has: some may be given, others still rest.

use tokio::time::Instant;

/// Units that came back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Batch {
    pub units: u32,
    /// From when on they may be given.
    pub rested: Instant,
    /// From when on nobody used them for a period.
    pub cold: Instant,
}

/// What nobody holds. Units that holders have and those here are always the whole limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pool {
    /// The coldest first.
    batches: Vec<Batch>,
    /// What holders of an earlier keeper may still use until then.
    unknown: Option<(Batch, Instant)>,
}

impl Pool {
    /// A pool of units that nobody ever used.
    pub fn fresh(units: u32, now: Instant) -> Self {
        Pool { batches: vec![Batch { units, rested: now, cold: now }], unknown: None }
    }

    /// A pool of units that holders may use, of whom the keeper knows nothing, until `until`.
    pub fn quiet(all: Batch, until: Instant) -> Self {
        Pool { batches: Vec::new(), unknown: Some((all, until)) }
    }

    /// Takes up to so many units that may be given; says how many, and whether nobody used any of them for a period.
    pub fn take(&mut self, mut wanted: u32, now: Instant) -> (u32, bool) {
        if let Some((batch, _)) = self.unknown.take_if(|(batch, _)| batch.rested <= now) {
            self.batches.push(batch);
        }
        let (mut taken, mut cold) = (0, true);
        for batch in self.batches.iter_mut().filter(|batch| batch.rested <= now && batch.units > 0) {
            let units = batch.units.min(wanted);
            batch.units -= units;
            (wanted, taken) = (wanted - units, taken + units);
            cold &= units == 0 || batch.cold <= now;
        }
        self.batches.retain(|batch| batch.units > 0);
        (taken, cold)
    }

    /// Takes units that a holder says it has from an earlier keeper.
    pub fn take_known(&mut self, wanted: u32, now: Instant) -> u32 {
        let Some((unknown, until)) = &mut self.unknown else { return 0 };
        let units = if now < *until { unknown.units.min(wanted) } else { 0 };
        unknown.units -= units;
        units
    }

    /// Takes units back; those that are cold lie together.
    pub fn give_back(&mut self, batch: Batch, now: Instant) {
        self.batches.push(batch);
        self.batches.sort_by_key(|batch| batch.cold.max(batch.rested));
        let cold = self.batches.iter().take_while(|batch| batch.cold.max(batch.rested) <= now).count();
        if cold > 1 {
            let units = self.batches.drain(..cold).map(|batch| batch.units).sum();
            self.batches.insert(0, Batch { units, rested: now, cold: now });
        }
    }

    /// All units, also those that rest.
    #[cfg(test)]
    pub fn units(&self) -> u32 {
        let unknown = self.unknown.iter().map(|(batch, _)| batch.units);
        self.batches.iter().map(|batch| batch.units).chain(unknown).sum()
    }
}
