//! What raises an alarm, what rings, and how long it stays.
#![expect(
    clippy::large_types_passed_by_value,
    reason = "a test says what is seen as one value"
)]

use crate::solo::{KO, OK, sensor};
use dualboard_core::alarms::{Alarms, Observed, Ring, Subject};
use dualboard_core::sensor::{Card, PerCard, PerSensor, State};
use dualboard_core::time::Wall;

/// All is well.
fn well() -> Observed {
    Observed {
        restored: true,
        states: PerSensor::from_fn(|_| OK),
        changed: PerSensor::default(),
        alarms: PerSensor::default(),
        held: PerCard::default(),
        noted: 7,
    }
}

/// Cards that are held since this moment.
fn held(cards: &[Card]) -> PerCard<Option<Wall>> {
    PerCard::from_fn(|card| cards.contains(&card).then_some(Wall(90)))
}

/// What is seen with these sensors in this state.
fn with(seen: Observed, numbers: &[u8], state: Option<State>) -> Observed {
    let mut seen = seen;
    for number in numbers {
        seen.states[sensor(*number)] = state;
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
    let mut alarms = started(well());
    let ko = with(well(), &[2], KO);
    assert_eq!(alarms.look(Wall(5), ko), Some(Ring::Once));
    assert_eq!(alarms.look(Wall(6), ko), None, "it is KO still");
    assert_eq!(subjects(&alarms), [Subject::Ko(sensor(2))]);
    assert_eq!(alarms.open().next().map(|alarm| alarm.raised), Some(Wall(5)));
}

#[test]
fn an_alarm_has_the_time_of_what_it_tells_of() {
    let mut alarms = started(well());
    let mut bad = Observed {
        held: held(&[Card::Two]),
        ..with(well(), &[2], KO)
    };
    bad.changed[sensor(2)] = Some(Wall(80));
    alarms.look(Wall(100), bad);
    let times: Vec<_> = alarms.open().map(|alarm| (alarm.raised, alarm.since)).collect();
    assert_eq!(times, [(Wall(100), Wall(90)), (Wall(100), Wall(80))]);
}

#[test]
fn the_alarm_outlasts_its_cause_until_it_is_acknowledged() {
    let mut alarms = started(well());
    alarms.look(Wall(1), with(well(), &[2], KO));
    assert_eq!(alarms.look(Wall(2), well()), None, "good news do not ring");
    assert_eq!(subjects(&alarms), [Subject::Ko(sensor(2))]);
    alarms.acknowledge(alarms.seen());
    assert_eq!(subjects(&alarms), []);
    assert!(!alarms.has_news());
}

#[test]
fn what_came_after_the_last_frame_is_not_acknowledged() {
    let mut alarms = started(well());
    alarms.look(Wall(1), with(well(), &[2], KO));
    let frame = alarms.seen();
    let later = Observed {
        noted: 8,
        ..with(well(), &[2, 3], KO)
    };
    alarms.look(Wall(2), later);
    alarms.acknowledge(frame);
    assert_eq!(subjects(&alarms), [Subject::Ko(sensor(3))]);
    assert_eq!((alarms.raised(), alarms.acknowledged()), (1, 7));
    assert!(!alarms.is_new(sensor(2)) && alarms.is_new(sensor(3)));
    alarms.acknowledge(alarms.seen());
    alarms.acknowledge(frame);
    assert!(!alarms.has_news(), "an older frame takes nothing back");
}

#[test]
fn what_is_acknowledged_rings_again_when_it_happens_again() {
    let mut alarms = started(well());
    alarms.look(Wall(1), with(well(), &[2], KO));
    alarms.acknowledge(alarms.seen());
    assert_eq!(alarms.look(Wall(2), with(well(), &[2], KO)), None);
    alarms.look(Wall(3), well());
    assert_eq!(alarms.look(Wall(4), with(well(), &[2], KO)), Some(Ring::Once));
}

#[test]
fn a_source_that_is_lost_raises_an_alarm_and_one_that_comes_back_does_not() {
    let mut alarms = started(well());
    let lost = Observed {
        held: held(&[Card::One]),
        ..well()
    };
    assert_eq!(alarms.look(Wall(1), lost), Some(Ring::Once));
    assert_eq!(alarms.look(Wall(2), well()), None);
    assert_eq!(subjects(&alarms), [Subject::Lost(Card::One)]);
}

#[test]
fn several_at_once_ring_once() {
    let mut alarms = started(well());
    let bad = Observed {
        held: held(&Card::ALL),
        ..with(well(), &[1, 6], KO)
    };
    assert_eq!(alarms.look(Wall(1), bad), Some(Ring::Once));
    assert_eq!((alarms.raised(), subjects(&alarms).len()), (4, 4));
}

#[test]
fn what_was_so_at_the_start_is_told_and_does_not_ring() {
    let nothing = Observed {
        restored: false,
        states: PerSensor::default(),
        held: held(&Card::ALL),
        ..well()
    };
    let mut alarms = Alarms::default();
    assert_eq!(alarms.look(Wall(0), nothing), None);
    let found = Observed {
        held: held(&Card::ALL),
        ..with(well(), &[3, 4], KO)
    };
    assert_eq!(alarms.look(Wall(1), found), None);
    assert_eq!(
        subjects(&alarms),
        [Subject::KoAtStart([sensor(3), sensor(4)].into_iter().collect())],
        "a source that was never live is not lost"
    );
    assert_eq!(
        alarms.look(Wall(2), with(well(), &[3, 4], KO)),
        None,
        "the sources come"
    );
    assert!(!alarms.is_new(sensor(3)));
}

#[test]
fn a_sensor_that_was_unknown_and_is_ko_rings() {
    let mut alarms = started(with(well(), &[5], None));
    assert_eq!(alarms.look(Wall(1), with(well(), &[5], KO)), Some(Ring::Once));
}

#[test]
fn every_change_is_new_until_it_is_acknowledged() {
    let mut alarms = started(with(well(), &[2], KO));
    alarms.acknowledge(alarms.seen());
    alarms.look(Wall(1), well());
    assert!(alarms.is_new(sensor(2)) && !alarms.is_new(sensor(1)) && alarms.has_news());
    assert_eq!(subjects(&alarms), [], "to be OK is no alarm");
    let later = Observed { noted: 9, ..well() };
    alarms.look(Wall(2), later);
    assert_eq!(alarms.acknowledged(), 7, "the events since then are new");
    alarms.acknowledge(alarms.seen());
    assert_eq!(alarms.acknowledged(), 9);
    assert!(!alarms.is_new(sensor(2)));
}

#[test]
fn what_is_heard_of_for_the_first_time_is_not_new_nor_are_events_before_the_first_news() {
    let mut alarms = started(with(well(), &[5], None));
    assert_eq!(alarms.look(Wall(1), Observed { noted: 8, ..well() }), None);
    assert!(!alarms.has_news() && alarms.acknowledged() == 8);
    alarms.look(
        Wall(2),
        Observed {
            noted: 9,
            ..with(well(), &[5], KO)
        },
    );
    assert_eq!(alarms.acknowledged(), 8, "the event of the change is new");
}

#[test]
fn a_storm_is_counted_and_not_kept() {
    let mut alarms = started(well());
    for at in 0..10_000 {
        alarms.look(Wall(at), with(well(), &[1, 2], if at % 2 == 0 { KO } else { OK }));
    }
    assert_eq!((alarms.raised(), subjects(&alarms).len()), (10_000, 2));
    assert_eq!(subjects(&alarms)[0], Subject::Ko(sensor(2)), "the newest first");
}

#[test]
fn of_the_next_owners_event_log_nothing_has_been_acknowledged() {
    let mut alarms = started(with(well(), &[2], KO));
    alarms.acknowledge(alarms.seen());
    alarms.look(Wall(1), well());
    assert_eq!(alarms.acknowledged(), 7);
    let next = Observed { noted: 2, ..well() };
    alarms.look(Wall(2), next);
    assert_eq!(alarms.acknowledged(), 0);
    alarms.acknowledge(alarms.seen());
    assert_eq!(alarms.acknowledged(), 2);
}
