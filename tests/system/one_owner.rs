//! One owner a card on one board, by its lock.

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Card1, Card2};
use crate::support::bench::process::{PipedProgram, act, assert_ended, command};
use crate::support::bench::told::{assert_says, says_all};
use crate::support::bench::{Bench, INITIAL, flat};
use crate::support::probe::state;
use crate::support::pty::{PtyOutput, code};

#[test]
fn a_second_copy_without_a_terminal_is_told_who_runs_and_ends() {
    let mut bench = Bench::running();
    for (node, program) in [(Card1, "card1_monitor"), (Card2, "card2_monitor")] {
        let pid = bench.pty(node).pid();
        let second = command(&bench, node, &[]).output().expect("it starts");
        assert_eq!(second.status.code(), Some(1));
        let said = String::from_utf8_lossy(&second.stderr);
        let who = format!("(process {pid}, /dev/pts/");
        assert_says(&said, &[program, "already runs", &who, "with q", "--take-over"]);
    }
    bench.press(Card1, "2");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
}

#[test]
fn take_over_ends_the_first_cleanly_and_goes_on_in_its_place() {
    let mut bench = Bench::with_ko("3");
    let mut first = bench.take(Card1);
    let second = bench.spawn(Card1, &bench.url(Card1), &["--take-over"]);
    assert_eq!(code(first.wait_for_end()), 128 + Signal::TERM.as_raw());
    first.assert_restored();
    bench.give(Card1, second);
    bench.wait_settled(["OK", "OK", "KO", "OK", "OK", "OK"]);
    bench.press(Card1, "1");
    bench.wait_settled(["KO", "OK", "KO", "OK", "OK", "OK"]);
}

#[test]
fn take_over_ends_one_that_was_stopped_by_ctrl_z() {
    let mut bench = Bench::running();
    let mut first = bench.take(Card1);
    first.signal(Signal::STOP);
    let taken = bench.spawn(Card1, &bench.url(Card1), &["--take-over"]);
    bench.give(Card1, taken);
    assert_eq!(code(first.wait_for_end()), 128 + Signal::TERM.as_raw());
    first.assert_restored();
    // Keys that are pressed before there is a screen are dropped.
    bench.wait_settled(INITIAL);
    bench.press(Card1, "2");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
}

#[test]
fn a_second_copy_is_told_that_the_first_one_is_stopped() {
    let mut bench = Bench::running();
    bench.pty(Card1).signal(Signal::STOP);
    let first = bench.pid(Card1).as_raw_nonzero().get().unsigned_abs();
    bench.wait("it is stopped", |_| state(first) == Some('T'));
    let mut second = bench.spawn(Card1, &bench.url(Card1), &[]);
    assert_eq!(code(second.wait_for_end()), 1);
    second.wait_for("one line of words", |seen| seen.shows("take-over"));
    let said = second.look(PtyOutput::text);
    assert_says(&said, &["stopped", "with fg", "--take-over"]);
    bench.pty(Card1).signal(Signal::CONT);
    bench.press(Card1, "2");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
}

/// A process that holds the lock of card 1, runs, and does nothing of what it is told.
fn hung(bench: &Bench) -> std::process::Child {
    let folder = bench.state_dir(Card1);
    std::fs::create_dir_all(&folder).expect("a folder");
    // What it is, is in the file before anybody can find the lock taken: as field 22 of its line in /proc
    // tells when it was started.
    let script = "trap '' TERM; read -r line </proc/$$/stat; set -- ${line##*) }; shift 19; \
                  printf '%s\\nno terminal\\n%s\\n' $$ $1 >card1.lock; exec 9<card1.lock; flock 9; echo hangs; while read -r _; do :; done";
    let mut child = std::process::Command::new("bash")
        .args(["-c", script])
        .current_dir(folder)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("bash");
    let mut said = String::new();
    let mut out = std::io::BufReader::new(child.stdout.as_mut().expect("a pipe"));
    std::io::BufRead::read_line(&mut out, &mut said).expect("text");
    assert_eq!(said, "hangs\n");
    child
}

#[test]
fn one_that_hangs_is_said_to_hang() {
    let mut bench = Bench::new();
    bench.start(Broker1);
    let mut hung = hung(&bench);
    let asked = act(&bench, Card1, &["--set", "2=ko", "--timeout", "2"]);
    let mut taken = bench.spawn(Card1, &bench.url(Card1), &["--take-over"]);
    let ended = code(taken.wait_for_end());
    hung.kill().and_then(|()| hung.wait()).expect("our own child");
    assert_eq!(ended, 1);
    let who = format!("(process {}, no terminal)", hung.id());
    let why = assert_ended(asked, 1, "");
    assert_says(
        &why,
        &[
            "not done",
            &who,
            "nobody listens on",
            "if it hangs",
            "--take-over",
        ],
    );
    let kill = format!("kill -9 {}", hung.id());
    taken.wait_for("that it hangs", |seen| {
        says_all(&seen.text(), &[&who, "5 s", "hangs", &kill, "start again"])
    });
}

#[test]
fn take_over_ends_no_process_that_only_has_the_number_of_the_holder() {
    let bench = Bench::running();
    let file = bench.state_dir(Card1).join("card1.lock");
    let innocent = std::process::Command::new("sleep").arg("600").spawn();
    let mut innocent = innocent.expect("sleep");
    let told = std::fs::read_to_string(&file).expect("the lock");
    let lines: Vec<&str> = told.lines().skip(1).collect();
    std::fs::write(&file, format!("{}\n{}\n", innocent.id(), lines.join("\n"))).expect("the lock");
    let mut second = bench.spawn(Card1, &bench.url(Card1), &["--take-over"]);
    let status = code(second.wait_for_end());
    let lives = innocent.try_wait().expect("a child").is_none();
    innocent
        .kill()
        .and_then(|()| innocent.wait())
        .expect("our own child");
    assert!(lives);
    assert_eq!(status, 1);
    second.wait_for("one line of words", |seen| {
        flat(&seen.text()).contains("not a process of this machine")
    });
}

#[test]
fn take_over_where_nothing_runs_is_a_start_like_any_other() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::KILL);
    let started = bench.spawn(Card1, &bench.url(Card1), &["--take-over"]);
    bench.give(Card1, started);
    bench.wait_settled(INITIAL);
}

#[test]
fn killed_and_started_again_many_times_it_is_not_taken_for_a_twin() {
    let mut bench = Bench::running();
    for states in [
        ["KO", "OK", "OK", "OK", "OK", "OK"],
        ["OK", "OK", "OK", "OK", "OK", "OK"],
        ["KO", "OK", "OK", "OK", "OK", "OK"],
    ] {
        bench.press(Card1, "1");
        bench.wait_settled(states);
        bench.end(Card1, Signal::KILL);
        bench.start(Card1);
        bench.wait_ready(Card1);
    }
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
}

#[test]
fn one_without_keys_is_not_said_to_end_by_one() {
    let mut bench = Bench::new();
    bench.start(Broker1);
    let first = PipedProgram::start(&mut command(&bench, Card1, &[]));
    first.wait_owner(&bench, Card1);
    let second = PipedProgram::start(&mut command(&bench, Card1, &[]));
    let pid = first.id();
    let (who, kill) = (format!("(process {pid}, no terminal)"), format!("kill {pid}"));
    let why = assert_ended(second.end(), 1, "");
    assert_says(&why, &[&who, &kill, "--take-over"]);
}
