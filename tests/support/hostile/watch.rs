//! What must hold before and after every step, whatever it was.

use dualboard::chain::Connection;
use dualboard::chronicle::KEPT;
use dualboard::machine::{Effect, Event, Freshness, Machine, Role};
use dualboard::owner::Memory;
use dualboard::pulse::TIMEOUT;
use dualboard::reading::{Reading, Versions};
use dualboard::sensor::{Card, SensorId, SensorSet, State};
use dualboard::stage::Stage;
use dualboard::time::{Mono, Now};
use dualboard::version::Version;
use dualboard::wire::{self, Message, Report, Topic};

use super::trial::{CLIENT, LIFE, Proved, own_topic};
use super::words::reading;

/// A machine with all that it remembers, written out: nothing in it grows with what it is sent.
const MOST_MEMORY: usize = 200_000;

pub struct Watch {
    pub(super) role: Role,
    subscribed: Vec<String>,
    /// The highest version that was ever shown.
    shown: [Option<Version>; 6],
    before: [Option<Reading>; 6],
    states: [Option<State>; 6],
    malformed: u64,
    toggled: SensorSet,
    /// Asked for by commands that wait for the gate, and by the one that is done now.
    asked: SensorSet,
    commanded: SensorSet,
    pub leaving: bool,
    pub(super) gate_open: bool,
    pub(super) nonces: Vec<u64>,
    last_live: Option<Mono>,
    /// Heartbeats of other lives as this card's owner, and claims that say to have replaced this life's.
    pub(super) twins: (usize, usize),
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
            subscribed: topics.collect(),
            shown: [None; 6],
            before: [None; 6],
            states: [None; 6],
            malformed: 0,
            toggled: SensorSet::EMPTY,
            asked: SensorSet::EMPTY,
            commanded: SensorSet::EMPTY,
            leaving: false,
            gate_open: false,
            nonces: Vec::new(),
            last_live: None,
            twins: (0, 0),
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
        if let (true, Some(report)) = (own_topic(self.role) == Some(topic), report_of(topic, payload)) {
            note(&mut self.delivered, &report.versions());
        }
    }

    pub fn before(&mut self, machine: &Machine) {
        self.before = SensorId::ALL.map(|sensor| reading(machine, sensor));
        self.states = SensorId::ALL.map(|sensor| machine.shown(sensor).map(|shown| shown.state()));
    }

    pub fn after(&mut self, machine: &Machine, now: Now, event: &Event, effects: &[Effect], connected: bool) {
        let heard = self.hear(now, event);
        self.gate(event, heard.as_ref());
        self.commands(event, heard.as_ref());
        self.effects(effects, connected);
        self.versions(machine);
        self.own_sensors(machine, event);
        self.malformed(machine, heard.as_ref());
        self.freshness(machine, now, connected);
        self.stages(machine);
        assert!(machine.chronicle().newest_first().count() <= KEPT);
        let stops = |effect: &Effect| matches!(effect, Effect::StopForTwin | Effect::StopTakenOver);
        self.leaving |= matches!(event, Event::Leave) || effects.iter().any(stops);
    }

    /// What the message says, if the program listens to it.
    fn hear(&mut self, now: Now, event: &Event) -> Option<Option<(Topic, Message)>> {
        let Event::Message {
            topic,
            payload,
            retained,
        } = event
        else {
            return None;
        };
        let known = Topic::parse(topic, CLIENT).filter(|_| self.subscribed.contains(topic))?;
        let message = wire::decode(known, payload).ok();
        if message.is_none() {
            self.malformed += 1;
        }
        if !retained && message.is_some() {
            self.last_live = Some(now.mono);
        }
        match message {
            Some(Message::Report(report)) => note(&mut self.echoed, &report.versions()),
            Some(Message::Heartbeat(beat)) => {
                note(&mut self.echoed, &beat.has);
                let own = Card::ALL
                    .iter()
                    .any(|card| self.role == Role::Monitor(*card) && known == Topic::Alive(*card));
                self.twins.0 += usize::from(own && beat.life != LIFE);
            }
            Some(Message::Claim(claim)) => {
                self.twins.1 += usize::from(claim.life != LIFE && claim.over.contains(LIFE));
            }
            _ => {}
        }
        Some(message.map(|message| (known, message)))
    }

    /// Only this program's own marker opens the gate.
    fn gate(&mut self, event: &Event, heard: Option<&Option<(Topic, Message)>>) {
        match (event, heard) {
            (Event::Connected | Event::Disconnected { .. }, _) => {
                self.gate_open = false;
                self.nonces.clear();
            }
            (_, Some(Some((_, Message::Marker(nonce))))) if self.nonces.contains(nonce) => {
                self.gate_open = true;
            }
            _ => {}
        }
    }

    /// A command counts as a key, once the gate is open; a retained one never.
    fn commands(&mut self, event: &Event, heard: Option<&Option<(Topic, Message)>>) {
        self.commanded = SensorSet::EMPTY;
        let ignored = self.leaving || matches!(event, Event::Message { retained: true, .. });
        if let (Some(Some((_, Message::Command(command)))), false) = (heard, ignored) {
            self.asked = self.asked.union(command.orders.sensors());
        }
        if self.gate_open {
            self.commanded = std::mem::take(&mut self.asked);
        }
    }

    /// No shown version goes down, and one version never has two states.
    fn versions(&mut self, machine: &Machine) {
        for (sensor, highest) in SensorId::ALL.into_iter().zip(&mut self.shown) {
            let Some(shown) = reading(machine, sensor) else {
                continue;
            };
            assert!(
                Some(shown.version) >= *highest,
                "{sensor} went back to {shown:?} from {highest:?}"
            );
            *highest = Some(shown.version);
            if let Some(before) = self.before[usize::from(sensor.number()) - 1]
                && before.version == shown.version
            {
                assert_eq!(before.state, shown.state, "{sensor}: one version, two states");
            }
        }
    }

    /// An own sensor changes its state by a toggle, or by a version higher than its own; one that was toggled, by a toggle alone.
    fn own_sensors(&mut self, machine: &Machine, event: &Event) {
        let Role::Monitor(card) = self.role else { return };
        for sensor in card.sensors() {
            let before = self.before[usize::from(sensor.number()) - 1];
            let after = reading(machine, sensor);
            let key = matches!(event, Event::Toggle(pressed) if *pressed == sensor);
            let state = |reading: Option<Reading>| reading.map(|reading| reading.state);
            // One that was known to be done does nothing: then what is new is the initial state. Nor does one that asks for what is there.
            let made =
                after.is_some_and(|reading| reading.version.incarnation > 0) && state(after) != state(before);
            let pressed = key || (self.commanded.contains(sensor) && made);
            let version = |reading: Option<Reading>| reading.map(|reading| reading.version);
            assert!(after.is_some() || before.is_none(), "{sensor} was forgotten");
            if before == after {
                continue;
            }
            assert!(
                version(after) > version(before),
                "{sensor} changed without a higher version"
            );
            if pressed {
                self.toggled.insert(sensor);
            } else if self.toggled.contains(sensor) && version(after) < Some(exhausted()) {
                assert_eq!(
                    state(after),
                    state(before),
                    "{sensor}: the operator's toggle was undone"
                );
            }
        }
    }

    /// A message that cannot be read is counted, and changes nothing.
    fn malformed(&self, machine: &Machine, heard: Option<&Option<(Topic, Message)>>) {
        assert_eq!(machine.counters().malformed, self.malformed);
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
                !live || (proved && connected && self.gate_open),
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
            let at = (sensor, shown.version);
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
        if machine.chronicle().noted() > 100 || self.malformed > 100 {
            let written = format!("{machine:?}").len();
            assert!(written < MOST_MEMORY, "{written} bytes");
        }
    }

    /// What the broker holds on the own topic is what this owner says now.
    pub fn good_state_is_held(&self, machine: &Machine, holds: Option<&[u8]>) {
        let Some(topic) = own_topic(self.role) else { return };
        let held = holds
            .and_then(|payload| report_of(topic, payload))
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

/// From here on no higher version exists that an owner could make.
const fn exhausted() -> Version {
    Version {
        incarnation: Version::MAX,
        sequence: 0,
        life: dualboard::version::Life(0),
        after: 0,
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
        if let Some(version) = versions.get(sensor) {
            proved.insert((sensor, version));
        }
    }
}
