//! One program: events in, effects out. No clock, no I/O, no thread.
//!
//! `handle` is the only way in, and everything that follows from an event comes back from it at once. Around it the shell carries out the
//! effects, and calls again with [`Event::Tick`] at [`Machine::deadline`].

mod hearing;
mod sending;

use std::time::Duration;

use crate::chain::{Chain, Connection, Link};
use crate::chronicle::{Chronicle, Fact};
use crate::global::{Global, Shown};
use crate::owner::{Memory, Owner};
use crate::reading::Versions;
use crate::sensor::{Card, SensorId, State};
use crate::stage::{Progress, Stage};
use crate::time::{Mono, Now, Wall};
use crate::version::Life;
use crate::wire::Topic;

use sending::{Disk, Outbox};

/// What a program is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Owns a card; card 2's owner joins both.
    Monitor(Card),
    /// Shows everything, owns nothing.
    Display,
}

/// What the shell found out before the machine starts.
#[derive(Debug, Clone)]
pub struct Setup {
    /// What the program is there for.
    pub role: Role,
    /// Its MQTT client id.
    pub client_id: String,
    /// Drawn at random.
    pub life: Life,
    /// What the state file holds; on a failure, in words, why it cannot be believed. A display has none.
    pub memory: Result<Memory, String>,
    /// The moment of the start.
    pub started: Now,
}

/// Names a publication, so that its fate can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// Connected, and every subscription granted.
    Connected,
    /// An attempt to connect failed, or the connection was lost.
    Disconnected {
        /// In words.
        why: String,
        /// When the next attempt is made.
        retry_in: Duration,
    },
    /// A message arrived.
    Message {
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: Vec<u8>,
        /// Whether the broker had it in store.
        retained: bool,
    },
    /// A publication's handshake is complete.
    Delivered(Ticket),
    /// A publication's handshake will not be completed.
    Undelivered(Ticket),
    /// The broker does not take this program's messages on a topic; in words.
    Refused(String),
    /// The memory of the last [`Effect::Save`] is on disk, durably.
    Saved,
    /// It could not be written; in words.
    NotSaved(String),
    /// The operator toggles an own sensor.
    Toggle(SensorId),
    /// The operator asks to publish the present state again.
    Publish,
    /// The program is about to end.
    Leave,
    /// [`Machine::deadline`] has come.
    Tick,
}

/// Something that the shell is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Publish, and say what became of it.
    Publish {
        /// Its name.
        ticket: Ticket,
        /// On which topic; its name, quality of service and retain flag follow.
        topic: Topic,
        /// The payload.
        payload: Vec<u8>,
    },
    /// Write the state file. One at a time: the next comes after the answer.
    Save(Box<Memory>),
    /// End: another owner of this card has been there for longer.
    StopForTwin,
}

/// Where the start gate is, on each connect anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    /// Not connected.
    Offline,
    /// Everything that the broker has retained or queued comes before this marker, which is published again if it is not back in time: a
    /// full queue drops the newest message.
    Waiting { nonce: u64, again_at: Mono },
    /// It has all come.
    Open,
}

/// Whether the other card's values are what their owner says now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// They are.
    Live,
    /// Last known; the named link is broken.
    Held {
        /// When they were last known to be live, or when this program started.
        since: Wall,
        /// The first broken link.
        broken: Link,
    },
}

/// What came in and was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Payloads that could not be read.
    pub malformed: u64,
    /// Readings lower than what is known.
    pub stale: u64,
    /// Plain words for a card whose owner is live.
    pub impostors: u64,
}

/// A program's whole state.
#[derive(Debug, Clone)]
pub struct Machine {
    role: Role,
    client_id: String,
    life: Life,
    started: Now,
    owner: Option<Owner>,
    global: Global,
    /// Words of plain programs for own sensors, met before the first gate closed.
    own_plain: [Option<State>; 6],
    gate: Gate,
    /// Whether a gate has ever closed.
    restored: bool,
    chain: Chain,
    freshness: [Freshness; 2],
    progress: Progress,
    /// What the last message on the other owner's topic said.
    heard: Versions,
    /// Whether the last echo does not show what this owner says: a plain program's join, or what broker 1 holds on `sensors/all`.
    echo_behind: bool,
    outbox: Outbox,
    disk: Disk,
    leaving: bool,
    beat_due: Option<Mono>,
    witness_due: Option<Mono>,
    /// The other life that speaks as this card's owner, and how often it did.
    twin: Option<(Life, u8)>,
    chronicle: Chronicle,
    counters: Counters,
}

impl Machine {
    /// A program at its start. An owner takes what its state file holds.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let own = match setup.role {
            Role::Monitor(card) => Some(card),
            Role::Display => None,
        };
        let memory = setup.memory.as_ref().ok();
        let mut global = Global::default();
        let mut chronicle = Chronicle::default();
        if let Some(memory) = memory {
            for (sensor, reading) in memory.readings.iter() {
                if Some(sensor.card()) != own {
                    global.offer(sensor, reading, false);
                }
            }
        } else if let (Err(why), Some(_)) = (&setup.memory, own) {
            chronicle.note(setup.started.wall, Fact::MemoryLost(why.clone()));
        }
        let held = Freshness::Held {
            since: setup.started.wall,
            broken: Link::Broker,
        };
        Self {
            role: setup.role,
            client_id: setup.client_id,
            life: setup.life,
            started: setup.started,
            owner: own.map(|card| Owner::new(card, setup.life, memory)),
            global,
            own_plain: [None; 6],
            gate: Gate::Offline,
            restored: false,
            chain: Chain::new(own.unwrap_or(Card::Two), own),
            freshness: Card::ALL.map(|card| if Some(card) == own { Freshness::Live } else { held }),
            progress: Progress {
                durable: memory
                    .map(|memory| memory.readings.versions())
                    .unwrap_or_default(),
                ..Progress::default()
            },
            heard: Versions::default(),
            echo_behind: false,
            outbox: Outbox::default(),
            disk: Disk::holding(memory),
            leaving: false,
            beat_due: None,
            witness_due: None,
            twin: None,
            chronicle,
            counters: Counters::default(),
        }
    }

    /// The topics to subscribe to, with their quality of service.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<(String, u8)> {
        let topics = Topic::COMMON
            .into_iter()
            .map(|(topic, _)| topic)
            .chain([Topic::Marker]);
        topics
            .filter(|topic| self.listens_to(*topic))
            .map(|topic| (topic.name(&self.client_id), topic.qos()))
            .collect()
    }

    /// Takes an event; gives everything that follows from it, in order.
    #[must_use]
    pub fn handle(&mut self, now: Now, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::Connected => self.connected(now, &mut effects),
            Event::Disconnected { why, retry_in } => self.disconnected(now, why, retry_in),
            Event::Message {
                topic,
                payload,
                retained,
            } => self.message(now, &topic, &payload, retained, &mut effects),
            Event::Delivered(ticket) => {
                if let Some(versions) = self.outbox.delivered(ticket) {
                    self.progress.delivered = versions;
                }
            }
            Event::Undelivered(ticket) => self.outbox.undelivered(ticket),
            Event::Refused(why) => self.chronicle.note(now.wall, Fact::Refused(why)),
            Event::Saved => self.saved(now),
            Event::NotSaved(why) => self.not_saved(now, why),
            Event::Toggle(sensor) => self.toggle(now, sensor),
            Event::Publish => self.publish_again(now),
            Event::Leave => self.leave(&mut effects),
            Event::Tick => {}
        }
        self.settle(now, &mut effects);
        effects
    }

    /// When to call with [`Event::Tick`] if nothing else happens before.
    #[must_use]
    pub fn deadline(&self, now: Mono) -> Option<Mono> {
        let marker_due = match self.gate {
            Gate::Waiting { again_at, .. } => Some(again_at),
            Gate::Offline | Gate::Open => None,
        };
        [
            self.chain.deadline(now),
            self.beat_due,
            self.disk.retry_at(),
            marker_due,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn connected(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.chain.connected(now);
        self.chronicle.note(now.wall, Fact::Up(Link::Broker));
        let nonce = self.outbox.nonce(self.life);
        self.gate = Gate::Waiting {
            nonce,
            again_at: now.mono,
        };
        self.send_marker(now, effects);
    }

    fn disconnected(&mut self, now: Now, why: String, retry_in: Duration) {
        if !matches!(self.chain.connection, Connection::Down { .. }) {
            self.chronicle
                .note(now.wall, Fact::Down(Link::Broker, why.clone()));
        }
        self.chain.disconnected(now, why, retry_in);
        self.gate = Gate::Offline;
        self.outbox.connection_lost();
        self.beat_due = None;
    }

    /// The marker has come back: all that the broker had is known.
    fn gate_closes(&mut self, now: Now) {
        self.gate = Gate::Open;
        if !self.restored {
            self.restored = true;
            let known =
                |sensor: &SensorId| self.shown(*sensor).is_some() || self.own_plain[sensor.index()].is_some();
            let sensors = self.sensors();
            let (found, of) = (
                sensors.iter().filter(|sensor| known(sensor)).count(),
                sensors.len(),
            );
            let plain = self.own_plain;
            if let Some(owner) = &mut self.owner {
                owner.close_gate(|sensor| plain[sensor.index()]);
            }
            self.chronicle.note(now.wall, Fact::Restored { found, of });
        }
        self.outbox.again();
        self.beat_due = (!self.leaving).then_some(now.mono);
    }

    fn toggle(&mut self, now: Now, sensor: SensorId) {
        let Some(owner) = self.owner.as_mut().filter(|_| !self.leaving) else {
            return;
        };
        let Some(change) = owner.toggle(sensor, now.wall) else {
            if sensor.card() == owner.card() {
                self.chronicle.note(now.wall, Fact::NoHigherVersion(sensor));
            }
            return;
        };
        if let Some(version) = owner.readings().version(sensor) {
            self.chronicle
                .note_toggle((now.mono, now.wall), (sensor, version), change);
        }
    }

    /// No heartbeat follows; what has been toggled still goes out.
    fn leave(&mut self, effects: &mut Vec<Effect>) {
        self.leaving = true;
        self.beat_due = None;
        if let (Role::Monitor(card), Gate::Open) = (self.role, self.gate) {
            effects.push(self.outbox.last_word(card, self.life));
        }
    }

    fn publish_again(&mut self, now: Now) {
        if self.owner.is_some() {
            self.outbox.again();
            self.beat_due = self.beat_due.map(|_| now.mono);
            self.chronicle.note(now.wall, Fact::PublishedAgain);
        }
    }

    /// The sensors that this program answers for: its own, or all that it shows.
    fn sensors(&self) -> Vec<SensorId> {
        match self.role {
            Role::Monitor(card) => card.sensors().to_vec(),
            Role::Display => SensorId::ALL.to_vec(),
        }
    }
}

/// What the screens show.
impl Machine {
    /// What the program is there for.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// What is known of a sensor; `None` is UNKNOWN.
    #[must_use]
    pub fn shown(&self, sensor: SensorId) -> Option<Shown> {
        match &self.owner {
            Some(owner) if owner.card() == sensor.card() => owner.readings().get(sensor).map(Shown::Reading),
            _ => self.global.shown(sensor),
        }
    }

    /// How far the present state of an own sensor has got; `None` for other sensors, and while nothing is known.
    #[must_use]
    pub fn stage(&self, sensor: SensorId) -> Option<Stage> {
        let version = self.owner.as_ref()?.readings().version(sensor)?;
        Some(self.progress.stage(sensor, version))
    }

    /// Whether a card's values are live. An owner's own are always: it is the source.
    #[must_use]
    pub fn freshness(&self, card: Card) -> Freshness {
        self.freshness[card as usize]
    }

    /// Whether the first start gate has closed.
    #[must_use]
    pub const fn is_restored(&self) -> bool {
        self.restored
    }

    /// The links.
    #[must_use]
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The last events.
    #[must_use]
    pub const fn chronicle(&self) -> &Chronicle {
        &self.chronicle
    }

    /// What came in and was not taken.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Why the state file cannot be written, if so; in words.
    #[must_use]
    pub fn disk_failure(&self) -> Option<&str> {
        self.disk.failure()
    }

    /// When the program started.
    #[must_use]
    pub const fn started(&self) -> Now {
        self.started
    }

    /// Whether nothing is under way: every toggle has reached the disk and the broker as far as they can be reached now.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let connected = self.gate == Gate::Open;
        self.disk.is_settled()
            && !(connected && self.outbox.is_busy())
            && !matches!(self.gate, Gate::Waiting { .. })
    }
}
