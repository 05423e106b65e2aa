//! The only writer of a card: what it keeps and what it takes when lost memory turns up.

use dualboard::command::Done;
use dualboard::owner::{Heard, Memory, Owner, Source};
use dualboard::reading::{Reading, Snapshot};
use dualboard::sensor::{Card, SensorId, State};
use dualboard::time::Wall;
use dualboard::version::{Life, Version};

fn sensor(number: u8) -> SensorId {
    SensorId::new(number).expect("1 to 6")
}

fn reading(state: State, incarnation: u64) -> Reading {
    let version = Version {
        incarnation,
        sequence: 3,
        life: Life(9 << 16),
    };
    Reading {
        state,
        version,
        changed: None,
    }
}

fn remembering(readings: &[(u8, Reading)]) -> Memory {
    let mut snapshot = Snapshot::default();
    for (number, reading) in readings {
        snapshot.offer(sensor(*number), *reading);
    }
    Memory {
        readings: snapshot,
        asserted: None,
        lineage: None,
        done: Done::default(),
    }
}

fn state(owner: &Owner, number: u8) -> Option<State> {
    owner.readings().get(sensor(number)).map(|reading| reading.state)
}

#[test]
fn a_rebase_keeps_what_was_toggled_and_takes_the_rest() {
    let mut owner = Owner::new(Card::One, Life(1), None);
    owner.close_gate(|_| None);
    assert_eq!(
        owner.toggle(sensor(1), Wall(0)),
        Some((Some(State::Ok), State::Ko))
    );
    assert_eq!(
        owner.hear(sensor(1), reading(State::Ok, 7), Source::Memory),
        Heard::Overruled
    );
    assert_eq!(
        owner.hear(sensor(2), reading(State::Ko, 7), Source::Memory),
        Heard::Recovered
    );
    assert_eq!(
        (state(&owner, 1), state(&owner, 2), state(&owner, 3)),
        (Some(State::Ko), Some(State::Ko), Some(State::Ok))
    );
    assert!(owner.readings().version(sensor(1)) > Some(reading(State::Ok, 7).version));
}

#[test]
fn what_was_toggled_without_memory_stands_after_a_restart_as_well() {
    let mut first = Owner::new(Card::One, Life(1), None);
    first.toggle(sensor(1), Wall(0));
    let memory = Memory {
        readings: *first.readings(),
        asserted: first.asserted(),
        lineage: Some(first.lineage()),
        done: Done::default(),
    };
    let mut second = Owner::new(Card::One, Life(2), Some(&memory));
    assert_eq!(
        second.hear(sensor(1), reading(State::Ko, 7), Source::Memory),
        Heard::Overruled
    );
    assert_eq!(state(&second, 1), Some(State::Ok));
}

#[test]
fn what_an_earlier_life_toggled_yields_to_an_owner_that_speaks_now() {
    let mut first = Owner::new(Card::One, Life(1), None);
    first.toggle(sensor(1), Wall(0));
    let memory = Memory {
        readings: *first.readings(),
        asserted: first.asserted(),
        lineage: Some(first.lineage()),
        done: Done::default(),
    };
    let mut second = Owner::new(Card::One, Life(2), Some(&memory));
    assert_eq!(
        second.hear(sensor(1), reading(State::Ko, 7), Source::Twin),
        Heard::Recovered
    );
}

#[test]
fn toggles_of_a_later_life_are_above_those_of_an_earlier_one() {
    let memory = remembering(&[(1, reading(State::Ok, 4))]);
    let mut owner = Owner::new(Card::One, Life(1), Some(&memory));
    owner.toggle(sensor(1), Wall(0));
    assert!(owner.readings().version(sensor(1)).expect("toggled").incarnation > 4);
}

#[test]
fn an_owner_that_finds_no_memory_anywhere_starts_with_ok_that_any_memory_overrules() {
    let mut owner = Owner::new(Card::Two, Life(1), None);
    owner.close_gate(|_| None);
    assert_eq!(state(&owner, 4), Some(State::Ok));
    assert!(
        owner
            .readings()
            .version(sensor(4))
            .expect("initial")
            .is_provisional()
    );
    assert_eq!(
        owner.hear(sensor(4), reading(State::Ko, 1), Source::Memory),
        Heard::Recovered
    );
}

#[test]
fn a_sensor_of_the_other_card_can_neither_be_toggled_nor_heard() {
    let mut owner = Owner::new(Card::One, Life(1), None);
    assert_eq!(owner.toggle(sensor(4), Wall(0)), None);
    assert_eq!(
        owner.hear(sensor(4), reading(State::Ko, 1), Source::Memory),
        Heard::Nothing
    );
    assert_eq!(state(&owner, 4), None);
}

#[test]
fn a_lower_or_equal_copy_changes_nothing() {
    let memory = remembering(&[(1, reading(State::Ko, 4))]);
    let mut owner = Owner::new(Card::One, Life(1), Some(&memory));
    assert_eq!(
        owner.hear(sensor(1), reading(State::Ko, 4), Source::Memory),
        Heard::Nothing
    );
    assert_eq!(
        owner.hear(sensor(1), reading(State::Ok, 3), Source::Memory),
        Heard::Nothing
    );
    assert_eq!(state(&owner, 1), Some(State::Ko));
}
