//! Faults planted at the boundary of the core: one of the rules broken, to see that the simulation finds it
//! out.

use std::collections::BTreeMap;

use dualboard_core::acknowledged::Acknowledged;
use dualboard_core::command::Done;
use dualboard_core::machine::{Effect, Event};
use dualboard_core::owner::Memory;
use dualboard_core::sensor::Card;
use dualboard_core::time::{Mono, Now, Wall};
use dualboard_core::version::Seen;
use dualboard_core::wire::Topic;
use serde_json::{Value, json};

use super::boards::payload::{Image, image_of, states_of};
use super::boards::program::Program;
use super::boards::runtime::message;

macro_rules! plantings {
    ($($planting:ident $words:literal,)*) => {
        /// A rule broken on purpose.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Planting { $($planting),* }
        pub const PLANTINGS: &[(Planting, &str)] = &[$((Planting::$planting, $words)),*];
    };
}

plantings! {
    RestoreFromJoin "card 1 restores from sensors/all alone",
    EarlyPublish "an owner publishes before the marker has come back",
    TakeLower "a display takes a lower version",
    NeverAgain "an owner never publishes the same report again: it trusts the queue",
    DeafToHeard "an owner does not look at what the other one heard",
    ResetVersions "an owner that lost its disk does not look for its memory elsewhere",
    RelayMints "card 2 makes versions of card 1's readings",
    RetainedLife "a retained message proves life",
    NeverHeld "what was live once is live for ever",
    OutOfStep "heartbeats prove life whenever they come",
    WallClock "time-outs are measured by the wall clock",
    PauseUnnoticed "a pause of the machine is not noticed",
    SavedEarly "saved whatever the disk says",
    DeliveredEarly "saved before the broker has it",
    ConfirmedEarly "an owner takes its own report for the echo",
    NoWitness "nobody tells card 2 what it has lost",
    NoReadBack "no copy of the other board is read back",
    BadIgnored "a bad payload is left where it lies",
    OneEra "versions of one memory are not told from those of another",
    SeenStripped "versions do not say which other eras they come after",
    MetForgotten "the state file does not say which other eras have been met",
    NumbersTwice "the state file's reservation of numbers is forgotten",
    TwinUnheard "an owner does not hear another owner of its card",
    TwinUnseen "an owner does not see whose report is on its topic",
    CommandsForgotten "the state file does not say which commands were done",
    AlarmsUnsaved "the state file does not say which alarms were acknowledged",
    AlarmsUnpublished "reports do not say which alarms were acknowledged",
    AlarmsUnheard "heartbeats do not say which alarms were acknowledged",
    AlarmsUntold "a display keeps to itself which alarms were acknowledged",
    AlarmsUnnamed "reports do not say which alarm it was",
    VersionsIgnored "a display reads the plain keys only",
    ForgetsOffline "a display forgets when its connection is lost",
    AnswersAll "an owner answers every heartbeat with its report",
}

#[derive(Clone, Default)]
pub struct Planted {
    pub planting: Option<Planting>,
    /// Reports sent last, by client and topic.
    sent: BTreeMap<(&'static str, Topic), Vec<u8>>,
    /// Until when a display calls its values live, in the simulation's time.
    live_until: BTreeMap<&'static str, u64>,
}

fn rewritten(payload: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    match serde_json::from_slice::<Value>(payload) {
        Ok(mut value) if value.is_object() => {
            change(&mut value);
            value.to_string().into_bytes()
        }
        _ => payload.to_vec(),
    }
}

fn keys(card: Card) -> impl Iterator<Item = String> {
    card.sensors()
        .into_iter()
        .map(|sensor| format!("sensor_{}", sensor.number()))
}

fn removed(payload: &[u8], key: &str) -> Vec<u8> {
    rewritten(payload, |value| {
        value.as_object_mut().and_then(|object| object.remove(key));
    })
}

/// No version in it says what it has seen.
fn unseen(value: &mut Value) {
    match value {
        Value::Array(numbers) => numbers.truncate(2),
        Value::Object(object) => object.values_mut().for_each(unseen),
        _ => {}
    }
}

impl Planted {
    pub fn with(planting: Planting) -> Self {
        let planting = Some(planting);
        Self {
            planting,
            ..Self::default()
        }
    }

    pub fn now(&self, now: Now) -> Now {
        match self.planting {
            Some(Planting::WallClock) => {
                let millis = now.wall.0.clamp(0, 1 << 40).unsigned_abs() * 1000;
                let part = now.mono.since_start().subsec_millis();
                let mono = Mono::from_start(std::time::Duration::from_millis(millis + u64::from(part)));
                Now { mono, ..now }
            }
            Some(Planting::PauseUnnoticed) => {
                let seconds = i64::try_from(now.mono.since_start().as_secs()).expect("a short run");
                let wall = Wall(seconds);
                Now { wall, ..now }
            }
            _ => now,
        }
    }

    pub fn life(&self, slot: usize, life: u32) -> u32 {
        match self.planting {
            Some(Planting::OneEra) => u32::try_from(slot).expect("few programs") + 1,
            _ => life,
        }
    }

    pub fn memory(&self, card: Option<Card>, memory: Result<Memory, String>) -> Result<Memory, String> {
        match self.planting {
            Some(Planting::RestoreFromJoin) if card == Some(Card::One) => Err("not read".to_owned()),
            Some(Planting::NumbersTwice) => memory.map(|memory| {
                let dots = memory.readings.iter().map(|(_, reading)| reading.version.dot);
                let used = dots.filter(|dot| memory.era == Some(dot.era)).map(|dot| dot.n);
                let reserved = used.max().unwrap_or(0);
                Memory { reserved, ..memory }
            }),
            _ => memory,
        }
    }

    /// The versions in the report that an owner has sent last.
    fn last_said(&self, program: &Program) -> Value {
        let topic = program.card().map(Topic::Card);
        let sent = topic.and_then(|topic| self.sent.get(&(program.name, topic)));
        let report: Value = sent
            .and_then(|sent| serde_json::from_slice(sent).ok())
            .unwrap_or_default();
        report["versions"].clone()
    }

    /// What the program is given in an event's place.
    pub fn incoming(&mut self, program: &Program, now: u64, event: Event) -> Vec<Event> {
        if let (Some(Planting::SavedEarly), Event::NotSaved(_)) = (self.planting, &event) {
            return vec![Event::Saved];
        }
        let (
            Some(planting),
            Event::Message {
                topic,
                payload,
                retained,
            },
        ) = (self.planting, &event)
        else {
            return vec![event];
        };
        let display = program.card().is_none();
        let heartbeat = topic.ends_with("/alive");
        let own = |suffix: &str| {
            let named = |card: Card| *topic == format!("sensors/card{}{suffix}", card as u8 + 1);
            program.card().is_some_and(named)
        };
        let changed = |payload| vec![message(topic.clone(), payload, *retained)];
        let read_back = topic.starts_with("sensors/board") && !topic.ends_with("uptime");
        match planting {
            Planting::RestoreFromJoin
                if program.card() == Some(Card::One) && (read_back || topic == "sensors/card1") =>
            {
                Vec::new()
            }
            Planting::NoReadBack if read_back => Vec::new(),
            Planting::DeafToHeard if heartbeat && !own("/alive") && !display => {
                let said = self.last_said(program);
                changed(rewritten(payload, |value| value["heard"] = said))
            }
            Planting::ConfirmedEarly if heartbeat && !own("/alive") && !display => {
                let Value::Object(said) = self.last_said(program) else {
                    return vec![event];
                };
                changed(rewritten(payload, |value| {
                    if let Some(has) = value["has"].as_object_mut() {
                        has.extend(said);
                    }
                }))
            }
            Planting::AlarmsUnheard if heartbeat => changed(removed(payload, "acknowledged")),
            Planting::SeenStripped => changed(rewritten(payload, unseen)),
            Planting::TwinUnheard if own("/alive") => {
                let life = serde_json::from_slice::<Value>(payload).map(|beat| beat["life"].as_u64());
                let itself = life.is_ok_and(|life| life == Some(u64::from(program.life_id)));
                if itself { vec![event] } else { Vec::new() }
            }
            Planting::TwinUnseen if own("") => changed(removed(payload, "life")),
            Planting::ResetVersions if program.disk.durable.is_none() && !display => {
                let own = program.card().into_iter().flat_map(keys);
                changed(own.fold(payload.clone(), |payload, key| removed(&payload, &key)))
            }
            Planting::RetainedLife if display && *retained && topic == "sensors/all" => {
                self.live_until.insert(program.name, now + 10_000);
                vec![event]
            }
            Planting::BadIgnored
                if matches!(topic.as_str(), "sensors/card1" | "sensors/card2" | "sensors/all")
                    && states_of(payload).iter().all(Option::is_none) =>
            {
                Vec::new()
            }
            Planting::VersionsIgnored if display => changed(removed(payload, "versions")),
            Planting::OutOfStep if heartbeat && !own("/alive") => changed(rewritten(payload, |value| {
                value["uptime_ms"] = json!(now);
            })),
            Planting::AnswersAll if heartbeat => vec![event, Event::Publish],
            _ => vec![event],
        }
    }

    /// What is done in an effect's place, and what the program is told at once.
    pub fn outgoing(&mut self, program: &Program, effect: Effect) -> (Option<Effect>, Vec<Event>) {
        let Some(planting) = self.planting else {
            return (Some(effect), Vec::new());
        };
        let (ticket, topic, mut payload) = match effect {
            Effect::Publish {
                ticket,
                topic,
                payload,
            } => (ticket, topic, payload),
            Effect::Save(mut memory) => {
                match planting {
                    Planting::MetForgotten => memory.met = Seen::default(),
                    Planting::AlarmsUnsaved => memory.acknowledged = Acknowledged::default(),
                    Planting::CommandsForgotten => memory.done = Done::default(),
                    _ => {}
                }
                return (Some(Effect::Save(memory)), Vec::new());
            }
            effect => return (Some(effect), Vec::new()),
        };
        let report = matches!(topic, Topic::Card(_) | Topic::All);
        let again = report && self.sent.get(&(program.name, topic)) == Some(&payload);
        let told = match planting {
            Planting::AlarmsUntold if matches!(topic, Topic::Acknowledge(_)) => return (None, Vec::new()),
            Planting::NoWitness if topic == Topic::Witness => return (None, Vec::new()),
            Planting::NeverAgain if again => return (None, vec![Event::Delivered(ticket)]),
            Planting::EarlyPublish if topic == Topic::Marker => {
                vec![message(topic.name(&program.client_id), payload.clone(), false)]
            }
            Planting::DeliveredEarly if report => vec![Event::Delivered(ticket)],
            _ => Vec::new(),
        };
        if report {
            self.sent.insert((program.name, topic), payload.clone());
            payload = match planting {
                Planting::RelayMints => minted(program, &payload),
                Planting::AlarmsUnnamed => removed(&payload, "ko"),
                Planting::AlarmsUnpublished => removed(&payload, "acknowledged"),
                _ => payload,
            };
        }
        let effect = Effect::Publish {
            ticket,
            topic,
            payload,
        };
        (Some(effect), told)
    }

    /// Whether the program starts anew inside, with nothing in mind, before it is given this event.
    pub fn forgets(&self, program: &Program, view: &Image, event: &Event) -> bool {
        if program.card().is_some() {
            return false;
        }
        match (self.planting, event) {
            (Some(Planting::ForgetsOffline), Event::Disconnected { .. }) => true,
            (Some(Planting::TakeLower), Event::Message { topic, payload, .. }) if topic == "sensors/all" => {
                let image = image_of(payload);
                image.iter().zip(view).any(|readings| match readings {
                    (Some(((new, new_era), _)), Some(((old, old_era), _))) => new_era == old_era && new < old,
                    _ => false,
                })
            }
            _ => false,
        }
    }

    /// What its screen calls live.
    pub fn live(&self, name: &str, now: u64, before: [bool; 2], live: [bool; 2]) -> [bool; 2] {
        match self.planting {
            Some(Planting::RetainedLife) if self.live_until.get(name) > Some(&now) => [true; 2],
            Some(Planting::NeverHeld) => [live[0] || before[0], live[1] || before[1]],
            _ => live,
        }
    }
}

/// The relay says card 1's readings under versions of its own.
fn minted(program: &Program, payload: &[u8]) -> Vec<u8> {
    if program.card() != Some(Card::Two) {
        return payload.to_vec();
    }
    rewritten(payload, |value| {
        for key in keys(Card::One) {
            if let Some(version) = value["versions"].get_mut(&key) {
                *version = json!([version[0].as_u64().unwrap_or(0) + 1, program.life_id]);
            }
        }
    })
}
