//! Two boards on one machine: two brokers with the project's own files, the link between them, and three
//! programs in terminals of their own. Everything is in a folder of its own and ends with the bench; if a
//! test fails, it prints the screens and the ends of the logs, and the folder stays.
#![allow(clippy::disallowed_methods, reason = "deadlines of tests")]

pub mod plain;
pub mod process;
pub mod told;
mod waits;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

pub use super::link::TcpRelay;
use super::mosquitto::Mosquitto;
pub use super::mosquitto::glance;
use super::port::Port;
use super::pty::{Pty, PtyOutput, Start, code};
use plain::PlainClient;
pub use told::{INITIAL, SensorRow, States, flat, is_ready, row, says, shows};

/// Generous: only failures wait for so long.
const DEADLINE: Duration = Duration::from_secs(45);

/// What can be started and ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    Broker1,
    Broker2,
    Card1,
    Card2,
    Display,
}

use Node::{Broker1, Broker2, Card1, Card2, Display};

pub const ALL: [Node; 5] = [Broker1, Broker2, Card1, Card2, Display];
pub const BROKERS: [Node; 2] = [Broker1, Broker2];
pub const PROGRAMS: [Node; 3] = [Card1, Card2, Display];

/// Two boards.
pub struct Bench {
    brokers: [Mosquitto; 2],
    /// Between the bridge and broker 1.
    pub link: TcpRelay,
    screens: [Option<Pty>; 3],
    /// With which the programs are started, beside what all are started with.
    options: &'static [&'static str],
    /// Behind all that runs in it: dropped before, a program would make its state folder again.
    folder: TempDir,
    _ports: [Port; 2],
}

impl Bench {
    /// Nothing runs yet.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dualboard-test-")
            .tempdir()
            .expect("a folder");
        let ports = [Port::claim(), Port::claim()];
        let link = TcpRelay::to(ports[0].number);
        let broker =
            |number, port: &Port| Mosquitto::of_board(folder.path(), number, port.number, link.port());
        Self {
            brokers: [broker(1, &ports[0]), broker(2, &ports[1])],
            folder,
            link,
            screens: [None, None, None],
            options: &[],
            _ports: ports,
        }
    }

    /// Nothing runs yet. The brokers are run as the scripts run them, without `-v`, and the bridge goes
    /// straight to broker 1: the link between them is one more process that a message would wait for.
    pub fn for_figures() -> Self {
        let mut bench = Self::with_cable_for_figures();
        let address = |port: u16| format!("address 127.0.0.1:{port}");
        let (link, broker) = (address(bench.link.port()), address(bench.brokers[0].port()));
        bench.brokers[1].replace_setting(&link, &broker);
        bench
    }

    /// The same with a link that can be cut.
    pub fn with_cable_for_figures() -> Self {
        let mut bench = Self::new();
        bench.brokers.iter_mut().for_each(Mosquitto::quiet);
        bench
    }

    /// Both brokers save their store at each change, from their next start on.
    pub fn save_each_change(&mut self) {
        for broker in &mut self.brokers {
            broker.replace_setting("autosave_interval 60", "autosave_interval 1");
            broker.replace_setting("autosave_on_changes false", "autosave_on_changes true");
        }
    }

    /// Everything runs, and has settled.
    pub fn running() -> Self {
        Self::running_with(&[])
    }

    /// Everything runs with these options, and has settled.
    pub fn running_with(options: &'static [&'static str]) -> Self {
        let mut bench = Self::new();
        bench.options = options;
        bench.start_all(ALL);
        bench.wait_settled(INITIAL);
        bench
    }

    /// Everything runs, and these sensors have been toggled on their owners' screens.
    pub fn with_ko(sensors: &str) -> Self {
        let mut bench = Self::running();
        let mut states = INITIAL;
        for (place, sensor) in ["1", "2", "3", "4", "5", "6"].into_iter().enumerate() {
            if sensors.contains(sensor) {
                bench.press(if place < 3 { Card1 } else { Card2 }, sensor);
                states[place] = "KO";
            }
        }
        bench.wait_settled(states);
        bench
    }

    pub fn start_all(&mut self, nodes: impl IntoIterator<Item = Node>) {
        nodes.into_iter().for_each(|node| self.start(node));
    }

    /// Starts a node; a broker answers when this returns, a program may still be starting.
    #[track_caller]
    pub fn start(&mut self, node: Node) {
        match node {
            Broker1 | Broker2 => self.brokers[node as usize].start(),
            Card1 | Card2 | Display => {
                assert!(self.screens[node as usize - 2].is_none(), "{node:?} runs already");
                self.screens[node as usize - 2] = Some(self.spawn(node, &self.url(node), self.options));
            }
        }
    }

    /// One more program in a terminal of its own, which the caller ends.
    pub fn spawn(&self, node: Node, url: &str, options: &[&str]) -> Pty {
        Start::program(self.command(node, url, options))
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .env("NO_COLOR", "1")
            .spawn()
    }

    /// The words that start a program, with the state folder that the bench keeps for it.
    pub fn command(&self, node: Node, url: &str, options: &[&str]) -> Vec<String> {
        let mut words = vec![binary(node).to_owned(), "--broker".to_owned(), url.to_owned()];
        if node != Display && !options.contains(&"--state-dir") {
            words.extend([
                "--state-dir".to_owned(),
                self.state_dir(node).display().to_string(),
            ]);
        }
        words.extend(options.iter().map(|option| (*option).to_owned()));
        words
    }

    /// Ends a node by a signal, and returns when it has ended.
    #[track_caller]
    pub fn end(&mut self, node: Node, signal: Signal) {
        match node {
            Broker1 | Broker2 => self.brokers[node as usize].end(signal),
            Card1 | Card2 | Display => {
                let mut pty = self.screens[node as usize - 2].take().expect("it runs");
                pty.signal(signal);
                let status = code(pty.wait_for_end());
                let expected = if signal == Signal::KILL {
                    -9
                } else {
                    128 + signal.as_raw()
                };
                assert_eq!(status, expected, "exit status of {node:?} after {signal:?}");
            }
        }
    }

    /// Ends everything that runs, in this order.
    pub fn end_all(&mut self, nodes: impl IntoIterator<Item = Node>, signal: Signal) {
        for node in nodes {
            if self.runs(node) {
                self.end(node, signal);
            }
        }
    }

    pub fn runs(&self, node: Node) -> bool {
        match node {
            Broker1 | Broker2 => self.brokers[node as usize].runs(),
            Card1 | Card2 | Display => self.screens[node as usize - 2].is_some(),
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where a monitor has its state file.
    pub fn state_dir(&self, node: Node) -> PathBuf {
        self.folder().join(format!("{node:?}").to_lowercase())
    }

    /// That file.
    pub fn state_file(&self, node: Node) -> PathBuf {
        let name = format!("{node:?}.state").to_lowercase();
        self.state_dir(node).join(name)
    }

    /// A broker's address; for a program, its broker's.
    pub fn url(&self, node: Node) -> String {
        match node {
            Broker1 | Card1 => self.brokers[0].url(),
            Broker2 | Card2 | Display => self.brokers[1].url(),
        }
    }

    /// A program's terminal.
    #[track_caller]
    pub fn pty(&mut self, node: Node) -> &mut Pty {
        self.screens[node as usize - 2]
            .as_mut()
            .unwrap_or_else(|| panic!("{node:?} does not run"))
    }

    /// The process of a program or a broker.
    #[track_caller]
    pub fn pid(&self, node: Node) -> rustix::process::Pid {
        if BROKERS.contains(&node) {
            return self.brokers[node as usize].pid();
        }
        let screen = self.screens[node as usize - 2].as_ref();
        screen.unwrap_or_else(|| panic!("{node:?} does not run")).pid()
    }

    /// A program's terminal, taken from the bench.
    pub fn take(&mut self, node: Node) -> Pty {
        self.screens[node as usize - 2]
            .take()
            .unwrap_or_else(|| panic!("{node:?} does not run"))
    }

    /// Puts a terminal in a program's place.
    pub fn give(&mut self, node: Node, pty: Pty) {
        self.screens[node as usize - 2] = Some(pty);
    }

    pub fn press(&mut self, node: Node, keys: &str) {
        self.pty(node).press(keys);
    }

    /// What a program's screen says.
    pub fn text(&self, node: Node) -> String {
        let screen = self.screens[node as usize - 2].as_ref();
        screen.map(|pty| pty.look(PtyOutput::text)).unwrap_or_default()
    }

    /// Someone who listens to everything at a broker.
    pub fn listener(&self, broker: Node) -> PlainClient {
        PlainClient::stranger(&self.url(broker)).listen("sensors/#")
    }

    /// Whether a program's screen has shown this word beside a sensor at any moment since the mark, which has
    /// to be taken when the state shows already: in between, the old word stands beside the new state.
    pub fn ever_showed(&mut self, node: Node, mark: usize, sensor: u8, beside: &str) -> bool {
        let bytes = self.pty(node).bytes_since(0);
        let mut replay = vt100::Parser::default();
        replay.process(&bytes[..mark]);
        bytes[mark..].iter().any(|byte| {
            replay.process(&[*byte]);
            row(&replay.screen().contents(), sensor).is_some_and(|row| row.beside == beside)
        })
    }

    /// Every line with these words that a program's screen has shown since the mark, drawn in full or not.
    pub fn ever_said(&mut self, node: Node, mark: usize, words: &str) -> Vec<String> {
        let bytes = self.pty(node).bytes_since(0);
        let mut replay = vt100::Parser::default();
        replay.process(&bytes[..mark]);
        let mut said = Vec::new();
        for byte in bytes[mark..].iter().copied() {
            replay.process(&[byte]);
            // As often as is enough: text is drawn up to the next change of place or colour.
            if byte == b'\x1b' || byte == b'm' {
                let text = replay.screen().contents();
                for line in text.lines().filter(|line| line.contains(words)) {
                    if said.last().is_none_or(|last: &String| last != line) {
                        said.push(line.to_owned());
                    }
                }
            }
        }
        said
    }

    /// The row of a sensor on a program's screen.
    pub fn row(&self, node: Node, sensor: u8) -> Option<SensorRow> {
        row(&self.text(node), sensor)
    }

    /// What stands beside the state of a sensor on a program's screen.
    pub fn beside(&self, node: Node, sensor: u8) -> String {
        self.row(node, sensor).map(|row| row.beside).unwrap_or_default()
    }

    /// All that a broker has written to its log.
    pub fn log(&self, broker: Node) -> String {
        self.brokers[broker as usize].log()
    }

    /// What a broker holds on a topic.
    pub fn retained(&self, broker: Node, topic: &str) -> Option<Vec<u8>> {
        plain::retained(&self.url(broker), topic)
    }
}

/// The program under test.
pub fn binary(node: Node) -> &'static str {
    match node {
        Card1 => env!("CARGO_BIN_EXE_card1_monitor"),
        Card2 => env!("CARGO_BIN_EXE_card2_monitor"),
        Display => env!("CARGO_BIN_EXE_card2_global_display"),
        Broker1 | Broker2 => panic!("a broker is no program of this project"),
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for node in PROGRAMS {
            eprintln!("--- {node:?}\n{}", self.text(node));
        }
        for (broker, number) in self.brokers.iter().zip(1..) {
            eprintln!("--- the end of broker {number}'s log\n{}", broker.tail());
        }
        self.folder.disable_cleanup(true);
        eprintln!("--- everything is in {}", self.folder().display());
    }
}
