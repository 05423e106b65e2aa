//! When the bell rings: at each new alarm, and again and again until somebody has acknowledged the alarms or
//! silenced the bell.
//!
//! It knows of the alarms only what [`Alarms`](super::Alarms) says of them after each look. So it does not
//! matter who has acknowledged them, or where.

use core::time::Duration;

use super::Ring;
use crate::time::Mono;

/// How long it waits before it rings again.
pub const AGAIN: Duration = Duration::from_secs(10);

/// What the user wants to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BellMode {
    /// Nothing.
    Off,
    /// Each new alarm, once.
    Once,
    /// Each new alarm, and again until it is acknowledged or silenced.
    Repeat,
}

/// The bell of one screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bell {
    mode: BellMode,
    /// When it rings again, if it does.
    next: Option<Mono>,
}

impl Bell {
    /// Nothing has rung yet.
    #[must_use]
    pub const fn new(mode: BellMode) -> Self {
        Self { mode, next: None }
    }

    /// What it was started with.
    #[must_use]
    pub const fn mode(&self) -> BellMode {
        self.mode
    }

    /// Takes in whether there is a new alarm that rings, and whether any alarm is not acknowledged. Gives
    /// whether to ring now.
    ///
    /// An alarm that does not ring when it is raised does not begin to later: the bell repeats what has rung.
    pub fn look(&mut self, now: Mono, new: Option<Ring>, any_open: bool) -> Option<Ring> {
        if !any_open {
            self.next = None;
        }
        let is_due = self.next.is_some_and(|next| now >= next);
        if self.mode == BellMode::Off || (new.is_none() && !is_due) {
            return None;
        }
        // From now on, not from the moment at which it was due: a machine that slept rings once, not for each
        // time that it has missed.
        self.next = (self.mode == BellMode::Repeat && any_open).then(|| now.after(AGAIN));
        Some(Ring::Once)
    }

    /// Rings no more until the next new alarm. Gives whether it would have.
    pub fn silence(&mut self) -> bool {
        self.next.take().is_some()
    }

    /// Rings for a test: also where it has been silenced, and without a change of what comes next.
    #[must_use]
    pub fn test(&self) -> Option<Ring> {
        (self.mode != BellMode::Off).then_some(Ring::Once)
    }

    /// When to look again: there is no such moment while nothing is to ring.
    #[must_use]
    pub const fn deadline(&self) -> Option<Mono> {
        self.next
    }
}
