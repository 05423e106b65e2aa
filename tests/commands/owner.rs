//! An owner of card 1 with a disk and a broker that do what a test says.

use dualboard::command::Answer;
use dualboard::machine::{Effect, Event, Machine, Role, Setup, Ticket};
use dualboard::owner::Memory;
use dualboard::sensor::{Card, SensorId, State};
use dualboard::stage::Stage;
use dualboard::version::Life;
use dualboard::wire::{Message, Topic, decode};

use crate::{NOW, SET};

pub const OK: Option<State> = Some(State::Ok);
pub const KO: Option<State> = Some(State::Ko);

pub fn sensor(number: u8) -> SensorId {
    SensorId::new(number).expect("1 to 6")
}

/// An owner of card 1, its disk and its broker.
pub struct Owner {
    pub machine: Machine,
    pub memory: Option<Memory>,
    pub writing: Option<Memory>,
    pub flying: Vec<(Ticket, Topic, Vec<u8>)>,
    pub answers: Vec<Answer>,
    /// What has been published on the owner's own topic.
    pub reports: Vec<Vec<u8>>,
}

impl Owner {
    pub fn new(memory: Option<&Memory>) -> Self {
        let machine = Machine::new(Setup {
            role: Role::Monitor(Card::One),
            client_id: "me".to_owned(),
            life: Life(77),
            memory: memory.copied().ok_or_else(|| "no state file".to_owned()),
            started: NOW,
        });
        Self {
            machine,
            memory: memory.copied(),
            writing: None,
            flying: Vec::new(),
            answers: Vec::new(),
            reports: Vec::new(),
        }
    }

    /// Past its gate, with everything written and delivered.
    pub fn open() -> Self {
        let mut owner = Self::new(None);
        owner.connect();
        owner.open_gate();
        owner.run();
        owner
    }

    pub fn feed(&mut self, event: Event) {
        for effect in self.machine.handle(NOW, event) {
            match effect {
                Effect::Publish {
                    ticket,
                    topic,
                    payload,
                } => {
                    match decode(topic, &payload) {
                        Ok(Message::Answer(answer)) => self.answers.push(answer),
                        Ok(Message::Report(_)) => self.reports.push(payload.clone()),
                        _ => {}
                    }
                    self.flying.push((ticket, topic, payload));
                }
                Effect::Save(memory) => self.writing = Some(*memory),
                Effect::StopForTwin | Effect::StopTakenOver => panic!("no twin here"),
            }
        }
    }

    pub fn connect(&mut self) {
        self.feed(Event::Connected);
    }

    pub fn open_gate(&mut self) {
        let marker = self.flying.iter().rfind(|(_, topic, _)| *topic == Topic::Marker);
        let payload = marker.expect("a marker").2.clone();
        self.hear("sensors/marker/me", &payload, false);
    }

    pub fn hear(&mut self, topic: &str, payload: &[u8], retained: bool) {
        self.feed(Event::Message {
            topic: topic.to_owned(),
            payload: payload.to_vec(),
            retained,
        });
    }

    pub fn ask(&mut self, payload: &str) {
        self.hear(SET, payload.as_bytes(), false);
    }

    pub fn saves(&mut self) {
        if let Some(memory) = self.writing.take() {
            self.memory = Some(memory);
            self.feed(Event::Saved);
        }
    }

    /// Disk and broker do their work.
    pub fn run(&mut self) {
        while self.writing.is_some() || !self.flying.is_empty() {
            self.saves();
            for (ticket, _, _) in std::mem::take(&mut self.flying) {
                self.feed(Event::Delivered(ticket));
            }
        }
    }

    /// The other board shows what this owner says.
    pub fn confirm(&mut self) {
        let last = self.reports.last().expect("a report").clone();
        self.hear("sensors/all", &last, false);
    }

    pub fn states(&self) -> [Option<State>; 3] {
        Card::One
            .sensors()
            .map(|sensor| self.machine.shown(sensor).map(|shown| shown.state()))
    }

    pub fn stages(&self) -> Vec<Stage> {
        let stage = |answer: &Answer| answer.reached.iter().flatten().map(|(_, stage)| *stage).min();
        self.answers.iter().filter_map(stage).collect()
    }
}
