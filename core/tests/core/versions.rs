//! Which of two readings is the later one: what the versions say, and that it does not matter in which order
//! they are heard.

use crate::solo::{dot, reading, sensor, version};
use dualboard_core::owner::Owner;
use dualboard_core::reading::{Merge, Snapshot};
use dualboard_core::sensor::{Card, State};
use dualboard_core::time::Wall;
use dualboard_core::version::{Dot, Era, Order, RunId, Seen, Version};
use proptest::prelude::*;

const INVERSE: [(Order, Order); 4] = [
    (Order::Same, Order::Same),
    (Order::Later, Order::Earlier),
    (Order::Earlier, Order::Later),
    (Order::Unordered, Order::Unordered),
];

/// How the first stands to the second by what they cover, and by the eras that they have met.
fn changes(first: &Version, second: &Version) -> [Order; 2] {
    let both = [first.compare_exactly(second), first.compare(second)];
    let back = [second.compare_exactly(first), second.compare(first)];
    assert!(both.into_iter().zip(back).all(|pair| INVERSE.contains(&pair)));
    both
}

#[test]
fn within_an_era_the_higher_number_is_later() {
    let (low, high) = (version(2, 5, &[(99, 6)]), version(3, 5, &[]));
    assert_eq!(changes(&high, &low), [Order::Later; 2]);
}

#[test]
fn across_eras_what_has_seen_the_other_is_later() {
    let (old, new) = (version(70, 5, &[]), version(2, 6, &[(70, 5)]));
    assert_eq!(changes(&new, &old), [Order::Later; 2]);
}

#[test]
fn what_has_seen_less_of_an_era_is_later_only_by_the_eras_that_were_met() {
    let (old, new) = (version(71, 5, &[]), version(2, 6, &[(70, 5)]));
    assert_eq!(changes(&new, &old), [Order::Unordered, Order::Later]);
}

#[test]
fn what_has_not_met_the_others_era_is_not_ordered() {
    let (one, other) = (version(7, 5, &[(3, 1)]), version(2, 6, &[(9, 1)]));
    assert_eq!(changes(&one, &other), [Order::Unordered; 2]);
}

#[test]
fn two_that_have_both_met_the_others_era_are_not_ordered() {
    let (one, other) = (version(7, 5, &[(2, 6)]), version(3, 6, &[(6, 5)]));
    assert_eq!(changes(&one, &other), [Order::Unordered; 2]);
}

#[test]
fn any_toggle_is_later_than_hearsay_and_hearsay_than_the_initial_ok() {
    let (ok, word) = (version(Dot::INITIAL, 9, &[]), version(Dot::HEARSAY, 5, &[]));
    assert_eq!(changes(&word, &ok), [Order::Later; 2]);
    assert_eq!(changes(&version(2, 1, &[]), &word), [Order::Later; 2]);
    assert!(ok.is_provisional() && word.is_provisional());
}

fn dots() -> impl Strategy<Value = Vec<(u64, u32)>> {
    // More eras than are kept.
    prop::collection::vec((0..6_u64, 0..8_u32), 0..7)
}

fn seen() -> impl Strategy<Value = Seen> {
    dots().prop_map(|dots| dots.into_iter().map(|(n, era)| dot(n, era)).collect())
}

fn any_version() -> impl Strategy<Value = Version> {
    (0..6_u64, 0..8_u32, seen()).prop_map(|(n, era, seen)| Version {
        dot: dot(n, era),
        seen: seen.without(Era(era)),
    })
}

proptest! {
    #[test]
    fn what_is_seen_is_joined_in_any_order_however_often(a in seen(), b in seen(), c in seen()) {
        prop_assert_eq!(a.join(b), b.join(a));
        prop_assert_eq!(a.join(b).join(c), a.join(b.join(c)));
        prop_assert_eq!(a.join(a), a);
        prop_assert_eq!(a.join(b).join(b), a.join(b));
    }

    #[test]
    fn the_highest_dots_are_kept_of_more_eras_than_there_is_room_for(dots in dots()) {
        let seen: Seen = dots.iter().map(|(n, era)| dot(*n, *era)).collect();
        let mut highest: Vec<Dot> = Vec::new();
        for (n, era) in dots {
            match highest.iter_mut().find(|dot| dot.era.0 == era) {
                Some(known) => known.n = known.n.max(n),
                None => highest.push(dot(n, era)),
            }
        }
        highest.sort_by(|one, other| other.cmp(one));
        highest.truncate(Seen::KEPT);
        prop_assert_eq!(seen.iter().collect::<Vec<_>>(), highest);
    }

    #[test]
    fn the_order_of_two_versions_is_the_same_from_both_ends(one in any_version(), other in any_version()) {
        changes(&one, &other);
        prop_assert_eq!(one.compare_exactly(&one), Order::Same);
    }

    /// An owner, with its file or without it, that hears what it has said before: whoever hears all of it has
    /// the last state.
    #[test]
    fn what_an_owner_says_comes_to_the_same_in_any_order(
        steps in prop::collection::vec((any::<bool>(), any::<bool>()), 1..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 40),
    ) {
        let mut owner = Owner::new(Card::One, RunId(1), None);
        let (mut life, mut said) = (1, Vec::new());
        for (restarts, has_file) in steps {
            // Each restart may begin an era, and no more than these are kept.
            if restarts && life <= 4 {
                life += 1;
                let file = owner.memory();
                let last = owner.readings().get(sensor(1));
                owner = Owner::new(Card::One, RunId(life), has_file.then_some(&file));
                if let Some(last) = last {
                    owner.hear(sensor(1), last);
                }
            }
            owner.toggle(sensor(1), Wall(0));
            said.push(owner.readings().get(sensor(1)).expect("toggled"));
        }
        let mut heard = Snapshot::default();
        for place in order {
            heard.merge(sensor(1), said[place.index(said.len())]);
        }
        let last = *said.last().expect("one at least");
        heard.merge(sensor(1), last);
        prop_assert_eq!(heard.get(sensor(1)), Some(last));
        for earlier in said {
            let merge = heard.merge(sensor(1), earlier);
            prop_assert!(matches!(merge, Merge::Known | Merge::Stale), "{:?}", merge);
        }
    }
}

#[test]
fn of_one_toggle_what_any_copy_has_seen_counts_in_whatever_order_they_are_heard() {
    let seen: [&[_]; 3] = [&[], &[(70, 10)], &[(3, 11)]];
    let [bare, one, other] = seen.map(|seen| reading(State::Ok, version(2, 20, seen)));
    let all = reading(State::Ok, version(2, 20, &[(70, 10), (3, 11)]));
    for copies in [[bare, one, other], [other, bare, one], [one, other, bare]] {
        let mut known = Snapshot::default();
        for copy in copies {
            known.merge(sensor(1), copy);
        }
        assert_eq!(known.get(sensor(1)), Some(all));
    }
}

#[test]
fn another_state_under_the_dot_that_is_known_changes_nothing() {
    let mut known = Snapshot::default();
    known.set(sensor(1), reading(State::Ok, version(2, 20, &[])));
    let before = known;
    let other = reading(State::Ko, version(2, 20, &[(70, 10)]));
    assert_eq!(known.merge(sensor(1), other), Merge::Known);
    assert_eq!(known, before);
}

#[test]
fn a_reading_that_is_not_ordered_changes_nothing() {
    let mut known = Snapshot::default();
    known.set(sensor(1), reading(State::Ok, version(7, 5, &[])));
    let before = known;
    let other = reading(State::Ko, version(9, 6, &[]));
    assert_eq!(known.merge(sensor(1), other), Merge::Unordered);
    assert_eq!(known, before);
}
