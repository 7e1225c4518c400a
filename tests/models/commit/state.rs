//! The commit as a state machine: what is in the store, and what each driver knows.

use super::Bounds;

/// A set of files, a bit each; each try of a driver has names of its own.
pub type Files = u32;

/// Both partitions of the earlier job.
pub const OLD: Files = 0b11 << 30;
/// Of these, the one that is replaced where the others stay.
pub const REPLACED: Files = 1 << 30;
/// Attempts of tasks in a try: partition 0, partition 0 again, partition 1.
pub const ATTEMPTS: u32 = 3;
/// How often each driver is started.
pub const TRIES: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    A,
    B,
    Earlier,
}

/// What the driver does next; each is one operation on the store.
#[rustfmt::skip] // one a line would hide their order
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum At {
    Read, TakeOver, Register, ListOwn, SeeRegistered, AbortListed, ReadOwnSuccess, Stage(u32), ReadToClaim, Claim,
    HeadReplaced, Unclaim, ReadOldSuccess, ListOld, PutList, DropSuccess, Complete, GiveUp, Release, StillOwns, DropOld,
    PutSuccess, StageSuccess, ListLeft, OwnsStill, RemoveLeft, End, SeeSuccess, Restore, Crashed, Failed, Done,
}

impl At {
    /// Whether it is a write of the manifest.
    pub fn writes_manifest(self) -> bool {
        let first = [At::TakeOver, At::Register, At::Claim, At::Unclaim, At::PutList, At::GiveUp, At::Release];
        let last = [At::StillOwns, At::StageSuccess, At::OwnsStill, At::End, At::Restore];
        first.contains(&self) || last.contains(&self)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Commit {
    pub owner: Option<u8>,
    pub attempt: u8,
    pub job: Job,
    pub files: Files,
    pub old_success: Option<Job>,
    pub old: Option<Files>,
    /// The upload of the new `_SUCCESS`.
    pub success_upload: Option<u8>,
    /// Whether it only brings `_SUCCESS` back.
    pub restores: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ledger {
    /// The try of each job that may commit.
    pub tries: [Option<u8>; 2],
    pub commit: Option<Commit>,
    pub last: Option<Job>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Driver {
    pub number: u8,
    pub job: Job,
    pub tries: u8,
    pub at: At,
    /// What its tasks returned.
    pub staged: Files,
    /// The commit that it carries out, its own or one that it took over.
    pub commit: Option<Commit>,
    /// Whether the manifest is still as it saw it last, as its ETag tells.
    pub current: bool,
    /// Where it goes on, if a write whose answer was lost turns out not to be the last one.
    pub unsure: Option<At>,
    pub todo: Files,
    /// Files whose completion failed, to be looked for.
    pub missed: Files,
    pub gone: Files,
    pub failed: bool,
    /// Whether its own commit has ended.
    pub done: bool,
    /// Where a crash broke it off last.
    pub crashed: Option<At>,
}

impl Driver {
    pub fn new(number: u8, job: Job) -> Self {
        let (at, commit, crashed, unsure) = (At::Read, None, None, None);
        let [staged, todo, missed, gone] = [0; 4];
        let [current, failed, done] = [false; 3];
        Driver { number, job, tries: 1, at, staged, commit, current, unsure, todo, missed, gone, failed, done, crashed }
    }

    pub fn again(&self, at: At, tries: u8, crashed: Option<At>) -> Self {
        Driver { at, tries, crashed, ..Driver::new(self.number, self.job) }
    }

    /// The try that it carries out, among those of all drivers.
    pub fn attempt(&self) -> u8 {
        self.number * TRIES + self.tries - 1
    }

    pub fn file(&self, attempt: u32) -> Files {
        1 << (u32::from(self.attempt()) * ATTEMPTS + attempt)
    }

    pub fn all_files(&self) -> Files {
        ((1 << (u32::from(TRIES) * ATTEMPTS)) - 1) << (u32::from(self.number * TRIES) * ATTEMPTS)
    }

    pub fn runs(&self) -> bool {
        self.at < At::Crashed
    }

    /// Goes on behind a commit that has ended.
    pub fn after(&self) -> At {
        match (self.failed, self.done) {
            (true, _) => At::Failed,
            (false, true) => At::Done,
            (false, false) => self.to_read(),
        }
    }

    /// What the step that it goes to begins with.
    pub fn enter(&mut self) {
        match (self.at, &self.commit) {
            (At::Complete, Some(commit)) => (self.todo, self.missed, self.gone) = (commit.files, 0, 0),
            (At::DropOld, Some(commit)) => self.todo = commit.old.unwrap_or_default(),
            (At::Read | At::ReadToClaim, _) => self.commit = None,
            (At::Failed | At::Done, _) => *self = self.again(self.at, self.tries, self.crashed),
            _ => {}
        }
    }

    pub fn to_read(&self) -> At {
        if self.staged == 0 { At::Read } else { At::ReadToClaim }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub visible: Files,
    pub uploads: Files,
    pub success: Option<Job>,
    /// Uploads of a `_SUCCESS`, a bit each.
    pub success_uploads: u8,
    pub ledger: Ledger,
    pub drivers: Vec<Driver>,
    pub left: Bounds,
    /// Attempts whose task died.
    pub abandoned: Files,
    /// What was in a manifest once.
    pub claimed: Files,
}

impl State {
    /// All files of a job.
    pub fn files(&self, job: Job) -> Files {
        self.drivers.iter().filter(|driver| driver.job == job).fold(0, |files, driver| files | driver.all_files())
    }

    /// A new upload of a `_SUCCESS`. One that nobody knows of any more cannot be completed, so its number is as good as new.
    pub fn stage_success(&mut self, driver: &Driver) -> Option<u8> {
        let others = self.drivers.iter().filter(|other| other.number != driver.number).chain([driver]);
        let commits = others.map(|driver| &driver.commit).chain([&self.ledger.commit]);
        let ids = commits.flatten().filter_map(|commit| commit.success_upload);
        let known = ids.fold(0_u8, |known, id| known | 1 << id);
        let free = (!known).trailing_zeros();
        self.success_uploads = (self.success_uploads & known) | 1 << free;
        u8::try_from(free).ok()
    }
}

pub fn first(files: Files) -> Files {
    files & files.wrapping_neg()
}
