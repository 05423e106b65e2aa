//! A pulse, and what is concluded from it: up, down, or too early to say.

use serde::{Deserialize, Serialize};

use crate::pulse::Pulse;
use crate::time::{Mono, Now, Wall};

/// Whether something is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Status {
    /// Nothing has been heard of it yet, and it is too early to say that it is down.
    #[default]
    Waiting,
    /// Up since.
    Up(Wall),
    /// Down since, or out of sight since.
    Down(Wall),
}

/// A pulse, and what was concluded from it last.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watched {
    /// The evidence.
    pub pulse: Pulse,
    status: Status,
}

impl Watched {
    /// What was concluded last.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Draws the conclusion anew. `patience` is until when nothing heard is no news. Gives whether it went up
    /// or down.
    pub(super) fn conclude(&mut self, now: Now, reachable: bool, patience: Mono) -> Option<bool> {
        if !reachable {
            // Out of sight: nothing can be said of it.
            self.status = Status::Waiting;
            return None;
        }
        let live = self.pulse.is_live(now.mono);
        let status = match self.status {
            Status::Up(since) if live => Status::Up(since),
            _ if live => Status::Up(now.wall),
            Status::Down(since) => Status::Down(since),
            Status::Waiting if now.mono < patience => Status::Waiting,
            Status::Up(_) | Status::Waiting => Status::Down(self.pulse.lost_at().unwrap_or(now.wall)),
        };
        let changed = core::mem::discriminant(&status) != core::mem::discriminant(&self.status);
        self.status = status;
        changed.then_some(live)
    }
}
