//! The three programs on terminals to which everything happens that happens over SSH. What holds for the
//! terminal half alone, thread by thread, is in `terminal_shell.rs` and `job_control.rs`.
#![allow(clippy::disallowed_methods, reason = "deadlines of tests")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::support::bench::Node::{self, Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::process::{PipedProgram, command};
use crate::support::bench::{BROKERS, Bench, INITIAL, PROGRAMS, glance, told};
use crate::support::pty::{Pty, Start, code};

/// Generous: only failures wait for so long.
const DEADLINE: Duration = Duration::from_secs(45);

/// The key that toggles the first sensor of the program's own card; the display has none.
fn first(node: Node) -> Option<u8> {
    match node {
        Card1 => Some(1),
        Card2 => Some(4),
        _ => None,
    }
}

fn drawn(pty: &Pty) {
    pty.wait_for("the program's screen", |seen| {
        seen.screen().alternate_screen() && seen.shows("Sensor 1")
    });
}

fn shows(pty: &Pty, sensor: u8, state: &str) {
    pty.wait_for(&format!("sensor {sensor} to be {state}"), |seen| {
        seen.screen().alternate_screen()
            && told::row(&seen.text(), sensor).is_some_and(|row| row.state == state)
    });
}

/// Presses the first key of the program's own card; gives its sensor, and the state that it has then.
fn toggled(pty: &Pty, node: Node, was: &'static str) -> &'static str {
    let Some(sensor) = first(node) else { return was };
    let state = if was == "OK" { "KO" } else { "OK" };
    shows(pty, sensor, was);
    pty.send(sensor.to_string());
    shows(pty, sensor, state);
    state
}

/// What a broker holds of the first sensor of the program's own card becomes this.
fn wait_published(bench: &Bench, node: Node, state: &str) {
    let (Some(sensor), (broker, topic)) = (
        first(node),
        match node {
            Card1 => (Broker1, "sensors/card1"),
            _ => (Broker2, "sensors/all"),
        },
    ) else {
        return;
    };
    let said = format!("\"sensor_{sensor}\":{}", state == "OK");
    bench.wait(&format!("{broker:?} holds {said}"), |bench| {
        let held = bench.retained(broker, topic).unwrap_or_default();
        String::from_utf8_lossy(&held).contains(&said)
    });
}

fn brokers() -> Bench {
    let mut bench = Bench::new();
    bench.start_all(BROKERS);
    bench
}

#[test]
fn each_ending_signal_leaves_the_terminal_as_it_was() {
    let bench = brokers();
    for node in PROGRAMS {
        for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
            let mut pty = bench.spawn(node, &bench.url(node), &[]);
            drawn(&pty);
            pty.signal(signal);
            assert_eq!(code(pty.wait_for_end()), 128 + signal.as_raw(), "{node:?}");
            pty.assert_restored();
        }
    }
}

#[test]
fn a_terminal_that_goes_ends_the_program_and_the_last_key_is_not_lost() {
    let bench = brokers();
    for node in PROGRAMS {
        let words = bench.command(node, &bench.url(node), &[]);
        let nohup = format!("trap '' HUP; exec {}", words.join(" "));
        let starts = [
            ("SIGHUP", Start::program(&words)),
            ("SIGHUP ignored", Start::program(["sh", "-c", &nohup])),
            ("no SIGHUP at all", Start::without_control(&words)),
        ];
        let mut state = "OK";
        for (name, start) in starts {
            let mut pty = start.spawn();
            pty.wait_for("the connection", |seen| seen.shows("connected to broker"));
            state = toggled(&pty, node, state);
            pty.hang_up();
            assert_eq!(code(pty.wait_for_end()), 129, "{node:?}, {name}");
            wait_published(&bench, node, state);
        }
    }
}

#[test]
fn suspended_and_continued_it_has_caught_up_and_the_terminal_is_right_each_time() {
    let mut bench = Bench::running();
    for node in PROGRAMS {
        let words = bench.command(node, &bench.url(node), &[]).join(" ");
        if node != Display {
            bench.end(node, Signal::TERM);
        }
        let mut pty = Start::program(["dash", "-i"]).env("PS1", "ready> ").spawn();
        pty.wait_for("the shell", |seen| seen.shows("ready>"));
        let before = pty.modes();
        pty.send(format!("{words}\n"));
        // A sensor of the other card, toggled while the program is stopped.
        let (other, sensor) = if node == Card1 { (Card2, 6) } else { (Card1, 3) };
        let mut state = told::row(&bench.text(other), sensor).expect("its row").state;
        for _ in 0..4 {
            if node != Card1 {
                shows(&pty, sensor, &state);
            }
            drawn(&pty);
            let mark = pty.mark();
            pty.send("\x1a");
            pty.wait_for("the shell", |seen| {
                !seen.screen().alternate_screen()
                    && seen.bytes[mark..].windows(6).any(|bytes| bytes == b"ready>")
            });
            assert_eq!(pty.modes(), before);
            bench.press(other, &sensor.to_string());
            (if state == "OK" { "KO" } else { "OK" }).clone_into(&mut state);
            shows(bench.pty(other), sensor, &state);
            pty.send("fg\n");
        }
        drawn(&pty);
        if let Some(own) = first(node) {
            shows(&pty, own, "OK");
            pty.send(own.to_string());
            shows(&pty, own, "KO");
            pty.send(own.to_string());
            shows(&pty, own, "OK");
        }
        pty.send("q");
        pty.wait_for("the shell", |seen| !seen.screen().alternate_screen());
        pty.send("exit $?\n");
        assert_eq!(code(pty.wait_for_end()), 0, "{node:?}");
        if node != Display {
            bench.start(node);
        }
        // Four toggles are none.
        bench.wait_settled(INITIAL);
    }
}

#[test]
fn no_size_is_too_small_or_too_large() {
    let bench = brokers();
    for node in PROGRAMS {
        let pty = bench.spawn(node, &bench.url(node), &[]);
        for (columns, rows) in [
            (0, 0),
            (1, 1),
            (20, 5),
            (40, 10),
            (500, 200),
            (1, 200),
            (500, 1),
            (80, 24),
        ] {
            pty.resize(columns, rows);
        }
        for (columns, rows) in [(20, 5), (40, 10), (500, 200), (80, 24)] {
            pty.resize(columns, rows);
            pty.wait_for(&format!("the own sensors in {columns}x{rows}"), |seen| {
                // In the smallest ones the number stands for the words.
                let compact = |sensor: u8| seen.shows(&format!("{sensor} ✓ OK"));
                let shown = |sensor| told::row(&seen.text(), sensor).is_some() || compact(sensor);
                first(node).map_or(seen.screen().alternate_screen(), shown)
            });
        }
        pty.send("q");
        let mut pty = pty;
        assert_eq!(code(pty.wait_for_end()), 0, "{node:?}");
    }
}

#[test]
fn where_the_locale_is_not_utf_8_and_no_colour_is_wanted_everything_is_plain_ascii() {
    let bench = brokers();
    for node in PROGRAMS {
        for terminal in ["linux", "screen", "tmux-256color", "vt100"] {
            let mut pty = Start::program(bench.command(node, &bench.url(node), &[]))
                .env("LC_ALL", "C")
                .env("NO_COLOR", "1")
                .env("TERM", terminal)
                .spawn();
            drawn(&pty);
            if let Some(sensor) = first(node) {
                shows(&pty, sensor, "OK");
                pty.send(sensor.to_string());
                shows(&pty, sensor, "KO");
                pty.send(sensor.to_string());
                shows(&pty, sensor, "OK");
            }
            pty.send("?q");
            pty.send("q");
            assert_eq!(code(pty.wait_for_end()), 0, "{node:?} on {terminal}");
            let bytes = pty.bytes_since(0);
            assert!(
                bytes.is_ascii(),
                "{node:?} on {terminal}: {}",
                bytes.escape_ascii()
            );
            assert_eq!(colours(&bytes), Vec::<String>::new(), "{node:?} on {terminal}");
        }
    }
}

/// The escape sequences in these bytes that set a colour.
fn colours(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let attributes = text.split("\x1b[").skip(1).filter_map(|rest| {
        let (numbers, _) = rest.split_once('m')?;
        numbers
            .chars()
            .all(|c| c.is_ascii_digit() || c == ';')
            .then_some(numbers)
    });
    attributes
        .filter(|numbers| {
            numbers
                .split(';')
                .filter_map(|number| number.parse::<u8>().ok())
                .any(|number| matches!(number, 30..=38 | 40..=48 | 90..=107))
        })
        .map(str::to_owned)
        .collect()
}

/// The names of a program's threads, in their order and without repetitions; the main one's is the program's.
fn threads(pid: Pid) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .expect("it runs")
        .flatten();
    let mut names: Vec<String> = tasks
        .filter_map(|task| fs::read_to_string(task.path().join("comm")).ok())
        .map(|name| name.trim_end().to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// A thread has its name a moment after it was started.
fn wait_for_threads(pid: Pid, names: &[&str]) {
    let start = Instant::now();
    while threads(pid) != names {
        let running = threads(pid);
        assert!(
            start.elapsed() < DEADLINE,
            "process {pid} runs {running:?}, not {names:?}"
        );
        glance();
    }
}

/// A kind that is new here needs its panic in `terminal_shell.rs`: what is not of the library is started by
/// `threads::start`.
#[test]
fn every_thread_of_the_programs_is_of_a_kind_whose_panic_is_tested() {
    const LIBRARY: [&str; 2] = ["MQTTAsync_rcv", "MQTTAsync_send"];
    let bench = Bench::running_with(&["--log-file", "/dev/null"]);
    for node in PROGRAMS {
        let own: &[&str] = match node {
            Display => &["card2_global_di", "keys", "log", "painter", "signals"],
            Card1 => &[
                "card1_monitor",
                "journal",
                "keys",
                "log",
                "painter",
                "screens",
                "signals",
            ],
            _ => &[
                "card2_monitor",
                "journal",
                "keys",
                "log",
                "painter",
                "screens",
                "signals",
            ],
        };
        wait_for_threads(bench.pid(node), &[&LIBRARY[..], own].concat());
    }
    let mut piped = PipedProgram::start(&mut command(&bench, Display, &[]));
    let mut line = String::new();
    let mut lines = BufReader::new(piped.child().stdout.as_mut().expect("a pipe"));
    lines.read_line(&mut line).expect("text");
    let own = ["card2_global_di", "printer", "reader", "signals"];
    wait_for_threads(Pid::from_child(piped.child()), &[&LIBRARY[..], &own[..]].concat());
}
