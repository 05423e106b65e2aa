//! The word of a program without versions: believed while it is live and nobody with versions speaks, and
//! never above what is known.

use dualboard_core::global::{Global, Shown};
use dualboard_core::reading::Reading;
use dualboard_core::sensor::{SensorId, State};
use dualboard_core::time::Wall;

const SENSOR: SensorId = SensorId::ALL[0];

fn reading(state: State, n: u64) -> Reading {
    crate::solo::reading(state, crate::solo::version(n + 1, 9, &[]))
}

fn state(global: &Global) -> Option<State> {
    global.shown(SENSOR).map(|shown| shown.state())
}

#[test]
fn a_live_word_lies_over_the_best_version_and_goes_when_a_higher_one_comes() {
    let mut global = Global::default();
    global.merge(SENSOR, reading(State::Ok, 1), false);
    assert!(global.believe(SENSOR, State::Ko, Wall(0)));
    assert_eq!(state(&global), Some(State::Ko));
    assert_eq!(
        global.best().get(SENSOR),
        Some(reading(State::Ok, 1)),
        "the version is kept beneath"
    );
    global.merge(SENSOR, reading(State::Ok, 2), false);
    assert_eq!(global.shown(SENSOR), Some(Shown::Reading(reading(State::Ok, 2))));
}

#[test]
fn the_known_version_ends_a_word_only_from_an_owner_that_speaks() {
    let mut global = Global::default();
    global.merge(SENSOR, reading(State::Ok, 1), false);
    global.believe(SENSOR, State::Ko, Wall(0));
    global.merge(SENSOR, reading(State::Ok, 1), false);
    assert_eq!(state(&global), Some(State::Ko));
    global.merge(SENSOR, reading(State::Ok, 1), true);
    assert_eq!(state(&global), Some(State::Ok));
}

#[test]
fn a_retained_word_is_used_only_where_nothing_with_a_version_is_known() {
    let mut global = Global::default();
    global.recall(SENSOR, State::Ko);
    assert_eq!(state(&global), Some(State::Ko));
    let mut knowing = Global::default();
    knowing.merge(SENSOR, reading(State::Ok, 1), false);
    knowing.recall(SENSOR, State::Ko);
    assert_eq!(state(&knowing), Some(State::Ok));
}
