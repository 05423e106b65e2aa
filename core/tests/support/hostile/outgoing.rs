//! What must hold of what a machine asks for.

use dualboard_core::command::Done;
use dualboard_core::machine::{Effect, Role};
use dualboard_core::version::Order;
use dualboard_core::wire::{self, LARGEST, Message, Topic};

use super::trial::own_topics;
use super::watch::Watch;
use super::watch::is_era_of_this_run;

/// Events give a handful of effects: marker, two reports, heartbeat, witness, state file, last word, end; and
/// answers to all commands that are remembered.
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
                    assert!(payload.len() <= LARGEST / 2, "a large message");
                    self.published(*topic, payload);
                }
                Effect::Save(_) => assert!(self.role != Role::Display, "the display keeps nothing"),
                Effect::StopForTwin | Effect::StopTakenOver => {
                    assert!(
                        self.twins >= 2 || self.losses >= 3,
                        "stops without proof of a twin"
                    );
                }
            }
        }
    }

    /// Only what is this program's to say, in a form that it reads itself; of what was toggled here never an
    /// earlier version than before.
    fn published(&mut self, topic: Topic, payload: &[u8]) {
        let message = wire::decode(topic, payload).expect("what is sent can be read");
        if let Message::Marker(nonce) = message {
            self.nonces.push(nonce);
            return;
        }
        assert!(self.restored, "{topic:?} published before the restore had ended");
        let own = match self.role {
            Role::Monitor(card) => {
                [Topic::Alive(card), Topic::Answer(card)].contains(&topic)
                    || own_topics(self.role).contains(&topic)
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
                let said = self.said.get(sensor).filter(|_| self.toggled.contains(&sensor));
                if let (Some(now), Some(before)) = (versions.get(sensor), said) {
                    // Versions that somebody has made up can come after each other in a circle; those of this
                    // run cannot.
                    let order = now.compare_exactly(&before);
                    assert!(
                        order != Order::Earlier || !is_era_of_this_run(now.era()),
                        "{sensor} published with an earlier version: {now:?} after {before:?}"
                    );
                }
                self.said
                    .set(sensor, versions.get(sensor).or(self.said.get(sensor)));
            }
        }
        assert!(
            !self.leaving || !matches!(message, Message::Heartbeat(_)),
            "a heartbeat after the last word"
        );
    }
}
