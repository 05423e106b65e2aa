//! `--take-over`: whoever is ended says by whom, and of any number at one moment exactly one goes on.

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Card1};
use crate::support::bench::told::says_all;
use crate::support::bench::{Bench, flat, is_ready, told};
use crate::support::pty::{Pty, PtyOutput, code};

/// So often two take over from one at one moment.
const TIMES: usize = 5;

/// One owner, and two that take over from it at one moment, each with the state folder of this name; waits
/// until one goes on.
fn take_over_twice(bench: &Bench, folders: [&str; 3]) -> Vec<(i32, String)> {
    let start = |folder: &str, more: &[&str]| {
        let folder = bench.folder().join(folder).display().to_string();
        let options: Vec<&str> = ["--state-dir", &folder]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        bench.spawn(Card1, &bench.url(Card1), &options)
    };
    let first = start(folders[0], &[]);
    first.wait_for("its memory", |seen| is_ready(&seen.text()));
    let mut all = vec![
        first,
        start(folders[1], &["--take-over"]),
        start(folders[2], &["--take-over"]),
    ];
    let mut ended: Vec<Pty> = Vec::new();
    bench.wait("one is left", |_| {
        while let Some(place) = all.iter_mut().position(Pty::has_ended) {
            ended.push(all.remove(place));
        }
        all.len() <= 1
    });
    assert_eq!(all.len(), 1, "one goes on");
    let mut winner = all.remove(0);
    let saved = |seen: &PtyOutput| told::row(&seen.text(), 1).filter(|row| row.beside == "SAVED");
    let mut before = String::new();
    winner.wait_for("what it has", |seen| {
        saved(seen).is_some_and(|row| {
            before = row.state;
            true
        })
    });
    winner.send("1");
    winner.wait_for("a toggle that is saved", |seen| {
        saved(seen).is_some_and(|row| row.state != before)
    });
    assert!(!winner.has_ended());
    let said = ended.into_iter().map(|mut pty| {
        pty.assert_restored();
        let status = code(pty.wait_for_end());
        pty.wait_for("why it ended", |seen| seen.shows("card1_monitor:"));
        let said = pty.look(PtyOutput::text);
        let last = flat(&said[said.rfind("card1_monitor: ").unwrap_or_default()..]);
        (status, last)
    });
    let said = said.collect();
    winner.signal(Signal::TERM);
    winner.wait_for_end();
    said
}

#[test]
fn of_two_at_one_moment_exactly_one_goes_on_and_each_that_ends_says_truly_why() {
    let mut bench = Bench::new();
    bench.start(Broker1);
    for round in 0..TIMES {
        let said = take_over_twice(&bench, ["a"; 3]);
        assert!(
            said.iter().any(|(status, said)| *status == 143
                && says_all(said, &["ended by --take-over", "(process ", "no state was lost"])),
            "round {round}: {said:?}"
        );
        for (status, said) in &said {
            let reasons = ["ended by --take-over", "is taking over at this moment"];
            assert!(reasons.iter().any(|reason| said.contains(reason)), "{said}");
            assert_eq!(*status == 1, said.contains("at this moment"), "{status}: {said}");
        }
    }
}

#[test]
fn of_two_at_one_moment_with_other_state_folders_exactly_one_goes_on() {
    let mut bench = Bench::new();
    bench.start(Broker1);
    for round in 0..TIMES {
        for (status, said) in take_over_twice(&bench, ["a", "b", "c"]) {
            assert_eq!(status, 1, "round {round}: {said}");
            assert!(
                said.contains("has taken over at ") && said.contains("no state was lost"),
                "round {round}: {said}"
            );
        }
    }
}

#[test]
fn whoever_is_ended_names_the_one_that_goes_on_after_its_terminal_is_given_back() {
    let mut bench = Bench::running();
    bench.press(Card1, "3");
    bench.wait("the key was taken", |bench| {
        bench.row(Card1, 3).is_some_and(|row| row.state == "KO")
    });
    let mut first = bench.take(Card1);
    let mark = first.mark();
    let second = bench.spawn(Card1, &bench.url(Card1), &["--take-over"]);
    assert_eq!(code(first.wait_for_end()), 128 + Signal::TERM.as_raw());
    first.assert_restored();
    let who = format!("(process {}, /dev/pts/", second.pid());
    first.wait_for("by whom", |seen| {
        says_all(&seen.text(), &["ended by --take-over", &who, "no state was lost"])
    });
    let bytes = first.bytes_since(mark);
    let find = |words: &[u8]| bytes.windows(words.len()).rposition(|window| window == words);
    assert!(find(b"\x1b[?1049l") < find(b"ended by"), "said on its own screen");
    bench.give(Card1, second);
    bench.wait_settled(["OK", "OK", "KO", "OK", "OK", "OK"]);
    // A plain end says nothing of the kind, also of one that took over itself.
    let mut second = bench.take(Card1);
    second.signal(Signal::TERM);
    assert_eq!(code(second.wait_for_end()), 128 + Signal::TERM.as_raw());
    second.assert_restored();
    assert!(!second.look(PtyOutput::text).contains("ended by"));
}
