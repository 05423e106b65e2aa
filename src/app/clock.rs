//! The only reader of clocks.

use std::time::{Duration, Instant, SystemTime};

use crate::time::{Mono, Now, Wall};

/// This machine's clocks.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// Starts with the program.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the reader")]
    pub fn start() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    /// This moment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the reader")]
    pub fn now(&self) -> Now {
        let wall = match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
        };
        Now {
            mono: Mono::from_start(self.origin.elapsed()),
            wall: Wall(wall),
        }
    }

    /// How long until a moment; zero if it has passed.
    #[must_use]
    pub fn until(&self, moment: Mono) -> Duration {
        moment.since(self.now().mono)
    }
}
