//! State files that cannot be believed, read or written: said in words, set aside, never fatal, never
//! believed.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::told::{assert_says, says_all};
use crate::support::bench::{ALL, Bench, INITIAL, Node, States};
use crate::support::pty::code;

const CHANGED: States = ["KO", "OK", "OK", "OK", "KO", "OK"];

fn set_aside(bench: &Bench, node: Node) -> PathBuf {
    bench.state_file(node).with_extension("state.damaged-1")
}

/// Both monitors are killed, their files are made like this, and they start again.
fn with_files(bench: &mut Bench, spoil: impl Fn(Vec<u8>) -> Vec<u8>, says: &str) {
    for node in [Card1, Card2] {
        bench.end(node, Signal::KILL);
        let file = bench.state_file(node);
        let spoilt = spoil(fs::read(&file).expect("a state file"));
        fs::write(&file, &spoilt).expect("writing a state file");
        bench.start(node);
        bench.wait_text(node, says);
        let aside = set_aside(bench, node);
        assert_eq!(fs::read(&aside).expect("the file is set aside"), spoilt);
    }
}

#[test]
fn a_file_that_says_something_else_is_set_aside_and_the_states_come_from_the_brokers() {
    let mut bench = Bench::with_ko("15");
    let turned = |file: Vec<u8>| {
        let text = String::from_utf8(file).expect("text");
        assert_says(&text, &["false"]);
        text.replace("false", "true ").into_bytes()
    };
    with_files(&mut bench, turned, "damaged (its checksum differs): set aside as");
    bench.wait_settled(CHANGED);
}

#[test]
fn an_empty_file_is_set_aside() {
    let mut bench = Bench::with_ko("15");
    with_files(&mut bench, |_| Vec::new(), "state file empty: set aside as");
    bench.wait_settled(CHANGED);
}

#[test]
fn a_file_cut_short_is_set_aside() {
    let mut bench = Bench::with_ko("15");
    let cut = |mut file: Vec<u8>| {
        file.truncate(file.len() / 2);
        file
    };
    with_files(&mut bench, cut, "state file cut short: set aside as");
    bench.wait_settled(CHANGED);
}

#[test]
fn noise_and_escape_sequences_in_a_file_reach_no_screen() {
    let mut bench = Bench::with_ko("15");
    let noise = |_| b"\x1b]0;PWNED\x07\xff\xfe\x00PWNED\nPWNED\n".to_vec();
    with_files(&mut bench, noise, "not of a form that this version knows");
    bench.wait_settled(CHANGED);
    for node in [Card1, Card2] {
        let bytes = bench.pty(node).bytes_since(0);
        assert!(!bytes.windows(5).any(|window| window == b"PWNED"), "{node:?}");
    }
}

#[test]
fn damaged_files_and_blank_brokers_leave_the_states_unknown_to_nobody_but_invent_none() {
    let mut bench = Bench::with_ko("15");
    bench.end_all(ALL, Signal::KILL);
    for node in [Card1, Card2] {
        fs::write(bench.state_file(node), "PWNED").expect("writing a state file");
    }
    for broker in ["broker1", "broker2"] {
        let store = bench.folder().join(broker).join("mosquitto.db");
        // There is one only if the broker has saved in time.
        let _ = fs::remove_file(store);
    }
    bench.start_all([Broker1, Broker2, Display]);
    bench.wait_ready(Display);
    assert_eq!(
        bench.row(Display, 1).map(|row| row.state),
        Some("UNKNOWN".to_owned())
    );
    bench.start_all([Card1, Card2]);
    for node in [Card1, Card2] {
        bench.wait_text(node, "no memory found anywhere: sensors start as OK");
    }
    bench.wait_settled(INITIAL);
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_nothing_is_called_saved_until_it_can() {
    let mut bench = Bench::with_ko("15");
    // A folder in the place of the new file: root is not stopped by permissions.
    let obstacle = bench.state_file(Card1).with_extension("state.new");
    fs::create_dir(&obstacle).expect("an obstacle");
    bench.press(Card1, "2");
    bench.wait_row(Card1, 2, "KO", "SENDING");
    bench.wait_text(Card1, "not saved: cannot write");
    // The others are told all the same.
    bench.wait_row(Display, 2, "KO", "LIVE");
    let mark = bench.pty(Card1).mark();
    bench.wait_heartbeats(3, Card1, Broker1);
    for early in ["SAVED", "CONFIRMED"] {
        assert!(
            !bench.ever_showed(Card1, mark, 2, early),
            "{early}, and not on disk"
        );
    }
    fs::remove_dir(&obstacle).expect("the obstacle");
    let states = ["KO", "KO", "OK", "OK", "KO", "OK"];
    bench.wait_settled(states);
    assert!(!bench.text(Card1).contains("not saved"), "the problem is over");
    bench.end_all(ALL, Signal::KILL);
    bench.start_all([Broker1, Broker2, Card1, Card2, Display]);
    bench.wait_settled(states);
}

#[test]
fn a_folder_in_the_place_of_the_file_is_set_aside_like_a_damaged_one() {
    let mut bench = Bench::with_ko("15");
    bench.end(Card2, Signal::KILL);
    let file = bench.state_file(Card2);
    fs::remove_file(&file).expect("the state file");
    fs::create_dir(&file).expect("a folder in its place");
    bench.start(Card2);
    bench.wait_text(Card2, "state file cannot be read");
    bench.wait_settled(CHANGED);
    assert!(set_aside(&bench, Card2).is_dir());
    assert!(file.is_file());
}

#[test]
fn one_that_is_quit_while_its_file_cannot_be_written_says_so_at_its_end() {
    let mut bench = Bench::running();
    fs::create_dir(bench.state_file(Card1).with_extension("state.new")).expect("an obstacle");
    bench.press(Card1, "2");
    bench.wait_text(Card1, "not saved: cannot write");
    let mut quit = bench.take(Card1);
    quit.send("q");
    assert_eq!(code(quit.wait_for_end()), 0);
    quit.assert_restored();
    quit.wait_for("what is not in the file", |seen| {
        says_all(&seen.text(), &["not in the state file", "cannot write"])
    });
}
