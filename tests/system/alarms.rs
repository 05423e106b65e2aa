//! What makes itself heard and seen until somebody has acknowledged it, on real screens.

use rustix::process::Signal;

use crate::support::bench::Node::{Broker2, Card1, Card2, Display};
use crate::support::bench::{Bench, PROGRAMS, flat, is_ready};

const BELL: u8 = 0x07;

fn bells(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == BELL).count() - 1
}

#[test]
fn a_sensor_that_goes_ko_rings_once_on_every_screen_and_stays_until_acknowledged() {
    let mut bench = Bench::running_with(&["--bell", "once"]);
    let silent = bench.spawn(Display, &bench.url(Broker2), &["--no-bell"]);
    silent.wait_for("all six, as they were at its start", |seen| {
        is_ready(&seen.text()) && seen.shows("6 OK  0 KO")
    });
    let marks = PROGRAMS.map(|node| bench.pty(node).mark());
    bench.press(Card1, "2");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
    bench.press(Card1, "2");
    bench.wait_settled(["OK"; 6]);
    for (node, mark) in PROGRAMS.into_iter().zip(marks) {
        bench.wait_text(node, "! sensor 2 KO ");
        bench.wait_text(node, ", now OK");
        assert_eq!(bells(&bench.pty(node).bytes_since(mark)), 1, "{node:?}");
    }
    silent.wait_for("the banner", |seen| flat(&seen.text()).contains("! sensor 2 KO "));
    assert_eq!(bells(&silent.bytes_since(0)), 0, "with --no-bell");
    bench.press(Display, "a");
    for node in PROGRAMS {
        bench.wait("the banner and the marks are gone", |bench| {
            let text = bench.text(node);
            !text.contains("! sensor") && !text.contains("•Sensor")
        });
    }
}

#[test]
fn a_source_that_is_lost_rings_and_one_that_was_never_there_does_not() {
    let mut bench = Bench::running_with(&["--bell", "once"]);
    let mark = bench.pty(Display).mark();
    bench.end(Card2, Signal::KILL);
    bench.wait_text(Display, "! boards 1 and 2 HELD ");
    bench.wait_text(Display, "boards 1 and 2 held since");
    assert_eq!(bells(&bench.pty(Display).bytes_since(mark)), 1);
    let late = bench.spawn(Display, &bench.url(Broker2), &[]);
    late.wait_for("what is wrong", |seen| flat(&seen.text()).contains("held since"));
    assert_eq!(bells(&late.bytes_since(0)), 0);
    assert!(!late.look(|seen| seen.shows("boards 1 and 2 HELD")));
}

#[test]
fn what_is_ko_at_the_start_is_said_without_a_bell() {
    let bench = Bench::with_ko("46");
    let late = bench.spawn(Display, &bench.url(Broker2), &[]);
    late.wait_for("what was found", |seen| {
        flat(&seen.text()).contains("! sensor 6 KO ") && seen.shows("and 1 more")
    });
    assert_eq!(bells(&late.bytes_since(0)), 0);
}

#[test]
fn without_a_state_file_what_was_ko_at_the_start_rings_no_bell() {
    for node in [Card1, Card2] {
        let mut bench = Bench::with_ko("26");
        let states = ["OK", "KO", "OK", "OK", "OK", "KO"];
        bench.end(node, Signal::KILL);
        std::fs::remove_dir_all(bench.state_dir(node)).expect("its folder");
        bench.start(node);
        bench.wait_settled(states);
        bench.wait_text(node, "! sensor 6 KO ");
        bench.wait_text(node, "and 1 more");
        assert_eq!(bells(&bench.pty(node).bytes_since(0)), 0);
    }
}
