//! Proof of life: heartbeats in step prove it, a burst that was stuck somewhere proves nothing.

use std::time::Duration;

use dualboard_core::pulse::{INTERVAL, Pulse, TIMEOUT};
use dualboard_core::time::{Mono, Now, Wall};
use dualboard_core::version::RunId;

fn at(seconds: u64) -> Now {
    Now {
        mono: Mono::from_start(Duration::from_secs(seconds)),
        wall: Wall(0),
    }
}

const LIFE: RunId = RunId(1);

#[test]
fn heartbeats_in_step_keep_a_source_live() {
    let mut pulse = Pulse::default();
    assert!(
        !pulse.beat(at(98), LIFE, Duration::from_secs(8)),
        "the first of a life may have been under way for long"
    );
    for beat in 0..5 {
        assert!(pulse.beat(at(100 + 2 * beat), LIFE, Duration::from_secs(10 + 2 * beat)));
        assert!(pulse.is_live(at(101 + 2 * beat).mono));
    }
}

#[test]
fn a_life_that_has_ended_without_a_proof_is_not_heard_again() {
    let mut pulse = Pulse::default();
    pulse.end(at(10));
    pulse.beat(at(12), LIFE, Duration::ZERO);
    assert!(pulse.is_heard_again(at(13).mono));
    pulse.end(at(13));
    assert!(!pulse.is_heard_again(at(13).mono));
    assert_eq!(pulse.lost_at(), Some(at(10).wall));
}

#[test]
fn a_proof_holds_for_its_time_and_no_longer() {
    let mut pulse = Pulse::default();
    pulse.beat(at(98), LIFE, Duration::ZERO);
    pulse.beat(at(100), LIFE, INTERVAL);
    let end = at(100).mono.after(TIMEOUT);
    assert_eq!(pulse.deadline(), Some(end));
    assert!(!pulse.is_live(end));
}

#[test]
fn a_burst_let_go_at_once_proves_nothing_new() {
    let mut pulse = Pulse::default();
    pulse.beat(at(100), LIFE, Duration::from_secs(50));
    for gap in [1, 2] {
        let burst = (1..10).map(|n| Duration::from_secs(50 + gap * n));
        let proofs = burst.filter(|uptime| pulse.beat(at(130), LIFE, *uptime)).count();
        assert_eq!(proofs, 0, "sent {gap} s apart");
    }
    assert!(!pulse.is_live(at(130).mono));
}

#[test]
fn a_source_that_said_goodbye_is_not_live_until_it_speaks_again() {
    let mut pulse = Pulse::default();
    pulse.beat(at(98), LIFE, Duration::ZERO);
    pulse.beat(at(100), LIFE, INTERVAL);
    pulse.end(at(0));
    assert!(!pulse.is_live(at(100).mono));
    pulse.beat(at(102), LIFE, 2 * INTERVAL);
    assert!(pulse.is_live(at(102).mono));
}

#[test]
fn a_broker_that_says_late_that_a_source_is_gone_does_not_make_it_gone_later() {
    let walls = |seconds: u64| Now {
        wall: Wall(i64::try_from(seconds).expect("small")),
        ..at(seconds)
    };
    let mut pulse = Pulse::default();
    pulse.prove(walls(10));
    pulse.end(walls(11));
    assert_eq!(pulse.lost_at(), Some(Wall(11)), "between two heartbeats");
    pulse.prove(walls(20));
    pulse.end(walls(28));
    assert_eq!(pulse.lost_at(), Some(Wall(20)), "after its keep-alive");
}

#[test]
fn what_arrives_after_an_end_is_heard_and_proves_nothing_until_it_is_in_step() {
    let mut pulse = Pulse::default();
    pulse.beat(at(98), LIFE, Duration::ZERO);
    pulse.beat(at(100), LIFE, INTERVAL);
    assert!(!pulse.is_heard_again(at(100).mono), "it is live");
    pulse.end(at(101));
    assert!(!pulse.is_heard_again(at(101).mono), "nothing has come since");
    pulse.beat(at(105), RunId(2), Duration::ZERO);
    assert!(pulse.is_heard_again(at(105).mono) && !pulse.is_live(at(105).mono));
    assert_eq!(pulse.forgotten(), Some(at(105).mono.after(TIMEOUT)));
    assert!(!pulse.is_heard_again(at(115).mono), "and nothing more has come");
    pulse.beat(at(116), RunId(2), Duration::from_secs(11));
    assert!(pulse.is_live(at(116).mono) && !pulse.is_heard_again(at(116).mono));
}
