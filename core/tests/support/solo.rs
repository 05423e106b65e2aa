//! One program, with a clock, a disk and a broker that do what a test says. Each event is given by hand: the
//! boards cannot be told to deliver one message, to refuse another one and to leave a write pending.
#![allow(dead_code, reason = "each test file uses its part")]

use std::time::Duration;

use dualboard_core::acknowledged::Acknowledged;
use dualboard_core::command::Answer;
use dualboard_core::global::Shown;
use dualboard_core::machine::{Effect, Event, Machine, Role, Setup, Ticket};
use dualboard_core::names::Names;
use dualboard_core::owner::Memory;
use dualboard_core::reading::{Reading, Snapshot, Versions};
use dualboard_core::sensor::{Card, PerSensor, SensorId, State};
use dualboard_core::stage::Stage;
use dualboard_core::time::{Mono, Now, Wall};
use dualboard_core::version::{Dot, Era, RunId, Seen, Version};
use dualboard_core::wire::{Heartbeat, Message, Report, Topic, decode, encode_heartbeat, encode_report};

pub const CARD1: Role = Role::Monitor(Card::One);
pub const CARD2: Role = Role::Monitor(Card::Two);
pub const OK: Option<State> = Some(State::Ok);
pub const KO: Option<State> = Some(State::Ko);

pub fn sensor(number: u8) -> SensorId {
    SensorId::new(number).expect("1 to 6")
}

pub const fn dot(n: u64, era: u32) -> Dot {
    Dot { n, era: Era(era) }
}

/// A version as it stands on the wire: its dot, and what it has seen.
pub fn version(n: u64, era: u32, seen: &[(u64, u32)]) -> Version {
    let seen: Seen = seen.iter().map(|(n, era)| dot(*n, *era)).collect();
    let dot = dot(n, era);
    Version { dot, seen }
}

pub fn reading(state: State, version: Version) -> Reading {
    let changed = None;
    Reading {
        state,
        version,
        changed,
        ko: None,
    }
}

/// The report of one sensor.
pub fn report(number: u8, reading: Reading) -> Vec<u8> {
    let mut readings = Snapshot::default();
    readings.set(sensor(number), reading);
    let all = SensorId::ALL.into_iter().collect();
    encode_report(&Report::of(&readings), all)
}

/// What an owner says that has this of one sensor, and has been up for so long.
pub fn heartbeat(life: u32, seconds: u64, number: u8, version: Version) -> Heartbeat {
    let mut has = Versions::default();
    has.set(sensor(number), Some(version));
    Heartbeat {
        life: RunId(life),
        uptime: Duration::from_secs(seconds),
        era: version.era(),
        run_era: None,
        takes_over: false,
        has,
        heard: Versions::default(),
        joined: None,
        heard_names: None,
        joined_names: None,
        quarantined: Snapshot::default(),
        quarantined_ko: PerSensor::default(),
        acknowledged: Acknowledged::default(),
        other_live: true,
        other_plain: false,
    }
}

pub struct Solo {
    pub machine: Machine,
    /// How long it has been up.
    pub seconds: u64,
    /// How far the wall clock is ahead of that.
    pub ahead: i64,
    /// What has been published and not delivered.
    pub flying: Vec<(Ticket, Topic, Vec<u8>)>,
    pub writing: Option<Memory>,
    pub file: Option<Memory>,
    /// All that was published.
    pub said: Vec<(Topic, Message)>,
    pub end: Option<Effect>,
}

impl Solo {
    pub fn new(role: Role, life: u32, memory: Option<&Memory>) -> Self {
        Self::named(role, life, memory, Some(&Names::default()))
    }

    /// With what it is told of names.
    pub fn named(role: Role, life: u32, memory: Option<&Memory>, names: Option<&Names>) -> Self {
        Self::of(Self::setup(role, life, memory, names), memory)
    }

    /// One that its broker knows by a user name.
    pub fn of_user(role: Role, life: u32, user: &str) -> Self {
        let setup = Setup {
            user: Some(user.to_owned()),
            ..Self::setup(role, life, None, None)
        };
        Self::of(setup, None)
    }

    fn setup(role: Role, life: u32, memory: Option<&Memory>, names: Option<&Names>) -> Setup {
        Setup {
            role,
            client: 7,
            life: RunId(life),
            memory: memory.copied().ok_or_else(|| "no state file".to_owned()),
            names: names.copied(),
            user: None,
            takes_over: false,
            started: now(0, 0),
        }
    }

    fn of(setup: Setup, memory: Option<&Memory>) -> Self {
        Self {
            machine: Machine::new(setup),
            seconds: 0,
            ahead: 0,
            flying: Vec::new(),
            writing: None,
            file: memory.copied(),
            said: Vec::new(),
            end: None,
        }
    }

    /// Restored, with everything written and delivered.
    pub fn open(role: Role, life: u32, memory: Option<&Memory>) -> Self {
        let mut solo = Self::new(role, life, memory);
        solo.feed(Event::Connected);
        solo.restore();
        solo.run();
        solo
    }

    pub fn feed(&mut self, event: Event) {
        for effect in self.machine.handle(now(self.seconds, self.ahead), event) {
            match effect {
                Effect::Publish {
                    ticket,
                    topic,
                    payload,
                } => {
                    let message = decode(topic, &payload).expect("what is sent can be read");
                    self.said.push((topic, message));
                    self.flying.push((ticket, topic, payload));
                }
                Effect::Save(memory) => assert!(self.writing.replace(*memory).is_none(), "two writes"),
                end => assert!(self.end.replace(end).is_none(), "ends twice"),
            }
        }
    }

    pub fn restore(&mut self) {
        let marker = self.flying.iter().rfind(|(_, topic, _)| *topic == Topic::Marker);
        let payload = marker.expect("a marker").2.clone();
        self.hear(Topic::Marker, payload);
    }

    /// The report on this topic that is in flight.
    pub fn in_flight(&self, topic: Topic) -> Ticket {
        let report = self.flying.iter().find(|(_, on, _)| *on == topic);
        report.expect("a report").0
    }

    fn message(&mut self, topic: Topic, payload: Vec<u8>, retained: bool) {
        let topic = topic.name(self.machine.marker());
        self.feed(Event::Message {
            topic,
            payload,
            retained,
        });
    }

    pub fn hear(&mut self, topic: Topic, payload: impl Into<Vec<u8>>) {
        self.message(topic, payload.into(), false);
    }

    pub fn find(&mut self, topic: Topic, payload: impl Into<Vec<u8>>) {
        self.message(topic, payload.into(), true);
    }

    pub fn hear_beat(&mut self, card: Card, heartbeat: &Heartbeat) {
        self.hear(Topic::Alive(card), encode_heartbeat(heartbeat));
    }

    pub fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.seconds += 1;
            self.feed(Event::Tick);
        }
    }

    pub fn saves(&mut self) {
        if let Some(memory) = self.writing.take() {
            self.file = Some(memory);
            self.feed(Event::Saved);
        }
    }

    /// All arrives at the broker, and comes back where the program listens to it.
    pub fn deliver(&mut self) {
        for (ticket, topic, payload) in std::mem::take(&mut self.flying) {
            self.feed(Event::Delivered(ticket));
            let name = topic.name(self.machine.marker());
            let listens = self
                .machine
                .subscriptions()
                .iter()
                .any(|(topic, _)| *topic == name);
            if listens && topic != Topic::Marker {
                self.hear(topic, payload);
            }
        }
    }

    /// Disk and broker do their work.
    pub fn run(&mut self) {
        while self.writing.is_some() || !self.flying.is_empty() {
            self.saves();
            self.deliver();
        }
    }

    /// The other owner has what this one has.
    pub fn confirm(&mut self, card: Card) {
        let mut beat = heartbeat(0xFF, self.seconds, 1, version(0, 0, &[]));
        beat.has = Versions::default();
        for own in card.other().sensors() {
            beat.has
                .set(own, self.reading(own.number()).map(|reading| reading.version));
        }
        self.hear_beat(card, &beat);
    }

    pub fn toggle(&mut self, number: u8) {
        self.feed(Event::Toggle(sensor(number)));
    }

    pub fn state(&self, number: u8) -> Option<State> {
        self.machine.shown(sensor(number)).map(|shown| shown.state())
    }

    pub fn reading(&self, number: u8) -> Option<Reading> {
        match self.machine.shown(sensor(number)) {
            Some(Shown::Reading(reading)) => Some(reading),
            Some(Shown::Unversioned(_)) | None => None,
        }
    }

    pub fn stage(&self, number: u8) -> Option<Stage> {
        self.machine.stage(sensor(number))
    }

    /// How often it has published on a topic.
    pub fn count(&self, topic: Topic) -> usize {
        self.said.iter().filter(|(on, _)| *on == topic).count()
    }

    /// What it last said in a heartbeat.
    pub fn last_beat(&self) -> Option<&Heartbeat> {
        self.said.iter().rev().find_map(|(_, message)| match message {
            Message::Heartbeat(heartbeat) => Some(heartbeat),
            _ => None,
        })
    }

    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.said.iter().filter_map(|(_, message)| match message {
            Message::Answer(answer) => Some(answer),
            _ => None,
        })
    }
}

fn now(seconds: u64, ahead: i64) -> Now {
    Now {
        mono: Mono::from_start(Duration::from_secs(100 + seconds)),
        wall: Wall(i64::try_from(seconds).expect("a short test") + ahead),
    }
}
