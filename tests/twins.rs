//! Two owners of one card under one client id: the broker drops the one whenever the other connects.

#[path = "support/hub.rs"]
mod hub;

use dualboard::machine::Effect;
use dualboard::sensor::State;
use hub::Hub;
use proptest::prelude::*;

/// Connects of both together until one ends: the later one comes, the first one is back, the later one sees that.
const EXCHANGES: usize = 6;

/// Each takes the connection from the other in turn until one ends; gives how often that took.
fn fight(hub: &mut Hub, first: usize, second: usize) -> usize {
    for round in 0..EXCHANGES {
        for who in [first, second] {
            if hub.ended().next().is_some() {
                return round;
            }
            hub.connect(who);
        }
    }
    EXCHANGES
}

#[test]
fn who_came_later_ends_when_the_first_is_back_and_nothing_toggled_is_lost() {
    let mut hub = Hub::default();
    let (first, later) = (hub.start(7, false), hub.start(3, false));
    hub.connect(first);
    hub.toggle(first, 1);
    hub.connect(later);
    hub.toggle(later, 2);
    hub.toggle(first, 3);
    hub.connect(first);
    assert_eq!(hub.ended().count(), 0, "the first one stays");
    hub.toggle(later, 2);
    hub.toggle(later, 2);
    hub.connect(later);
    assert_eq!(hub.end_of(later), Some(&Effect::StopForTwin));
    hub.leave(later);
    hub.connect(first);
    assert_eq!(hub.end_of(first), None);
    assert_eq!(hub.held(), [State::Ko; 3]);
    assert_eq!(hub.shown(first), [State::Ko; 3]);
}

#[test]
fn one_that_takes_over_ends_the_first() {
    let mut hub = Hub::default();
    let (first, later) = (hub.start(3, false), hub.start(7, true));
    hub.connect(first);
    hub.toggle(first, 1);
    hub.connect(later);
    hub.toggle(first, 2);
    hub.connect(first);
    assert_eq!(hub.end_of(first), Some(&Effect::StopTakenOver));
    hub.leave(first);
    hub.connect(later);
    assert_eq!(hub.end_of(later), None);
    assert_eq!(hub.shown(later), [State::Ko, State::Ko, State::Ok]);
}

#[test]
fn one_that_took_over_is_the_first_for_all_that_come_later() {
    let mut hub = Hub::default();
    let (first, taker, later) = (hub.start(3, true), hub.start(7, true), hub.start(5, false));
    hub.connect(first);
    hub.connect(taker);
    hub.connect(first);
    assert_eq!(hub.end_of(first), Some(&Effect::StopTakenOver));
    hub.leave(first);
    hub.connect(taker);
    hub.connect(later);
    hub.connect(taker);
    hub.connect(later);
    assert_eq!(hub.end_of(later), Some(&Effect::StopForTwin));
    assert_eq!(hub.end_of(taker), None);
}

#[test]
fn a_claim_that_was_wiped_or_spoilt_is_put_there_again() {
    let mut hub = Hub::default();
    let first = hub.start(7, false);
    hub.connect(first);
    let good = hub.claim().expect("a claim");
    for bad in [
        &b""[..],
        b"{}",
        b"\xff",
        br#"{"life":1,"life":2}"#,
        br#"{"life":8}"#,
    ] {
        hub.publish(hub::OWNER, bad);
        hub.wait_a_heartbeat(first);
        let again = hub.claim().expect("a claim");
        assert!(
            again.starts_with(br#"{"life":7,"#) || again == good,
            "{}",
            again.escape_ascii()
        );
    }
    assert_eq!(hub.end_of(first), None);
}

/// A program that came later, and the first one's claim in place of its own: where it connects, it is to end.
fn to_end(hub: &mut Hub) -> (usize, usize) {
    let (first, later) = (hub.start(3, false), hub.start(7, false));
    for who in [first, later, first] {
        hub.connect(who);
    }
    assert_eq!(hub.ended().count(), 0);
    (first, later)
}

#[test]
fn nobody_ends_for_a_claim_whose_program_may_have_ended_since() {
    let mut hub = Hub::default();
    let (first, later) = to_end(&mut hub);
    hub.kill(first);
    hub.wait(6);
    hub.connect(later);
    assert_eq!(hub.end_of(later), None);
    let claim = hub.claim().expect("a claim");
    assert!(claim.starts_with(br#"{"life":7,"#), "{}", claim.escape_ascii());
}

#[test]
fn one_that_lives_is_found_out_however_long_the_other_was_away() {
    let mut hub = Hub::default();
    let (first, later) = to_end(&mut hub);
    hub.wait(3_600);
    hub.connect(later);
    assert_eq!(hub.end_of(later), None, "not yet");
    hub.connect(first);
    hub.connect(later);
    assert_eq!(hub.end_of(later), Some(&Effect::StopForTwin));
    assert_eq!(hub.end_of(first), None);
}

#[test]
fn nobody_ends_for_one_that_was_quit() {
    let mut hub = Hub::default();
    let (first, later) = to_end(&mut hub);
    hub.leave(first);
    hub.connect(later);
    assert_eq!(hub.end_of(later), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// They take the connection from each other in turn, after a beginning in which it is taken at random, with whatever getting through.
    #[test]
    fn of_some_at_one_moment_one_goes_on_and_it_is_one_that_takes_over(
        takes_over in prop::collection::vec(any::<bool>(), 2..4),
        cut in prop::collection::vec((0..6_usize, 0..8_usize), 0..10),
        lives in prop::sample::subsequence((1..20_u32).collect::<Vec<_>>(), 4).prop_shuffle(),
    ) {
        let mut hub = Hub::default();
        let first = hub.start(lives[0], false);
        hub.connect(first);
        let mut all = vec![first];
        for (takes_over, life) in takes_over.iter().zip(&lives[1..]) {
            all.push(hub.start(*life, *takes_over));
        }
        let living = |hub: &Hub| -> Vec<usize> {
            all.iter().copied().filter(|who| hub.end_of(*who).is_none()).collect()
        };
        for (who, lets_through) in cut {
            let living = living(&hub);
            hub.connect_for(living[who % living.len()], lets_through);
        }
        for _ in 0..10 {
            for who in living(&hub) {
                if hub.end_of(who).is_none() {
                    hub.connect(who);
                }
            }
        }
        let left = living(&hub);
        prop_assert_eq!(left.len(), 1, "these go on: {:?} of {:?}", left, takes_over);
        let takes = |who: usize| who > 0 && takes_over[who - 1];
        prop_assert!(takes(left[0]) || !takes_over.contains(&true), "{:?} of {:?}", left, takes_over);
    }

    /// Whatever of its messages reaches the broker before the other connects.
    #[test]
    fn one_of_two_ends_and_one_goes_on(
        lives in (1..u32::MAX, 1..u32::MAX).prop_filter("two lives", |(one, two)| one != two),
        takes_over in any::<[bool; 2]>(),
        cut in prop::collection::vec((0..2_usize, 0..6_usize), 0..12),
        toggles in prop::collection::vec((0..2_usize, 0..12_usize), 0..6),
        wiped in prop::option::of(0..12_usize),
    ) {
        let mut hub = Hub::default();
        let both = [hub.start(lives.0, takes_over[0]), hub.start(lives.1, takes_over[1])];
        let mut expected = [State::Ok; 3];
        for (at, (who, lets_through)) in cut.into_iter().enumerate() {
            if hub.ended().next().is_some() {
                break;
            }
            if wiped == Some(at) {
                hub.wipe();
            }
            for (who, _) in toggles.iter().filter(|(_, when)| *when == at) {
                expected[*who] = hub.toggle(both[*who], u8::try_from(*who).expect("small") + 1);
            }
            hub.connect_for(both[who], lets_through);
        }
        let exchanges = fight(&mut hub, both[0], both[1]);
        prop_assert!(exchanges < EXCHANGES, "they fight on");
        prop_assert_eq!(hub.ended().count(), 1, "one of them, not both");
        let loser = hub.ended().next().expect("one");
        let was_cut = !hub.is_connected(loser);
        hub.leave(loser);
        let winner = both[usize::from(loser == both[0])];
        hub.connect(winner);
        prop_assert_eq!(hub.end_of(winner), None);
        if was_cut {
            // What it could not send any more is in its file, for when it is started again.
            prop_assert_eq!(hub.in_file(loser)[loser], Some(expected[loser]));
            expected[loser] = hub.shown(winner)[loser];
        }
        prop_assert_eq!(hub.shown(winner), expected);
        prop_assert_eq!(hub.held(), expected);
    }

    /// The broker may lose its store, or find an older one, at any time.
    #[test]
    fn one_program_at_a_time_is_never_a_twin(
        steps in prop::collection::vec((0..4_u8, 0..7_usize, any::<bool>()), 1..60),
    ) {
        let mut hub = Hub::default();
        let mut life = 1;
        let mut one = hub.start(life, false);
        for (step, number, takes_over) in steps {
            match step {
                0 => {
                    hub.kill(one);
                    life += 1;
                    one = hub.start(life, takes_over);
                }
                1 => hub.roll_back(number),
                _ => hub.connect_for(one, number),
            }
            prop_assert_eq!(hub.ended().count(), 0);
        }
    }
}
