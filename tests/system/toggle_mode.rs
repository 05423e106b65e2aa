//! What a press, a click and a key that was not meant do: nothing by accident.

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Card1};
use crate::support::bench::process::{command, run};
use crate::support::bench::{Bench, binary, flat};
use crate::support::pty::{Pty, PtyOutput, Start, code};

/// Board 1 alone, its monitor with these options.
fn board1(options: &[&str]) -> Bench {
    let mut bench = Bench::new();
    bench.start(Broker1);
    let monitor = bench.spawn(Card1, &bench.url(Broker1), options);
    bench.give(Card1, monitor);
    bench.wait_row(Card1, 3, "OK", "SAVED");
    bench
}

#[test]
fn a_locked_screen_toggles_nothing_until_it_is_unlocked() {
    let mut bench = board1(&[]);
    bench.wait_text(Card1, "card1_monitor unlocked");
    bench.press(Card1, "l1");
    bench.wait_text(Card1, "locked, sensor 1 not toggled: l unlocks");
    bench.press(Card1, "l2");
    bench.wait_row(Card1, 2, "KO", "SAVED");
    bench.wait_row(Card1, 1, "OK", "SAVED");
}

#[test]
fn a_read_only_screen_toggles_nothing_whatever_is_pressed() {
    let mut bench = board1(&["--read-only", "--mouse"]);
    bench.wait_text(Card1, "card1_monitor read-only");
    click(&mut bench, 2);
    bench.wait_text(Card1, "read-only, sensor 2 not toggled");
    bench.press(Card1, "l123456");
    bench.wait_text(Card1, "sensor 6 is toggled on board 2");
    for sensor in 1..=3 {
        bench.wait_row(Card1, sensor, "OK", "SAVED");
    }
}

#[test]
fn a_press_is_marked_and_the_mark_goes_by_itself() {
    let mut bench = board1(&[]);
    let mark = bench.pty(Card1).mark();
    bench.press(Card1, "1");
    bench.wait_row(Card1, 1, "KO", "SAVED");
    let written = bench.pty(Card1).bytes_since(mark);
    assert!(
        String::from_utf8_lossy(&written).contains('›'),
        "{}",
        written.escape_ascii()
    );
    bench.wait("the mark goes", |bench| !bench.text(Card1).contains('›'));
}

/// Presses the left button on a sensor's row, and lets it go.
fn click(bench: &mut Bench, sensor: u8) {
    let text = bench.text(Card1);
    let name = format!("Sensor {sensor} ");
    let line = text
        .lines()
        .position(|line| line.contains(&name))
        .expect("its row")
        + 1;
    bench.press(Card1, &format!("\x1b[<0;12;{line}M\x1b[<0;12;{line}m"));
}

fn mouse_is_on(pty: &Pty) -> bool {
    pty.look(|seen| seen.screen().mouse_protocol_mode() != vt100::MouseProtocolMode::None)
}

#[test]
fn a_click_toggles_where_it_was_asked_for() {
    let mut bench = board1(&["--mouse"]);
    assert!(mouse_is_on(bench.pty(Card1)));
    click(&mut bench, 2);
    bench.wait_row(Card1, 2, "KO", "SAVED");
    bench.press(Card1, "l");
    click(&mut bench, 2);
    bench.wait_text(Card1, "locked, sensor 2 not toggled");
    bench.press(Card1, "l?");
    bench.wait_text(Card1, "click toggle the sensor");
    bench.press(Card1, "?q");
    let mut pty = bench.take(Card1);
    assert_eq!(code(pty.wait_for_end()), 0);
    pty.assert_restored();
}

#[test]
fn without_the_option_the_mouse_is_the_terminals() {
    let mut bench = board1(&[]);
    assert!(!mouse_is_on(bench.pty(Card1)));
    click(&mut bench, 2);
    bench.press(Card1, "3");
    bench.wait_row(Card1, 3, "KO", "SAVED");
    bench.wait_row(Card1, 2, "OK", "SAVED");
}

#[test]
fn the_mouse_is_given_back_after_a_signal() {
    let mut bench = board1(&["--mouse"]);
    bench.pty(Card1).signal(Signal::TERM);
    let mut pty = bench.take(Card1);
    assert_eq!(code(pty.wait_for_end()), 143);
    pty.assert_restored();
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let mut bench = Bench::new();
    bench.start(Broker1);
    let state_dir = bench.state_dir(Card1).display().to_string();
    let words = [
        binary(Card1),
        "--broker",
        &bench.url(Broker1),
        "--state-dir",
        &state_dir,
    ];
    let mut pty = Start::program(words).env("TERM", "dumb").spawn();
    pty.wait_for("a line a sensor", |seen: &PtyOutput| {
        flat(&seen.text()).contains("Sensor 3 OK SAVED")
    });
    pty.send("\x03");
    assert_eq!(code(pty.wait_for_end()), 130);
    let text = String::from_utf8(pty.bytes_since(0)).expect("UTF-8");
    assert!(
        text.chars()
            .all(|letter| !letter.is_control() || "\r\n".contains(letter)),
        "{text:?}"
    );
    pty.assert_restored();
}

#[test]
fn a_machine_whose_screens_are_read_only_still_does_what_somebody_types() {
    let bench = Bench::running();
    let mut command = command(&bench, Card1, &["--set", "2=ko"]);
    let (status, _, why) = run(command.env("DUALBOARD_READ_ONLY", "1"));
    assert_eq!(status, 0, "{why}");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
}
