//! What must hold of what a machine asks for.

use dualboard::command::Done;
use dualboard::machine::{Effect, Role};
use dualboard::sensor::Card;
use dualboard::wire::{self, LARGEST, Message, Topic};

use super::trial::own_topic;
use super::watch::Watch;

/// Events give a handful of effects: marker, report, copy, heartbeat, witness, state file, last word, end; and answers to all commands that are remembered.
const MOST_EFFECTS: usize = 7 + Done::KEPT;

impl Watch {
    pub(super) fn effects(&mut self, effects: &[Effect], connected: bool) {
        assert!(
            effects.len() <= MOST_EFFECTS,
            "{} effects of one event",
            effects.len()
        );
        for effect in effects {
            match effect {
                Effect::Publish { topic, payload, .. } => {
                    assert!(connected, "published without a connection");
                    assert!(payload.len() <= LARGEST / 8, "a large message");
                    self.published(*topic, payload);
                }
                Effect::Save(_) => assert!(self.role != Role::Display, "the display keeps nothing"),
                Effect::StopForTwin | Effect::StopTakenOver => {
                    let (heartbeats, claims) = self.twins;
                    assert!(heartbeats >= 2 || claims >= 1, "stops without proof of a twin");
                }
            }
        }
    }

    /// Only what is this program's to say, in a form that it reads itself, and never an older version than before.
    fn published(&mut self, topic: Topic, payload: &[u8]) {
        let message = wire::decode(topic, payload).expect("what is sent can be read");
        if let Message::Marker(nonce) = message {
            self.nonces.push(nonce);
            return;
        }
        assert!(self.gate_open, "{topic:?} published before the gate closed");
        let own = match self.role {
            Role::Monitor(card) => {
                [Topic::Alive(card), Topic::Claim(card), Topic::Answer(card)].contains(&topic)
                    || own_topic(self.role) == Some(topic)
                    || (card, topic) == (Card::One, Topic::Copy)
            }
            Role::Display => false,
        };
        assert!(
            own || topic == Topic::Witness,
            "{topic:?} is not this program's topic"
        );
        if let (true, Message::Report(report)) = (own, message) {
            let versions = report.versions();
            for sensor in topic.carries().iter() {
                let lower = versions.get(sensor) < self.said.get(sensor);
                let word = matches!(report.get(sensor), Some(wire::Entry::Plain(_)));
                assert!(!lower || word, "{sensor} published with a lower version");
            }
            self.said.raise(&versions);
        }
        assert!(
            !self.leaving || !matches!(message, Message::Heartbeat(_)),
            "a heartbeat after the last word"
        );
    }
}
