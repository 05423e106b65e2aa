//! One program: events in, effects out. No clock, no I/O, no thread.
//!
//! `handle` is the only way in, and everything that follows from an event comes back from it at once. Around
//! it the shell carries out the effects, and calls again with [`Event::Tick`] at [`Machine::deadline`].

mod desk;
mod disk;
mod event;
mod hearing;
mod lack;
mod outbox;
mod ownership;
mod quarantine;
mod sending;
mod showing;
mod signs;

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::chain::{Chain, Connection, Link};
use crate::chronicle::{Chronicle, Fact};
use crate::global::Global;
use crate::owner::Owner;
use crate::reading::{Snapshot, Versions};
use crate::sensor::{Card, PerSensor, SensorId, State};
use crate::stage::Progress;
use crate::time::{Mono, Now, Wall};
use crate::version::Life;
use crate::wire::{self, Topic};

pub use event::{Effect, Event, Role, Setup, Ticket};
pub use lack::Lack;

use desk::Desk;
use disk::Disk;
use lack::Lacks;
use outbox::Outbox;
use ownership::Ownership;

/// By how much the wall clock may run ahead of the monotonic one between two events before it counts as time
/// that the monotonic clock did not count: a virtual machine that was paused. Clocks that are kept right are
/// slewed by less.
const LAPSE: i64 = 3;

/// Where the start gate is, on each connect anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    /// Not connected.
    Offline,
    /// Everything that the broker has retained or queued comes before this marker, which is published again
    /// if it is not back in time: a full queue drops the newest message.
    Waiting { nonce: u64, since: Mono, again_at: Mono },
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

/// A program's whole state.
#[derive(Debug, Clone)]
pub struct Machine {
    role: Role,
    client: u32,
    client_id: String,
    life: Life,
    started: Now,
    owner: Option<Owner>,
    global: Global,
    /// Words of plain programs for own sensors, met before the first gate closed.
    own_plain: PerSensor<Option<State>>,
    gate: Gate,
    /// Whether a gate has ever closed.
    restored: bool,
    /// When the last event was.
    last: Now,
    chain: Chain,
    freshness: [Freshness; 2],
    progress: Progress,
    /// What the last message on the other owner's topic said.
    heard: Versions,
    /// What the last message on `sensors/all` said.
    joined: Versions,
    /// Readings of others' sensors that are not shown, though their versions do not say that they are
    /// earlier: a copy of what their owner may have lost.
    quarantined: Snapshot,
    outbox: Outbox,
    disk: Disk,
    desk: Desk,
    leaving: bool,
    beat_due: Option<Mono>,
    last_beat: Option<Mono>,
    witness_due: Option<Mono>,
    /// Until when nothing is published again for another owner that says that it has not heard it.
    answer_due: Option<Mono>,
    ownership: Ownership,
    chronicle: Chronicle,
    lacks: Lacks,
    malformed: u64,
}

impl Machine {
    /// A program at its start. An owner takes what its state file holds.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let own = match setup.role {
            Role::Monitor(card) => Some(card),
            Role::Display => None,
        };
        let (memory, lost) = match setup.memory {
            Ok(memory) => (Some(memory), None),
            Err(why) => (None, Some(why)),
        };
        let memory = memory.as_ref();
        let mut global = Global::default();
        let mut chronicle = Chronicle::default();
        if let Some(memory) = memory {
            for (sensor, reading) in memory.readings.iter() {
                if Some(sensor.card()) != own {
                    global.merge(sensor, reading, false);
                }
            }
        } else if let (Some(why), Some(_)) = (lost, own) {
            chronicle.note(setup.started.wall, Fact::MemoryLost(why));
        }
        let held = Freshness::Held {
            since: setup.started.wall,
            broken: Link::Broker,
        };
        Self {
            role: setup.role,
            client: setup.client,
            client_id: setup.role.client_id(setup.client),
            life: setup.life,
            started: setup.started,
            owner: own.map(|card| Owner::new(card, setup.life, memory)),
            global,
            own_plain: PerSensor::default(),
            gate: Gate::Offline,
            restored: false,
            last: setup.started,
            chain: Chain::new(own.unwrap_or(Card::Two), own),
            freshness: Card::ALL.map(|card| if Some(card) == own { Freshness::Live } else { held }),
            progress: Progress {
                durable: memory
                    .map(|memory| memory.readings.versions())
                    .unwrap_or_default(),
                ..Progress::default()
            },
            heard: Versions::default(),
            joined: Versions::default(),
            quarantined: Snapshot::default(),
            outbox: Outbox::new(setup.role),
            disk: Disk::holding(memory),
            desk: Desk::remembering(memory),
            leaving: false,
            beat_due: None,
            last_beat: None,
            witness_due: None,
            answer_due: None,
            ownership: Ownership::default(),
            chronicle,
            lacks: Lacks::default(),
            malformed: 0,
        }
    }

    /// An owner that was started to take over from another one, wherever that runs.
    #[must_use]
    pub fn taking_over(mut self) -> Self {
        self.ownership = Ownership::taking_over();
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
        self.mind_the_clock(now);
        match event {
            Event::Connected => self.connected(now, &mut effects),
            Event::Disconnected { why, retry_in } => self.disconnected(now, why, retry_in),
            Event::Message {
                topic,
                payload,
                retained,
            } => self.message(now, &topic, &payload, retained, &mut effects),
            Event::Delivered(ticket) => self.delivered(ticket),
            Event::Undelivered(ticket) => self.outbox.undelivered(ticket),
            Event::Refused { topic, why } => self.refused(now.mono, topic, why),
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
            since: now.mono,
            again_at: now.mono,
        };
        self.send_marker(now, effects);
    }

    fn disconnected(&mut self, now: Now, why: String, retry_in: Duration) {
        self.ownership.connection_lost(now.mono);
        if !matches!(self.chain.connection, Connection::Down { .. }) {
            self.chronicle
                .note(now.wall, Fact::Down(Link::Broker, why.clone()));
        }
        self.chain.disconnected(now, why, retry_in);
        self.gate = Gate::Offline;
        self.outbox.connection_lost();
        self.beat_due = None;
    }

    /// Where time has passed that the monotonic clock did not count, nothing is live until it is proved
    /// again.
    fn mind_the_clock(&mut self, now: Now) {
        let last = core::mem::replace(&mut self.last, now);
        let counted = i64::try_from(now.mono.since(last.mono).as_secs()).unwrap_or(i64::MAX);
        if now.wall.0.saturating_sub(last.wall.0).saturating_sub(counted) >= LAPSE {
            self.chain.lapse(now.mono);
        }
    }

    fn delivered(&mut self, ticket: Ticket) {
        if let Some((Topic::Card(_), versions)) = self.outbox.delivered(ticket) {
            self.progress.delivered = versions;
        }
    }

    /// The marker has come back: all that the broker had is known.
    fn gate_closes(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.gate = Gate::Open;
        self.lacks.heartbeat_back = Some(now.mono);
        if !self.restored {
            self.restored = true;
            let known =
                |sensor: &SensorId| self.shown(*sensor).is_some() || self.own_plain[*sensor].is_some();
            let sensors = self.sensors();
            let (found, of) = (
                sensors.iter().filter(|sensor| known(sensor)).count(),
                sensors.len(),
            );
            let plain = self.own_plain;
            if let Some(owner) = &mut self.owner {
                owner.restored(|sensor| plain[sensor]);
            }
            self.chronicle.note(now.wall, Fact::Restored { found, of });
        }
        self.obey_waiting(now);
        self.outbox.again();
        self.mind_the_twin(now, effects);
        self.beat_due = (!self.leaving).then_some(now.mono);
    }

    fn toggle(&mut self, now: Now, sensor: SensorId) {
        let Some(owner) = self.owner.as_mut().filter(|_| !self.leaving) else {
            return;
        };
        if let Some(change) = owner.toggle(sensor, now.wall) {
            self.chronicle.note_toggle((now.mono, now.wall), sensor, change);
        }
    }

    /// No heartbeat follows; what has been toggled still goes out.
    fn leave(&mut self, effects: &mut Vec<Effect>) {
        self.leaving = true;
        self.beat_due = None;
        if let (Role::Monitor(card), Gate::Open) = (self.role, self.gate) {
            let last_word = wire::encode_last_will(self.life);
            effects.push(self.outbox.publish(Topic::Alive(card), last_word));
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
