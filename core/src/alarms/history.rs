//! A sensor's last changes, as steps of a line.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::sensor::State;
use crate::time::Wall;

/// How many changes are kept: each takes a column at least.
const KEPT: usize = 64;

/// From how many seconds on a state that has ended takes one more column: with it, a glance tells a flicker
/// from a day.
const LONGER: [u64; 5] = [10, 60, 600, 3_600, 86_400];

/// The states of a sensor, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    steps: VecDeque<(Option<State>, Wall)>,
}

impl History {
    /// Notes the state of this moment, with the time of its change. Nothing happens where it is the same.
    pub(super) fn note(&mut self, state: Option<State>, since: Wall, now: Wall) {
        if self.steps.back().is_some_and(|(last, _)| *last == state) {
            return;
        }
        if self.steps.len() == KEPT {
            self.steps.pop_front();
        }
        // The owner's clock may be years off. It is asked only for what was before this program.
        let since = if self.steps.iter().all(|(state, _)| state.is_none()) {
            since
        } else {
            now
        };
        self.steps.push_back((state, since));
    }

    /// The last `width` columns of the line, the present state last: a column for each state that has been,
    /// and up to five more the longer it lasted. The present state has one: nothing is drawn again while
    /// nothing changes.
    #[must_use]
    pub fn line(&self, width: usize) -> Vec<Option<State>> {
        let mut line: VecDeque<Option<State>> = VecDeque::new();
        let mut until = None;
        for (state, since) in self.steps.iter().rev() {
            let columns = until.map_or(1, |until| columns(*since, until));
            for _ in 0..columns.min(width.saturating_sub(line.len())) {
                line.push_front(*state);
            }
            until = Some(*since);
        }
        // What was before the first word about a sensor is no state.
        while line.front() == Some(&None) {
            line.pop_front();
        }
        line.into()
    }
}

fn columns(since: Wall, until: Wall) -> usize {
    let seconds = u64::try_from(until.0.saturating_sub(since.0)).unwrap_or(0);
    1 + LONGER.iter().filter(|longer| seconds >= **longer).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn history(steps: &[(State, i64)]) -> History {
        let mut history = History::default();
        for (state, at) in steps {
            history.note(Some(*state), Wall(*at), Wall(*at));
        }
        history
    }

    fn line(history: &History, width: usize) -> String {
        let letter =
            |state: Option<State>| state.map_or('?', |state| if state == State::Ok { 'o' } else { 'k' });
        history.line(width).into_iter().map(letter).collect()
    }

    #[test]
    fn the_longer_a_state_lasted_the_longer_its_step() {
        let steps = [
            (State::Ok, 0),
            (State::Ko, 100_000),
            (State::Ok, 100_005),
            (State::Ko, 100_025),
        ];
        assert_eq!(line(&history(&steps), 40), "ooooookook");
    }

    #[test]
    fn what_does_not_fit_is_the_oldest() {
        let steps = [(State::Ok, 0), (State::Ko, 100_000), (State::Ok, 100_005)];
        assert_eq!(line(&history(&steps), 4), "ooko");
        assert_eq!(line(&history(&steps), 0), "");
    }

    #[test]
    fn the_same_state_again_is_no_step() {
        assert_eq!(line(&history(&[(State::Ok, 0), (State::Ok, 9_000)]), 9), "o");
    }

    #[test]
    fn a_clock_that_goes_back_makes_a_short_step() {
        assert_eq!(line(&history(&[(State::Ok, 5_000), (State::Ko, 100)]), 9), "ok");
    }

    #[test]
    fn what_nobody_knew_is_left_out_and_what_is_forgotten_is_not() {
        let mut history = History::default();
        history.note(None, Wall(0), Wall(0));
        assert_eq!(line(&history, 9), "");
        history.note(Some(State::Ok), Wall(7), Wall(90));
        assert_eq!(line(&history, 9), "o");
        history.note(None, Wall(91), Wall(91));
        assert_eq!(
            line(&history, 9),
            "ooo?",
            "the owner's word for the beginning counts"
        );
    }

    #[test]
    fn it_is_bounded() {
        let mut history = History::default();
        for at in 0..1_000 {
            history.note(Some(State::from(at % 2 == 0)), Wall(at), Wall(at));
        }
        assert_eq!(history.line(500).len(), KEPT);
    }
}
