//! `--set` and `--toggle`: real brokers, real programs, and the same guarantee as a key.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2};
use crate::support::bench::process::assert_ended;
use crate::support::bench::process::{PipedProgram, act, command, run};
use crate::support::bench::told::assert_says;
use crate::support::bench::{Bench, INITIAL, flat};
use crate::support::port::Port;
use crate::support::pty::code;

pub fn count(text: &str, words: &str) -> usize {
    flat(text).matches(words).count()
}

#[test]
fn without_a_monitor_it_is_confirmed_by_the_other_board() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::TERM);
    let (status, said, why) = act(&bench, Card1, &["--set", "2=ko", "--toggle", "3"]);
    assert_eq!((status, why.as_str()), (0, ""), "{said}");
    assert_eq!(
        said,
        "Sensor 2  KO       CONFIRMED\nSensor 3  KO       CONFIRMED\n"
    );
    let states = ["OK", "KO", "KO", "OK", "OK", "OK"];
    bench.wait_holds(Broker2, "sensors/all", states);
    let (status, said, _) = act(&bench, Card1, &["--set=2=KO", "--set=1=ok"]);
    assert_eq!(
        (status, said.lines().count()),
        (0, 2),
        "what is so already is confirmed as well"
    );
    bench.start(Card1);
    bench.wait_settled(states);
}

#[test]
fn the_monitor_that_runs_does_it_and_says_who_asked() {
    let mut bench = Bench::running();
    for (node, sensor) in [(Card1, 2), (Card2, 5)] {
        let (status, said, why) = act(&bench, node, &["--toggle", &sensor.to_string()]);
        assert_eq!((status, why.as_str()), (0, ""));
        assert_eq!(said, format!("Sensor {sensor}  KO       CONFIRMED\n"));
        bench.wait_row(node, sensor, "KO", "CONFIRMED");
        bench.wait_text(node, &format!("toggle sensor {sensor}"));
        assert!(
            flat(&bench.text(node)).contains("command from process "),
            "{}",
            bench.text(node)
        );
    }
    bench.wait_settled(["OK", "KO", "OK", "OK", "KO", "OK"]);
    bench.press(Card1, "2");
    bench.wait_settled(["OK", "OK", "OK", "OK", "KO", "OK"]);
}

#[test]
fn where_a_monitor_runs_with_another_state_folder_that_is_said_and_nothing_is_done() {
    let bench = Bench::running();
    let elsewhere = bench.folder().join("elsewhere").display().to_string();
    let listener = bench.listener(Broker1);
    let arguments = ["--state-dir", &elsewhere, "--toggle", "1", "--set", "2=ko"];
    let why = assert_ended(act(&bench, Card1, &arguments), 1, "");
    let words = [
        "not done: no card1_monitor runs with the state folder",
        &elsewhere,
        "but one is live at",
        &bench.url(Broker1),
        "--state-dir or DUALBOARD_STATE_DIR",
        "or publish on sensors/card1/set",
    ];
    assert_says(&why, &words);
    assert_eq!(why.lines().count(), 1, "{why}");
    assert_eq!(listener.count("sensors/card1/set"), 0);
    bench.wait_settled(INITIAL);
}

#[test]
fn the_monitor_that_runs_is_asked_without_its_broker_and_its_password() {
    let bench = Bench::running();
    let nowhere = Port::claim();
    let url = format!("mqtt://localhost:{}", nowhere.number);
    let words = bench.command(Card1, &url, &["--toggle", "2"]);
    let ended = run(Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()));
    assert_ended(ended, 0, "Sensor 2  KO       CONFIRMED\n");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
}

/// So many processes toggle sensor 1 side by side; each ends when its toggle is confirmed.
fn toggle_at_once(bench: &Bench, times: usize) {
    let toggle = ["--toggle", "1", "--timeout", "60"];
    let start = |_| PipedProgram::start(&mut command(bench, Card1, &toggle));
    for toggle in (0..times).map(start).collect::<Vec<_>>() {
        assert_eq!(toggle.end().0, 0);
    }
}

#[test]
fn where_there_is_no_time_to_know_who_owns_the_card_nothing_is_done() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::TERM);
    let why = assert_ended(act(&bench, Card1, &["--set", "2=ko", "--timeout", "1"]), 1, "");
    assert_says(&why, &["nothing was done; allow more with --timeout"]);
    bench.start(Card1);
    bench.wait_settled(INITIAL);
}

#[test]
fn many_at_once_all_count() {
    let bench = Bench::running();
    toggle_at_once(&bench, 7);
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
}

#[test]
fn many_at_once_without_a_monitor_all_count() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::KILL);
    toggle_at_once(&bench, 5);
    bench.start(Card1);
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
}

#[test]
fn without_a_broker_it_is_in_the_file_and_goes_out_later() {
    let mut bench = Bench::running();
    bench.end_all([Card1, Broker1], Signal::TERM);
    let why = assert_ended(
        act(&bench, Card1, &["--set", "2=ko", "--timeout", "4"]),
        1,
        "Sensor 2  KO       SENDING\n",
    );
    for words in [
        "not confirmed within 4 s (sensor 2 SENDING)",
        "unreachable",
        "in the state file in",
        "card1_monitor",
    ] {
        assert_says(&why, &[words]);
    }
    assert_eq!(why.lines().count(), 1, "{why}");
    bench.start_all([Broker1, Card1]);
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
}

#[test]
fn with_the_link_cut_it_is_saved() {
    let mut bench = Bench::running();
    bench.link.cut();
    bench.wait_text(Card1, "bridge down");
    let why = assert_ended(
        act(&bench, Card1, &["--set", "3=ko", "--timeout", "6"]),
        1,
        "Sensor 3  KO       SAVED\n",
    );
    assert_says(&why, &["(sensor 3 SAVED)", "goes on with it by itself (process "]);
    bench.end(Card1, Signal::TERM);
    assert_ended(
        act(&bench, Card1, &["--set", "1=ko", "--timeout", "6"]),
        1,
        "Sensor 1  KO       SAVED\n",
    );
    bench.link.heal();
    bench.start(Card1);
    bench.wait_settled(["KO", "OK", "KO", "OK", "OK", "OK"]);
}

#[test]
fn a_monitor_whose_broker_is_away_does_it_and_how_far_it_has_got_is_said() {
    let mut bench = Bench::running();
    bench.end(Broker1, Signal::TERM);
    bench.wait_text(Card1, "unreachable");
    let why = assert_ended(
        act(&bench, Card1, &["--toggle", "3", "--timeout", "4"]),
        1,
        "Sensor 3  KO       SENDING\n",
    );
    let goes_on = format!("goes on with it by itself (process {}", bench.pid(Card1));
    assert_says(&why, &["(sensor 3 SENDING)", "connection refused", &goes_on]);
    bench.wait_row(Card1, 3, "KO", "SENDING");
    bench.start(Broker1);
    bench.wait_settled(["OK", "OK", "KO", "OK", "OK", "OK"]);
}

#[test]
fn a_monitor_that_is_stopped_is_said_to_be_stopped_and_nothing_is_done() {
    let mut bench = Bench::running();
    bench.pty(Card1).signal(Signal::STOP);
    let (status, said, why) = act(&bench, Card1, &["--set", "3=ko", "--timeout", "4"]);
    bench.pty(Card1).signal(Signal::CONT);
    assert_eq!((status, said.as_str()), (1, ""), "{why}");
    let words = format!(
        "not done within 4 s: card1_monitor runs (process {}, ",
        bench.pid(Card1)
    );
    assert_says(&why, &[&words, "it is stopped", "continue it there with fg"]);
    bench.press(Card1, "1");
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
}

#[test]
fn a_monitor_that_is_stopped_does_it_when_it_goes_on_in_time() {
    let mut bench = Bench::running();
    bench.pty(Card1).signal(Signal::STOP);
    let asking = PipedProgram::start(&mut command(&bench, Card1, &["--toggle", "3", "--timeout", "60"]));
    // Longer than an owner that is not stopped takes to answer.
    bench.wait_heartbeats(3, Card2, Broker2);
    bench.pty(Card1).signal(Signal::CONT);
    assert_ended(asking.end(), 0, "Sensor 3  KO       CONFIRMED\n");
    bench.wait_settled(["OK", "OK", "KO", "OK", "OK", "OK"]);
}

/// A toggle that the monitor has saved, and that waits for board 2 with the link cut.
fn waiting(bench: &Bench, timeout: &str) -> PipedProgram {
    bench.link.cut();
    bench.wait_text(Card1, "bridge down");
    let waiting = PipedProgram::start(&mut command(
        bench,
        Card1,
        &["--toggle", "1", "--timeout", timeout],
    ));
    bench.wait_row(Card1, 1, "KO", "SAVED");
    waiting
}

#[test]
fn a_monitor_that_is_stopped_after_it_has_answered_is_not_said_to_go_on_with_it() {
    let mut bench = Bench::running();
    let waiting = waiting(&bench, "12");
    // By then its answer has been heard as well.
    bench.wait_heartbeats(2, Card1, Broker1);
    bench.pty(Card1).signal(Signal::STOP);
    let (status, said, why) = waiting.end();
    bench.pty(Card1).signal(Signal::CONT);
    assert_eq!(
        (status, said.as_str()),
        (1, "Sensor 1  KO       SAVED\n"),
        "{why}"
    );
    let words = format!("card1_monitor is stopped (process {}, ", bench.pid(Card1));
    assert!(why.contains(&words) && !why.contains("goes on with it"), "{why}");
    bench.link.heal();
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
}

#[test]
fn an_owner_that_ends_meanwhile_has_done_it_once() {
    let mut bench = Bench::running();
    let waiting = waiting(&bench, "90");
    bench.end(Card1, Signal::KILL);
    // Now the process that waits is the owner itself. It knows from the file that it is done.
    waiting.wait_owner(&bench, Card1);
    bench.link.heal();
    assert_ended(waiting.end(), 0, "Sensor 1  KO       CONFIRMED\n");
    bench.start(Card1);
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
}

#[test]
fn a_toggle_that_only_the_broker_has_when_its_owner_is_killed_is_not_undone() {
    let mut bench = Bench::running();
    let obstacle = bench.state_file(Card1).with_extension("state.new");
    fs::create_dir(&obstacle).expect("an obstacle");
    let asking = PipedProgram::start(&mut command(&bench, Card1, &["--toggle", "1", "--timeout", "60"]));
    bench.wait_row(Card2, 1, "KO", "LIVE");
    // By then its answer has been heard as well.
    bench.wait_heartbeats(2, Card1, Broker1);
    bench.end(Card1, Signal::KILL);
    fs::remove_dir(&obstacle).expect("the obstacle");
    assert_ended(asking.end(), 0, "Sensor 1  KO       CONFIRMED\n");
    bench.start(Card1);
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
}

#[test]
fn a_monitor_that_takes_over_from_the_one_that_was_asked_goes_on_with_it() {
    let mut bench = Bench::running();
    let waiting = waiting(&bench, "90");
    let mut first = bench.take(Card1);
    let taker = bench.spawn(Card1, &bench.url(Card1), &["--take-over"]);
    assert_eq!(code(first.wait_for_end()), 128 + Signal::TERM.as_raw());
    bench.give(Card1, taker);
    bench.wait_row(Card1, 1, "KO", "SAVED");
    bench.link.heal();
    assert_ended(waiting.end(), 0, "Sensor 1  KO       CONFIRMED\n");
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
}

#[test]
fn arguments_that_cannot_be_used_end_with_2_and_say_what_can() {
    let bench = Bench::new();
    for (arguments, words) in [
        (
            &["--set", "4=ko"][..],
            "sensor 4 is not on card 1; give one from 1 to 3",
        ),
        (&["--toggle", "0"], "sensor 0 is not on card 1"),
        (&["--set", "1"], "write for example 2=ko"),
        (&["--set", "1=maybe"], "write for example 2=ko"),
        (&["--set", "1=ok", "--toggle", "1"], "asked for twice"),
        (&["--toggle", "1", "--timeout", "0"], "not a number of seconds"),
    ] {
        let (status, said, why) = act(&bench, Card1, arguments);
        assert_eq!((status, said.as_str()), (2, ""), "{arguments:?}: {why}");
        assert!(why.contains(words), "{arguments:?}: {why}");
    }
    assert!(!bench.state_dir(Card1).exists(), "a folder was made");
}
