//! What the state file is known to hold, and what is being written to it.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use super::Machine;
use crate::chronicle::Fact;
use crate::command::Done;
use crate::owner::Memory;
use crate::reading::Versions;
use crate::time::{Mono, Now};

/// How long to wait before the state file is tried again after a failure, if nothing changes before.
const DISK_RETRY: Duration = Duration::from_secs(5);

/// How long a write may take before it is told: a card that is dying may not answer an fsync for minutes.
const DISK_PATIENCE: Duration = Duration::from_secs(5);

/// The way to the state file: one write at a time, of the latest memory.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    holds: Option<Memory>,
    writing: Option<Writing>,
    failure: Option<String>,
    retry_at: Option<Mono>,
}

#[derive(Debug, Clone, Copy)]
struct Writing {
    memory: Memory,
    overdue_at: Mono,
}

impl Disk {
    pub(super) fn holding(memory: Option<&Memory>) -> Self {
        Self {
            holds: memory.copied(),
            writing: None,
            failure: None,
            retry_at: None,
        }
    }

    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Whether the state file holds anything.
    pub(super) const fn holds_something(&self) -> bool {
        self.holds.is_some()
    }

    /// The commands that a later life will know to be done.
    pub(super) fn done(&self) -> Done {
        self.holds.map(|memory| memory.done).unwrap_or_default()
    }

    /// When it is to be looked at again, if nothing happens before.
    pub(super) fn deadline(&self) -> Option<Mono> {
        let overdue_at = self
            .writing
            .filter(|_| self.failure.is_none())
            .map(|writing| writing.overdue_at);
        self.retry_at.into_iter().chain(overdue_at).min()
    }

    /// Whether a write has taken so long that it counts as failed until it is answered.
    fn is_overdue(&self, now: Mono) -> bool {
        self.failure.is_none() && self.writing.is_some_and(|writing| writing.overdue_at <= now)
    }

    pub(super) const fn is_settled(&self) -> bool {
        self.writing.is_none()
    }

    /// A pause that is over is no deadline any more, also where nothing is left to write: the shell would
    /// call without end.
    pub(super) fn end_pause(&mut self, now: Mono) {
        self.retry_at = self.retry_at.filter(|at| now < *at);
    }

    pub(super) fn offer(&mut self, now: Mono, memory: &Memory) -> bool {
        if self.writing.is_some() || self.holds.as_ref() == Some(memory) || self.retry_at.is_some() {
            return false;
        }
        self.writing = Some(Writing {
            memory: *memory,
            overdue_at: now.after(DISK_PATIENCE),
        });
        true
    }
}

impl Machine {
    pub(super) fn saved(&mut self, now: Now) {
        if let Some(Writing { memory, .. }) = self.disk.writing.take() {
            self.disk.holds = Some(memory);
            self.progress.durable = memory.readings.versions();
            if let Some(owner) = &mut self.owner {
                owner.reserved(&memory);
            }
        }
        if self.disk.failure.take().is_some() {
            self.chronicle.note(now.wall, Fact::SavedAgain);
        }
    }

    pub(super) fn not_saved(&mut self, now: Now, why: String) {
        self.disk.writing = None;
        self.disk.retry_at = Some(now.mono.after(DISK_RETRY));
        self.disk_failed(now, why);
    }

    /// Somebody has taken the file away: nothing is on disk, and it is written again at once.
    pub(super) fn file_gone(&mut self, now: Now, why: String) {
        self.disk.holds = None;
        self.disk.retry_at = None;
        self.progress.durable = Versions::default();
        self.disk_failed(now, why);
    }

    /// Whether everything is on disk that should be.
    #[must_use]
    pub fn is_on_disk(&self) -> bool {
        self.disk.failure.is_none() && self.disk.is_settled()
    }

    /// Tells of a write that is not answered. Whatever waited for it goes on without it.
    pub(super) fn mind_the_disk(&mut self, now: Now) {
        if self.disk.is_overdue(now.mono) {
            let seconds = DISK_PATIENCE.as_secs();
            self.disk_failed(
                now,
                format!("the state file's disk has not answered for {seconds} s"),
            );
        }
    }

    fn disk_failed(&mut self, now: Now, why: String) {
        if self.disk.failure.as_ref() != Some(&why) {
            self.chronicle.note(now.wall, Fact::NotSaved(why.clone()));
        }
        self.disk.failure = Some(why);
    }
}
