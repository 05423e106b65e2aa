//! One program: events in, effects out. No clock, no I/O, no thread.
//!
//! `handle` is the only way in, and everything that follows from an event comes back from it at once. Around it the shell carries out the
//! effects, and calls again with [`Event::Tick`] at [`Machine::deadline`].

mod contradiction;
mod copy;
mod desk;
mod disk;
mod doubt;
mod event;
mod hearing;
mod outbox;
mod sending;
mod showing;
mod signs;
mod tenancy;

use std::time::Duration;

use crate::chain::{Chain, Connection, Link};
use crate::chronicle::{Chronicle, Fact};
use crate::global::Global;
use crate::owner::Owner;
use crate::pulse;
use crate::reading::{Snapshot, Versions};
use crate::sensor::{Card, SensorId, State};
use crate::stage::Progress;
use crate::time::{Mono, Now, Wall};
use crate::version::Life;
use crate::wire::Topic;

pub use event::{Effect, Event, Role, Setup, Ticket};

use copy::Kept;
use desk::Desk;
use disk::Disk;
use outbox::Outbox;
use tenancy::Tenancy;

/// How long everybody in reach has to answer what an owner has found at its start: two heartbeats, since one of them may be lost.
const ANSWER: Duration = pulse::INTERVAL.saturating_mul(2);

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

/// Copies of this owner's report that were behind it when last seen. While one is, the report goes out again with each heartbeat.
#[derive(Debug, Clone, Copy, Default)]
struct Copies {
    /// On its own topic: its own echo on the way, or somebody's old copy that lies there now.
    own_topic: bool,
    /// A plain program's join, or what broker 1 holds on `sensors/all`.
    echo: bool,
    /// What lies at the other board may be another one from this moment on, without a word: a full queue drops the newest message, and the
    /// older ones in it arrive. The first heartbeat after it takes the report along once more.
    across: Option<Mono>,
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
    /// When whoever knows more of this owner's memory has had time to answer its heartbeats; `None` before the first gate has closed, and after that.
    outranks_at: Option<Mono>,
    chain: Chain,
    freshness: [Freshness; 2],
    progress: Progress,
    /// What the last message on the other owner's topic said.
    heard: Versions,
    /// Readings of others' sensors, higher than what is shown and not believed.
    refused: Snapshot,
    copies: Copies,
    kept: Kept,
    outbox: Outbox,
    disk: Disk,
    desk: Desk,
    leaving: bool,
    beat_due: Option<Mono>,
    witness_due: Option<Mono>,
    tenancy: Tenancy,
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
            outranks_at: None,
            chain: Chain::new(own.unwrap_or(Card::Two), own),
            freshness: Card::ALL.map(|card| if Some(card) == own { Freshness::Live } else { held }),
            progress: Progress {
                durable: memory
                    .map(|memory| memory.readings.versions())
                    .unwrap_or_default(),
                ..Progress::default()
            },
            heard: Versions::default(),
            refused: Snapshot::default(),
            copies: Copies::default(),
            kept: Kept::default(),
            outbox: Outbox::default(),
            disk: Disk::holding(memory),
            desk: Desk::remembering(memory),
            leaving: false,
            beat_due: None,
            witness_due: None,
            tenancy: Tenancy::default(),
            chronicle,
            counters: Counters::default(),
        }
    }

    /// An owner that was started to take over from another one, wherever that runs.
    #[must_use]
    pub fn taking_over(mut self) -> Self {
        self.tenancy = Tenancy::new(true);
        self
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
            Event::FileGone(why) => self.file_gone(now, why),
            Event::NotLogged(why) => self.chronicle.note(now.wall, Fact::NotLogged(why)),
            Event::LoggedAgain => self.chronicle.note(now.wall, Fact::LoggedAgain),
            Event::Toggle(sensor) => self.toggle(now, sensor),
            Event::Command(command) => self.told(now, &command),
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
            self.disk.deadline(),
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
        self.tenancy.connection_lost();
        self.kept = Kept::default();
        self.beat_due = None;
    }

    /// The marker has come back: all that the broker had is known.
    fn gate_closes(&mut self, now: Now, effects: &mut Vec<Effect>) {
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
                self.outranks_at = Some(now.mono.after(ANSWER));
            }
            self.chronicle.note(now.wall, Fact::Restored { found, of });
        }
        self.obey_waiting(now);
        self.outbox.again();
        self.stands_back(now, effects);
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
        self.chronicle.note_toggle((now.mono, now.wall), sensor, change);
    }

    /// No heartbeat follows; what has been toggled still goes out.
    fn leave(&mut self, effects: &mut Vec<Effect>) {
        self.leaving = true;
        self.beat_due = None;
        if let (Role::Monitor(card), Gate::Open) = (self.role, self.gate) {
            self.withdraw(card, effects);
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
