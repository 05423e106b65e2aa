//! The persistence test: whatever is ended, and however, all six states come back.

use std::fs;

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::{ALL, BROKERS, Bench, Node, States, says, shows};

const CHANGED: States = ["OK", "KO", "OK", "OK", "KO", "KO"];

/// Ends a node, looks at what the others say of it, and starts it again: all states are back, as live.
fn comes_back(node: Node, says: &[(Node, &str)]) {
    for signal in [Signal::KILL, Signal::TERM] {
        let mut bench = Bench::with_ko("256");
        bench.end(node, signal);
        for (who, words) in says {
            bench.wait_text(*who, words);
        }
        bench.start(node);
        bench.wait_settled(CHANGED);
    }
}

#[test]
fn card2_monitor_killed_holds_the_display_until_it_is_back() {
    let mut bench = Bench::with_ko("256");
    bench.end(Card2, Signal::KILL);
    for sensor in 1..=6 {
        bench.wait_row(Display, sensor, CHANGED[usize::from(sensor) - 1], "HELD");
        let row = bench.row(Display, sensor).expect("a row");
        assert!(row.time.starts_with("since "), "{row:?}");
    }
    bench.wait_text(Display, "boards 1 and 2 held since");
    bench.wait_text(Display, "card2_monitor's connection has ended");
    bench.press(Card1, "1");
    bench.wait_row(Card1, 1, "KO", "SAVED");
    let mark = bench.pty(Card1).mark();
    bench.wait_heartbeats(2, Card1, Broker2);
    assert!(
        shows(&bench.text(Display), CHANGED, &["HELD"]),
        "the display got an update from nowhere"
    );
    assert!(
        !bench.ever_showed(Card1, mark, 1, "CONFIRMED"),
        "nobody could confirm it"
    );
    bench.start(Card2);
    bench.wait_settled(["KO", "KO", "OK", "OK", "KO", "KO"]);
}

#[test]
fn card1_monitor_comes_back() {
    comes_back(
        Card1,
        &[
            (Card2, "board 1 held since"),
            (Card2, "card1_monitor's connection has ended"),
            (Display, "card1_monitor's connection has ended"),
        ],
    );
}

#[test]
fn card2_monitor_comes_back() {
    comes_back(
        Card2,
        &[
            (Card1, "card2_monitor's connection has ended"),
            (Display, "card2_monitor's connection has ended"),
        ],
    );
}

#[test]
fn the_display_comes_back() {
    comes_back(Display, &[]);
}

#[test]
fn broker_1_comes_back() {
    comes_back(
        Broker1,
        &[
            (Card1, "broker 1 at mqtt://127.0.0.1:"),
            (Card1, "unreachable since"),
            (Card2, "bridge down: no connection to broker 1"),
            (Display, "bridge down: no connection to broker 1"),
        ],
    );
}

#[test]
fn broker_2_comes_back() {
    comes_back(
        Broker2,
        &[
            (Card2, "broker 2 at mqtt://127.0.0.1:"),
            (Display, "unreachable since"),
            (Card1, "bridge down: no connection to broker 2"),
        ],
    );
}

/// Ends everything at once, and starts it in this order.
fn all_come_back(ends: Signal, order: [Node; 5]) {
    let mut bench = Bench::with_ko("256");
    bench.end_all(ALL, ends);
    bench.start_all(order);
    bench.wait_settled(CHANGED);
}

#[test]
fn everything_killed_comes_back_brokers_first() {
    all_come_back(Signal::KILL, ALL);
}

#[test]
fn everything_killed_comes_back_brokers_last() {
    all_come_back(Signal::KILL, [Display, Card2, Card1, Broker2, Broker1]);
}

#[test]
fn everything_killed_comes_back_board_by_board() {
    all_come_back(Signal::KILL, [Broker2, Card2, Display, Card1, Broker1]);
    all_come_back(Signal::KILL, [Card1, Broker1, Display, Broker2, Card2]);
}

#[test]
fn everything_ended_in_order_comes_back() {
    all_come_back(Signal::TERM, [Broker1, Card1, Broker2, Display, Card2]);
}

#[test]
fn toggles_made_just_before_everything_is_killed_come_back_once_saved() {
    let mut bench = Bench::with_ko("256");
    bench.press(Card1, "1");
    bench.press(Card2, "4");
    let saved = |bench: &Bench, node, sensor| {
        bench
            .row(node, sensor)
            .is_some_and(|row| row.state == "KO" && row.beside != "SENDING")
    };
    bench.wait("both are saved", |bench| {
        saved(bench, Card1, 1) && saved(bench, Card2, 4)
    });
    bench.end_all(ALL, Signal::KILL);
    bench.start_all(ALL);
    bench.wait_settled(["KO", "KO", "OK", "KO", "KO", "KO"]);
}

/// Removes what a node keeps on disk.
fn blank(bench: &Bench, node: Node) {
    let folder = match node {
        Broker1 => bench.folder().join("broker1"),
        Broker2 => bench.folder().join("broker2"),
        program => bench.state_dir(program),
    };
    for entry in fs::read_dir(&folder).expect("its folder") {
        fs::remove_file(entry.expect("an entry").path()).expect("removing a file of the bench");
    }
}

/// Everything is killed and starts again, but what these nodes had on disk is gone.
fn survives_the_loss_of(disks: &[Node]) {
    let mut bench = Bench::with_ko("256");
    // A screen shows what it heard before that is on disk.
    bench.wait("all six states in both state files", |bench| {
        [Card1, Card2].iter().all(|card| {
            let file = fs::read_to_string(bench.state_file(*card)).unwrap_or_default();
            let mut lines = file.lines();
            lines.any(|line| says(line.as_bytes(), CHANGED, "sensors/all"))
        })
    });
    bench.end_all(ALL, Signal::KILL);
    for node in disks {
        blank(&bench, *node);
    }
    bench.start_all(ALL);
    bench.wait_settled(CHANGED);
}

#[test]
fn both_brokers_may_lose_their_stores() {
    survives_the_loss_of(&BROKERS);
}

#[test]
fn board_1_may_lose_its_disk() {
    survives_the_loss_of(&[Broker1, Card1]);
}

#[test]
fn board_2_may_lose_its_disk() {
    survives_the_loss_of(&[Broker2, Card2]);
}

#[test]
fn both_monitors_may_lose_their_files() {
    let mut bench = Bench::with_ko("256");
    // Ended in order, the brokers save their stores.
    bench.end_all([Card1, Card2, Display, Broker1, Broker2], Signal::TERM);
    for node in [Card1, Card2] {
        blank(&bench, node);
    }
    bench.start_all(ALL);
    bench.wait_settled(CHANGED);
}

#[test]
fn the_displays_memory_alone_is_enough() {
    let mut bench = Bench::with_ko("256");
    bench.end_all([Broker1, Broker2, Card1, Card2], Signal::KILL);
    for node in [Broker1, Broker2, Card1, Card2] {
        blank(&bench, node);
    }
    bench.start_all([Broker1, Broker2, Card1, Card2]);
    bench.wait_settled(CHANGED);
}

#[test]
fn after_a_restart_no_screen_says_what_is_not_known() {
    let mut bench = Bench::with_ko("256");
    for (node, signal, others) in [
        (Card1, Signal::KILL, [Card2, Display]),
        (Card2, Signal::TERM, [Card1, Display]),
    ] {
        let marks = others.map(|other| bench.pty(other).mark());
        bench.end(node, signal);
        let words = format!("{node:?}_monitor's connection has ended").to_lowercase();
        for other in others {
            bench.wait_text(other, &words);
        }
        bench.start(node);
        bench.wait_settled(CHANGED);
        assert_eq!(bench.ever_said(node, 0, "held since"), [""; 0], "{node:?} itself");
        for (other, mark) in others.into_iter().zip(marks) {
            let said = bench.ever_said(other, mark, "held since");
            let any = |words: &str| said.iter().any(|line| line.contains(words));
            // Its connection has ended, and then it is there again: nothing is wrong with the bridge at any
            // time.
            assert!(any(&words), "{other:?}: {said:#?}");
            assert!(any("_monitor heard again, not yet live"), "{other:?}: {said:#?}");
            assert!(!any("bridge") && !any("the start"), "{other:?}: {said:#?}");
        }
    }
}
