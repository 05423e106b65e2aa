//! Who floods a topic gets no flood in answer.

use crate::solo::{CARD1, Solo, heartbeat, reading, report, version};
use dualboard_core::sensor::{Card, State};
use dualboard_core::wire::Topic;

const THEIRS: Topic = Topic::Card(Card::Two);

/// How many heartbeats follow within a second, if it is said so often.
fn answers(owner: &mut Solo, payload: &[u8], times: usize) -> usize {
    let before = owner.count(Topic::Alive(Card::One));
    for _ in 0..times {
        owner.hear(THEIRS, payload);
    }
    owner.pass(1);
    owner.count(Topic::Alive(Card::One)) - before
}

#[test]
fn what_lies_in_place_of_a_report_is_told_its_owner_soon_and_then_with_each_heartbeat() {
    let known = version(3, 8, &[]);
    let good = report(4, reading(State::Ok, known));
    let older = report(4, reading(State::Ko, version(2, 8, &[])));
    for bad in [&b"PWNED"[..], &older] {
        let mut owner = Solo::open(CARD1, 7, None);
        for _ in 0..3 {
            owner.pass(2);
            owner.hear_beat(Card::Two, &heartbeat(8, owner.seconds, 4, known));
            owner.hear(THEIRS, good.clone());
        }
        assert_eq!(answers(&mut owner, &good, 1), 0, "nothing new");
        assert!(
            (1..3).contains(&answers(&mut owner, bad, 100)),
            "soon, and not often"
        );
        let flood: usize = (0..20).map(|_| answers(&mut owner, bad, 100)).sum();
        assert!(flood <= 20, "{flood} heartbeats in 20 s");
        assert!(owner.last_beat().expect("many").heard.get(crate::solo::sensor(4)) != Some(known));
        answers(&mut owner, &good, 1);
        assert!(answers(&mut owner, bad, 1) > 0, "what is new is told again");
    }
}

#[test]
fn heartbeats_that_say_all_the_time_that_nothing_was_heard_are_answered_now_and_then() {
    let mut owner = Solo::open(CARD1, 7, None);
    owner.toggle(1);
    owner.run();
    let before = owner.count(Topic::Card(Card::One));
    for _ in 0..100 {
        owner.hear_beat(Card::Two, &heartbeat(8, 1, 4, version(3, 8, &[])));
        owner.run();
    }
    assert_eq!(owner.count(Topic::Card(Card::One)) - before, 1);
}
