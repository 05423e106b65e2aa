//! A real plain program, in Python with paho-mqtt from `PyPI`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use crossbeam_channel::Receiver;
use rustix::process::Pid;

use super::bench::Node::{Broker1, Broker2, Card1, Card2};
use super::bench::{Bench, Node, States};

/// `tests/support/plain_client.py`, running in the place of one of our programs. It ends with its input.
pub struct Python {
    child: Child,
    lines: Receiver<String>,
    last: Mutex<String>,
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
        let (sender, lines) = crossbeam_channel::unbounded();
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
            last: Mutex::default(),
        }
    }

    pub fn press(&self, sensor: u8) {
        let mut input = self.child.stdin.as_ref().expect("its input is a pipe");
        writeln!(input, "{sensor}").expect("it reads its input");
    }

    /// Publishes what it has, as the plain programs do a moment after they have connected.
    pub fn publish(&self) {
        let mut input = self.child.stdin.as_ref().expect("its input is a pipe");
        writeln!(input).expect("it reads its input");
    }

    /// Returns as soon as its last line says these states, or says that it did not come in time.
    pub fn says_within(&self, states: States, limit: Duration) -> bool {
        let limit = crossbeam_channel::after(limit);
        let states = states.join(" ");
        let mut last = self.last.lock().expect("no thread panics here");
        while *last != states {
            crossbeam_channel::select! {
                recv(self.lines) -> line => match line {
                    Ok(line) => *last = line,
                    Err(_) => return false,
                },
                recv(limit) -> _ => return false,
            }
        }
        true
    }

    /// `kill -9`, and returns when it has ended.
    pub fn kill(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// How many lines have come that nobody has read yet. Reads them.
    pub fn lines(&self) -> usize {
        let mut last = self.last.lock().expect("no thread panics here");
        let lines = self.lines.try_iter().inspect(|line| last.clone_from(line));
        lines.count()
    }

    pub fn wait_for(&self, bench: &Bench, states: States) {
        bench.wait(&format!("Python shows {states:?}"), |_| {
            let mut last = self.last.lock().expect("no thread panics here");
            if let Some(line) = self.lines.try_iter().last() {
                *last = line;
            }
            *last == states.join(" ")
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
