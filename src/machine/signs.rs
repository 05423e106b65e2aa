//! Signs of life: of the owners, of the other board's broker and of the bridge; and what an owner says of itself with them.

use super::hearing::Arrival;
use super::{Effect, Gate, Machine, Role};
use crate::reading::Versions;
use crate::sensor::Card;
use crate::time::{Mono, Now};
use crate::version::Life;
use crate::wire::{Direction, Heartbeat, Topic};

impl Machine {
    pub(super) fn heartbeat(&mut self, arrival: Arrival, heartbeat: &Heartbeat, effects: &mut Vec<Effect>) {
        let now = arrival.now.mono;
        let Topic::Alive(card) = arrival.topic else { return };
        if self.role == Role::Monitor(card) {
            self.own_heartbeat(card, arrival.now, heartbeat, effects);
            return;
        }
        self.chain.beat(arrival.now, card, *heartbeat);
        self.reconsider(arrival, card);
        if self.role == Role::Display && card == Card::Two && !heartbeat.other_plain {
            self.global.forget_plain(Card::One, &heartbeat.has);
        }
        if self.gate != Gate::Open {
            return;
        }
        if let Role::Monitor(own) = self.role {
            for (sensor, reading) in heartbeat.refused.of(own).iter() {
                self.own_reading(arrival, sensor, reading);
            }
        }
        let has = self.has();
        if let Some((topic, _)) = self.report() {
            let behind = topic
                .carries()
                .iter()
                .any(|sensor| heartbeat.heard.get(sensor) < has.get(sensor));
            if behind && !self.outbox.is_busy() {
                self.outbox.again();
            }
            if !heartbeat.other_plain {
                self.shown_by_other_board(&heartbeat.has);
            }
        }
        if card == Card::Two && (self.knows_better(&heartbeat.has) || self.misses_the_join(now)) {
            self.send_witness(now, effects);
        }
    }

    /// Whether the display has known for a while that it does not have what the join has. A monitor says so in its heartbeats.
    fn misses_the_join(&self, now: Mono) -> bool {
        self.role == Role::Display && Card::ALL.into_iter().any(|card| self.chain.differs(now, card))
    }

    /// The other board has these versions. Those that are not the present ones prove nothing of these, be they higher or lower.
    pub(super) fn shown_by_other_board(&mut self, versions: &Versions) {
        let own = self.owner.as_ref().map(|owner| owner.readings().iter());
        for (sensor, reading) in own.into_iter().flatten() {
            if versions.get(sensor) == Some(reading.version) {
                self.progress.shown.set(sensor, Some(reading.version));
            }
        }
    }

    pub(super) fn gone(&mut self, now: Now, topic: Topic, life: Life) {
        if let Topic::Alive(card) = topic {
            self.chain.gone(now, card, life);
        }
    }

    /// The other board's broker is alive. A retained message does not prove that, but it lies at this board's broker only.
    pub(super) fn uptime(&mut self, now: Now, topic: Topic, retained: bool) {
        let Topic::Uptime(card) = topic else { return };
        if self.role == Role::Display {
            self.chain.home = card.other();
        }
        if !retained {
            self.chain.bridge.pulse.prove(now);
        }
    }

    /// The broker's opinion of the bridge: a hint and a trigger, not a proof.
    pub(super) fn bridge_says(&mut self, now: Now, topic: Topic, up: bool) {
        let inbound = match self.chain.home {
            Card::Two => Topic::Bridge(Direction::In),
            Card::One => Topic::Bridge(Direction::Out),
        };
        if up {
            self.speak_again(now);
        } else if topic == inbound {
            self.chain.bridge.pulse.end(now);
        }
    }
}
