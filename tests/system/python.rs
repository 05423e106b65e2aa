//! A real plain program, in Python with paho-mqtt from `PyPI`, in the place of each of ours.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::{Bench, INITIAL, Node, States, shows};

/// `tests/support/plain_client.py`, running in the place of one of our programs. It ends with its input.
pub struct Python {
    child: Child,
    lines: Receiver<String>,
    last: RefCell<String>,
}

impl Python {
    #[allow(clippy::disallowed_methods, reason = "a thread of the tests")]
    pub fn start(bench: &Bench, node: Node) -> Self {
        let (role, broker) = match node {
            Card1 => ("card1_monitor", Broker1),
            Card2 => ("card2_monitor", Broker2),
            _ => ("global_display", Broker2),
        };
        let url = bench.url(broker);
        let port = url.rsplit(':').next().expect("a port");
        let mut child = Command::new(python())
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/support/plain_client.py"
            ))
            .args([role, port])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", python()));
        let (sender, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let thread = std::thread::Builder::new().name("python".into());
        let reading = thread.spawn(move || {
            output
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        reading.expect("a thread");
        Self {
            child,
            lines,
            last: RefCell::default(),
        }
    }

    pub fn press(&mut self, sensor: u8) {
        let input = self.child.stdin.as_mut().expect("its input is a pipe");
        writeln!(input, "{sensor}").expect("it reads its input");
    }

    /// Publishes what it has, as the plain programs do a moment after they have connected.
    pub fn publish(&mut self) {
        writeln!(self.child.stdin.as_mut().expect("a pipe")).expect("it reads its input");
    }

    pub fn wait_for(&self, bench: &Bench, states: States) {
        bench.wait(&format!("Python shows {states:?}"), |_| {
            if let Some(line) = self.lines.try_iter().last() {
                self.last.replace(line);
            }
            *self.last.borrow() == states.join(" ")
        });
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "scripts/test.sh hands it over")]
fn python() -> String {
    std::env::var("DUALBOARD_TEST_PYTHON").expect(
        "DUALBOARD_TEST_PYTHON names no Python; scripts/test.sh sets it. By hand: python3 -m venv DIR && DIR/bin/pip install paho-mqtt, \
         then DUALBOARD_TEST_PYTHON=DIR/bin/python cargo test",
    )
}

fn wait_shows(bench: &Bench, node: Node, states: States, beside: &[&str]) {
    bench.wait(&format!("{node:?} shows {states:?}"), |bench| {
        shows(&bench.text(node), states, beside)
    });
}

#[test]
fn a_python_card_1_works_with_our_card_2_and_display() {
    let mut bench = Bench::new();
    bench.start_all([Broker1, Broker2, Card2, Display]);
    for node in [Card2, Display] {
        bench.wait_ready(node);
    }
    let mut card1 = Python::start(&bench, Card1);
    card1.publish();
    bench.wait_settled_beside_plain(INITIAL);
    card1.press(2);
    bench.wait_settled_beside_plain(["OK", "KO", "OK", "OK", "OK", "OK"]);
    bench.press(Card2, "6");
    let states = ["OK", "KO", "OK", "OK", "OK", "KO"];
    bench.wait_settled_beside_plain(states);
    card1.wait_for(&bench, states);
}

#[test]
fn a_python_card_2_works_with_our_card_1_and_display() {
    let mut bench = Bench::new();
    bench.start_all([Broker1, Broker2]);
    let mut card2 = Python::start(&bench, Card2);
    bench.start_all([Card1, Display]);
    for node in [Card1, Display] {
        bench.wait_ready(node);
    }
    card2.wait_for(&bench, INITIAL);
    bench.press(Card1, "3");
    let states = ["OK", "OK", "KO", "OK", "OK", "OK"];
    card2.wait_for(&bench, states);
    wait_shows(&bench, Display, states, &["LIVE"]);
    card2.press(4);
    let states = ["OK", "OK", "KO", "KO", "OK", "OK"];
    wait_shows(&bench, Display, states, &["LIVE"]);
    wait_shows(&bench, Card1, states, &["SAVED", "LIVE"]);
    // Without versions nothing is confirmed, however often the same states come back.
    let mark = bench.pty(Card1).mark();
    for _ in 0..3 {
        card2.publish();
        bench.wait_heartbeats(1, Card1, Broker1);
    }
    assert!(!bench.ever_showed(Card1, mark, 3, "CONFIRMED"));
    assert_eq!(bench.beside(Card1, 3), "SAVED");
}

#[test]
fn a_python_display_shows_what_ours_shows() {
    let mut bench = Bench::running();
    let display = Python::start(&bench, Display);
    display.wait_for(&bench, INITIAL);
    bench.press(Card1, "1");
    bench.press(Card2, "5");
    let states = ["KO", "OK", "OK", "OK", "KO", "OK"];
    bench.wait_settled(states);
    display.wait_for(&bench, states);
}
