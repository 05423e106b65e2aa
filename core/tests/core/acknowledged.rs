//! Acknowledged alarms: the merge of what two programs know, and which alarm is which.

use dualboard_core::acknowledged::{Acknowledged, Acknowledgement};
use dualboard_core::command::Name;
use dualboard_core::reading::{Ko, Reading};
use dualboard_core::sensor::{Card, PerSensor, State};
use dualboard_core::time::Wall;
use dualboard_core::version::{Dot, RunId};
use dualboard_core::wire::{Topic, encode_acknowledged};
use proptest::prelude::*;

use crate::boards::steady::{Boards, CARD1, CARD2, DISPLAY};
use crate::solo::{CARD1 as CARD1_ROLE, Solo, dot, heartbeat, reading, report, sensor, version};

fn one(number: u8, alarm: Dot, by: &str, at: i64) -> Acknowledged {
    let alarms = PerSensor::from_fn(|of| (of == sensor(number)).then_some(alarm));
    Acknowledged::of(&alarms, Name::new(by), Some(Wall(at)))
}

fn merged(all: &[&Acknowledged]) -> Acknowledged {
    let mut merged = Acknowledged::default();
    for one in all {
        merged.merge(one);
    }
    merged
}

/// Of few eras and few numbers, so that they meet. Within what is kept.
fn some() -> impl Strategy<Value = Acknowledged> {
    let alarm = (1..3_u8, 1..4_u64, 1..5_u32, "[ab]", 0..3_i64);
    let alarm = alarm.prop_map(|(number, n, era, by, at)| one(number, dot(n, era), &by, at));
    prop::collection::vec(alarm, 0..5).prop_map(|all| merged(&all.iter().collect::<Vec<_>>()))
}

proptest! {
    #[test]
    fn the_order_in_which_copies_come_does_not_matter((a, b, c) in (some(), some(), some())) {
        prop_assert_eq!(merged(&[&a, &b]), merged(&[&b, &a]));
        prop_assert_eq!(merged(&[&merged(&[&a, &b]), &c]), merged(&[&a, &merged(&[&b, &c])]));
        prop_assert_eq!(merged(&[&a, &a]), a);
    }

    #[test]
    fn what_is_merged_lacks_nothing_of_either((a, b) in (some(), some())) {
        let both = merged(&[&a, &b]);
        prop_assert!(!both.lacks(&a) && !both.lacks(&b));
        let mut known = a;
        prop_assert_eq!(known.merge(&b), a.lacks(&b), "it says whether there was news");
        prop_assert!(!merged(&[&a, &b.beyond(&a, [1, 2].map(sensor))]).lacks(&both));
    }
}

#[test]
fn an_alarm_is_acknowledged_with_all_earlier_ones_of_its_era_and_with_no_later_one() {
    let known = merged(&[&one(2, dot(7, 1), "a", 5), &one(2, dot(3, 2), "b", 9)]);
    for (alarm, acknowledged) in [
        (dot(7, 1), true),
        (dot(6, 1), true),
        (dot(8, 1), false),
        (dot(3, 2), true),
        (dot(4, 2), false),
        (dot(1, 3), false),
    ] {
        assert_eq!(known.covers(sensor(2), alarm), acknowledged, "{alarm:?}");
    }
    assert!(!known.covers(sensor(3), dot(7, 1)), "another sensor");
}

#[test]
fn who_did_it_first_is_told_and_of_another_era_nobody() {
    let known = merged(&[
        &one(2, dot(7, 1), "late", 9),
        &one(2, dot(7, 1), "early", 5),
        &one(2, dot(3, 2), "b", 1),
    ]);
    let by = |alarm| known.of_alarm(sensor(2), alarm);
    let early = Acknowledgement {
        by: Name::new("early"),
        at: Some(Wall(5)),
    };
    assert_eq!(by(dot(7, 1)), Some(early));
    assert_eq!(by(dot(3, 2)), Some(Acknowledgement::default()));
    assert_eq!(by(dot(9, 1)), None);
}

#[test]
fn an_alarm_has_the_name_of_the_toggle_that_raised_it_until_the_next_one() {
    let at = |n| version(n, 1, &[]);
    let ok = Reading::after(None, State::Ok, at(2), Wall(10));
    assert_eq!(ok.last_ko(), None);
    let ko = Reading::after(Some(ok), State::Ko, at(3), Wall(20));
    let raised = Ko {
        dot: dot(3, 1),
        from: Some(Wall(20)),
        to: None,
    };
    assert_eq!(ko.last_ko(), Some(raised));
    let again = Reading::after(
        Some(ko.renumbered(version(9, 2, &[]))),
        State::Ko,
        version(10, 2, &[]),
        Wall(30),
    );
    assert_eq!(again.last_ko(), Some(raised), "it was KO all the time");
    let over = Reading::after(Some(again), State::Ok, version(11, 2, &[]), Wall(40));
    let to = Some(Wall(40));
    assert_eq!(over.last_ko(), Some(Ko { to, ..raised }));
    let still = Reading::after(Some(over), State::Ok, version(12, 2, &[]), Wall(50));
    assert_eq!(still.last_ko(), Some(Ko { to, ..raised }));
    let next = Reading::after(Some(still), State::Ko, version(13, 2, &[]), Wall(60));
    assert_eq!(next.last_ko().map(|ko| ko.dot), Some(dot(13, 2)));
}

#[test]
fn an_owner_that_finds_its_memory_in_quarantine_knows_the_alarm_again() {
    let mut owner = Solo::open(CARD1_ROLE, 9, None);
    let alarm = Ko {
        dot: dot(5, 10),
        from: Some(Wall(20)),
        to: None,
    };
    let mut beat = heartbeat(8, 1, 4, version(2, 8, &[]));
    beat.quarantined
        .set(sensor(1), reading(State::Ko, version(70, 10, &[])));
    beat.quarantined_ko[sensor(1)] = Some(alarm);
    beat.acknowledged = one(1, alarm.dot, "early", 25);
    owner.hear_beat(Card::Two, &beat);
    assert_eq!(owner.machine.alarm(sensor(1)), Some(alarm));
    assert_eq!(owner.machine.view().open_alarms().iter().count(), 0);
}

#[test]
fn what_is_acknowledged_without_a_broker_reaches_the_others_later() {
    let programs = [CARD1, CARD2, DISPLAY];
    for program in programs {
        let mut boards = Boards::running();
        boards.press(CARD1, 2);
        boards.press(CARD2, 6);
        let board = boards.programs[program].board;
        boards.stop(board);
        boards.acknowledge(program);
        let open = |boards: &Boards, program| boards.machine(program).view().open_alarms().iter().count();
        let others = programs.into_iter().filter(|other| *other != program);
        for other in others.clone() {
            assert_eq!(open(&boards, other), 2, "nobody has heard of it");
        }
        boards.start_broker(board);
        boards.advance(40);
        for other in others {
            assert_eq!(open(&boards, other), 0, "{program} has not told {other}");
        }
    }
}

#[test]
fn an_alarm_stays_acknowledged_when_its_reading_gets_another_number() {
    let mut owner = Solo::open(CARD1_ROLE, 9, None);
    owner.toggle(1);
    owner.run();
    let raised = owner.reading(1).expect("it was toggled");
    owner.hear(
        Topic::Acknowledge(Card::One),
        encode_acknowledged(&one(1, raised.version.dot, "early", 5)),
    );
    owner.hear(
        Topic::Card(Card::One),
        report(1, reading(State::Ok, raised.version)),
    );
    let now = owner.reading(1).expect("it was toggled");
    assert_ne!(
        now.version.dot, raised.version.dot,
        "somebody has made up its dot"
    );
    assert_eq!(owner.machine.alarm(sensor(1)), raised.last_ko());
    assert_eq!(owner.machine.view().open_alarms().iter().count(), 0);
}

#[test]
fn nobody_acknowledges_an_alarm_that_is_still_to_come() {
    let mut owner = Solo::open(CARD1_ROLE, 9, None);
    owner.toggle(1);
    owner.run();
    let open = |owner: &Solo| {
        let open = owner.machine.view().open_alarms();
        open.iter().map(|(of, _)| of.number()).collect::<Vec<_>>()
    };
    // The eras that it would begin, that of now, and the one in which it is then.
    for (number, begun) in [(1, 2), (2, 1), (1, 0), (2, 3)] {
        let era = RunId(9).era(begun).0;
        let all = one(number, dot(Dot::MAX, era), "early", 5);
        owner.hear(Topic::Acknowledge(Card::One), encode_acknowledged(&all));
        owner.run();
    }
    assert_eq!(open(&owner), [0_u8; 0], "what was there has been seen");
    for number in [1, 1, 2] {
        owner.toggle(number);
    }
    assert_eq!(open(&owner), [1, 2]);
}
