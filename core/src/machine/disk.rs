//! What the state file is known to hold, and what is being written to it.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use crate::command::Done;
use crate::event_log::Fact;
use crate::owner::Memory;
use crate::time::Mono;

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

    /// What the state file is known to hold.
    pub(super) const fn holds(&self) -> Option<&Memory> {
        self.holds.as_ref()
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

    /// Clears a retry whose time has come, also where nothing is left to write: otherwise the deadline stays
    /// in the past and the shell's loop spins.
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

    /// The write has ended well; gives what is on disk now.
    pub(super) fn saved(&mut self) -> Option<Memory> {
        let Writing { memory, .. } = self.writing.take()?;
        self.holds = Some(memory);
        Some(memory)
    }

    /// Gives whether it failed before, and does no more.
    pub(super) fn works_again(&mut self) -> bool {
        self.failure.take().is_some()
    }

    /// The write has failed; gives what is new about that.
    pub(super) fn not_saved(&mut self, now: Mono, why: String) -> Option<Fact> {
        self.writing = None;
        self.retry_at = Some(now.after(DISK_RETRY));
        self.fail(why)
    }

    /// Somebody has taken the file away: nothing is on disk, and it is written again at once.
    pub(super) fn file_gone(&mut self, why: String) -> Option<Fact> {
        self.holds = None;
        self.retry_at = None;
        self.fail(why)
    }

    /// Tells of a write that is not answered. Whatever waited for it goes on without it.
    pub(super) fn overdue(&mut self, now: Mono) -> Option<Fact> {
        let seconds = DISK_PATIENCE.as_secs();
        let why = || format!("the state file's disk has not answered for {seconds} s");
        self.is_overdue(now).then(why).and_then(|why| self.fail(why))
    }

    fn fail(&mut self, why: String) -> Option<Fact> {
        let news = self.failure.as_ref() != Some(&why);
        self.failure = Some(why.clone());
        news.then_some(Fact::NotSaved(why))
    }
}
