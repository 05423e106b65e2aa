//! What must hold before and after every step, whatever it was.

use std::collections::{BTreeMap, BTreeSet};

use dualboard_core::chain::Connection;
use dualboard_core::event_log::KEPT;
use dualboard_core::machine::{Effect, Event, Freshness, Machine, Role};
use dualboard_core::owner::Memory;
use dualboard_core::pulse::TIMEOUT;
use dualboard_core::reading::{Reading, Versions};
use dualboard_core::sensor::{Card, SensorId, SensorSet, State};
use dualboard_core::stage::Stage;
use dualboard_core::time::{Mono, Now};
use dualboard_core::version::{Era, Order};
use dualboard_core::wire::{self, Message, Report, Topic};

use super::trial::{BEGIN, LIFE, Proved, own_topics};
use super::words::reading;

/// A machine with all that it remembers, written out: nothing in it grows with what it is sent.
const MOST_MEMORY: usize = 200_000;

pub struct Watch {
    pub(super) role: Role,
    client_id: String,
    subscribed: Vec<String>,
    before: [Option<Reading>; 6],
    states: [Option<State>; 6],
    malformed: u64,
    pub(super) toggled: BTreeSet<SensorId>,
    file_era: Option<Era>,
    /// Asked for by commands that wait for the restore, and by the one that is done now.
    asked: SensorSet,
    commanded: SensorSet,
    pub leaving: bool,
    pub(super) restored: bool,
    pub(super) nonces: Vec<u64>,
    last: Now,
    last_live: Option<Mono>,
    /// Heartbeats of other lives as this card's owner, and lost connections.
    pub(super) twins: usize,
    pub(super) losses: usize,
    pub(super) said: Versions,
    durable: Proved,
    delivered: Proved,
    echoed: Proved,
}

impl Watch {
    pub fn new(machine: &Machine, memory: Option<&Memory>) -> Self {
        let topics = machine.subscriptions().into_iter().map(|(topic, _)| topic);
        let mut watch = Self {
            role: machine.role(),
            client_id: machine.client_id().to_owned(),
            subscribed: topics.collect(),
            before: [None; 6],
            states: [None; 6],
            malformed: 0,
            toggled: BTreeSet::new(),
            file_era: memory.and_then(|memory| memory.era),
            asked: SensorSet::EMPTY,
            commanded: SensorSet::EMPTY,
            leaving: false,
            restored: false,
            nonces: Vec::new(),
            last: BEGIN,
            last_live: None,
            twins: 0,
            losses: 0,
            said: Versions::default(),
            durable: Proved::new(),
            delivered: Proved::new(),
            echoed: Proved::new(),
        };
        if let Some(memory) = memory {
            watch.saved(memory);
        }
        watch
    }

    pub fn saved(&mut self, memory: &Memory) {
        note(&mut self.durable, &memory.readings.versions());
    }

    pub fn delivered(&mut self, topic: Topic, payload: &[u8]) {
        if let (Topic::Card(_), Some(report)) = (topic, report_of(topic, payload)) {
            note(&mut self.delivered, &report.versions());
        }
    }

    pub fn before(&mut self, machine: &Machine) {
        self.before = SensorId::ALL.map(|sensor| reading(machine, sensor));
        self.states = SensorId::ALL.map(|sensor| machine.shown(sensor).map(|shown| shown.state()));
    }

    pub fn after(&mut self, machine: &Machine, now: Now, event: &Event, effects: &[Effect], connected: bool) {
        self.clock(now);
        let heard = self.hear(now, event);
        self.mind_the_restore(event, heard.as_ref());
        self.commands(event, heard.as_ref());
        self.effects(effects, connected);
        self.versions(machine);
        self.own_sensors(machine, event);
        self.malformed(machine, heard.as_ref());
        self.freshness(machine, now, connected);
        self.stages(machine);
        assert!(machine.event_log().newest_first().count() <= KEPT);
        let stops = |effect: &Effect| matches!(effect, Effect::StopForTwin | Effect::StopTakenOver);
        self.leaving |= matches!(event, Event::Leave) || effects.iter().any(stops);
    }

    /// Time that the monotonic clock did not count: what was live before it is not now.
    fn clock(&mut self, now: Now) {
        let last = std::mem::replace(&mut self.last, now);
        let counted = i128::from(now.mono.since(last.mono).as_secs());
        if i128::from(now.wall.0) - i128::from(last.wall.0) >= counted + 3 {
            self.last_live = None;
        }
    }

    /// What the message says, if the program listens to it.
    fn hear(&mut self, now: Now, event: &Event) -> Option<Option<(Topic, Message)>> {
        self.losses += usize::from(matches!(event, Event::Disconnected { .. }));
        let Event::Message {
            topic,
            payload,
            retained,
        } = event
        else {
            return None;
        };
        let known = Topic::parse(topic, &self.client_id).filter(|_| self.subscribed.contains(topic))?;
        let message = wire::decode(known, payload).ok();
        if message.is_none() {
            self.malformed += 1;
        }
        if !retained && message.is_some() {
            self.last_live = Some(now.mono);
        }
        match message {
            Some(Message::Heartbeat(beat)) if !retained => {
                let own = matches!(known, Topic::Alive(card) if self.role == Role::Monitor(card));
                if own {
                    self.twins += usize::from(beat.life != LIFE);
                } else {
                    note(&mut self.echoed, &beat.has);
                }
            }
            _ => {}
        }
        Some(message.map(|message| (known, message)))
    }

    /// Only this program's own marker ends the restore.
    fn mind_the_restore(&mut self, event: &Event, heard: Option<&Option<(Topic, Message)>>) {
        match (event, heard) {
            (Event::Connected | Event::Disconnected { .. }, _) => {
                self.restored = false;
                self.nonces.clear();
            }
            (_, Some(Some((_, Message::Marker(nonce))))) if self.nonces.contains(nonce) => {
                self.restored = true;
            }
            _ => {}
        }
    }

    /// A command counts as a key, once the restore has ended; a retained one never.
    fn commands(&mut self, event: &Event, heard: Option<&Option<(Topic, Message)>>) {
        self.commanded = SensorSet::EMPTY;
        let ignored = self.leaving || matches!(event, Event::Message { retained: true, .. });
        if let (Some(Some((_, Message::Command(command)))), false) = (heard, ignored) {
            for sensor in command.changes.sensors().iter() {
                self.asked.insert(sensor);
            }
        }
        if self.restored {
            self.commanded = std::mem::take(&mut self.asked);
        }
    }

    /// No shown version goes back, and one dot never has two states.
    fn versions(&mut self, machine: &Machine) {
        for (sensor, before) in SensorId::ALL.into_iter().zip(self.before) {
            let (Some(before), Some(shown)) = (before, reading(machine, sensor)) else {
                continue;
            };
            let order = shown.version.compare_exactly(&before.version);
            assert!(
                order != Order::Earlier,
                "{sensor} went back to {shown:?} from {before:?}"
            );
            if before.version.dot == shown.version.dot {
                assert_eq!(before.state, shown.state, "{sensor}: one toggle, two states");
            }
        }
    }

    /// A key makes a later version. What was toggled changes its state by another toggle alone, or by one
    /// that its owner made with this one known.
    fn own_sensors(&mut self, machine: &Machine, event: &Event) {
        let Role::Monitor(card) = self.role else { return };
        for sensor in card.sensors() {
            let before = self.before[usize::from(sensor.number()) - 1];
            let Some(after) = reading(machine, sensor) else {
                assert!(before.is_none(), "{sensor} was forgotten");
                continue;
            };
            let key = matches!(event, Event::Toggle(pressed) if *pressed == sensor) && !self.leaving;
            let changed = before.map(|before| before.state) != Some(after.state);
            // One that was known to be done does nothing: then what is new is the initial state. Nor does one
            // that asks for what is there.
            let made = !after.version.is_provisional() && changed;
            let order = before.map(|before| after.version.compare_exactly(&before.version));
            if key || (self.commanded.contains(sensor) && made) {
                assert!(
                    order.is_none_or(|order| order == Order::Later),
                    "{sensor} was toggled to {after:?} from {before:?}"
                );
                self.toggled.insert(sensor);
            } else if self.toggled.contains(&sensor) && before.is_some_and(|before| before.changed.is_none())
            {
                // What the operator toggled has been replaced by something later, which nobody here has
                // toggled.
                self.toggled.remove(&sensor);
            } else if self.toggled.contains(&sensor) {
                let same = before.is_some_and(|before| before.version.dot == after.version.dot);
                let era = after.version.era();
                let own = is_era_of_this_run(era) || Some(era) == self.file_era;
                assert!(
                    !changed || order == Some(Order::Later),
                    "{sensor}: the operator's toggle was undone: {after:?} after {before:?}"
                );
                if changed || !(same || own) {
                    self.toggled.remove(&sensor);
                }
            }
        }
    }

    /// A message that cannot be read is counted, and changes nothing.
    fn malformed(&self, machine: &Machine, heard: Option<&Option<(Topic, Message)>>) {
        assert_eq!(machine.malformed_payloads(), self.malformed);
        if let Some(None) = heard {
            let states = SensorId::ALL.map(|sensor| machine.shown(sensor).map(|shown| shown.state()));
            assert_eq!(
                states, self.states,
                "a message that cannot be read changed a state"
            );
        }
    }

    /// Live is proved by what arrives live, and not for longer than a proof of life holds.
    fn freshness(&self, machine: &Machine, now: Now, connected: bool) {
        let proved = self.last_live.is_some_and(|at| now.mono < at.after(TIMEOUT));
        for card in Card::ALL {
            if self.role == Role::Monitor(card) {
                continue;
            }
            let live = machine.freshness(card) == Freshness::Live;
            assert!(
                !live || (proved && connected && self.restored),
                "{card:?} is called live without proof"
            );
        }
        let up = matches!(machine.chain().connection, Connection::Up { .. });
        assert_eq!(up, connected);
    }

    /// No stage is shown that the version has not reached.
    fn stages(&self, machine: &Machine) {
        let Role::Monitor(card) = self.role else { return };
        for sensor in card.sensors() {
            let Some((stage, shown)) = machine.stage(sensor).zip(reading(machine, sensor)) else {
                continue;
            };
            let at = (sensor, shown.version.dot);
            if stage >= Stage::Saved {
                assert!(
                    self.durable.contains(&at) && self.delivered.contains(&at),
                    "{sensor} is not saved"
                );
            }
            if stage == Stage::Confirmed {
                assert!(self.echoed.contains(&at), "{sensor} is not confirmed");
            }
        }
    }

    pub fn memory_is_bounded(&self, machine: &Machine) {
        if machine.event_log().noted() > 100 || self.malformed > 100 {
            let written = format!("{machine:?}").len();
            assert!(written < MOST_MEMORY, "{written} bytes");
        }
    }

    /// What the broker holds on the own topics is what this owner says now.
    pub fn good_state_is_held(&self, machine: &Machine, holds: &BTreeMap<Topic, Vec<u8>>) {
        for topic in own_topics(self.role) {
            let held = holds
                .get(topic)
                .and_then(|payload| report_of(*topic, payload))
                .expect("a report that can be read");
            for sensor in topic.carries().iter() {
                let shown = machine.shown(sensor).map(|shown| shown.state());
                let said = held.get(sensor).map(|entry| match entry {
                    wire::Entry::Reading(reading) => reading.state,
                    wire::Entry::Plain(state) => state,
                });
                assert_eq!(
                    said, shown,
                    "{sensor}: the broker holds something else for life {LIFE:?}"
                );
            }
        }
    }
}

/// The report in a payload, if it is one.
pub fn report_of(topic: Topic, payload: &[u8]) -> Option<Report> {
    match wire::decode(topic, payload) {
        Ok(Message::Report(report)) => Some(report),
        _ => None,
    }
}

fn note(proved: &mut Proved, versions: &Versions) {
    for sensor in SensorId::ALL {
        if let Some(dot) = versions.dot(sensor) {
            proved.insert((sensor, dot));
        }
    }
}

/// Whether this run may have begun an era.
pub(super) fn is_era_of_this_run(era: Era) -> bool {
    (0..64).any(|count| era == LIFE.era(count))
}
