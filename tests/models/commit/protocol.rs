//! The commit as a state machine: what each driver does next, one operation on the store at a time.

use super::state::At::{self, Complete, DropOld, DropSuccess, ListLeft, PutSuccess, StillOwns};
use super::state::{Commit, Driver, Job, Ledger, REPLACED, State, TRIES, first};
use super::{Bounds, Weakness};

#[derive(Clone, Debug)]
pub struct Destination {
    pub weakness: Option<Weakness>,
    pub jobs: Vec<Job>,
    pub bounds: Bounds,
    /// Whether an abandoned attempt's upload gets into the manifest.
    pub abandoned_too: bool,
    /// Whether the jobs replace one file and leave the other.
    pub appends: bool,
}

impl Destination {
    fn is(&self, weakness: Weakness) -> bool {
        self.weakness == Some(weakness)
    }

    /// One operation. If its answer is lost, and it was a write of the manifest, the driver looks before it goes on.
    pub fn step(&self, state: &mut State, driver: &mut Driver, answer_lost: bool) {
        if let Some(otherwise) = driver.unsure.take() {
            if !driver.current {
                driver.failed |= otherwise == At::SeeSuccess && !driver.done;
                driver.at = otherwise;
                driver.enter();
            }
            return;
        }
        let before = driver.at;
        let (next, otherwise) = match before {
            At::Read | At::ReadToClaim => (self.read(state, driver), None),
            At::ListOwn => {
                driver.todo = state.uploads & state.files(driver.job);
                (At::SeeRegistered, None)
            }
            At::SeeRegistered => {
                let committed = state.ledger.commit.as_ref().is_some_and(|commit| commit.job == driver.job);
                let may = self.is(Weakness::AnyTryCleansUp)
                    || state.ledger.tries[driver.job as usize] == Some(driver.attempt()) && !committed;
                (if may && driver.todo != 0 { At::AbortListed } else { aborted(driver) }, None)
            }
            At::AbortListed => {
                let file = first(driver.todo);
                (state.uploads, driver.todo) = (state.uploads & !file, driver.todo & !file);
                (if driver.todo == 0 { aborted(driver) } else { before }, None)
            }
            At::ReadOwnSuccess if state.success == Some(driver.job) => (At::Done, None),
            // What was to be replaced has been.
            At::ReadOwnSuccess if self.appends && state.visible & REPLACED == 0 => (At::Done, None),
            At::ReadOwnSuccess => (At::Stage(0), None),
            At::Stage(attempt) => {
                let file = driver.file(attempt);
                (state.uploads, driver.staged) = (state.uploads | file, driver.staged | file);
                (if attempt == 2 { At::ReadToClaim } else { At::Stage(2) }, None)
            }
            At::Complete => {
                let file = first(driver.missed);
                driver.missed &= !file;
                driver.gone |= file & !state.visible;
                (self.completed(driver), None)
            }
            At::SeeSuccess => {
                driver.current = true;
                let lost = state.ledger.commit.is_none() && state.ledger.last.is_some() && state.success.is_none();
                (if lost && !self.is(Weakness::NobodyRestores) { At::Restore } else { driver.after() }, None)
            }
            At::TakeOver | At::Register | At::Claim | At::Restore => self.swap_first(state, driver),
            _ => self.commit_step(state, driver),
        };
        (driver.at, driver.unsure) = (next, otherwise.filter(|_| answer_lost && driver.current));
        if next != before {
            driver.enter();
        }
    }

    fn read(&self, state: &State, driver: &mut Driver) -> At {
        driver.current = true;
        let registered = state.ledger.tries[driver.job as usize] == Some(driver.attempt());
        match (&state.ledger.commit, driver.at) {
            (Some(_), _) => At::TakeOver,
            (None, At::Read) => At::Register,
            (None, _) if registered || self.is(Weakness::AnyTryCommits) => At::Claim,
            (None, _) => {
                driver.failed = true;
                At::ListOwn
            }
        }
    }

    /// Writes the manifest if it is as the driver saw it last.
    fn swap(&self, state: &mut State, driver: &mut Driver, change: impl FnOnce(&mut Ledger)) -> bool {
        let swaps = driver.current || self.is(Weakness::WritesBlindly);
        if swaps {
            change(&mut state.ledger);
            state.drivers.iter_mut().for_each(|other| other.current = false);
            driver.current = true;
        }
        swaps
    }

    /// The writes of a driver that owns no commit: where it goes on, and where else if somebody was faster.
    fn swap_first(&self, state: &mut State, driver: &mut Driver) -> (At, Option<At>) {
        let attempt = driver.attempt();
        let commit = match driver.at {
            At::Register => {
                let swapped =
                    self.swap(state, driver, |ledger| ledger.tries[driver_job(attempt, self)] = Some(attempt));
                return (if swapped { At::ListOwn } else { At::Read }, Some(At::Read));
            }
            At::TakeOver => state.ledger.commit.clone(),
            At::Restore => self.restoring(state, driver, state.ledger.last),
            _ => {
                let all = driver.file(0) | driver.file(1) | driver.file(2);
                let files = if self.abandoned_too { state.uploads & all } else { driver.staged };
                let (owner, old) = (None, self.appends.then_some(REPLACED));
                let (old_success, success_upload, restores) = (None, None, false);
                Some(Commit { owner, attempt, job: driver.job, files, old_success, old, success_upload, restores })
            }
        };
        let otherwise = if driver.at == At::Restore { At::SeeSuccess } else { driver.to_read() };
        let Some(commit) = commit.map(|commit| Commit { owner: Some(attempt), ..commit }) else {
            return (otherwise, None);
        };
        if !self.swap(state, driver, |ledger| ledger.commit = Some(commit.clone())) {
            return (otherwise, None);
        }
        state.claimed |= commit.files;
        let next = match (commit.success_upload, commit.restores) {
            (None, _) if self.appends => At::HeadReplaced,
            (None, _) => At::ReadOldSuccess,
            (Some(_), true) => PutSuccess,
            (Some(_), false) => self.drops(),
        };
        driver.commit = Some(commit);
        (next, Some(otherwise))
    }

    fn restoring(&self, state: &mut State, driver: &Driver, success: Option<Job>) -> Option<Commit> {
        let success_upload = state.stage_success(driver);
        let (owner, attempt, files, old) = (Some(driver.attempt()), driver.attempt(), 0, Some(0));
        let (old_success, restores) = (None, true);
        success.map(|job| Commit { owner, attempt, job, files, old_success, old, success_upload, restores })
    }

    /// The steps of the driver that owns the commit, or thinks so.
    fn commit_step(&self, state: &mut State, driver: &mut Driver) -> (At, Option<At>) {
        let Some(mut commit) = driver.commit.clone() else { unreachable!("{driver:?}") };
        let next = match driver.at {
            At::HeadReplaced if state.visible & REPLACED == 0 => At::Unclaim,
            At::HeadReplaced => At::ReadOldSuccess,
            At::ReadOldSuccess => {
                commit.old_success = state.success;
                if commit.old.is_none() { At::ListOld } else { At::PutList }
            }
            At::ListOld => set(&mut commit.old, Some(state.visible & !commit.files), At::PutList),
            DropSuccess => set(&mut state.success, None, Complete),
            DropOld => {
                let file = first(driver.todo);
                driver.todo &= !file;
                state.visible &= !file;
                if driver.todo != 0 { DropOld } else { self.old_dropped() }
            }
            PutSuccess => {
                let open = commit.success_upload.map_or(0, |id| 1 << id) & state.success_uploads;
                let next = if commit.restores { At::End } else { ListLeft };
                if open != 0 || self.is(Weakness::SuccessIsPut) {
                    state.success_uploads &= !open;
                    state.success = Some(commit.job);
                }
                if state.success.is_some() { next } else { At::StageSuccess }
            }
            ListLeft => {
                driver.todo = state.uploads & state.files(commit.job) & !commit.files;
                At::OwnsStill
            }
            At::RemoveLeft => {
                let file = first(driver.todo);
                (state.uploads, driver.todo) = (state.uploads & !file, driver.todo & !file);
                if driver.todo == 0 { At::End } else { At::RemoveLeft }
            }
            _ => return self.swap_owned(state, driver, commit),
        };
        driver.commit = Some(commit);
        (next, None)
    }

    /// The writes of the manifest by the driver that owns the commit in it.
    fn swap_owned(&self, state: &mut State, driver: &mut Driver, mut commit: Commit) -> (At, Option<At>) {
        let at = driver.at;
        let ends = |_: &mut Ledger| ();
        let (next, swapped) = match at {
            At::PutList | At::StageSuccess => {
                commit.success_upload = state.stage_success(driver);
                let next = if at == At::PutList { self.drops() } else { PutSuccess };
                (next, self.swap(state, driver, |ledger| ledger.commit = Some(commit.clone())))
            }
            StillOwns => {
                let next = if commit.old == Some(0) || commit.old.is_none() { self.old_dropped() } else { DropOld };
                (if self.is(Weakness::OldFilesFirst) { PutSuccess } else { next }, self.swap(state, driver, ends))
            }
            At::OwnsStill => {
                let next = if driver.todo == 0 { At::End } else { At::RemoveLeft };
                (next, self.swap(state, driver, ends))
            }
            At::Unclaim | At::Release => {
                driver.failed |= commit.attempt == driver.attempt() || driver.staged == 0 || at == At::Release;
                let released = Commit { owner: None, ..commit.clone() };
                let left = Some(released).filter(|_| at == At::Release);
                (At::SeeSuccess, self.swap(state, driver, |ledger| ledger.commit = left))
            }
            At::GiveUp => {
                driver.failed |= commit.attempt == driver.attempt() || driver.staged == 0;
                let restoring = self.restoring(state, driver, commit.old_success);
                let next = if restoring.is_some() { PutSuccess } else { At::SeeSuccess };
                if let Some(restoring) = &restoring {
                    commit = restoring.clone();
                }
                let change = |ledger: &mut Ledger| {
                    ledger.last = ledger.last.filter(|_| restoring.is_some());
                    ledger.commit = restoring;
                };
                (next, self.swap(state, driver, change))
            }
            At::End => {
                let change = |ledger: &mut Ledger| {
                    (ledger.commit, ledger.last) = (None, Some(commit.job));
                    if !commit.restores {
                        ledger.tries[commit.job as usize] = None;
                    }
                };
                let swapped = self.swap(state, driver, change);
                driver.done |= !commit.restores && commit.attempt == driver.attempt();
                // Nothing deletes what was restored.
                (if commit.restores { driver.after() } else { At::SeeSuccess }, swapped)
            }
            at => unreachable!("{at:?}"),
        };
        driver.commit = Some(commit);
        if !swapped {
            driver.failed = true;
        }
        (if swapped { next } else { At::SeeSuccess }, Some(At::SeeSuccess))
    }

    /// After an upload was completed or not.
    pub fn completed(&self, driver: &Driver) -> At {
        let files = driver.commit.as_ref().map_or(0, |commit| commit.files);
        match driver.gone {
            _ if driver.todo | driver.missed != 0 => Complete,
            0 => StillOwns,
            gone if gone == files => At::GiveUp,
            _ => At::Release,
        }
    }

    fn drops(&self) -> At {
        match self.weakness {
            Some(Weakness::OldFilesFirst) => DropOld,
            Some(Weakness::OldSuccessStays) => Complete,
            _ => DropSuccess,
        }
    }

    fn old_dropped(&self) -> At {
        if self.is(Weakness::OldFilesFirst) { DropSuccess } else { PutSuccess }
    }
}

fn driver_job(attempt: u8, model: &Destination) -> usize {
    model.jobs[usize::from(attempt / TRIES)] as usize
}

fn aborted(driver: &Driver) -> At {
    if driver.failed { At::Failed } else { At::ReadOwnSuccess }
}

fn set<T>(place: &mut T, value: T, next: At) -> At {
    *place = value;
    next
}
