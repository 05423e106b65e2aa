//! What a broker holds on the topics that carry state, by `mosquitto_sub`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::Value;

use crate::log::{log, name};
use crate::support::pty::Pty;
use crate::unit::{Unit, Who, start};

/// The retained topics that carry state, each with the sensors that it carries.
pub const RETAINED: [(&str, RangeInclusive<u8>); 3] = [
    ("sensors/card1", 1..=3),
    ("sensors/card2", 4..=6),
    ("sensors/all", 1..=6),
];

/// By sensor, in the words of the screens.
pub type SensorStates = BTreeMap<u8, String>;

/// Watches a broker; connects again when it must.
pub struct BrokerObserver {
    broker: String,
    words: Vec<String>,
    running: Option<Pty>,
    /// How many of its bytes have been read.
    read: usize,
    /// Of the broker.
    run: u32,
    /// By topic.
    pub holds: BTreeMap<String, SensorStates>,
}

impl BrokerObserver {
    /// `words` lead to the broker's host.
    pub fn new(broker: Who, mut words: Vec<String>, port: u16) -> Self {
        let options = ["mosquitto_sub", "-h", "127.0.0.1", "-q", "1", "-F", "%t %p", "-p"];
        words.extend(options.map(Into::into).into_iter().chain([port.to_string()]));
        for (topic, _) in RETAINED {
            words.extend(["-t", topic].map(Into::into));
        }
        Self {
            broker: name(broker),
            words,
            running: None,
            read: 0,
            run: 0,
            holds: BTreeMap::new(),
        }
    }

    /// Logs what has come. An observer ends with its broker; a new one gets a new one.
    pub fn look(&mut self, broker: &Unit) {
        if self.run != broker.run || !broker.runs() || self.running.as_mut().is_some_and(Pty::has_ended) {
            self.end();
        }
        if self.running.is_none() && broker.is_up() && !broker.stopped {
            (self.run, self.read) = (broker.run, 0);
            self.running = Some(start(&self.words));
        }
        let Some(pty) = &self.running else { return };
        let bytes = pty.bytes_since(self.read);
        let last = bytes.iter().rposition(|byte| *byte == b'\n');
        let whole = last.map_or(0, |end| end + 1);
        self.read += whole;
        for (topic, sensors) in parse(&bytes[..whole]) {
            if self.holds.get(&topic) != Some(&sensors) {
                log!("holds", {"who": self.broker, "run": self.run, "topic": topic, "sensors": sensors});
                self.holds.insert(topic, sensors);
            }
        }
    }

    pub fn end(&mut self) {
        self.running = None;
        if !std::mem::take(&mut self.holds).is_empty() {
            log!("blind", {"who": self.broker, "run": self.run});
        }
    }

    /// Logs what the broker has retained, asked afresh: what the observer was told may not be in the store.
    pub fn ask(&self) {
        let count = RETAINED.len().to_string();
        let once = ["--retained-only", "-W", "2", "-C", &count].map(Into::into);
        let mut pty = start(&[&self.words[..], &once].concat());
        pty.wait_for_end();
        for (topic, sensors) in parse(&pty.bytes_since(0)) {
            log!("retained", {"who": self.broker, "topic": topic, "sensors": sensors});
        }
    }
}

fn parse(lines: &[u8]) -> Vec<(String, SensorStates)> {
    let message = |line: &str| {
        let (topic, payload) = line.split_once(' ')?;
        let message: Value = serde_json::from_str(payload).ok()?;
        let said = |sensor| {
            let state = message.get(format!("sensor_{sensor}"))?.as_bool();
            let word = state.map_or("UNKNOWN", |ok| if ok { "OK" } else { "KO" });
            Some((sensor, word.to_owned()))
        };
        Some((topic.to_owned(), (1..=6).filter_map(said).collect()))
    };
    let text = String::from_utf8_lossy(lines);
    text.lines().filter_map(message).collect()
}
