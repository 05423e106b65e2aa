//! The only writer of a card: what it keeps and what it takes when lost memory turns up.

use dualboard::command::Done;
use dualboard::owner::{Heard, Memory, Owner};
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
        after: 0,
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
        era: None,
        incarnation: 0,
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
    assert_eq!(owner.hear(sensor(1), reading(State::Ok, 7)), Heard::Overruled);
    assert_eq!(owner.hear(sensor(2), reading(State::Ko, 7)), Heard::Recovered);
    assert_eq!(
        (state(&owner, 1), state(&owner, 2), state(&owner, 3)),
        (Some(State::Ko), Some(State::Ko), Some(State::Ok))
    );
    assert!(owner.readings().version(sensor(1)) > Some(reading(State::Ok, 7).version));
}

/// The next life of an owner, with the file that this one leaves.
fn restarted(owner: &Owner, life: Life) -> Owner {
    Owner::new(owner.card(), life, Some(&owner.memory()))
}

fn life(era: u16, number: u16) -> Life {
    Life(number.into()).in_era(era)
}

#[test]
fn what_was_toggled_without_memory_stands_after_a_restart_as_well() {
    let mut first = Owner::new(Card::One, life(1, 1), None);
    first.toggle(sensor(1), Wall(0));
    let mut second = restarted(&first, life(2, 2));
    assert_eq!(second.hear(sensor(1), reading(State::Ko, 7)), Heard::Overruled);
    assert_eq!(state(&second, 1), Some(State::Ok));
}

#[test]
fn what_an_owner_elsewhere_toggled_with_this_memory_known_is_later() {
    let mut first = Owner::new(Card::One, life(1, 1), None);
    first.toggle(sensor(1), Wall(0));
    let mut spare = Owner::new(Card::One, life(2, 2), None);
    spare.hear(sensor(1), first.readings().get(sensor(1)).expect("toggled"));
    spare.toggle(sensor(1), Wall(0));
    let mut back = restarted(&first, life(3, 3));
    assert_eq!(
        back.hear(sensor(1), spare.readings().get(sensor(1)).expect("toggled")),
        Heard::Recovered
    );
    assert_eq!(state(&back, 1), Some(State::Ko));
}

#[test]
fn without_a_file_an_old_copy_is_enough_to_get_above_all_that_exists() {
    let mut first = Owner::new(Card::One, life(1, 1), None);
    first.toggle(sensor(1), Wall(0));
    let old_copy = first.readings().get(sensor(1)).expect("toggled");
    for number in 2..100 {
        first = restarted(&first, life(number, number));
        first.toggle(sensor(1), Wall(0));
    }
    let mut without = Owner::new(Card::One, life(200, 200), None);
    without.hear(sensor(1), old_copy);
    without.toggle(sensor(1), Wall(0));
    let version = |owner: &Owner| owner.readings().version(sensor(1)).expect("toggled");
    assert!(version(&without).follows(version(&first)));
}

#[test]
fn of_two_lost_memories_that_had_not_met_the_higher_version_is_taken() {
    let mut owner = Owner::new(Card::One, life(4, 3), None);
    let of_era = |era, incarnation| {
        let mut reading = reading(State::Ko, incarnation);
        reading.version.life = life(era, 9);
        reading
    };
    owner.hear(sensor(1), of_era(6, 4));
    assert_eq!(owner.hear(sensor(1), of_era(8, 3)), Heard::Nothing);
    assert_eq!(owner.hear(sensor(1), of_era(8, 5)), Heard::Recovered);
}

#[test]
fn what_the_other_board_does_not_believe_is_outranked() {
    let mut owner = Owner::new(Card::One, life(2, 2), None);
    owner.close_gate(|_| None);
    owner.toggle(sensor(1), Wall(0));
    let known = reading(State::Ko, 7);
    owner.outrank();
    owner.hear(sensor(1), known);
    owner.hear(sensor(2), known);
    let version = |number| owner.readings().version(sensor(number)).expect("known");
    assert!(version(1).follows(known.version));
    assert_eq!(version(2), known.version, "any memory is better than none");
    assert_eq!(state(&owner, 1), Some(State::Ko));
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
    assert_eq!(owner.hear(sensor(4), reading(State::Ko, 1)), Heard::Recovered);
}

#[test]
fn a_sensor_of_the_other_card_can_neither_be_toggled_nor_heard() {
    let mut owner = Owner::new(Card::One, Life(1), None);
    assert_eq!(owner.toggle(sensor(4), Wall(0)), None);
    assert_eq!(owner.hear(sensor(4), reading(State::Ko, 1)), Heard::Nothing);
    assert_eq!(state(&owner, 4), None);
}

#[test]
fn a_lower_or_equal_copy_changes_nothing() {
    let memory = remembering(&[(1, reading(State::Ko, 4))]);
    let mut owner = Owner::new(Card::One, Life(1), Some(&memory));
    assert_eq!(owner.hear(sensor(1), reading(State::Ko, 4)), Heard::Nothing);
    assert_eq!(owner.hear(sensor(1), reading(State::Ok, 3)), Heard::Nothing);
    assert_eq!(state(&owner, 1), Some(State::Ko));
}

#[test]
fn a_later_life_never_uses_an_incarnation_again_whatever_was_lost_in_between() {
    let mut first = Owner::new(Card::One, life(1, 1), None);
    let memory = first.memory();
    first.toggle(sensor(1), Wall(0));
    let mut second = Owner::new(Card::One, life(2, 2), Some(&memory));
    second.toggle(sensor(1), Wall(0));
    let version = |owner: &Owner| owner.readings().version(sensor(1)).expect("toggled");
    assert!(version(&second).follows(version(&first)));
}

/// A life in the era `era`, whose file holds the incarnation 3, and an earlier press of sensor 1 in it.
fn from_file(era: u16, own: Life) -> Owner {
    let mut held = reading(State::Ok, 3);
    held.version.life = life(era, 1);
    let memory = Memory {
        era: Some(era),
        incarnation: 3,
        ..remembering(&[(1, held), (2, held)])
    };
    Owner::new(Card::One, own, Some(&memory))
}

/// Two lives from one file, of which the first could not write to it.
fn branched_and_next() -> (Owner, Owner) {
    let mut branched = from_file(6, life(20, 2));
    branched.toggle(sensor(1), Wall(0));
    branched.toggle(sensor(2), Wall(0));
    branched.branch_off(3);
    (branched, from_file(6, life(30, 3)))
}

#[test]
fn what_a_life_with_a_full_disk_published_is_not_taken_for_later_than_a_press_after_it() {
    let (branched, mut next) = branched_and_next();
    next.toggle(sensor(1), Wall(0));
    let version = |owner: &Owner| owner.readings().version(sensor(1)).expect("toggled");
    assert!(!version(&branched).follows(version(&next)));
    assert!(!version(&next).follows(version(&branched)));
    for owner in [&mut next.clone(), &mut restarted(&next, life(40, 4))] {
        owner.close_gate(|_| None);
        owner.outrank();
        owner.hear(sensor(1), branched.readings().get(sensor(1)).expect("toggled"));
        assert_eq!(state(owner, 1), Some(State::Ko), "its own press stands");
        assert!(version(owner).follows(version(&branched)));
    }
}

#[test]
fn what_a_life_with_a_full_disk_published_is_later_than_what_its_file_holds() {
    let (branched, mut next) = branched_and_next();
    let heard = branched.readings().get(sensor(2)).expect("toggled");
    assert!(
        heard
            .version
            .follows(next.readings().version(sensor(2)).expect("in the file"))
    );
    assert_eq!(next.hear(sensor(2), heard), Heard::Recovered);
    assert_eq!(state(&next, 2), Some(State::Ko));
}

#[test]
fn a_life_whose_disk_holds_its_incarnation_does_not_branch_off() {
    let mut owner = from_file(6, life(20, 2));
    owner.toggle(sensor(1), Wall(0));
    let before = owner.readings().version(sensor(1));
    owner.branch_off(before.expect("toggled").incarnation);
    assert_eq!(owner.readings().version(sensor(1)), before);
    assert_eq!(owner.life().era(), 6);
}
