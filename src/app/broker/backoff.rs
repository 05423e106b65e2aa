//! How long to wait before the next attempt.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const CAP: Duration = Duration::from_secs(2);

/// Grows from 0.2 s to 2 s, and draws each delay from the upper half of its step, so that the programs that
/// one broker lost together do not come back in step.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The delay before the next attempt. Slow at once where only a person can help.
    pub(super) fn next(&mut self, stubborn: bool) -> Duration {
        let step = if stubborn {
            CAP
        } else {
            CAP.min(FIRST * 2_u32.pow(self.failures.min(8)))
        };
        self.failures = self.failures.saturating_add(1);
        step / 2 + step / 2 * u32::from(random()) / u32::from(u16::MAX)
    }

    /// The connection has lasted: the next loss is a new story.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// The standard library seeds its hashers at random; that is random enough to fall out of step.
fn random() -> u16 {
    let [low, high, ..] = RandomState::new().build_hasher().finish().to_le_bytes();
    u16::from_le_bytes([low, high])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_fast_and_stays_under_its_cap() {
        let mut backoff = Backoff::default();
        assert!(backoff.next(false) <= FIRST);
        for _ in 0..100 {
            assert!(backoff.next(false) <= CAP);
        }
        assert!(backoff.next(false) >= CAP / 2);
        backoff.reset();
        assert!(backoff.next(false) <= FIRST);
    }

    #[test]
    fn it_is_slow_at_once_where_only_a_person_can_help() {
        assert!(Backoff::default().next(true) >= CAP / 2);
    }

    #[test]
    fn two_programs_fall_out_of_step() {
        let delays: Vec<_> = (0..8).map(|_| Backoff::default().next(true)).collect();
        assert!(delays.iter().any(|delay| *delay != delays[0]), "{delays:?}");
    }
}
