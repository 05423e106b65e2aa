//! State folders that are moved or deleted under an owner that runs, and files that are replaced: its lock
//! and its file come back, and there is still one owner.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::{ALL, Bench, flat, says};
use crate::support::pty::{PtyOutput, code};

const GONE: &str = "moved away or deleted while this runs; made again";

/// A second one finds the first one, and is a screen of it.
fn attaches_a_second(bench: &Bench) {
    let second = bench.spawn(Card1, &bench.url(Card1), &[]);
    let words = format!("screen of process {}, ", bench.pid(Card1));
    second.wait_for("whose screen it is", |seen| seen.shows(&words));
}

fn comes_back(bench: &Bench) {
    bench.wait("lock and file are there again", |bench| {
        let lock = fs::read_to_string(bench.state_dir(Card1).join("card1.lock")).unwrap_or_default();
        bench.state_file(Card1).exists() && lock.starts_with(&format!("{}\n", bench.pid(Card1)))
    });
}

/// Nothing but the state file is left.
fn holds_after_a_power_cut_that_blanks_the_brokers(bench: &mut Bench, states: [&'static str; 6]) {
    bench.end_all(ALL, Signal::KILL);
    for broker in ["broker1", "broker2"] {
        let _ = fs::remove_file(bench.folder().join(broker).join("mosquitto.db"));
    }
    bench.start_all([Broker1, Broker2, Card1, Card2, Display]);
    bench.wait_settled(states);
}

fn with_the_folder_gone(take_away: impl Fn(&Path, &Path)) {
    let mut bench = Bench::with_ko("2");
    let folder = bench.state_dir(Card1);
    take_away(&folder, &bench.folder().join("moved"));
    bench.wait_text(Card1, GONE);
    comes_back(&bench);
    bench.wait_text(Card1, "state file written again");
    attaches_a_second(&bench);
    bench.press(Card1, "3");
    let states = ["OK", "KO", "KO", "OK", "OK", "OK"];
    bench.wait_settled(states);
    holds_after_a_power_cut_that_blanks_the_brokers(&mut bench, states);
}

#[test]
fn a_folder_that_was_moved_away_is_made_again_with_its_lock() {
    with_the_folder_gone(|folder, moved| fs::rename(folder, moved).expect("the folder"));
}

#[test]
fn a_folder_that_was_deleted_is_made_again_with_its_lock() {
    with_the_folder_gone(|folder, _| fs::remove_dir_all(folder).expect("the folder"));
}

#[test]
fn a_toggle_at_once_after_the_folder_was_deleted_is_saved() {
    let mut bench = Bench::running();
    fs::remove_dir_all(bench.state_dir(Card1)).expect("the folder");
    bench.press(Card1, "1");
    let states = ["KO", "OK", "OK", "OK", "OK", "OK"];
    bench.wait_settled(states);
    comes_back(&bench);
    attaches_a_second(&bench);
    holds_after_a_power_cut_that_blanks_the_brokers(&mut bench, states);
}

#[test]
fn a_file_that_was_deleted_is_written_again_without_a_key() {
    let mut bench = Bench::with_ko("1");
    let states = ["KO", "OK", "OK", "OK", "OK", "OK"];
    fs::remove_file(bench.state_file(Card1)).expect("the state file");
    bench.wait_text(Card1, GONE);
    comes_back(&bench);
    bench.wait_settled(states);
    holds_after_a_power_cut_that_blanks_the_brokers(&mut bench, states);
}

#[test]
fn a_file_that_was_replaced_by_an_older_one_is_written_again_without_a_key() {
    let mut bench = Bench::with_ko("1");
    let older = bench.folder().join("older");
    fs::copy(bench.state_file(Card1), &older).expect("the state file");
    bench.press(Card1, "2");
    let states = ["KO", "KO", "OK", "OK", "OK", "OK"];
    bench.wait_settled(states);
    for moved in [false, true] {
        let file = bench.state_file(Card1);
        if moved {
            fs::rename(&older, &file).expect("the older file");
        } else {
            fs::copy(&older, &file).expect("the older file");
        }
        bench.wait("the latest states in the file", |_| {
            let held = fs::read_to_string(&file).unwrap_or_default();
            held.lines()
                .any(|line| says(line.as_bytes(), states, "sensors/all"))
        });
        bench.wait_text(Card1, "state file changed by somebody else");
        bench.wait_settled(states);
    }
    holds_after_a_power_cut_that_blanks_the_brokers(&mut bench, states);
}

#[test]
fn one_that_begins_there_before_it_is_noticed_ends_and_the_first_has_its_folder_back() {
    let mut bench = Bench::with_ko("2");
    let states = ["OK", "KO", "OK", "OK", "OK", "OK"];
    for round in 0..3 {
        let moved = bench.folder().join(format!("moved-{round}"));
        fs::rename(bench.state_dir(Card1), moved).expect("the folder");
        let mut second = bench.spawn(Card1, &bench.url(Card1), &[]);
        assert_eq!(code(second.wait_for_end()), 1);
        second.wait_for("why it ended", |seen| {
            let said = flat(&seen.text());
            said.contains("already runs on this board") || said.contains("is connected to")
        });
        assert!(!second.look(PtyOutput::text).contains("panicked"));
        comes_back(&bench);
        attaches_a_second(&bench);
        bench.wait_settled(states);
    }
    holds_after_a_power_cut_that_blanks_the_brokers(&mut bench, states);
}
