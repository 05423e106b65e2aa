//! Two owners of one card: one of them goes on, and nothing that was toggled at either is lost.

use std::time::Duration;

use crate::net::{CARD1, DISPLAY, Net, ROLES};
use crate::solo::{Solo, heartbeat, version};
use dualboard_core::machine::{Effect, Event};
use dualboard_core::sensor::{Card, State};
use dualboard_core::wire::Topic;

/// In which two heartbeats have come, and the first of them proves nothing.
const TWO_BEATS: u64 = 5;

/// How long two that cannot tell who came first may both go on.
const UNDECIDED: u64 = 15;

/// Everything runs, and another owner of card 1 is started after a while.
fn later() -> (Net, usize) {
    let mut net = Net::running();
    net.pass(20);
    let later = net.add(ROLES[CARD1], 0);
    net.start(later);
    (net, later)
}

/// A program that was told to end has said what it had to say.
fn leave(net: &mut Net, program: usize) {
    net.give(program, dualboard_core::machine::Event::Leave);
    net.freeze(program);
}

#[test]
fn of_two_that_are_connected_the_later_one_ends_within_two_beats() {
    let (mut net, later) = later();
    net.connect(later);
    net.toggle(later, 2);
    net.toggle(CARD1, 3);
    net.pass(TWO_BEATS);
    assert_eq!(net.ends[later], Some(Effect::StopForTwin));
    assert_eq!(net.ends[CARD1], None);
    leave(&mut net, later);
    net.pass(UNDECIDED);
    for program in [CARD1, DISPLAY] {
        let states = [1, 2, 3].map(|number| net.state(program, number));
        assert_eq!(states, [Some(State::Ok), Some(State::Ko), Some(State::Ko)]);
    }
}

#[test]
fn one_that_takes_over_ends_the_first() {
    let (mut net, later) = later();
    net.toggle(CARD1, 2);
    net.take_over(later);
    net.connect(later);
    net.pass(TWO_BEATS);
    assert_eq!(net.ends[CARD1], Some(Effect::StopTakenOver));
    assert_eq!(net.ends[later], None);
    leave(&mut net, CARD1);
    net.pass(UNDECIDED);
    assert_eq!(net.state(later, 2), Some(State::Ko));
}

#[test]
fn one_that_has_taken_over_is_the_first_for_all_that_come_later() {
    let (mut net, taker) = later();
    net.take_over(taker);
    net.connect(taker);
    net.pass(UNDECIDED);
    leave(&mut net, CARD1);
    let last = net.add(ROLES[CARD1], 0);
    net.start(last);
    net.connect(last);
    net.pass(TWO_BEATS);
    assert_eq!(
        [&net.ends[taker], &net.ends[last]],
        [&None, &Some(Effect::StopForTwin)]
    );
}

#[test]
fn of_some_that_start_at_one_moment_exactly_one_goes_on() {
    for take_over in [false, true] {
        for lives in [[3, 5, 7], [7, 5, 3], [5, 7, 3]] {
            let mut net = Net::new();
            let owners = [CARD1, net.add(ROLES[CARD1], 0), net.add(ROLES[CARD1], 0)];
            for (owner, life) in owners.into_iter().zip(lives) {
                net.start_as(owner, life);
                if take_over {
                    net.take_over(owner);
                }
                net.connect(owner);
            }
            net.pass(3 * UNDECIDED);
            let left = owners.iter().filter(|owner| net.ends[**owner].is_none());
            assert_eq!(left.count(), 1, "{lives:?}");
        }
    }
}

#[test]
fn at_the_other_boards_broker_an_owner_ends_for_one_that_cannot_hear_it() {
    let mut net = Net::new();
    let wrong = net.add(ROLES[CARD1], 1);
    net.start(wrong);
    net.connect(wrong);
    net.pass(20);
    net.start(CARD1);
    net.connect(CARD1);
    net.pass(UNDECIDED);
    assert_eq!(
        [&net.ends[wrong], &net.ends[CARD1]],
        [&Some(Effect::StopForTwin), &None]
    );
}

/// A program from a copy of the first one's state folder.
fn copied() -> (Net, usize) {
    let (mut net, copy) = later();
    net.memories[copy] = net.memories[CARD1];
    net.start(copy);
    assert_eq!(net.client_id(copy), net.client_id(CARD1));
    (net, copy)
}

#[test]
fn of_two_that_take_the_connection_from_each_other_one_ends_and_the_other_goes_on() {
    let (mut net, copy) = copied();
    let mut ends = 0;
    for round in 0..8 {
        for (program, sensor) in [(copy, 2), (CARD1, 3)] {
            net.connect(program);
            if round == 0 {
                net.toggle(program, sensor);
            }
            net.pass(1);
            ends = [CARD1, copy]
                .into_iter()
                .filter(|one| net.ends[*one].is_some())
                .count();
            if ends > 0 {
                break;
            }
        }
        if ends > 0 {
            assert!(round >= 3, "so often is no proof");
            break;
        }
    }
    assert_eq!(ends, 1);
    let (ended, left) = if net.ends[copy].is_some() {
        (copy, CARD1)
    } else {
        (CARD1, copy)
    };
    leave(&mut net, ended);
    net.connect(left);
    net.pass(UNDECIDED);
    for program in [left, DISPLAY] {
        assert_eq!(
            [2, 3].map(|number| net.state(program, number)),
            [Some(State::Ko); 2]
        );
    }
}

#[test]
fn one_that_takes_over_outlasts_the_other_in_that() {
    let (mut net, copy) = copied();
    net.take_over(copy);
    for program in [copy, CARD1].into_iter().cycle().take(16) {
        net.connect(program);
        net.pass(1);
        if net.ends.iter().any(Option::is_some) {
            break;
        }
    }
    assert!(net.ends[CARD1].is_some() && net.ends[copy].is_none());
}

#[test]
fn one_whose_connection_is_merely_lost_goes_on() {
    // At first it finds the report of a run before it.
    let mut net = Net::running();
    net.kill(CARD1);
    net.start(CARD1);
    for _ in 0..20 {
        net.connect(CARD1);
        net.pass(1);
        net.refuse(CARD1, "connection lost");
    }
    assert_eq!(net.ends[CARD1], None);
}

/// What lies on the own topic: the report of this run, from its so many-th connection; or that of one that
/// has left.
fn report_of(run: Option<(u32, u64)>) -> String {
    let by = run.map(|(life, connection)| format!(r#","life":{life},"connection":{connection}"#));
    format!(
        r#"{{"sensor_1":true,"versions":{{"sensor_1":[3,9]}}{}}}"#,
        by.unwrap_or_default()
    )
}

/// An owner whose connection is lost again and again, soon after it has found these reports, one each time.
/// What it publishes itself is lost with it: before the broker has it, or afterwards.
fn ends_after(found: impl IntoIterator<Item = Option<(u32, u64)>>, has_it: bool) -> bool {
    let mut owner = Solo::new(crate::solo::CARD1, 7, None);
    for run in found {
        owner.feed(Event::Connected);
        owner.find(Topic::Card(Card::One), report_of(run));
        owner.restore();
        if has_it {
            owner.run();
        }
        owner.pass(1);
        owner.flying.clear();
        owner.feed(Event::Disconnected {
            why: "connection lost".to_owned(),
            retry_in: Duration::ZERO,
        });
    }
    owner.end.is_some()
}

#[test]
fn one_that_finds_another_runs_new_report_three_times_ends() {
    assert!(ends_after((1..5).map(|connection| Some((5, connection))), true));
    assert!(!ends_after((1..4).map(|connection| Some((5, connection))), true));
}

#[test]
fn one_whose_broker_shows_an_older_report_beside_two_new_ones_goes_on() {
    let third = [Some((5, 1)), Some((5, 2)), Some((5, 3)), Some((6, 9))];
    assert!(!ends_after(third, true), "of an earlier run");
    let left = [1, 2, 3].map(|connection| Some((5, connection)));
    let left = left.into_iter().chain([None, Some((5, 4)), Some((5, 5))]);
    assert!(!ends_after(left, true), "the other one had left");
}

#[test]
fn one_whose_broker_never_gets_its_report_goes_on() {
    assert!(!ends_after([Some((5, 4)); 10], false));
}

#[test]
fn one_whose_broker_comes_back_with_an_older_store_goes_on() {
    assert!(!ends_after([Some((5, 4)); 10], true));
}

#[test]
fn where_two_do_not_agree_on_who_came_first_their_lives_decide_after_a_while() {
    for (life, ends) in [(5, true), (9, false)] {
        let mut owner = Solo::open(crate::solo::CARD1, 7, None);
        owner.pass(10);
        let mut beats = 0;
        while owner.end.is_none() && beats < 20 {
            owner.hear_beat(
                Card::One,
                &heartbeat(life, owner.seconds - 2, 1, version(2, 9, &[])),
            );
            owner.pass(2);
            beats += 1;
        }
        assert_eq!(owner.end.is_some(), ends);
        assert!(beats > 5, "that one seems to be the later one");
    }
}

#[test]
fn what_the_first_proof_shows_of_who_came_first_is_not_judged_anew() {
    let mut owner = Solo::open(crate::solo::CARD1, 7, None);
    // The other one has been up for 1.4 s more, and its first heartbeats take half a second longer than the
    // last.
    for late in [500, 500, 500, 0] {
        owner.pass(2);
        let mut beat = heartbeat(9, owner.seconds + 1, 1, version(2, 9, &[]));
        beat.uptime += Duration::from_millis(400);
        beat.uptime -= Duration::from_millis(late);
        owner.hear_beat(Card::One, &beat);
        assert_eq!(
            owner.end, None,
            "the other one, whose life is higher, may be about to end"
        );
    }
}

#[test]
fn of_two_that_started_close_together_both_know_at_once_which_one_ends() {
    for (life, ends) in [(5, true), (9, false)] {
        for early in [200, 1_000, 1_800] {
            let mut owner = Solo::open(crate::solo::CARD1, 7, None);
            for _ in 0..3 {
                owner.pass(2);
                let mut beat = heartbeat(life, owner.seconds - 1, 1, version(2, 9, &[]));
                beat.uptime += Duration::from_millis(early);
                owner.hear_beat(Card::One, &beat);
            }
            assert_eq!(owner.end.is_some(), ends, "life {life}, {early} ms");
        }
    }
}
