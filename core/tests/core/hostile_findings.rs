//! Well-formed messages that nobody honest sends: each was found by an attack, and ended or misled a program.

use crate::solo::{CARD1, Solo, heartbeat, reading, report, version};
use dualboard_core::sensor::Card;
use dualboard_core::version::{Dot, Order};
use dualboard_core::wire::Topic;

/// Hears a heartbeat of another owner of card 1, which says to have been up for so long; gives whether the
/// program ends.
fn hear_a_twin(owner: &mut Solo, seconds: u64) -> bool {
    owner.hear_beat(Card::One, &heartbeat(5, 3_600 + seconds, 1, version(0, 5, &[])));
    owner.end.is_some()
}

#[test]
fn a_flood_of_a_twins_heartbeats_ends_nothing_but_in_order() {
    let mut owner = Solo::open(CARD1, 7, None);
    let first = (0..1_000).any(|_| hear_a_twin(&mut owner, 0));
    assert!(!first, "one that was sent a thousand times");
    owner.pass(2);
    let ends = (0..1_000).map(|_| hear_a_twin(&mut owner, 2));
    assert!(ends.last() == Some(true), "said once");
}

#[test]
fn heartbeats_of_a_twin_that_were_stuck_prove_nothing_of_it() {
    let mut owner = Solo::open(CARD1, 7, None);
    owner.pass(30);
    let ends = (0..20).step_by(2).any(|sent| hear_a_twin(&mut owner, sent));
    assert!(!ends, "it may have ended since");
}

#[test]
fn above_the_highest_number_there_is_everything_is_toggled_and_taken() {
    let mut owner = Solo::open(CARD1, 7, None);
    owner.toggle(1);
    let toggled = owner.reading(1).expect("toggled");
    let era = toggled.version.era().0;
    let top = reading(
        toggled.state.toggled(),
        version(Dot::MAX, era, &[(Dot::MAX, u32::MAX)]),
    );
    owner.hear(Topic::Card(Card::One), report(1, top));
    owner.run();
    for _ in 0..2 {
        let before = owner.state(1);
        owner.toggle(1);
        owner.run();
        assert_ne!(owner.state(1), before);
        let version = owner.reading(1).expect("toggled").version;
        assert_eq!(version.compare(&top.version), Order::Later);
        assert_eq!(version.compare(&toggled.version), Order::Later);
    }
}

#[test]
fn another_state_under_the_present_version_is_overruled_wherever_it_turns_up() {
    let topics = [Topic::Card(Card::One), Topic::All, Topic::ReadBack(Card::One)];
    for (topic, earlier_run) in topics
        .into_iter()
        .flat_map(|topic| [(topic, false), (topic, true)])
    {
        let mut owner = Solo::open(CARD1, 7, None);
        owner.toggle(2);
        if earlier_run {
            owner.run();
            owner = Solo::open(CARD1, 8, owner.file.as_ref());
        }
        let before = owner.reading(2).expect("toggled");
        owner.hear(topic, report(2, reading(before.state.toggled(), before.version)));
        let after = owner.reading(2).expect("toggled");
        assert_eq!(after.state, before.state);
        assert_eq!(
            after.version.compare(&before.version),
            Order::Later,
            "whoever believed it believes nothing else under {:?}",
            before.version
        );
    }
}

#[test]
fn a_first_state_stays_provisional_though_somebody_contradicts_it() {
    let mut owner = Solo::open(CARD1, 7, None);
    let before = owner.reading(2).expect("restored");
    owner.hear(
        Topic::Card(Card::One),
        report(2, reading(before.state.toggled(), before.version)),
    );
    assert_eq!(owner.reading(2), Some(before));
}
