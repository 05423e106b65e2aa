//! Toggles made while something is out of reach: nothing is lost, everything converges without a key, and no
//! stage is claimed before it is true.

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::{ALL, Bench, INITIAL, Node, PROGRAMS, flat};

const SENDING: &str = "SENDING";
const SAVED: &str = "SAVED";
const CONFIRMED: &str = "CONFIRMED";

/// Presses a key during an outage, and waits until its stage is this far. Gives the mark from which on the
/// new state was shown.
fn toggle(bench: &mut Bench, node: Node, sensor: u8, state: &str, stage: &str) -> usize {
    bench.press(node, &sensor.to_string());
    bench.wait("the key shows", |bench| {
        bench.row(node, sensor).is_some_and(|row| row.state == state)
    });
    let mark = bench.pty(node).mark();
    assert_ne!(bench.beside(node, sensor), CONFIRMED, "confirmed by nobody");
    bench.wait_row(node, sensor, state, stage);
    mark
}

#[test]
fn toggles_made_while_card_2_is_down_outlive_a_restart_of_card_1() {
    let mut bench = Bench::running();
    bench.end(Card2, Signal::KILL);
    let marks = [
        (1, toggle(&mut bench, Card1, 1, "KO", SAVED)),
        (3, toggle(&mut bench, Card1, 3, "KO", SAVED)),
    ];
    bench.wait_heartbeats(2, Card1, Broker2);
    for (sensor, mark) in marks {
        assert_eq!(bench.beside(Card1, sensor), SAVED);
        assert!(
            !bench.ever_showed(Card1, mark, sensor, CONFIRMED),
            "sensor {sensor}"
        );
    }
    bench.end(Card1, Signal::KILL);
    bench.start(Card1);
    bench.wait_row(Card1, 1, "KO", SAVED);
    bench.wait_row(Card1, 3, "KO", SAVED);
    bench.start(Card2);
    bench.wait_settled(["KO", "OK", "KO", "OK", "OK", "OK"]);
}

/// Both boards go on alone, and converge when the link is back.
fn link_breaks(breaks: fn(&Bench), board2_says: &[&str]) {
    let mut bench = Bench::running();
    breaks(&bench);
    bench.wait_text(Card1, "bridge down: no connection to broker 2");
    bench.wait(&format!("card 2 says one of {board2_says:?}"), |bench| {
        let text = flat(&bench.text(Card2));
        board2_says.iter().any(|words| text.contains(words))
    });
    let one = toggle(&mut bench, Card1, 1, "KO", SAVED);
    let two = toggle(&mut bench, Card2, 6, "KO", SAVED);
    bench.wait_row(Display, 6, "KO", "LIVE");
    bench.wait_row(Display, 1, "OK", "HELD");
    bench.wait_row(Card1, 6, "OK", "HELD");
    bench.wait_heartbeats(2, Card1, Broker1);
    bench.wait_heartbeats(2, Card2, Broker2);
    assert_eq!(
        (bench.beside(Card1, 1), bench.beside(Card2, 6)),
        (SAVED.to_owned(), SAVED.to_owned())
    );
    assert!(
        !bench.ever_showed(Card1, one, 1, CONFIRMED),
        "board 2 has not seen it"
    );
    assert!(
        !bench.ever_showed(Card2, two, 6, CONFIRMED),
        "board 1 has not seen it"
    );
    bench.link.heal();
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "KO"]);
}

#[test]
fn toggles_on_both_boards_while_the_bridge_is_cut_meet_when_it_is_back() {
    link_breaks(
        |bench| bench.link.cut(),
        &["bridge down: no connection to broker 1"],
    );
}

#[test]
fn toggles_on_both_boards_while_the_bridge_is_silent_meet_when_it_is_back() {
    // Broker 1 says that the bridge is down, when the keep-alive is over. Broker 2, which holds it, does so
    // from 2.0.21 on at the latest; 2.0.11 says nothing.
    link_breaks(
        |bench| bench.link.silence(),
        &[
            "nothing comes over the bridge from broker 1",
            "bridge down: no connection to broker 1",
        ],
    );
}

#[test]
fn toggles_while_the_bridge_is_cut_outlive_a_restart_of_both_monitors() {
    let mut bench = Bench::running();
    bench.link.cut();
    toggle(&mut bench, Card1, 2, "KO", SAVED);
    toggle(&mut bench, Card2, 4, "KO", SAVED);
    bench.end_all([Card1, Card2], Signal::KILL);
    bench.start_all([Card1, Card2]);
    bench.wait_row(Card1, 2, "KO", SAVED);
    bench.wait_row(Card2, 4, "KO", SAVED);
    bench.wait_row(Card2, 2, "OK", "HELD");
    bench.link.heal();
    bench.wait_settled(["OK", "KO", "OK", "KO", "OK", "OK"]);
}

#[test]
fn a_toggle_while_the_own_broker_is_down_stays_sending_and_goes_out_later() {
    for (broker, node, sensor) in [(Broker1, Card1, 2_u8), (Broker2, Card2, 5)] {
        let mut bench = Bench::running();
        bench.end(broker, Signal::KILL);
        bench.wait_text(node, "unreachable since");
        let mark = toggle(&mut bench, node, sensor, "KO", SENDING);
        bench.wait_text(node, "next try in");
        // The state file holds it: a restart, still without the broker, does not lose it.
        bench.wait("it is in the state file", |bench| {
            in_state_file(bench, node, sensor)
        });
        for wrong in [SAVED, CONFIRMED] {
            assert!(
                !bench.ever_showed(node, mark, sensor, wrong),
                "{wrong} without a broker"
            );
        }
        bench.end(node, Signal::KILL);
        bench.start(node);
        bench.wait_text(node, "unreachable since");
        bench.wait_row(node, sensor, "KO", SENDING);
        bench.start(broker);
        let mut states = INITIAL;
        states[usize::from(sensor) - 1] = "KO";
        bench.wait_settled(states);
    }
}

fn in_state_file(bench: &Bench, node: Node, sensor: u8) -> bool {
    let text = std::fs::read_to_string(bench.state_file(node)).unwrap_or_default();
    let memory = text
        .lines()
        .nth(1)
        .and_then(|line| serde_json::from_str(line).ok());
    memory.is_some_and(|memory: serde_json::Value| {
        memory.pointer(&format!("/sensor_{sensor}")) == Some(&serde_json::Value::Bool(false))
    })
}

#[test]
fn programs_started_before_their_brokers_take_keys_and_connect_when_they_come() {
    let mut bench = Bench::new();
    bench.start_all(PROGRAMS);
    for node in PROGRAMS {
        bench.wait_text(node, "unreachable since");
        bench.wait_text(node, "connection refused");
    }
    bench.wait_row(Card1, 2, "UNKNOWN", "");
    // From unknown a sensor becomes OK: that is what the operator vouches for first.
    toggle(&mut bench, Card1, 2, "OK", SENDING);
    toggle(&mut bench, Card1, 2, "KO", SENDING);
    toggle(&mut bench, Card2, 5, "OK", SENDING);
    toggle(&mut bench, Card2, 5, "KO", SENDING);
    bench.start_all([Broker2, Broker1]);
    bench.wait_settled(["OK", "KO", "OK", "OK", "KO", "OK"]);
    assert!(
        !flat(&bench.text(Card1)).contains("unreachable"),
        "the problem is over"
    );
}

#[test]
fn brokers_that_come_and_go_lose_no_toggle_made_in_between() {
    let mut bench = Bench::running();
    let mut states = INITIAL;
    for (round, broker) in [Broker1, Broker2, Broker1, Broker2].into_iter().enumerate() {
        let signal = if round < 2 { Signal::KILL } else { Signal::TERM };
        bench.press(Card1, "1");
        bench.end(broker, signal);
        bench.press(Card2, "6");
        bench.press(Card1, "3");
        bench.start(broker);
        bench.press(Card2, "4");
        for sensor in [0, 5, 2, 3] {
            states[sensor] = if states[sensor] == "OK" { "KO" } else { "OK" };
        }
        bench.wait_settled(states);
    }
}

#[test]
fn both_boards_may_go_their_way_and_everything_restart_before_the_link_is_back() {
    let mut bench = Bench::running();
    bench.link.cut();
    toggle(&mut bench, Card1, 1, "KO", SAVED);
    toggle(&mut bench, Card2, 5, "KO", SAVED);
    bench.end_all(ALL, Signal::KILL);
    bench.start_all([Broker2, Broker1, Display, Card2, Card1]);
    bench.wait_row(Card1, 1, "KO", SAVED);
    bench.wait_row(Display, 5, "KO", "LIVE");
    toggle(&mut bench, Card1, 3, "KO", SAVED);
    bench.link.heal();
    bench.wait_settled(["KO", "OK", "KO", "OK", "KO", "OK"]);
}
