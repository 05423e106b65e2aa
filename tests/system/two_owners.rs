//! Two owners of one card on two machines, where no lock reaches: by its heartbeats the later one ends,
//! whatever client id it has.

use std::fs;

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2};
use crate::support::bench::told::{assert_says, says_all};
use crate::support::bench::{Bench, INITIAL, Node, flat, says};
use crate::support::pty::{Pty, PtyOutput, code};
use crate::support::python::Python;

/// What a broker writes down when one client takes the connection of another one.
const TAKEN_AWAY: &str = "already connected, closing old connection";

/// As on another machine: in another state folder, where the lock of the first says nothing.
fn elsewhere(bench: &Bench, options: &[&str]) -> Pty {
    let folder = bench.folder().join("elsewhere").display().to_string();
    let options: Vec<&str> = ["--state-dir", &folder]
        .into_iter()
        .chain(options.iter().copied())
        .collect();
    bench.spawn(Card1, &bench.url(Card1), &options)
}

#[test]
fn a_copy_elsewhere_stops_and_says_so_and_the_first_goes_on() {
    let mut bench = Bench::with_ko("1");
    let mut twin = elsewhere(&bench, &[]);
    assert_eq!(code(twin.wait_for_end()), 1);
    twin.wait_for("one line of words", |seen| seen.shows("take-over"));
    let said = twin.look(PtyOutput::text);
    let url = bench.url(Card1);
    let expected = [
        "another card1_monitor",
        &url,
        "goes on",
        "no state was lost",
        "--take-over",
    ];
    assert_says(&said, &expected);
    twin.assert_restored();
    assert!(!bench.log(Broker1).contains(TAKEN_AWAY), "both were connected");
    bench.wait_text(Card1, "another card1_monitor connected from elsewhere");
    bench.press(Card1, "2");
    bench.wait_settled(["KO", "KO", "OK", "OK", "OK", "OK"]);
}

#[test]
fn take_over_from_elsewhere_ends_the_first_and_keeps_what_both_toggled() {
    let mut bench = Bench::with_ko("3");
    let mut first = bench.take(Card1);
    first.send("2");
    let second = elsewhere(&bench, &["--take-over"]);
    second.wait_for("its memory", |seen| flat(&seen.text()).contains("restored"));
    second.send("1");
    assert_eq!(code(first.wait_for_end()), 1);
    first.wait_for("one line of words", |seen| seen.shows("take it back"));
    let said = first.look(PtyOutput::text);
    let expected = ["another card1_monitor has taken over", &bench.url(Card1)];
    assert_says(&said, &expected);
    first.assert_restored();
    bench.give(Card1, second);
    bench.wait_settled(["KO", "KO", "KO", "OK", "OK", "OK"]);
}

/// As on a machine that was made from an image of the first one: the state file brings the client id along.
fn copied(bench: &Bench, options: &[&str]) -> Pty {
    let folder = bench.folder().join("elsewhere");
    fs::create_dir_all(&folder).expect("a folder");
    fs::copy(bench.state_file(Card1), folder.join("card1.state")).expect("the state file");
    elsewhere(bench, options)
}

#[test]
fn a_copy_of_the_state_folder_stops_after_a_few_losses_and_the_first_goes_on() {
    let mut bench = Bench::with_ko("1");
    // A connection that was there for longer than moments.
    bench.wait_heartbeats(3, Card1, Broker1);
    let mut twin = copied(&bench, &[]);
    assert_eq!(code(twin.wait_for_end()), 1);
    twin.wait_for("why it ended", |seen| {
        flat(&seen.text()).contains("another card1_monitor is connected to")
    });
    twin.assert_restored();
    let taken_away = bench.log(Broker1).matches(TAKEN_AWAY).count();
    assert!((3..=12).contains(&taken_away), "{taken_away} times");
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
    bench.press(Card1, "2");
    bench.wait_settled(["KO", "KO", "OK", "OK", "OK", "OK"]);
}

#[test]
fn a_copy_of_the_state_folder_that_is_to_take_over_goes_on_and_the_first_ends() {
    let mut bench = Bench::with_ko("1");
    bench.wait_heartbeats(3, Card1, Broker1);
    let second = copied(&bench, &["--take-over"]);
    let mut first = bench.take(Card1);
    assert_eq!(code(first.wait_for_end()), 1);
    first.wait_for("why it ended", |seen| {
        flat(&seen.text()).contains("another card1_monitor")
    });
    first.assert_restored();
    bench.give(Card1, second);
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
    bench.press(Card1, "2");
    bench.wait_settled(["KO", "KO", "OK", "OK", "OK", "OK"]);
}

/// At the other board's broker, where the heartbeats of the first one come across the bridge.
#[test]
fn one_at_the_other_boards_broker_ends_is_told_so_and_is_not_advised_to_take_over() {
    let bench = Bench::running();
    let folder = bench.folder().join("elsewhere").display().to_string();
    let wrong = bench.url(Broker2);
    for more in [&[][..], &["--take-over"]] {
        let options: Vec<&str> = ["--state-dir", &folder]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        let mut lost = bench.spawn(Card1, &wrong, &options);
        assert_eq!(code(lost.wait_for_end()), 1);
        lost.wait_for("where the first one is", |seen| {
            says_all(
                &seen.text(),
                &[
                    "another broker",
                    &wrong,
                    "across the bridge",
                    "not broker 1",
                    "--broker",
                ],
            )
        });
        assert!(!lost.look(PtyOutput::text).contains("take-over"), "{more:?}");
    }
    bench.wait_settled(INITIAL);
}

/// A plain program under the name that the owner had once.
#[test]
fn a_plain_program_named_card1_monitor_is_beside_the_owner_and_speaks_when_the_owner_is_gone() {
    let mut bench = Bench::with_ko("1");
    let states = ["KO", "OK", "OK", "OK", "OK", "OK"];
    let plain = Python::start(&bench, Card1);
    plain.wait_for(&bench, states);
    plain.press(2);
    for node in [Card1, Card2] {
        bench.wait_text(node, "whose owner is live: ignored");
    }
    bench.wait_settled(states);
    let connections = |bench: &Bench| {
        let log = bench.log(Broker1);
        let ours = log.lines().filter(|line| line.contains("card1_monitor"));
        ours.filter(|line| {
            line.contains("connected from") || line.contains(TAKEN_AWAY) || line.contains("disconnected")
        })
        .count()
    };
    let before = connections(&bench);
    bench.wait_heartbeats(4, Card1, Broker1);
    assert_eq!(connections(&bench), before, "nobody loses the connection");
    assert_eq!(before, 2, "the owner and the plain one, once each");
    bench.end(Card1, Signal::TERM);
    plain.press(3);
    let said: [Option<&str>; 3] = [None, Some("KO"), Some("KO")];
    bench.wait("card 2 takes its word", |bench| {
        (1..=3).zip(said).all(|(sensor, state)| {
            state.is_none_or(|state| bench.row(Card2, sensor).is_some_and(|row| row.state == state))
        })
    });
    for broker in [Broker1, Broker2] as [Node; 2] {
        bench.wait("the word", |bench| {
            bench
                .retained(broker, "sensors/card1")
                .is_some_and(|held| says(&held, ["KO", "KO", "KO", "OK", "OK", "OK"], "sensors/card1"))
        });
    }
}
