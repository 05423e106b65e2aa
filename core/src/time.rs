//! Two kinds of time, which must not be mixed up: one to measure with, one for people to read.

use core::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment on this machine's monotonic clock: what time-outs are measured with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mono(Duration);

impl Mono {
    /// The clock's own beginning.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// The moment this long after the clock's own beginning.
    #[must_use]
    pub const fn from_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// The time since the clock's own beginning.
    #[must_use]
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// The time since an earlier moment; zero if that lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment a while later.
    #[must_use]
    pub const fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

/// A moment by some machine's wall clock, in seconds since 1970. It may be wrong by decades, and may go
/// backwards: it is shown to people and orders nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Wall(pub i64);

/// This moment, by both clocks. The shell reads them; the core is given them with each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// To measure with.
    pub mono: Mono,
    /// For people.
    pub wall: Wall,
}
