//! Several displays, on both boards; and how little all programs send to their terminals while nothing
//! changes.

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::{Bench, INITIAL, PROGRAMS, States, binary, flat, shows};
use crate::support::pty::{Pty, Start, code};

fn wait_shows(displays: &[Pty], states: States) {
    for display in displays {
        display.wait_for(&format!("{states:?}, live"), |seen| {
            shows(&seen.text(), states, &["LIVE"])
        });
    }
}

#[test]
fn two_displays_on_board_2_and_one_on_board_1_show_the_same() {
    let mut bench = Bench::running();
    let mut displays = vec![
        bench.spawn(Display, &bench.url(Broker2), &[]),
        bench.spawn(Display, &bench.url(Broker1), &[]),
    ];
    wait_shows(&displays, INITIAL);
    let mut states = INITIAL;
    for (node, key, sensor) in [(Card1, "2", 1), (Card2, "4", 3), (Card2, "6", 5), (Card1, "1", 0)] {
        bench.press(node, key);
        states[sensor] = "KO";
        bench.wait_settled(states);
        wait_shows(&displays, states);
    }
    // One ends, however; the others go on.
    bench.end(Display, Signal::KILL);
    let mut second = displays.remove(0);
    second.send("q");
    assert_eq!(code(second.wait_for_end()), 0);
    bench.press(Card1, "3");
    states[2] = "KO";
    bench.wait_settled(states);
    wait_shows(&displays, states);
}

#[test]
fn a_display_on_board_1_knows_where_it_is_and_says_which_board_is_out_of_its_reach() {
    let mut bench = Bench::running();
    let listener = bench.listener(Broker1);
    listener.wait_for_more(1, "sensors/board2/broker/uptime");
    bench.link.cut();
    bench.wait_text(Card1, "bridge down");
    // It starts while nothing comes across the bridge: only what broker 1 holds can tell it where it is.
    let display = bench.spawn(Display, &bench.url(Broker1), &[]);
    display.wait_for("its own broker", |seen| {
        let text = flat(&seen.text());
        text.contains("broker 1 ● up") && text.contains("bridge down: no connection to broker 2")
    });
    bench.link.heal();
    drop(display);
    bench.wait_settled(INITIAL);
    let display = bench.spawn(Display, &bench.url(Broker1), &[]);
    display.wait_for("its own broker", |seen| {
        flat(&seen.text()).contains("broker 1 ● up") && shows(&seen.text(), INITIAL, &["LIVE"])
    });
    bench.link.cut();
    display.wait_for("the bridge's end", |seen| {
        flat(&seen.text()).contains("bridge down: no connection to broker 2")
    });
    bench.link.heal();
    display.wait_for("all live", |seen| shows(&seen.text(), INITIAL, &["LIVE"]));
    bench.press(Card2, "5");
    display.wait_for("the toggle", |seen| {
        shows(&seen.text(), ["OK", "OK", "OK", "OK", "KO", "OK"], &["LIVE"])
    });
}

#[test]
fn a_display_that_joins_later_shows_everything_at_once() {
    let bench = Bench::with_ko("125");
    let states = ["KO", "KO", "OK", "OK", "KO", "OK"];
    let display = bench.spawn(Display, &bench.url(Broker2), &[]);
    wait_shows(&[display], states);
}

#[test]
fn while_nothing_changes_nothing_is_written() {
    let mut bench = Bench::with_ko("25");
    // Until then the bell rings every 10 s.
    for node in PROGRAMS {
        bench.press(node, "a");
        bench.wait(&format!("{node:?} has no banner"), |bench| {
            !bench.text(node).contains("! ")
        });
    }
    // Whatever was still on its way to the screens is there two heartbeats later.
    bench.wait_heartbeats(2, Card1, Broker2);
    let marks = PROGRAMS.map(|node| (node, bench.pty(node).mark()));
    let listener = bench.listener(Broker2);
    let beats = [
        "sensors/card1/alive",
        "sensors/card2/alive",
        "sensors/board1/broker/uptime",
    ];
    listener.wait_for("three heartbeats of everything that has one", |heard| {
        beats.iter().all(|beat| {
            heard
                .iter()
                .filter(|heard| heard.topic == *beat && !heard.retained)
                .count()
                >= 3
        })
    });
    for (node, mark) in marks {
        let bytes = bench.pty(node).bytes_since(mark);
        assert!(bytes.is_empty(), "{node:?} wrote '{}'", bytes.escape_ascii());
    }
}

#[test]
fn one_change_costs_few_bytes_whatever_was_before_it() {
    let mut bench = Bench::running();
    // In colour, at the usual size and with the large letters.
    let words = [binary(Display), "--broker", &bench.url(Broker2)];
    let displays = [(80, 24), (161, 52)].map(|(columns, rows)| {
        let start = Start::program(words).size(columns, rows).env("LC_ALL", "C.UTF-8");
        start.env("NO_COLOR", "").spawn()
    });
    wait_shows(&displays, INITIAL);
    bench.wait_heartbeats(2, Card1, Broker2);
    // The lines of what has been grow with each round, up to their full length.
    for round in 0..26 {
        let marks = PROGRAMS.map(|node| bench.pty(node).mark());
        let display_marks = displays.each_ref().map(Pty::mark);
        bench.press(Card1, "2");
        let state = if round % 2 == 0 { "KO" } else { "OK" };
        let states = ["OK", state, "OK", "OK", "OK", "OK"];
        bench.wait_settled(states);
        wait_shows(&displays, states);
        // The log is drawn last: with its newest line a picture is whole.
        let newest = |text: &str| {
            let line = text.lines().find(|line| line.contains('→'));
            line.is_some_and(|line| line.contains(&format!("→ {state}")))
        };
        bench.wait("the logs have got as far", |bench| {
            let text = bench.text(Card1);
            let told = !text.contains("sending") && !text.contains(" saved");
            told && PROGRAMS.iter().all(|node| newest(&bench.text(*node)))
        });
        for display in &displays {
            display.wait_for("the log to have got as far", |seen| newest(&seen.text()));
        }
        if round % 5 == 0 {
            bench.wait("the mark of the press is gone", |bench| {
                !bench.text(Card1).contains('›')
            });
        }
        for (node, mark) in PROGRAMS.into_iter().zip(marks) {
            let most = if node == Card1 { 400 } else { 256 };
            let bytes = bench.pty(node).bytes_since(mark);
            assert_few(&format!("{node:?}, round {round}"), &bytes, most);
        }
        for (number, (display, mark)) in displays.iter().zip(display_marks).enumerate() {
            let who = format!("display {number} in colour, round {round}");
            assert_few(&who, &display.bytes_since(mark), 256);
        }
    }
}

#[track_caller]
fn assert_few(who: &str, bytes: &[u8], most: usize) {
    let count = bytes.len();
    println!("{who}: {count} bytes");
    assert!(
        count <= most,
        "{who} wrote {count} bytes: '{}'",
        bytes.escape_ascii()
    );
}

#[test]
fn a_terminal_that_does_not_read_holds_nothing_up_and_gets_the_newest_state() {
    const ROUNDS: usize = 80;
    let stalled = [Card1, Display];
    let mut bench = Bench::running();
    for node in stalled {
        bench.pty(node).resize(200, 50);
    }
    // The help covers a good part of the screen: two large pictures, one with it and one without.
    let marks = stalled.map(|node| bench.pty(node).mark());
    for node in stalled {
        bench.press(node, "?");
        bench.wait_text(node, "close this help");
        bench.press(node, "?");
        bench.wait(&format!("{node:?} without help"), |bench| {
            !flat(&bench.text(node)).contains("close this help")
        });
    }
    let two_pictures: Vec<usize> = stalled
        .into_iter()
        .zip(marks)
        .map(|(node, mark)| bench.pty(node).mark() - mark)
        .collect();

    let marks = stalled.map(|node| {
        bench.pty(node).stop_reading();
        bench.pty(node).mark()
    });
    for round in 0..ROUNDS {
        bench.press(Card1, "?1");
        bench.press(Display, "?");
        bench.press(Card2, "4");
        let state = if round % 2 == 0 { "KO" } else { "OK" };
        bench.wait_row(Card2, 1, state, "LIVE");
    }
    for node in stalled {
        let pty = bench.pty(node);
        pty.wait_until("the program to be unable to write", || pty.is_full());
    }
    bench.press(Card1, "2");
    bench.wait_row(Card2, 2, "KO", "LIVE");
    for node in stalled {
        bench.pty(node).read_again();
    }
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
    for ((node, mark), two) in stalled.into_iter().zip(marks).zip(two_pictures) {
        let caught_up = bench.pty(node).mark() - mark;
        let all = ROUNDS / 2 * two;
        assert!(
            caught_up < all / 2,
            "{node:?} wrote {caught_up} bytes; all pictures are {all}: old ones have queued"
        );
    }
}
