//! What of a program's life goes into the log.

use super::{Level, Log};
use crate::event_log::{Fact, LogEntry};
use crate::machine::{Effect, Event, Machine};
use crate::sensor::{PerSensor, SensorId};
use crate::stage::Stage;
use crate::text::words;
use crate::time::Wall;

/// So much of a payload is shown.
const PAYLOAD: usize = 400;

/// Follows a machine.
#[derive(Debug)]
pub struct LogWriter {
    log: Log,
    /// How many facts have been told, and how often the last of them.
    told: u64,
    times: u32,
    /// How far the toggles have got that have been told and are not confirmed.
    open: PerSensor<Option<Stage>>,
}

impl LogWriter {
    /// Nothing has been told yet.
    #[must_use]
    pub fn new(log: Log) -> Self {
        Self {
            log,
            told: 0,
            times: 1,
            open: PerSensor::default(),
        }
    }

    /// The log itself.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Tells something that the machine does not know of.
    pub fn say(&mut self, wall: Wall, text: &str) {
        self.log.line(wall, Level::Info, text);
    }

    /// Tells something that the machine does not know of, and that is not as it should be.
    pub fn warn(&mut self, wall: Wall, text: &str) {
        self.log.line(wall, Level::Warn, text);
    }

    /// What goes into the machine.
    pub fn event(&mut self, wall: Wall, event: &Event) {
        if !self.log.takes(Level::Debug) {
            return;
        }
        let text = match event {
            Event::Message {
                topic,
                payload,
                retained,
            } => {
                let kept = if *retained { ", retained" } else { "" };
                format!(
                    "heard {topic} ({} bytes{kept}) {}",
                    payload.len(),
                    beginning(payload)
                )
            }
            Event::Disconnected { why, retry_in } => {
                format!("not connected: {why}; next try in {} ms", retry_in.as_millis())
            }
            Event::Connected => "connected, all subscriptions granted".to_owned(),
            Event::Saved => "state file written".to_owned(),
            Event::Delivered(ticket) => format!("delivered {}", ticket.0),
            Event::Undelivered(ticket) => format!("not delivered {}", ticket.0),
            _ => return,
        };
        self.log.line(wall, Level::Debug, &text);
    }

    /// What comes out of it, as [`Self::machine`] tells it.
    #[must_use]
    pub fn sent(&self, effects: &[Effect]) -> Vec<String> {
        let texts = effects.iter().filter_map(|effect| match effect {
            Effect::Publish {
                ticket,
                topic,
                payload,
            } => Some(format!(
                "sent {} on {} ({} bytes) {}",
                ticket.0,
                topic.name(""),
                payload.len(),
                beginning(payload)
            )),
            _ => None,
        });
        if self.log.takes(Level::Debug) {
            texts.collect()
        } else {
            Vec::new()
        }
    }

    /// What has come of it.
    pub fn machine(&mut self, wall: Wall, machine: &Machine, sent: &[String]) {
        self.facts(machine);
        self.stages(wall, machine);
        for text in sent {
            self.log.line(wall, Level::Debug, text);
        }
    }

    /// Facts in a row that are the same are told once, and how often when another one comes.
    fn facts(&mut self, machine: &Machine) {
        let event_log = machine.event_log();
        let new = usize::try_from(event_log.noted() - self.told).unwrap_or(usize::MAX);
        if new == 0 {
            return;
        }
        let mut entries: Vec<&LogEntry> = event_log.newest_first().take(new.saturating_add(1)).collect();
        entries.reverse();
        let old = if entries.len() > new {
            entries.remove(0).clone()
        } else {
            entries[0].clone()
        };
        if self.told > 0 && old.times > self.times {
            self.fact(machine, &old);
        }
        for entry in &entries {
            self.fact(machine, entry);
        }
        self.told = event_log.noted();
        self.times = entries.last().map_or(1, |entry| entry.times);
    }

    fn fact(&mut self, machine: &Machine, entry: &LogEntry) {
        if let Fact::Toggled { sensor, .. } = entry.fact {
            self.open[sensor] = Some(Stage::Sending);
        }
        let text = words::event(entry, machine.names(), machine.role(), machine.chain().home);
        self.log.line(entry.wall, level(&entry.fact), &text);
    }

    /// A toggle is told when it is made, and again with each stage that it reaches. What was so at the start
    /// was no toggle.
    fn stages(&mut self, wall: Wall, machine: &Machine) {
        for sensor in SensorId::ALL {
            let open = &mut self.open[sensor];
            let (Some(before), Some(stage)) = (*open, machine.stage(sensor)) else {
                continue;
            };
            *open = Some(stage).filter(|stage| *stage != Stage::Confirmed);
            if let Some(shown) = machine.shown(sensor).filter(|_| stage != before) {
                let sensor = words::sensor(sensor, machine.names());
                let text = format!("{sensor}  {} {}", shown.state().word(), stage.word());
                self.log.line(wall, Level::Info, &text);
            }
        }
    }

    /// The last word.
    pub fn end(&mut self, wall: Wall, machine: &Machine) {
        let last = machine.event_log().newest_first().next().cloned();
        if let Some(last) = last.filter(|last| last.times > self.times) {
            self.fact(machine, &last);
        }
        self.log.line(wall, Level::Info, "ends");
    }
}

fn beginning(payload: &[u8]) -> String {
    let shown = payload.get(..PAYLOAD).unwrap_or(payload);
    String::from_utf8_lossy(shown).into_owned()
}

fn level(fact: &Fact) -> Level {
    match fact {
        Fact::NotSaved(_) | Fact::MemoryLost(_) | Fact::Lacks(_) | Fact::NotLogged(_) => Level::Error,
        Fact::Down(..)
        | Fact::Held(..)
        | Fact::Malformed(..)
        | Fact::Impostor(_)
        | Fact::RetainedCommand(_)
        | Fact::AlarmCommandFailed(_) => Level::Warn,
        _ => Level::Info,
    }
}
