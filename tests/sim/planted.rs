//! Faults planted at the boundary of the core: one of the rules broken, to see that the simulation finds it out.

use std::collections::BTreeMap;

use dualboard::machine::{Effect, Event, Role};
use dualboard::owner::Memory;
use dualboard::sensor::Card;
use dualboard::time::{Mono, Now};
use dualboard::wire::Topic;
use serde_json::{Value, json};

use super::program::Program;

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
    OpenGate "an owner publishes before the marker has come back",
    TakeLower "a display takes a lower version",
    NeverAgain "an owner never publishes the same report again: it trusts the queue",
    DeafToHeard "an owner does not look at what the other one heard",
    ResetVersions "an owner that lost its disk does not look for its memory elsewhere",
    RelayMints "card 2 makes versions of card 1's readings",
    RetainedLife "a retained message proves life",
    NeverHeld "what was live once is live for ever",
    OutOfStep "heartbeats prove life whenever they come",
    WallClock "time-outs are measured by the wall clock",
    SavedEarly "saved before the disk says so",
    DeliveredEarly "saved before the broker has it",
    ConfirmedEarly "an owner takes its own report for the echo",
    NoWitness "nobody tells card 2 what it has lost",
    NoReadBack "no copy of the other board is read back",
    BadIgnored "a bad payload is left where it lies",
    EraForgotten "a restarted owner does not know that its memory is unbroken",
    OneEra "versions of one memory are not told from those of another",
    RefusedUnsaid "an owner is not told which higher version is not believed",
    VersionsIgnored "a display reads the plain keys only",
    ForgetsOffline "a display forgets when its connection is lost",
    AnswersAll "an owner answers every heartbeat with its report",
}

#[derive(Clone, Default)]
pub struct Planted {
    pub planting: Option<Planting>,
    /// Reports sent last, by client.
    sent: BTreeMap<&'static str, Vec<u8>>,
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

fn keys(of: std::ops::RangeInclusive<u8>) -> impl Iterator<Item = String> {
    of.map(|number| format!("sensor_{number}"))
}

impl Planted {
    pub fn with(planting: Planting) -> Self {
        Self {
            planting: Some(planting),
            ..Self::default()
        }
    }

    fn is(&self, planting: Planting) -> bool {
        self.planting == Some(planting)
    }

    pub fn now(&self, now: Now) -> Now {
        if self.is(Planting::WallClock) {
            let millis = now.wall.0.clamp(0, 1 << 40).unsigned_abs() * 1000;
            let part = now.mono.since_start().subsec_millis();
            return Now {
                mono: Mono::from_start(std::time::Duration::from_millis(millis + u64::from(part))),
                ..now
            };
        }
        now
    }

    pub fn life(&self, life: u32) -> u32 {
        if self.is(Planting::OneEra) {
            return (1 << 16) | (life & 0xFFFF);
        }
        life
    }

    pub fn memory(&self, role: Role, memory: Result<Memory, String>) -> Result<Memory, String> {
        match self.planting {
            Some(Planting::RestoreFromJoin) if role == Role::Monitor(Card::One) => Err("not read".to_owned()),
            Some(Planting::EraForgotten) => memory.map(|memory| Memory { era: None, ..memory }),
            _ => memory,
        }
    }

    /// What the program is given in an event's place.
    pub fn incoming(&mut self, program: &Program, now: u64, event: Event) -> Vec<Event> {
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
        let display = program.role == Role::Display;
        let changed = |payload| {
            vec![Event::Message {
                topic: topic.clone(),
                payload,
                retained: *retained,
            }]
        };
        let read_back = topic.starts_with("sensors/board") && !topic.ends_with("uptime");
        match planting {
            Planting::RestoreFromJoin
                if program.card() == Some(Card::One) && (read_back || topic == "sensors/card1") =>
            {
                Vec::new()
            }
            Planting::NoReadBack if read_back => Vec::new(),
            Planting::DeafToHeard if topic.ends_with("/alive") => changed(rewritten(payload, |value| {
                let all: Value = keys(1..=6)
                    .map(|key| (key, json!([9_007_199_254_740_991_u64, 0, 0])))
                    .collect();
                value["heard"] = all;
            })),
            Planting::ResetVersions if program.disk.durable.is_none() && !display => {
                changed(rewritten(payload, |value| {
                    let own = if program.card() == Some(Card::One) {
                        1..=3
                    } else {
                        4..=6
                    };
                    for key in keys(own) {
                        value.as_object_mut().and_then(|object| object.remove(&key));
                    }
                }))
            }
            Planting::RetainedLife if display && *retained && topic == "sensors/all" => {
                self.live_until.insert(program.name, now + 10_000);
                vec![event]
            }
            Planting::BadIgnored
                if serde_json::from_slice::<Value>(payload).is_ok_and(|value| !value.is_object()) =>
            {
                Vec::new()
            }
            Planting::BadIgnored
                if serde_json::from_slice::<Value>(payload).is_err() && topic.starts_with("sensors/a") =>
            {
                Vec::new()
            }
            Planting::VersionsIgnored if display => changed(rewritten(payload, |value| {
                value.as_object_mut().and_then(|object| object.remove("versions"));
            })),
            Planting::OutOfStep if topic.ends_with("/alive") => changed(rewritten(payload, |value| {
                value["uptime_ms"] = json!(now);
            })),
            Planting::RefusedUnsaid if topic.ends_with("/alive") => changed(rewritten(payload, |value| {
                value.as_object_mut().and_then(|object| object.remove("refused"));
            })),
            Planting::AnswersAll if topic.ends_with("/alive") => vec![event, Event::Publish],
            _ => vec![event],
        }
    }

    /// What is done in an effect's place, and what the program is told at once.
    pub fn outgoing(&mut self, program: &Program, effect: Effect) -> (Option<Effect>, Vec<Event>) {
        let Some(planting) = self.planting else {
            return (Some(effect), Vec::new());
        };
        let mut told = Vec::new();
        let effect = match (planting, effect) {
            (Planting::SavedEarly, effect @ Effect::Save(_)) => {
                told.push(Event::Saved);
                effect
            }
            (
                Planting::OpenGate,
                Effect::Publish {
                    ticket,
                    topic: Topic::Marker,
                    payload,
                },
            ) => {
                let topic = Topic::Marker;
                told.push(Event::Message {
                    topic: topic.name(&program.client_id),
                    payload: payload.clone(),
                    retained: false,
                });
                Effect::Publish {
                    ticket,
                    topic,
                    payload,
                }
            }
            (
                Planting::NoWitness,
                Effect::Publish {
                    topic: Topic::Witness,
                    ..
                },
            ) => return (None, told),
            (
                _,
                Effect::Publish {
                    ticket,
                    topic: topic @ (Topic::Card1 | Topic::All),
                    payload,
                },
            ) => {
                match planting {
                    Planting::NeverAgain if self.sent.get(program.name) == Some(&payload) => {
                        return (None, vec![Event::Delivered(ticket)]);
                    }
                    Planting::DeliveredEarly => told.push(Event::Delivered(ticket)),
                    Planting::ConfirmedEarly if topic == Topic::Card1 => {
                        let topic = Topic::All.name("");
                        told.push(Event::Message {
                            topic,
                            payload: payload.clone(),
                            retained: false,
                        });
                    }
                    _ => {}
                }
                self.sent.insert(program.name, payload.clone());
                let payload = if self.is(Planting::RelayMints) {
                    minted(program, &payload)
                } else {
                    payload
                };
                Effect::Publish {
                    ticket,
                    topic,
                    payload,
                }
            }
            (_, effect) => effect,
        };
        (Some(effect), told)
    }

    /// Whether the program starts anew inside, with nothing in mind, before it is given this event.
    pub fn forgets(&self, program: &Program, event: &Event) -> bool {
        if program.role != Role::Display {
            return false;
        }
        match (self.planting, event) {
            (Some(Planting::ForgetsOffline), Event::Disconnected { .. }) => true,
            (Some(Planting::TakeLower), Event::Message { topic, payload, .. }) if topic == "sensors/all" => {
                let image = super::reference::image_of(payload);
                let lower = |(new, old): (&Option<_>, &Option<_>)| matches!((new, old), (Some(new), Some(old)) if new < old);
                image.iter().zip(&program.view).any(lower)
            }
            _ => false,
        }
    }

    /// What its screen calls live.
    pub fn live(&self, program: &Program, now: u64, live: [bool; 2]) -> [bool; 2] {
        match self.planting {
            Some(Planting::RetainedLife)
                if self
                    .live_until
                    .get(program.name)
                    .is_some_and(|until| now < *until) =>
            {
                [true; 2]
            }
            Some(Planting::NeverHeld) => [live[0] || program.live[0], live[1] || program.live[1]],
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
        for key in keys(1..=3) {
            if let Some(triple) = value["versions"].get_mut(&key) {
                *triple = json!([triple[0].as_u64().unwrap_or(0) + 1, 1, program.life_id]);
            }
        }
    })
}
