//! A real plain program, in Python with paho-mqtt from `PyPI`, in the place of each of ours.

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::{Bench, INITIAL, Node, States, shows};
use crate::support::python::Python;

fn wait_shows(bench: &Bench, node: Node, states: States, beside: &[&str]) {
    bench.wait(&format!("{node:?} shows {states:?}"), |bench| {
        shows(&bench.text(node), states, beside)
    });
}

#[test]
fn a_python_card_1_works_with_our_card_2_and_display() {
    let mut bench = Bench::new();
    bench.start_all([Broker1, Broker2, Card2, Display]);
    for node in [Card2, Display] {
        bench.wait_ready(node);
    }
    let card1 = Python::start(&bench, Card1);
    card1.publish();
    bench.wait_settled_beside_plain(INITIAL);
    card1.press(2);
    bench.wait_settled_beside_plain(["OK", "KO", "OK", "OK", "OK", "OK"]);
    bench.press(Card2, "6");
    let states = ["OK", "KO", "OK", "OK", "OK", "KO"];
    bench.wait_settled_beside_plain(states);
    card1.wait_for(&bench, states);
}

#[test]
fn a_python_card_2_works_with_our_card_1_and_display() {
    let mut bench = Bench::new();
    bench.start_all([Broker1, Broker2]);
    let card2 = Python::start(&bench, Card2);
    bench.start_all([Card1, Display]);
    for node in [Card1, Display] {
        bench.wait_ready(node);
    }
    card2.wait_for(&bench, INITIAL);
    bench.press(Card1, "3");
    let states = ["OK", "OK", "KO", "OK", "OK", "OK"];
    card2.wait_for(&bench, states);
    wait_shows(&bench, Display, states, &["LIVE"]);
    card2.press(4);
    let states = ["OK", "OK", "KO", "KO", "OK", "OK"];
    wait_shows(&bench, Display, states, &["LIVE"]);
    wait_shows(&bench, Card1, states, &["SAVED", "LIVE"]);
    // Without versions nothing is confirmed, however often the same states come back.
    let mark = bench.pty(Card1).mark();
    for _ in 0..3 {
        card2.publish();
        bench.wait_heartbeats(1, Card1, Broker1);
    }
    assert!(!bench.ever_showed(Card1, mark, 3, "CONFIRMED"));
    assert_eq!(bench.beside(Card1, 3), "SAVED");
}

#[test]
fn a_python_display_shows_what_ours_shows() {
    let mut bench = Bench::running();
    let display = Python::start(&bench, Display);
    display.wait_for(&bench, INITIAL);
    bench.press(Card1, "1");
    bench.press(Card2, "5");
    let states = ["KO", "OK", "OK", "OK", "KO", "OK"];
    bench.wait_settled(states);
    display.wait_for(&bench, states);
}
