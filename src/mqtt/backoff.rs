//! How long to wait before the next attempt.

use std::time::Duration;

use super::problem::Pace;
use crate::system::random;

const FIRST: Duration = Duration::from_millis(200);
const CAP: Duration = Duration::from_secs(2);
/// Where only a person can help.
const SLOWEST: Duration = Duration::from_secs(30);

/// Grows from 0.2 s to 2 s; where only a person can help, from 2 s to 30 s. Each delay is drawn from the
/// upper half of its step, so that the programs that one broker lost together do not come back in step.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    /// To what the failures are due.
    pace: Option<Pace>,
}

impl Backoff {
    /// The delay before the next attempt.
    pub(super) fn next(&mut self, pace: Pace) -> Duration {
        if self.pace.replace(pace) != Some(pace) {
            self.failures = 0;
        }
        let growing = |from: Duration| from * 2_u32.pow(self.failures.min(8));
        let step = match pace {
            Pace::Quick => CAP.min(growing(FIRST)),
            Pace::Steady => CAP,
            Pace::Slower => SLOWEST.min(growing(CAP)),
        };
        self.failures = self.failures.saturating_add(1);
        // The whole step, where there is no random number.
        step / 2 + step / 2 * random::u32().unwrap_or(u32::MAX) / u32::MAX
    }

    /// The connection has lasted: the next loss is a new story.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_fast_and_stays_under_its_cap() {
        let mut backoff = Backoff::default();
        assert!(backoff.next(Pace::Quick) <= FIRST);
        for _ in 0..100 {
            assert!(backoff.next(Pace::Quick) <= CAP);
        }
        assert!(backoff.next(Pace::Quick) >= CAP / 2);
        backoff.reset();
        assert!(backoff.next(Pace::Quick) <= FIRST);
    }

    #[test]
    fn where_only_a_person_can_help_it_is_slow_at_once_and_slower_every_time() {
        assert!(Backoff::default().next(Pace::Steady) >= CAP / 2);
        let mut backoff = Backoff::default();
        assert!(backoff.next(Pace::Slower) >= CAP / 2);
        for _ in 0..100 {
            assert!(backoff.next(Pace::Slower) <= SLOWEST);
        }
        assert!(backoff.next(Pace::Slower) >= SLOWEST / 2);
    }

    #[test]
    fn what_has_another_cause_begins_anew() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            backoff.next(Pace::Quick);
        }
        assert!(backoff.next(Pace::Slower) <= CAP);
        assert!(backoff.next(Pace::Quick) <= FIRST);
    }

    #[test]
    fn two_programs_fall_out_of_step() {
        let delays: Vec<_> = (0..8).map(|_| Backoff::default().next(Pace::Steady)).collect();
        assert!(delays.iter().any(|delay| *delay != delays[0]), "{delays:?}");
    }
}
