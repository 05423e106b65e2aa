//! Bytes that no finger has typed: sequences that a slow link delivers in parts, pastes, and what a crashed
//! program has left on.
//!
//! The pauses are what is tested: they are the slow link's own, and nothing happens at their ends that could
//! be waited for.
#![allow(clippy::disallowed_methods, reason = "pauses of a link")]

use std::thread::sleep;
use std::time::Duration;

use crate::support::bench::Node::{Broker1, Card1};
use crate::support::bench::{Bench, INITIAL};
use crate::support::probe::{drawn, probe, started};
use crate::support::pty::{Pty, Start, code};

/// Longer than it takes to know that an ESC was the Esc key.
const PAUSE: Duration = Duration::from_millis(80);
/// Longer than anybody waits for the rest of something.
const STALL: Duration = Duration::from_millis(2_500);

/// What was sent has done nothing, and a key does again what it should.
#[track_caller]
fn assert_only_keys_count(pty: &Pty, sent: &str) {
    pty.send("x");
    pty.wait_for(&format!("the key after {sent:?}"), |seen| {
        seen.shows("last key Char('x')")
    });
    assert!(pty.look(|seen| seen.shows("Sensor 1  KO")), "{sent:?} toggled");
    pty.send("\x1b[A");
    pty.wait_for("another key", |seen| seen.shows("last key Up"));
}

#[test]
fn what_has_begun_as_a_sequence_stays_one() {
    let pty = started();
    for whole in [
        "\x1b[1~",
        "\x1b[11;1~",
        "\x1b[<35;11;1M",
        "\x1b[M q1",
        "\x1b[?62;1;4c",
        "\x1b]11;rgb:1111/1111/1111\x1b\\",
        "\x1bP1+r1=1\x1b\\",
    ] {
        for cut in 1..whole.len() {
            let (head, tail) = whole.split_at(cut);
            pty.send(head);
            sleep(PAUSE);
            pty.send(tail);
            sleep(PAUSE);
            assert_only_keys_count(&pty, whole);
        }
    }
}

#[test]
fn a_paste_that_stalls_stays_one() {
    let pty = started();
    for parts in [
        ["\x1b[20", "0~1 q\x1b[201~"],
        ["\x1b[200~1 q", "1 q\x1b[201~"],
        ["\x1b[200~1 q\x1b", "[201~"],
        ["\x1b[200~1 q\x1b[20", "1~"],
    ] {
        for part in parts {
            pty.send(part);
            sleep(STALL);
        }
        assert_only_keys_count(&pty, &parts.concat());
    }
}

#[test]
fn after_a_paste_without_an_end_a_key_pressed_twice_counts() {
    let mut pty = started();
    pty.send("\x1b[200~never ended");
    sleep(STALL);
    pty.send("q");
    sleep(STALL);
    assert!(!pty.has_ended(), "it may have been the end of the paste");
    pty.send("q");
    assert_eq!(code(pty.wait_for_end()), 0);
}

#[test]
fn a_paste_without_marks_toggles_and_quits_nothing() {
    let mut bench = Bench::new();
    bench.start(Broker1);
    bench.start(Card1);
    bench.wait_row(Card1, 3, "OK", "SAVED");
    bench.pty(Card1).send("ssh pi@10.1.2.3\rq12");
    sleep(STALL);
    bench.press(Card1, "?");
    bench.wait_text(Card1, "close this help");
    for sensor in 1..=3 {
        bench.press(Card1, "?");
        bench.wait_row(Card1, sensor, INITIAL[usize::from(sensor) - 1], "SAVED");
    }
}

#[test]
fn what_a_crashed_program_has_left_on_is_off() {
    let left_on = "\\033[?1h\\033=\\033[?1003h\\033[?1006h\\033[>4;2m";
    let start = format!("printf '{left_on}'; exec {}", probe());
    let pty = Start::program(["sh", "-c", &start]).spawn();
    drawn(&pty);
    pty.look(|seen| {
        let screen = seen.screen();
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert_eq!(
            screen.mouse_protocol_encoding(),
            vt100::MouseProtocolEncoding::Default
        );
        assert!(!screen.application_cursor() && !screen.application_keypad());
    });
}

#[test]
fn where_keys_come_as_numbers_they_are_keys() {
    for quit in [
        "\x03",
        "\x1b[99;5u",
        "\x1b[27;5;99~",
        "q",
        "\x1b[113u",
        "\x1b[113;1:1u",
    ] {
        let mut pty = started();
        pty.send("\x1b[49;1:3u\x1b[27u");
        pty.wait_for("the escape key", |seen| seen.shows("last key Esc"));
        assert!(pty.look(|seen| seen.shows("Sensor 1  KO")), "a key let go");
        pty.send("\x1b[49u");
        pty.wait_for("the digit", |seen| seen.shows("Sensor 1  OK"));
        pty.send(quit);
        assert_eq!(code(pty.wait_for_end()), 0, "{quit:?}");
    }
}

#[test]
fn the_rest_of_a_sequence_that_the_shell_has_begun_to_read_is_no_key() {
    let start = format!("stty -icanon -echo min 1; head -c 2 >/dev/null; exec {}", probe());
    let pty = Start::program(["sh", "-c", &start]).spawn();
    pty.send("\x1b[1~");
    drawn(&pty);
    sleep(PAUSE);
    assert_only_keys_count(&pty, "1~ before the start");
}
