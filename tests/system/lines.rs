//! The programs on pipes and files: a line a change, and whatever becomes of the reader.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Command};

use dualboard::system::process::SignalMasks;
use rustix::process::Signal;
use serde_json::Value;

use crate::support::bench::Node::{Broker1, Card1, Card2, Display};
use crate::support::bench::process::PipedProgram;
use crate::support::bench::{Bench, Node, States};

/// A program without a terminal.
struct Piped {
    process: PipedProgram,
    /// Gone once nobody reads any more.
    lines: Option<BufReader<ChildStdout>>,
}

impl Piped {
    fn start(bench: &Bench, node: Node, arguments: &[&str]) -> Self {
        let words = bench.command(node, &bench.url(node), arguments);
        // Whoever runs the tests may ignore some signals, and what is ignored at the start stays so.
        let mut command = Command::new("env");
        let command = command.arg("--default-signal=HUP,INT,QUIT").args(words);
        let mut process = PipedProgram::start(command.env("TZ", "UTC"));
        let lines = process.child().stdout.take().map(BufReader::new);
        Self { process, lines }
    }

    /// The next line; a test that waits for ever is ended by who runs it.
    fn line(&mut self) -> String {
        let mut line = String::new();
        let lines = self.lines.as_mut().expect("somebody reads");
        lines.read_line(&mut line).expect("text");
        assert!(!line.contains('\x1b'), "an escape sequence in a pipe: {line:?}");
        line.trim_end().to_owned()
    }

    fn wait_for(&mut self, wanted: &str) {
        loop {
            let line = self.line();
            assert!(!line.is_empty(), "it ended before it said '{wanted}'");
            if line == wanted {
                return;
            }
        }
    }

    /// Reads until the last line of each sensor says this, for card 1 with the word `beside`.
    fn wait_for_all(&mut self, states: States, beside: &str) {
        let mut last: [String; 6] = Default::default();
        let wanted: Vec<String> = states
            .iter()
            .zip(1..)
            .map(|(state, number)| {
                let beside = if number <= 3 { beside } else { "LIVE" };
                format!("Sensor {number}  {state:<7}  {beside}")
            })
            .collect();
        while last.as_slice() != wanted {
            let line = self.line();
            let number = line.split(' ').nth(1).and_then(|number| number.parse().ok());
            let number: usize = number.unwrap_or_else(|| panic!("it ended, or said {line:?}"));
            last[number - 1] = line;
        }
    }

    fn end(self, signal: Signal) -> i32 {
        self.process.signal(signal);
        self.process.end().0
    }
}

#[test]
fn a_display_without_a_terminal_prints_a_line_a_change() {
    let mut bench = Bench::running();
    let mut text = Piped::start(&bench, Display, &[]);
    let mut json = Piped::start(&bench, Display, &["--json"]);
    text.wait_for("Sensor 6  OK       LIVE");
    bench.press(Card1, "2");
    text.wait_for("Sensor 2  KO       LIVE");
    bench.press(Card2, "6");
    text.wait_for("Sensor 6  KO       LIVE");
    let wanted = [(2, false), (6, false), (1, true)];
    loop {
        let line: Value = serde_json::from_str(&json.line()).expect("a JSON object a line");
        if wanted
            .iter()
            .all(|(sensor, ok)| line[format!("sensor_{sensor}")] == *ok)
        {
            break;
        }
    }
    assert_eq!(text.end(Signal::TERM), 143);
    assert_eq!(json.end(Signal::INT), 130);
}

#[test]
fn a_monitor_without_a_terminal_says_its_stages_and_ends_with_128_and_the_signal() {
    let mut bench = Bench::with_ko("3");
    for signal in [
        Signal::TERM,
        Signal::HUP,
        Signal::INT,
        Signal::QUIT,
        Signal::ALARM,
        Signal::POWER,
    ] {
        bench.end(Card1, Signal::TERM);
        let mut monitor = Piped::start(&bench, Card1, &[]);
        monitor.wait_for("Sensor 3  KO       CONFIRMED");
        // What people send by habit ends nothing.
        for harmless in [Signal::USR1, Signal::USR2] {
            monitor.process.signal(harmless);
        }
        assert_eq!(monitor.end(signal), 128 + signal.as_raw());
        bench.start(Card1);
        bench.wait_settled(["OK", "OK", "KO", "OK", "OK", "OK"]);
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_program_at_once_without_a_complaint() {
    let mut bench = Bench::running();
    for (node, beside) in [(Display, "LIVE"), (Card1, "CONFIRMED")] {
        if node == Card1 {
            bench.end(Card1, Signal::TERM);
        }
        let mut program = Piped::start(&bench, node, &[]);
        program.wait_for_all(["OK"; 6], beside);
        // From here on nothing changes, so no line tells.
        drop(program.lines.take());
        assert_eq!(
            program.process.end(),
            (0, String::new(), String::new()),
            "{node:?}"
        );
    }
}

/// Toggles sensor 4 until what is said of it cannot stand in a pipe any more.
fn say_much(bench: &mut Bench) {
    for round in 0..150 {
        bench.press(Card2, "4");
        bench.wait_row(Card2, 4, if round % 2 == 0 { "KO" } else { "OK" }, "CONFIRMED");
    }
}

#[test]
fn a_reader_that_does_not_read_holds_nothing_up_and_signals_still_end_the_program() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::TERM);
    let mut monitor = Piped::start(&bench, Card1, &[]);
    monitor.wait_for("Sensor 6  OK       LIVE");
    let pipe = monitor.lines.as_ref().expect("a pipe").get_ref();
    rustix::pipe::fcntl_setpipe_size(pipe, 4096).expect("a small pipe");
    say_much(&mut bench);
    bench.wait_heartbeats(3, Card1, Broker1);
    bench.press(Card2, "5");
    bench.wait_row(Card2, 5, "KO", "CONFIRMED");
    // Whoever reads again learns what holds now.
    monitor.wait_for("Sensor 5  KO       LIVE");
    say_much(&mut bench);
    assert_eq!(monitor.end(Signal::TERM), 143);
}

#[test]
fn a_signal_that_the_program_was_started_to_ignore_does_not_end_it() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::TERM);
    let words = bench.command(Card1, &bench.url(Card1), &[]);
    let file = bench.folder().join("lines.txt");
    let ignoring = format!("trap '' HUP; exec {}", words.join(" "));
    let mut command = Command::new("sh");
    let command = command.args(["-c", &ignoring]);
    let monitor = PipedProgram::spawn(command.stdout(File::create(&file).expect("a file")));
    bench.wait("it runs", |_| {
        fs::metadata(&file).is_ok_and(|file| file.len() > 0)
    });
    monitor.signal(Signal::HUP);
    bench.press(Card2, "4");
    bench.wait("it goes on", |_| {
        fs::read_to_string(&file).is_ok_and(|text| text.contains("Sensor 4  KO       LIVE"))
    });
    monitor.signal(Signal::TERM);
    assert_eq!(monitor.end().0, 143);
}

#[test]
fn without_a_screen_a_stop_is_a_stop() {
    let bench = Bench::running();
    let mut display = Piped::start(&bench, Display, &[]);
    display.wait_for("Sensor 6  OK       LIVE");
    let pid = i32::try_from(display.process.id()).expect("a number of a process");
    let masks = SignalMasks::of(pid).expect("it runs");
    let is_caught = |signal: Signal| masks.catches(signal.as_raw());
    assert!(is_caught(Signal::TERM) && !is_caught(Signal::TSTP) && !is_caught(Signal::CONT));
}
