//! When the bell rings, without a clock.

use core::time::Duration;

use dualboard_core::alarms::{AGAIN, Alarms, Bell, BellMode, Observed, Ring};
use dualboard_core::sensor::{PerCard, PerSensor};
use dualboard_core::time::{Mono, Wall};

use crate::solo::{KO, OK};

const NEW: Option<Ring> = Some(Ring::Once);

/// This many seconds after the start.
fn at(seconds: u64) -> Mono {
    Mono::from_start(Duration::from_secs(seconds))
}

/// The moments, of each second of these, at which a bell rings while alarms are open.
fn rings(bell: &mut Bell, seconds: std::ops::Range<u64>) -> Vec<u64> {
    seconds
        .filter(|second| bell.look(at(*second), None, true).is_some())
        .collect()
}

#[test]
fn a_new_alarm_rings_and_rings_again_every_ten_seconds() {
    let mut bell = Bell::new(BellMode::Repeat);
    assert_eq!(bell.deadline(), None, "at rest nothing is waited for");
    assert_eq!(bell.look(at(5), NEW, true), NEW);
    assert_eq!(bell.deadline(), Some(at(5).after(AGAIN)));
    assert_eq!(rings(&mut bell, 6..40), [15, 25, 35]);
}

#[test]
fn it_ends_when_nothing_is_open_any_more_whoever_has_acknowledged_it() {
    let mut bell = Bell::new(BellMode::Repeat);
    bell.look(at(0), NEW, true);
    assert_eq!(bell.look(at(3), None, false), None);
    assert_eq!(bell.deadline(), None);
    assert_eq!(rings(&mut bell, 4..60), [0_u64; 0], "what rang is acknowledged");
}

#[test]
fn silenced_it_waits_for_the_next_alarm() {
    let mut bell = Bell::new(BellMode::Repeat);
    assert!(!bell.silence(), "there is nothing to silence");
    bell.look(at(0), NEW, true);
    assert!(bell.silence() && !bell.silence());
    assert_eq!((bell.deadline(), rings(&mut bell, 1..60)), (None, Vec::new()));
    assert_eq!(bell.look(at(60), NEW, true), NEW);
    assert_eq!(rings(&mut bell, 61..85), [70, 80]);
}

#[test]
fn each_new_alarm_rings_at_once_and_the_rest_follows_the_last() {
    let mut bell = Bell::new(BellMode::Repeat);
    bell.look(at(0), NEW, true);
    assert_eq!(bell.look(at(9), NEW, true), NEW);
    assert_eq!(rings(&mut bell, 10..31), [19, 29]);
}

#[test]
fn after_a_long_sleep_it_rings_once_and_not_for_each_time_that_was_missed() {
    let mut bell = Bell::new(BellMode::Repeat);
    bell.look(at(0), NEW, true);
    assert_eq!(rings(&mut bell, 3600..3615), [3600, 3610]);
}

#[test]
fn once_is_once_and_off_is_never() {
    for (mode, expected) in [(BellMode::Once, NEW), (BellMode::Off, None)] {
        let mut bell = Bell::new(mode);
        assert_eq!(bell.look(at(0), NEW, true), expected);
        assert_eq!((bell.deadline(), rings(&mut bell, 1..60)), (None, Vec::new()));
        assert_eq!((bell.test(), bell.silence()), (expected, false));
    }
}

#[test]
fn a_test_rings_where_it_is_silenced_and_changes_nothing() {
    let mut bell = Bell::new(BellMode::Repeat);
    bell.look(at(0), NEW, true);
    let before = bell;
    assert_eq!((bell.test(), bell), (NEW, before));
    bell.silence();
    assert_eq!((bell.test(), bell.deadline()), (NEW, None));
}

#[test]
fn what_was_ko_at_the_start_never_begins_to_ring_and_keeps_nothing_ringing_that_is_acknowledged() {
    let seen = |ko: &[u8]| Observed {
        restored: true,
        states: PerSensor::from_fn(|one| if ko.contains(&one.number()) { KO } else { OK }),
        changed: PerSensor::default(),
        alarms: PerSensor::default(),
        held: PerCard::default(),
        noted: 0,
    };
    let (mut alarms, mut bell) = (Alarms::default(), Bell::new(BellMode::Repeat));
    let mut look = |alarms: &mut Alarms, second, ko: &[u8]| {
        let before = alarms.seen();
        let new = alarms.look(Wall(0), seen(ko));
        let raised = alarms.raised_after(before).count();
        (raised, bell.look(at(second), new, alarms.raised() > 0).is_some())
    };
    assert_eq!(look(&mut alarms, 0, &[2, 3]), (1, false), "raised, and not heard");
    assert_eq!(look(&mut alarms, 60, &[2, 3]), (0, false));
    assert_eq!(look(&mut alarms, 61, &[1, 2, 3]), (1, true));
    assert_eq!(look(&mut alarms, 71, &[1, 2, 3]), (0, true));
    alarms.acknowledge(alarms.seen());
    assert_eq!(look(&mut alarms, 81, &[1, 2, 3]), (0, false));
}
