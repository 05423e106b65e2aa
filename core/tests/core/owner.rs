//! The only writer of a card: what it keeps, what it takes when lost memory turns up, and that no number is
//! used twice.

use std::collections::BTreeSet;

use crate::solo::{KO, OK, dot, reading, sensor, version};
use dualboard_core::owner::{Memory, Owner};
use dualboard_core::reading::{Merge, Reading, Snapshot};
use dualboard_core::sensor::{Card, State};
use dualboard_core::time::Wall;
use dualboard_core::version::{Dot, Era, Order, RunId, Version};
use proptest::prelude::*;

fn state(owner: &Owner, number: u8) -> Option<State> {
    owner.readings().get(sensor(number)).map(|reading| reading.state)
}

fn own(owner: &Owner, number: u8) -> Reading {
    owner.readings().get(sensor(number)).expect("known")
}

/// A first owner, restored.
fn first() -> Owner {
    let mut owner = Owner::new(Card::One, RunId(1), None);
    owner.restored(|_| None);
    owner
}

/// The next run of an owner, with the file that this one leaves.
fn restarted(owner: &Owner, life: u32) -> Owner {
    Owner::new(owner.card(), RunId(life), Some(&owner.memory()))
}

fn toggle(owner: &mut Owner, number: u8) -> Reading {
    owner.toggle(sensor(number), Wall(0));
    own(owner, number)
}

fn counts_in(owner: &Owner) -> Era {
    let (file, run) = owner.eras();
    run.unwrap_or(file)
}

fn hear(owner: &mut Owner, number: u8, reading: Reading) -> bool {
    let heard = owner.hear(sensor(number), reading);
    owner.settle();
    heard
}

#[test]
fn an_owner_that_finds_no_memory_anywhere_starts_with_ok_that_any_memory_overrules() {
    let mut owner = first();
    assert!(own(&owner, 1).version.is_provisional());
    assert_eq!(state(&owner, 1), OK);
    let copy = reading(State::Ko, version(2, 5, &[]));
    assert!(hear(&mut owner, 1, copy));
    assert_eq!(own(&owner, 1), copy);
}

#[test]
fn the_word_of_a_plain_program_counts_where_nothing_with_a_version_is_known() {
    let mut owner = Owner::new(Card::One, RunId(1), None);
    hear(&mut owner, 2, reading(State::Ok, version(2, 5, &[])));
    owner.restored(|_| KO);
    assert_eq!([state(&owner, 1), state(&owner, 2)], [KO, OK]);
    assert!(own(&owner, 1).version.is_provisional());
}

/// Each run says the first word that it hears, and no file holds it.
#[test]
fn two_runs_that_restore_two_words_do_not_say_both_under_one_dot() {
    let file = first().memory();
    let file = Memory {
        readings: Snapshot::default(),
        ..file
    };
    let runs = [(7, State::Ok), (8, State::Ko)].map(|(life, word)| {
        let mut owner = Owner::new(Card::One, RunId(life), Some(&file));
        owner.reserved(&owner.memory());
        owner.restored(|_| Some(word));
        own(&owner, 2).version.dot
    });
    assert_ne!(runs[0], runs[1]);
}

#[test]
fn a_sensor_of_the_other_card_can_neither_be_toggled_nor_heard() {
    let mut owner = first();
    assert_eq!(owner.toggle(sensor(4), Wall(0)), None);
    let copy = reading(State::Ko, version(2, 5, &[]));
    assert!(!hear(&mut owner, 4, copy));
    assert_eq!(state(&owner, 4), None);
}

#[test]
fn an_earlier_or_equal_copy_changes_nothing() {
    let mut owner = first();
    let (before, last) = (toggle(&mut owner, 1), toggle(&mut owner, 1));
    for copy in [before, last] {
        assert!(!hear(&mut owner, 1, copy));
        assert_eq!(own(&owner, 1), last);
    }
}

#[test]
fn a_first_owner_keeps_what_was_toggled_and_takes_the_rest() {
    let mut owner = first();
    let toggled = toggle(&mut owner, 1);
    let old = version(7, 5, &[(3, 6)]);
    assert!(!hear(&mut owner, 1, reading(State::Ok, old)));
    assert!(hear(&mut owner, 2, reading(State::Ko, old)));
    assert_eq!([1, 2, 3].map(|number| state(&owner, number)), [KO, KO, OK]);
    assert_eq!(own(&owner, 1).version.dot, toggled.version.dot);
    assert!(toggle(&mut owner, 1).version.covers(dot(7, 5)));
}

#[test]
fn what_a_first_owner_has_kept_is_later_for_the_next_one_as_well() {
    let old = reading(State::Ok, version(7, 5, &[]));
    let mut owner = first();
    let toggled = toggle(&mut owner, 1);
    hear(&mut owner, 1, old);
    let kept = own(&owner, 1);
    assert_eq!(kept.version.compare_exactly(&old.version), Order::Later);
    // Others may still have it as it was before it was decided.
    for copies in [vec![kept, old], vec![old, kept], vec![toggled, kept, old]] {
        let mut next = Owner::new(Card::One, RunId(8), None);
        for copy in copies {
            hear(&mut next, 1, copy);
        }
        assert_eq!(
            own(&next, 1),
            kept,
            "its memory is lost, and copies of both are left"
        );
    }
}

#[test]
fn what_was_toggled_without_memory_stands_after_a_restart_as_well() {
    let mut owner = first();
    toggle(&mut owner, 1);
    let mut next = restarted(&owner, 2);
    let old = reading(State::Ok, version(7, 5, &[]));
    assert!(!hear(&mut next, 1, old));
    assert_eq!(state(&next, 1), KO);
}

#[test]
fn a_later_toggle_of_another_owner_that_had_heard_this_one_is_taken() {
    let mut owner = first();
    let mut spare = Owner::new(Card::One, RunId(2), None);
    hear(&mut spare, 1, toggle(&mut owner, 1));
    let later = toggle(&mut spare, 1);
    for owner in [&mut owner.clone(), &mut restarted(&owner, 3)] {
        assert!(hear(owner, 1, later));
        assert_eq!(own(owner, 1), later);
    }
}

#[test]
fn an_owner_without_a_file_that_heard_an_old_copy_is_later_than_all_that_was_made_before_it() {
    let mut lost = first();
    let old = toggle(&mut lost, 1);
    let last = (0..100).map(|_| toggle(&mut lost, 1)).last().expect("many");
    let mut owner = Owner::new(Card::One, RunId(2), None);
    hear(&mut owner, 1, old);
    let toggled = toggle(&mut owner, 1);
    assert_eq!(toggled.version.compare(&last.version), Order::Later);
}

#[test]
fn of_two_lost_memories_that_had_not_met_all_runs_take_the_same() {
    let [low, high] =
        [6, 7].map(|n| reading(State::Ko, version(n, 11 - u32::try_from(n).expect("small"), &[])));
    for copies in [[low, high], [high, low]] {
        let mut owner = Owner::new(Card::One, RunId(1), None);
        for copy in copies {
            hear(&mut owner, 1, copy);
        }
        assert_eq!(own(&owner, 1).version.dot, high.version.dot);
    }
}

#[test]
fn what_others_have_been_told_stays_where_nothing_tells_which_is_later() {
    let mut owner = Owner::new(Card::One, RunId(1), None);
    let [told, turns_up] = [(6, 5), (7, 4)].map(|(n, era)| reading(State::Ko, version(n, era, &[])));
    hear(&mut owner, 1, told);
    owner.restored(|_| None);
    hear(&mut owner, 1, turns_up);
    assert_eq!(own(&owner, 1), told);
}

#[test]
fn until_the_file_has_taken_a_reservation_toggles_are_numbered_in_an_era_of_this_run() {
    let mut before = first();
    let known = [1, 2].map(|number| toggle(&mut before, number));
    let (file, mut owner) = (before.memory(), restarted(&before, 2));
    let early = [toggle(&mut owner, 1), own(&owner, 2)];
    assert_ne!(Some(counts_in(&owner)), file.era);
    assert_eq!(early[0].version.compare_exactly(&known[0].version), Order::Later);
    owner.reserved(&file);
    assert_ne!(
        Some(counts_in(&owner)),
        file.era,
        "that was not its own reservation"
    );
    let reservation = owner.memory();
    owner.reserved(&reservation);
    assert_eq!(Some(counts_in(&owner)), file.era);
    for (number, early) in (1..).zip(early) {
        let after = own(&owner, number);
        assert_eq!(after.state, early.state, "nobody has toggled it");
        assert!(after.version.covers(early.version.dot));
        let toggled = toggle(&mut owner, number);
        assert_eq!(toggled.version.compare_exactly(&early.version), Order::Later);
        assert_eq!(Some(toggled.version.era()), file.era);
    }
}

#[test]
fn two_runs_from_copies_of_one_file_use_no_number_twice() {
    let mut before = first();
    toggle(&mut before, 1);
    let run = |life| {
        let mut owner = restarted(&before, life);
        owner.reserved(&owner.memory());
        toggle(&mut owner, 1).version.dot
    };
    assert_ne!(run(2), run(3));
}

#[test]
fn an_era_whose_numbers_are_used_up_is_left_for_a_new_one() {
    // What stands in a file may be above what that reserved: somebody has made it up.
    for (reserved, n) in [(2, Dot::MAX), (Dot::MAX - 1, 7)] {
        let last = version(n, 5, &[]);
        let mut readings = Snapshot::default();
        readings.set(sensor(1), reading(State::Ok, last));
        let memory = Memory {
            readings,
            era: Some(Era(5)),
            reserved,
            ..Memory::default()
        };
        let mut owner = Owner::new(Card::One, RunId(2), Some(&memory));
        for _ in 0..2 {
            let toggled = toggle(&mut owner, 1).version;
            assert_eq!(toggled.compare_exactly(&last), Order::Later);
            assert!(toggled.dot.n < Dot::MAX / 2);
            owner.reserved(&owner.memory());
        }
    }
}

/// Owners that have toggled sensor 1: without a file, and with a file that has taken its reservation and with
/// one that has not.
fn toggled() -> [(Owner, Reading); 3] {
    let mut before = first();
    toggle(&mut before, 1);
    let (waits, mut reserved) = (restarted(&before, 2), restarted(&before, 3));
    reserved.reserved(&reserved.memory());
    [first(), waits, reserved].map(|mut owner| {
        let toggled = toggle(&mut owner, 1);
        (owner, toggled)
    })
}

/// What somebody has made up to be the last word on a sensor.
fn poison(owner: &Owner, toggled: Reading) -> [Version; 6] {
    let (now, file) = (counts_in(owner).0, owner.memory().era.expect("it has one").0);
    [
        version(Dot::MAX, now, &[]),
        version(Dot::MAX, file, &[]),
        version(5, 99, &[(Dot::MAX, now), (Dot::MAX, file)]),
        version(
            Dot::MAX,
            99,
            &[(Dot::MAX, 98), (Dot::MAX, 97), (Dot::MAX, 96), (Dot::MAX, 95)],
        ),
        toggled.version,
        Version {
            seen: toggled.version.seen.with(dot(7, 94)),
            ..toggled.version
        },
    ]
}

#[test]
fn nothing_that_is_made_up_ends_the_toggling() {
    for (owner, toggled) in toggled() {
        for poison in poison(&owner, toggled) {
            let mut owner = owner.clone();
            let bad = reading(toggled.state.toggled(), poison);
            hear(&mut owner, 1, bad);
            // Those who believed the bad one, those who had the toggle before it, and the owner's next run.
            let next = toggle(&mut owner, 1);
            for known in [bad, toggled] {
                let mut everybody = Snapshot::default();
                everybody.set(sensor(1), known);
                assert_eq!(everybody.merge(sensor(1), next), Merge::Taken, "{poison:?}");
                assert_eq!(everybody.get(sensor(1)), Some(next));
            }
            let mut run = restarted(&owner, 9);
            hear(&mut run, 1, bad);
            assert_eq!(state(&run, 1), Some(next.state), "{poison:?}");
        }
    }
}

#[test]
fn another_state_under_the_dot_of_a_toggle_is_overruled_at_once() {
    for (owner, toggled) in toggled() {
        let [.., same, more] = poison(&owner, toggled);
        for version in [same, more] {
            let mut owner = owner.clone();
            hear(&mut owner, 1, reading(toggled.state.toggled(), version));
            let stands = own(&owner, 1);
            assert_eq!(stands.state, toggled.state);
            assert_eq!(stands.version.compare_exactly(&version), Order::Later);
        }
    }
}

proptest! {
    /// Runs of one owner, whose disk may not take what it should hold.
    #[test]
    fn no_number_is_used_for_two_toggles(runs in prop::collection::vec((any::<[bool; 2]>(), 0..4_u8), 1..12)) {
        let (mut file, mut made) = (None, BTreeSet::new());
        for (life, ([reserves, writes], toggles)) in (1..).zip(runs) {
            let mut owner = Owner::new(Card::One, RunId(life), file.as_ref());
            for half in 0..2 {
                for _ in 0..toggles {
                    let dot = toggle(&mut owner, 1).version.dot;
                    prop_assert!(made.insert(dot), "{:?} again", dot);
                }
                if half == 0 && reserves {
                    let memory = owner.memory();
                    owner.reserved(&memory);
                    file = Some(memory);
                }
            }
            if reserves && writes {
                file = Some(owner.memory());
            }
        }
    }
}

#[test]
fn what_displaces_a_toggle_has_seen_what_that_had_seen() {
    let mut before = first();
    toggle(&mut before, 1);
    before.reserved(&before.memory());
    let kept = toggle(&mut before, 1);
    let mut owner = restarted(&before, 2);
    // A copy of a memory that neither had met: the owner keeps its own.
    let stray = reading(State::Ko, version(50, 999, &[]));
    assert!(!hear(&mut owner, 1, stray));
    // What a run without a disk had toggled on top of it, and knew nothing of the stray copy.
    let era = kept.version.era().0;
    let later = reading(State::Ko, version(2, 77, &[(kept.version.dot.n + 1, era)]));
    assert!(hear(&mut owner, 1, later));
    assert!(!hear(&mut owner, 1, stray));
    assert_eq!(own(&owner, 1).version.dot, later.version.dot);
}
