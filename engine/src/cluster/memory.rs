//! The memory of an executor's tasks. Each has a share for each slot; one that ran out of its share is run again alone, with
//! all of it.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use datafusion::common::{Result, resources_err};
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, TrackConsumersPool,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Of a pool, the part that operators which can spill leave to what cannot, such as the merging of what they spilled.
const KEPT: usize = 8;
/// How many of a pool's largest consumers an error names.
const NAMED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// What the tasks of an executor have together.
#[derive(Debug)]
pub struct Memory {
    bytes: usize,
    slots: u32,
    free: Arc<Semaphore>,
    /// What was granted.
    pools: Mutex<Vec<Weak<dyn MemoryPool>>>,
}

/// Memory for a task, which others get when this is dropped.
#[derive(Debug)]
pub struct Granted {
    /// What its operators reserve from.
    pub pool: Arc<dyn MemoryPool>,
    _slots: Option<OwnedSemaphorePermit>,
}

impl Memory {
    /// So many bytes for as many tasks at once as there are slots.
    pub fn new(bytes: u64, slots: usize) -> Self {
        let slots = slots.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        let free = Arc::new(Semaphore::new(slots));
        Memory {
            bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
            slots: slots as u32,
            free,
            pools: Mutex::default(),
        }
    }

    /// A task's share; waits only where another task has, or waits for, everything.
    pub async fn share(&self) -> Granted {
        self.grant(1).await
    }

    /// Everything, when the tasks that have some now are done.
    pub async fn all(&self) -> Granted {
        self.grant(self.slots).await
    }

    /// Bytes of a share.
    pub fn of_a_task(&self) -> u64 {
        (self.bytes / self.slots as usize) as u64
    }

    /// Whether a share is all there is.
    pub fn is_whole(&self) -> bool {
        self.slots == 1
    }

    async fn grant(&self, slots: u32) -> Granted {
        let held = Arc::clone(&self.free).acquire_many_owned(slots).await.ok(); // it is never closed
        let bytes = self.bytes / self.slots as usize * slots as usize;
        let pool: Arc<dyn MemoryPool> = Arc::new(TrackConsumersPool::new(Pool::new(bytes), NAMED));
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(&pool));
        Granted { pool, _slots: held }
    }

    /// Bytes of all tasks.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that operators hold now.
    pub fn reserved(&self) -> usize {
        let pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.iter().filter_map(Weak::upgrade).map(|pool| pool.reserved()).sum()
    }
}

/// DataFusion's pool, in which what can spill cannot take everything.
#[derive(Debug)]
struct Pool {
    fair: FairSpillPool,
    /// What spilling operators may have together.
    for_spilling: usize,
    /// What they have.
    spillable: AtomicUsize,
}

impl Pool {
    fn new(bytes: usize) -> Self {
        Pool { fair: FairSpillPool::new(bytes), for_spilling: bytes - bytes / KEPT, spillable: AtomicUsize::new(0) }
    }
}

impl MemoryPool for Pool {
    fn name(&self) -> &'static str {
        "task"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.fair.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.fair.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        if reservation.consumer().can_spill() {
            self.spillable.fetch_add(additional, Ordering::Relaxed);
        }
        self.fair.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        if reservation.consumer().can_spill() {
            self.spillable.fetch_sub(shrink, Ordering::Relaxed);
        }
        self.fair.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        if !reservation.consumer().can_spill() {
            return self.fair.try_grow(reservation, additional);
        }
        let before = self.spillable.fetch_add(additional, Ordering::Relaxed);
        let grown = if before.saturating_add(additional) > self.for_spilling {
            resources_err!(
                "{additional} bytes more for {} are over the {} bytes for what can spill in {self}",
                reservation.consumer().name(),
                self.for_spilling
            )
        } else {
            self.fair.try_grow(reservation, additional)
        };
        if grown.is_err() {
            self.spillable.fetch_sub(additional, Ordering::Relaxed);
        }
        grown
    }

    fn reserved(&self) -> usize {
        self.fair.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.fair.memory_limit()
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a task's {}", self.fair)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn pool(bytes: usize) -> Arc<dyn MemoryPool> {
        Arc::new(Pool::new(bytes))
    }

    #[test]
    fn what_can_spill_leaves_room_for_what_cannot() -> Result<()> {
        let pool = pool(800);
        let sorts = ["left", "right"].map(|name| MemoryConsumer::new(name).with_can_spill(true).register(&pool));
        let merge = MemoryConsumer::new("merge").register(&pool);
        sorts[0].try_grow(400)?;
        sorts[1].try_grow(300)?;
        assert!(sorts[1].try_grow(1).is_err());
        merge.try_grow(100)?;
        assert!(merge.try_grow(1).is_err());
        assert_eq!(pool.reserved(), 800);
        sorts[0].free();
        merge.try_grow(400)?;
        drop((sorts, merge));
        assert_eq!(pool.reserved(), 0);
        let again = MemoryConsumer::new("sort").with_can_spill(true).register(&pool);
        again.try_grow(700) // what was given back can be had again
    }

    #[tokio::test(start_paused = true)]
    async fn who_needs_everything_waits_for_the_others_and_they_for_it() {
        let memory = Memory::new(400, 4);
        let limit = |granted: &Granted| match granted.pool.memory_limit() {
            MemoryLimit::Finite(bytes) => bytes,
            _ => 0,
        };
        let soon = Duration::from_millis(1);
        let share = memory.share().await;
        assert_eq!(limit(&share), 100);
        assert!(tokio::time::timeout(soon, memory.all()).await.is_err());
        drop(share);
        let all = memory.all().await;
        assert_eq!(limit(&all), 400);
        assert!(tokio::time::timeout(soon, memory.share()).await.is_err());
        drop(all);
        let shares = [memory.share().await, memory.share().await, memory.share().await, memory.share().await];
        assert_eq!(shares.iter().map(limit).sum::<usize>(), 400);
    }
}
