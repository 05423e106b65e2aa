//! What the operator presses, and where it arrives: two boards, real brokers, real terminals.

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::plain::PlainClient;
use crate::support::bench::{Bench, INITIAL, PROGRAMS, States, flat, says};
use crate::support::pty::{PtyOutput, code};

fn other(state: &str) -> &'static str {
    if state == "OK" { "KO" } else { "OK" }
}

/// Presses a sensor's key on its own board, and says what must follow. The next one may be pressed at once,
/// but not before this one has been read: many keys in one read are no keys.
fn press(bench: &mut Bench, states: &mut States, sensor: usize) {
    let node = if sensor <= 3 { Card1 } else { Card2 };
    bench.press(node, &sensor.to_string());
    bench.pty(node).wait_until_keys_are_read();
    states[sensor - 1] = other(states[sensor - 1]);
}

#[test]
fn each_key_reaches_every_screen_and_both_brokers() {
    let mut bench = Bench::running();
    let mut states = INITIAL;
    for sensor in [1, 2, 3, 4, 5, 6, 6, 1, 5, 2, 4, 3] {
        press(&mut bench, &mut states, sensor);
        bench.wait_settled(states);
    }
    assert_eq!(states, INITIAL);
}

#[test]
fn keys_pressed_fast_and_on_both_boards_at_once_all_count() {
    let mut bench = Bench::running();
    let mut states = INITIAL;
    for round in 0..15 {
        for sensor in 1..=6 {
            if round % sensor == 0 {
                press(&mut bench, &mut states, sensor);
            }
        }
    }
    assert_ne!(states, INITIAL);
    bench.wait_settled(states);
}

#[test]
fn p_publishes_the_present_state_again() {
    let mut bench = Bench::with_ko("3");
    let states = ["OK", "OK", "KO", "OK", "OK", "OK"];
    for (node, broker, topic) in [
        (Card1, Broker1, "sensors/card1"),
        (Card2, Broker2, "sensors/card2"),
        (Card2, Broker2, "sensors/all"),
    ] {
        let listener = bench.listener(broker);
        let before = listener.count(topic);
        bench.press(node, "p");
        listener.wait_for("the state again", |heard| {
            heard.iter().filter(|heard| heard.topic == topic).count() > before
        });
        let last = listener
            .heard()
            .into_iter()
            .rfind(|heard| heard.topic == topic)
            .expect("it came");
        assert!(says(&last.payload, states, topic), "{last:?}");
        bench.wait_text(node, "published again");
    }
    bench.wait_settled(states);
}

#[test]
fn keys_of_other_sensors_and_all_keys_of_the_display_change_nothing() {
    let mut bench = Bench::running();
    let listeners = [bench.listener(Broker1), bench.listener(Broker2)];
    bench.press(Card1, "4567890xyz \t\r\x1b[A\x1b[1;5C\x7f");
    bench.press(Card2, "1237890xyz \t\r\x1b[A\x1b[1;5C\x7f");
    bench.press(Display, "1234567890pxyz \t\r\x1b[A\x1b[1;5C\x7f");
    // What comes after them on the same way has an effect, so they have been read.
    for node in PROGRAMS {
        bench.press(node, "?");
        bench.wait_text(node, "close this help");
        bench.press(node, "?");
    }
    bench.press(Card1, "1");
    bench.press(Card2, "4");
    let states = ["KO", "OK", "OK", "KO", "OK", "OK"];
    bench.wait_settled(states);
    let expected = [
        INITIAL,
        ["KO", "OK", "OK", "OK", "OK", "OK"],
        ["OK", "OK", "OK", "KO", "OK", "OK"],
        states,
    ];
    let reports = ["sensors/card1", "sensors/card2", "sensors/all"];
    let heard = listeners.iter().flat_map(PlainClient::heard);
    let heard: Vec<_> = heard
        .filter(|heard| reports.contains(&heard.topic.as_str()))
        .collect();
    assert!(heard.len() > reports.len());
    for heard in heard {
        let mut told = expected.iter();
        assert!(
            told.any(|states| says(&heard.payload, *states, &heard.topic)),
            "{} says {}",
            heard.topic,
            heard.payload.escape_ascii()
        );
    }
}

#[test]
fn help_opens_and_closes_and_hides_no_change() {
    let mut bench = Bench::running();
    for node in PROGRAMS {
        for close in ["?", "\x1b", "q", "\x03"] {
            bench.press(node, "?");
            bench.wait_text(node, "close this help");
            bench.press(node, close);
            bench.wait(&format!("{node:?}: {close:?} closes help"), |bench| {
                !flat(&bench.text(node)).contains("close this help")
            });
        }
    }
    bench.press(Card1, "?");
    bench.wait_text(Card1, "close this help");
    bench.press(Card1, "2?");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
}

#[test]
fn q_and_ctrl_c_quit_with_0_and_esc_does_not() {
    let mut bench = Bench::running();
    for (node, key) in [(Card1, "q"), (Card2, "\x03"), (Display, "q")] {
        bench.press(node, "\x1b");
        bench.press(node, "?");
        bench.wait_text(node, "close this help");
        bench.press(node, "?");
        bench.press(node, key);
        let mut pty = bench.take(node);
        assert_eq!(code(pty.wait_for_end()), 0, "{node:?} after {key:?}");
        pty.assert_restored();
        assert!(
            pty.look(|seen: &PtyOutput| seen.text().trim().is_empty()),
            "{node:?} leaves nothing on the screen"
        );
    }
    bench.start_all([Display, Card2, Card1]);
    bench.wait_settled(INITIAL);
}
