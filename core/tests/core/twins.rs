//! Two owners of one card: one of them goes on, and nothing that was toggled at either is lost.

use std::time::Duration;

use crate::boards::steady::{Boards, CARD1, DISPLAY};
use crate::boards::world::{BOARD1, BOARD2};
use crate::solo::{KO, OK, Solo, heartbeat, version};
use dualboard_core::machine::{Effect, Event};
use dualboard_core::sensor::Card;
use dualboard_core::wire::Topic;

/// In which two heartbeats have come, and the first of them proves nothing.
const TWO_BEATS: u64 = 5;

/// How long two that cannot tell who came first may both go on.
const UNDECIDED: u64 = 15;

/// Everything runs, and another owner of card 1 will be started after a while.
fn later() -> (Boards, usize) {
    let mut boards = Boards::running();
    boards.advance(20);
    let later = boards.add("later", Some(Card::One), BOARD1);
    (boards, later)
}

/// Which of two owners has stopped for the other one.
fn stopped(boards: &Boards, owners: [usize; 2]) -> [Option<Effect>; 2] {
    owners.map(|owner| boards.hooks.stopped[owner].clone())
}

#[test]
fn of_two_that_are_connected_the_later_one_ends_within_two_beats() {
    let (mut boards, later) = later();
    boards.start(later);
    boards.advance(1);
    boards.press(later, 2);
    boards.press(CARD1, 3);
    boards.advance(TWO_BEATS);
    assert_eq!(
        stopped(&boards, [CARD1, later]),
        [None, Some(Effect::StopForTwin)]
    );
    boards.advance(UNDECIDED);
    for program in [CARD1, DISPLAY] {
        let states = [1, 2, 3].map(|number| boards.shown(program, number));
        assert_eq!(states, [OK, KO, KO]);
    }
}

#[test]
fn one_that_takes_over_ends_the_first() {
    let (mut boards, later) = later();
    boards.press(CARD1, 2);
    boards.programs[later].takes_over = true;
    boards.start(later);
    boards.advance(TWO_BEATS);
    assert_eq!(
        stopped(&boards, [CARD1, later]),
        [Some(Effect::StopTakenOver), None]
    );
    boards.advance(UNDECIDED);
    assert_eq!(boards.shown(later, 2), KO);
}

#[test]
fn one_that_has_taken_over_is_the_first_for_all_that_come_later() {
    let (mut boards, taker) = later();
    boards.programs[taker].takes_over = true;
    boards.start(taker);
    boards.advance(UNDECIDED);
    let last = boards.add("last", Some(Card::One), BOARD1);
    boards.start(last);
    boards.advance(TWO_BEATS);
    assert_eq!(stopped(&boards, [taker, last]), [None, Some(Effect::StopForTwin)]);
}

#[test]
fn of_some_that_start_at_one_moment_exactly_one_goes_on() {
    for take_over in [false, true] {
        for lives in [[3, 5, 7], [7, 5, 3], [5, 7, 3]] {
            let mut boards = Boards::idle();
            let more = ["second", "third"].map(|name| boards.add(name, Some(Card::One), BOARD1));
            let owners = [CARD1, more[0], more[1]];
            for (owner, life) in owners.into_iter().zip(lives) {
                boards.hooks.next_life = life;
                boards.programs[owner].takes_over = take_over;
                boards.start(owner);
            }
            boards.advance(3 * UNDECIDED);
            let left = owners
                .iter()
                .filter(|owner| boards.hooks.stopped[**owner].is_none());
            assert_eq!(left.count(), 1, "{lives:?}");
        }
    }
}

#[test]
fn at_the_other_boards_broker_an_owner_ends_for_one_that_cannot_hear_it() {
    let mut boards = Boards::idle();
    let wrong = boards.add("wrong", Some(Card::One), BOARD2);
    boards.start(wrong);
    boards.advance(20);
    boards.start(CARD1);
    boards.advance(UNDECIDED);
    assert_eq!(
        stopped(&boards, [wrong, CARD1]),
        [Some(Effect::StopForTwin), None]
    );
}

/// A program from a copy of the first one's state folder: their broker drops the one when the other connects.
fn copied() -> (Boards, usize) {
    let (mut boards, copy) = later();
    let file = boards.programs[CARD1].disk.durable.clone();
    boards.programs[copy].disk.durable = file;
    (boards, copy)
}

#[test]
fn of_two_that_take_the_connection_from_each_other_the_later_one_ends() {
    let (mut boards, copy) = copied();
    boards.start(copy);
    assert_eq!(boards.programs[copy].client_id, boards.programs[CARD1].client_id);
    boards.press(copy, 2);
    boards.press(CARD1, 3);
    boards.advance(1);
    assert_eq!(
        stopped(&boards, [CARD1, copy]),
        [None, None],
        "so often is no proof"
    );
    boards.advance(UNDECIDED);
    // The connection that the first one had until then had lasted.
    assert_eq!(stopped(&boards, [CARD1, copy]), [None, Some(Effect::StopForTwin)]);
    for program in [CARD1, DISPLAY] {
        assert_eq!([2, 3].map(|number| boards.shown(program, number)), [KO; 2]);
    }
}

#[test]
fn one_that_takes_over_outlasts_the_other_in_that() {
    let (mut boards, copy) = copied();
    boards.programs[copy].takes_over = true;
    boards.start(copy);
    boards.advance(UNDECIDED);
    let stopped = stopped(&boards, [CARD1, copy]);
    assert!(matches!(stopped, [Some(_), None]), "{stopped:?}");
}

#[test]
fn one_whose_connection_is_merely_lost_goes_on() {
    // At first it finds the report of a run before it.
    let mut boards = Boards::running();
    boards.kill(CARD1);
    boards.start(CARD1);
    for _ in 0..20 {
        boards.advance(1);
        boards.drop_local(CARD1);
    }
    boards.advance(1);
    assert!(boards.machine(CARD1).is_restored(), "it has connected each time");
    assert_eq!(boards.hooks.stopped[CARD1], None);
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
