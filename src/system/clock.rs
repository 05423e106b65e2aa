//! The only reader of clocks.

use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};

use crate::time::{Mono, Now, Wall};

/// Counts while the machine sleeps, too, where there is such a clock.
#[cfg(target_os = "linux")]
const MEASURING: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const MEASURING: ClockId = ClockId::Monotonic;

/// This machine's clocks.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Duration,
}

impl Clock {
    /// Starts with the program.
    #[must_use]
    pub fn start() -> Self {
        Self { origin: measured() }
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
            mono: Mono::from_start(measured().saturating_sub(self.origin)),
            wall: Wall(wall),
        }
    }

    /// The time since the machine's start, which is the same for all its processes.
    #[must_use]
    pub fn since_boot(&self) -> Duration {
        measured()
    }

    /// How long until a moment; zero if it has passed.
    #[must_use]
    pub fn until(&self, moment: Mono) -> Duration {
        moment.since(self.now().mono)
    }
}

/// The time since the machine's start.
fn measured() -> Duration {
    clock_gettime(MEASURING).try_into().unwrap_or_default()
}
