//! What raises an alarm, what rings, and how long it stays.

use dualboard_core::alarms::{Alarms, Observed, Ring, Subject};
use dualboard_core::sensor::{Card, SensorId, State};
use dualboard_core::time::Wall;

const OK: Option<State> = Some(State::Ok);
const KO: Option<State> = Some(State::Ko);

/// All is well.
const WELL: Observed = Observed {
    restored: true,
    states: [OK; 6],
    changed: [None; 6],
    live: [true; 2],
    held: [None; 2],
    noted: 7,
};

fn sensor(number: u8) -> SensorId {
    SensorId::new(number).expect("1 to 6")
}

/// What is seen with these sensors in this state.
fn with(seen: Observed, numbers: &[u8], state: Option<State>) -> Observed {
    let mut seen = seen;
    for number in numbers {
        seen.states[usize::from(*number) - 1] = state;
    }
    seen
}

fn started(seen: Observed) -> Alarms {
    let mut alarms = Alarms::default();
    assert_eq!(alarms.look(Wall(0), seen), None, "a start does not ring");
    alarms
}

fn subjects(alarms: &Alarms) -> Vec<Subject> {
    alarms.open().map(|alarm| alarm.subject).collect()
}

#[test]
fn a_sensor_that_goes_ko_raises_an_alarm_and_rings_once() {
    let mut alarms = started(WELL);
    let ko = with(WELL, &[2], KO);
    assert_eq!(alarms.look(Wall(5), ko), Some(Ring::Once));
    assert_eq!(alarms.look(Wall(6), ko), None, "it is KO still");
    assert_eq!(subjects(&alarms), [Subject::Ko(sensor(2))]);
    assert_eq!(alarms.open().next().map(|alarm| alarm.raised), Some(Wall(5)));
}

#[test]
fn an_alarm_has_the_time_of_what_it_tells_of() {
    let mut alarms = started(WELL);
    let mut bad = Observed {
        live: [true, false],
        held: [None, Some(Wall(90))],
        ..with(WELL, &[2], KO)
    };
    bad.changed[1] = Some(Wall(80));
    alarms.look(Wall(100), bad);
    let times: Vec<_> = alarms.open().map(|alarm| (alarm.raised, alarm.since)).collect();
    assert_eq!(times, [(Wall(100), Wall(90)), (Wall(100), Wall(80))]);
}

#[test]
fn the_alarm_outlasts_its_cause_until_it_is_acknowledged() {
    let mut alarms = started(WELL);
    alarms.look(Wall(1), with(WELL, &[2], KO));
    assert_eq!(alarms.look(Wall(2), WELL), None, "good news do not ring");
    assert_eq!(subjects(&alarms), [Subject::Ko(sensor(2))]);
    alarms.acknowledge();
    assert_eq!(subjects(&alarms), []);
    assert!(!alarms.has_news());
}

#[test]
fn what_is_acknowledged_rings_again_when_it_happens_again() {
    let mut alarms = started(WELL);
    alarms.look(Wall(1), with(WELL, &[2], KO));
    alarms.acknowledge();
    assert_eq!(alarms.look(Wall(2), with(WELL, &[2], KO)), None);
    alarms.look(Wall(3), WELL);
    assert_eq!(alarms.look(Wall(4), with(WELL, &[2], KO)), Some(Ring::Once));
}

#[test]
fn a_source_that_is_lost_raises_an_alarm_and_one_that_comes_back_does_not() {
    let mut alarms = started(WELL);
    let lost = Observed {
        live: [false, true],
        ..WELL
    };
    assert_eq!(alarms.look(Wall(1), lost), Some(Ring::Once));
    assert_eq!(alarms.look(Wall(2), WELL), None);
    assert_eq!(subjects(&alarms), [Subject::Lost(Card::One)]);
}

#[test]
fn several_at_once_ring_once() {
    let mut alarms = started(WELL);
    let bad = Observed {
        live: [false; 2],
        ..with(WELL, &[1, 6], KO)
    };
    assert_eq!(alarms.look(Wall(1), bad), Some(Ring::Once));
    assert_eq!((alarms.raised(), subjects(&alarms).len()), (4, 4));
}

#[test]
fn what_was_so_at_the_start_is_told_and_does_not_ring() {
    let nothing = Observed {
        restored: false,
        states: [None; 6],
        live: [false; 2],
        ..WELL
    };
    let mut alarms = Alarms::default();
    assert_eq!(alarms.look(Wall(0), nothing), None);
    let found = Observed {
        live: [false; 2],
        ..with(WELL, &[3, 4], KO)
    };
    assert_eq!(alarms.look(Wall(1), found), None);
    assert_eq!(
        subjects(&alarms),
        [Subject::KoAtStart([sensor(3), sensor(4)].into_iter().collect())],
        "a source that was never live is not lost"
    );
    assert_eq!(
        alarms.look(Wall(2), with(WELL, &[3, 4], KO)),
        None,
        "the sources come"
    );
    assert!(!alarms.is_new(sensor(3)));
}

#[test]
fn a_sensor_that_was_unknown_and_is_ko_rings() {
    let mut alarms = started(with(WELL, &[5], None));
    assert_eq!(alarms.look(Wall(1), with(WELL, &[5], KO)), Some(Ring::Once));
}

#[test]
fn every_change_is_new_until_it_is_acknowledged() {
    let mut alarms = started(with(WELL, &[2], KO));
    alarms.acknowledge();
    alarms.look(Wall(1), WELL);
    assert!(alarms.is_new(sensor(2)) && !alarms.is_new(sensor(1)) && alarms.has_news());
    assert_eq!(subjects(&alarms), [], "to be OK is no alarm");
    let later = Observed { noted: 9, ..WELL };
    alarms.look(Wall(2), later);
    assert_eq!(alarms.acknowledged(), 7, "the events since then are new");
    alarms.acknowledge();
    assert_eq!(alarms.acknowledged(), 9);
    assert!(!alarms.is_new(sensor(2)));
}

#[test]
fn what_is_heard_of_for_the_first_time_is_not_new_nor_are_events_before_the_first_news() {
    let mut alarms = started(with(WELL, &[5], None));
    assert_eq!(alarms.look(Wall(1), Observed { noted: 8, ..WELL }), None);
    assert!(!alarms.has_news() && alarms.acknowledged() == 8);
    alarms.look(
        Wall(2),
        Observed {
            noted: 9,
            ..with(WELL, &[5], KO)
        },
    );
    assert_eq!(alarms.acknowledged(), 8, "the event of the change is new");
}

#[test]
fn a_storm_is_counted_and_not_kept() {
    let mut alarms = started(WELL);
    for at in 0..10_000 {
        alarms.look(Wall(at), with(WELL, &[1, 2], if at % 2 == 0 { KO } else { OK }));
    }
    assert_eq!((alarms.raised(), subjects(&alarms).len()), (10_000, 2));
    assert_eq!(subjects(&alarms)[0], Subject::Ko(sensor(2)), "the newest first");
}
