//! What alarms send to a terminal: the bell until somebody has heard it, notifications, and the test of both.

use std::process::Stdio;

use crate::support::bench::Node::{Broker1, Card1, Display};
use crate::support::bench::process::{PipedProgram, command};
use crate::support::bench::{Bench, flat};
use crate::support::pty::{Pty, PtyOutput, Start, code};
use rustix::process::Signal;

const BELL: u8 = 0x07;

fn bells(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == BELL).count() - 1
}

/// Board 1 alone: its broker runs.
fn board1() -> Bench {
    let mut bench = Bench::new();
    bench.start(Broker1);
    bench
}

/// The monitor of board 1, with its three sensors OK.
fn monitor(bench: &Bench, options: &[&str], environment: &[(&str, &str)]) -> Pty {
    let mut start = Start::program(bench.command(Card1, &bench.url(Card1), options))
        .env("LC_ALL", "C.UTF-8")
        .env("NO_COLOR", "1");
    // Whoever runs the tests may do so in any of them.
    let terminals = [
        "TERM_PROGRAM",
        "LC_TERMINAL",
        "KITTY_WINDOW_ID",
        "WEZTERM_PANE",
        "GHOSTTY_RESOURCES_DIR",
    ];
    for name in terminals.into_iter().chain(["TMUX", "STY"]) {
        start = start.env(name, "");
    }
    for (name, value) in environment {
        start = start.env(name, value);
    }
    let pty = start.spawn();
    pty.wait_for("its sensors", |seen| seen.shows("Sensor 3  ✓ OK"));
    pty.wait_for("the broker", |seen| seen.shows("SAVED"));
    pty
}

/// Presses a key, and waits until the screen says this.
#[track_caller]
fn press(pty: &Pty, key: &str, says: &str) {
    pty.press(key);
    pty.wait_for(says, |seen| flat(&seen.text()).contains(says));
}

fn wait_bells(pty: &Pty, mark: usize, count: usize) {
    pty.wait_for(&format!("bell number {count}"), |seen| {
        bells(&seen.bytes[mark..]) == count
    });
}

#[test]
fn the_bell_repeats_until_it_is_silenced_or_the_alarms_are_acknowledged() {
    let bench = board1();
    let pty = monitor(&bench, &[], &[]);
    let mark = pty.mark();
    press(&pty, "s", "no bell to silence");
    press(&pty, "2", "! sensor 2 KO");
    wait_bells(&pty, mark, 1);
    // The one real wait of 10 s; what follows is told by what `s` finds.
    wait_bells(&pty, mark, 2);
    press(&pty, "s", "bell silenced until the next alarm");
    press(&pty, "s", "no bell to silence");
    press(&pty, "3", "! sensor 3 KO");
    wait_bells(&pty, mark, 3);
    pty.press("a");
    pty.wait_for("no banner", |seen| !seen.shows("! sensor"));
    press(&pty, "s", "no bell to silence");
    assert_eq!(bells(&pty.bytes_since(mark)), 3);
}

#[test]
fn the_bell_can_ring_once_or_never() {
    let bench = board1();
    let cases: [(&[&str], usize); 3] = [
        (&["--bell", "once"], 1),
        (&["--bell", "off"], 0),
        (&["--no-bell"], 0),
    ];
    for (options, rings) in cases {
        let mut pty = monitor(&bench, options, &[]);
        assert!(
            !pty.look(|seen| seen.shows("silence")),
            "{options:?}: there is nothing to silence"
        );
        press(&pty, "1", "! sensor 1 KO");
        press(&pty, "s", "no bell to silence");
        press(&pty, "t", "No state is shown");
        press(&pty, "t", "q quit");
        assert_eq!(bells(&pty.bytes_since(0)), 2 * rings, "{options:?}");
        press(&pty, "1", "now OK");
        pty.press("q");
        assert_eq!(code(pty.wait_for_end()), 0);
    }
}

#[test]
fn a_test_is_marked_as_one_rings_once_where_it_is_silenced_and_changes_nothing() {
    let bench = board1();
    let ran = bench.folder().join("ran").display().to_string();
    let command = format!("echo ran >> {ran}");
    let pty = monitor(&bench, &["--notify", "osc9", "--on-alarm", &command], &[]);
    press(&pty, "2", "! sensor 2 KO");
    pty.wait_until("the command", || {
        std::fs::read_to_string(&ran).is_ok_and(|text| text == "ran\n")
    });
    press(&pty, "s", "bell silenced");
    pty.wait_for("the broker to have it", |seen| {
        seen.shows("Sensor 2  ✗ KO      SAVED")
    });
    let held = bench.retained(Broker1, "sensors/card1");
    let mark = pty.mark();
    press(&pty, "t", "TEST No state is shown; nothing changes.");
    // The bell may go out a frame before it.
    let sent = b"\x1b]9;card1_monitor: TEST, no alarm\x07";
    pty.wait_for("bell and notification", |seen| {
        let new = &seen.bytes[mark..];
        new.windows(sent.len()).any(|bytes| bytes == sent) && bells(new) == 2
    });
    // The key ends it, and is not one that toggles.
    press(&pty, "3", "1 2 3 toggle");
    assert!(!pty.look(|seen| seen.shows("TEST")));
    press(&pty, "s", "no bell to silence");
    assert_eq!(
        bells(&pty.bytes_since(mark)),
        2,
        "its own, and the notification's end"
    );
    assert_eq!(bench.retained(Broker1, "sensors/card1"), held);
    assert_eq!(std::fs::read_to_string(&ran).expect("a file"), "ran\n");
    press(&pty, "t", "TEST");
    press(&pty, "l", "l lock");
    press(&pty, "3", "! sensor 3 KO");
}

#[test]
fn an_alarm_ends_a_test() {
    let mut bench = Bench::running();
    bench.press(Display, "t");
    bench.wait_text(Display, "TEST");
    bench.press(Card1, "2");
    bench.wait_text(Display, "! sensor 2 KO");
    // In a test this key would end it, and say nothing.
    bench.press(Display, "s");
    bench.wait_text(Display, "bell silenced until the next alarm");
}

#[test]
fn a_notification_has_the_form_that_is_asked_for_and_is_wrapped_for_tmux_and_screen() {
    let bench = board1();
    for (options, environment, before, after) in [
        (
            &["--notify", "osc9"][..],
            &[][..],
            "\x1b]9;card1_monitor: sensor 2 KO ",
            "\x07",
        ),
        (
            &["--notify"],
            &[("TERM", "foot")],
            "\x1b]777;notify;card1_monitor;sensor 2 KO ",
            "\x07",
        ),
        (
            &["--notify", "auto"],
            &[("TERM", "xterm-kitty")],
            "\x1b]99;;card1_monitor: sensor 2 KO ",
            "\x07",
        ),
        (
            &["--notify=osc777"],
            &[("TERM", "tmux-256color"), ("TMUX", "/tmp/tmux-1/default,1,0")],
            "\x1bPtmux;\x1b\x1b]777;notify;card1_monitor;sensor 2 KO ",
            "\x07\x1b\\",
        ),
        (
            &["--notify", "osc9"],
            &[("TERM", "screen"), ("STY", "1.pts-0")],
            "\x1bP\x1b]9;card1_monitor: sensor 2 KO ",
            "\x07\x1b\\",
        ),
    ] {
        let mut pty = monitor(&bench, options, environment);
        let mark = pty.mark();
        press(&pty, "2", "! sensor 2 KO");
        pty.wait_for(&format!("{options:?} {environment:?}"), |seen| {
            let sent = String::from_utf8_lossy(&seen.bytes[mark..]);
            // Between the two is the time of the alarm.
            let rest = sent.split_once(before).map(|(_, rest)| rest);
            rest.is_some_and(|rest| rest.get(8..).is_some_and(|rest| rest.starts_with(after)))
        });
        press(&pty, "2", "now OK");
        pty.press("a");
        pty.wait_for("no banner", |seen| !seen.shows("! sensor"));
        pty.press("q");
        assert_eq!(code(pty.wait_for_end()), 0);
    }
}

#[test]
fn no_notification_is_sent_unasked_to_an_unknown_terminal_or_where_there_is_none() {
    let bench = board1();
    for options in [&[][..], &["--notify"]] {
        let mut pty = monitor(&bench, options, &[]);
        press(&pty, "2", "! sensor 2 KO");
        press(&pty, "t", "no notification:");
        press(&pty, "t", "q quit");
        let sent = pty.look(|seen: &PtyOutput| seen.bytes.windows(2).any(|bytes| bytes == b"\x1b]"));
        assert!(!sent, "{options:?}");
        press(&pty, "2", "now OK");
        pty.press("q");
        assert_eq!(code(pty.wait_for_end()), 0);
    }
    let mut command = command(&bench, Card1, &["--notify", "osc9"]);
    let monitor = PipedProgram::start(command.env("TERM", "foot").stdin(Stdio::null()));
    monitor.wait_owner(&bench, Card1);
    bench.wait_holds(Broker1, "sensors/card1", ["OK"; 6]);
    let (status, _, why) =
        crate::support::bench::process::act(&bench, Card1, &["--set", "2=ko", "--timeout", "2"]);
    assert_eq!(status, 1, "nobody is there to confirm it: {why}");
    monitor.signal(Signal::TERM);
    let (_, said, why) = monitor.end();
    assert!(said.contains("Sensor 2  KO") && !(said + &why).contains('\x1b'));
}
