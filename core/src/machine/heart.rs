//! When a heartbeat is due, and when something may be said again.

use core::time::Duration;

use crate::pulse::INTERVAL;
use crate::time::Mono;

/// An owner's heart.
#[derive(Debug, Clone, Default)]
pub(super) struct Heart {
    /// When the next heartbeat is due; `None` while none may be sent.
    due: Option<Mono>,
    last: Option<Mono>,
}

impl Heart {
    /// Heartbeats may be sent; one is due now.
    pub(super) const fn start(&mut self, now: Mono) {
        self.due = Some(now);
    }

    /// No more heartbeats.
    pub(super) const fn stop(&mut self) {
        self.due = None;
    }

    /// The next one is due at this moment at the latest.
    pub(super) fn by(&mut self, at: Mono) {
        self.due = self.due.map(|due| due.min(at));
    }

    /// The next one is due now, but not before so long after the last one.
    pub(super) fn soon(&mut self, now: Mono, pause: Duration) {
        let earliest = self.last.map_or(now, |last| last.after(pause));
        self.by(earliest.max(now));
    }

    /// The next one is due now, and says all that a regular one says.
    pub(super) fn regular_now(&mut self, now: Mono) {
        self.last = None;
        self.by(now);
    }

    pub(super) const fn deadline(&self) -> Option<Mono> {
        self.due
    }

    /// One is sent, if it is due. Gives whether it is a regular one: the last was an interval ago.
    pub(super) fn beat(&mut self, now: Mono) -> Option<bool> {
        self.due.filter(|due| *due <= now)?;
        self.due = Some(now.after(INTERVAL));
        let last = self.last.replace(now);
        Some(last.is_none_or(|last| last.after(INTERVAL) <= now))
    }
}

/// What was said just now is not said again before the answer has had time to come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pause(Option<Mono>);

impl Pause {
    pub(super) fn is_over(self, now: Mono) -> bool {
        self.0.is_none_or(|until| until <= now)
    }

    pub(super) const fn begin(&mut self, now: Mono, length: Duration) {
        self.0 = Some(now.after(length));
    }
}
