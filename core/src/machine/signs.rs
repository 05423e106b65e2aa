//! Signs of life: of the owners, of the other board's broker and of the bridge; and what an owner says of
//! itself with them.

use alloc::vec::Vec;

use super::hearing::{ANSWER_PAUSE, Arrival};
use super::{Effect, Gate, Machine, Role};
use crate::sensor::{Card, SensorId};
use crate::time::{Mono, Now};
use crate::version::Life;
use crate::wire::{Direction, Heartbeat, Topic};

impl Machine {
    pub(super) fn heartbeat(&mut self, arrival: Arrival, heartbeat: &Heartbeat, effects: &mut Vec<Effect>) {
        let now = arrival.now.mono;
        let Topic::Alive(card) = arrival.topic else { return };
        if self.role == Role::Monitor(card) {
            self.own_heartbeat(arrival.now, heartbeat, effects);
            return;
        }
        if !self.chain.beat(arrival.now, card, *heartbeat) {
            return;
        }
        self.release(arrival, card);
        if self.role == Role::Display && card == Card::Two && !heartbeat.other_plain {
            self.global.forget_plain(Card::One, &heartbeat.has);
        }
        if self.gate != Gate::Open {
            return;
        }
        if let Role::Monitor(own) = self.role {
            for (sensor, reading) in heartbeat.quarantined.of(own).iter() {
                self.own_reading(arrival, sensor, reading);
            }
            self.settle_own();
            self.answer_heartbeat(now, own, heartbeat);
        }
        if card == Card::Two && (self.knows_better(&heartbeat.has) || self.misses_the_join(now)) {
            self.send_witness(now, effects);
        }
    }

    /// Publishes again what the other owner has not heard. What it has is confirmed.
    fn answer_heartbeat(&mut self, now: Mono, own: Card, heartbeat: &Heartbeat) {
        let has = self.has();
        let heard = heartbeat
            .heard
            .lacks(&has, own.sensors())
            .then_some(Topic::Card(own));
        let joined = heartbeat
            .joined
            .filter(|joined| joined.lacks(&has, SensorId::ALL));
        if !self.outbox.is_busy() && self.answer_due.is_none_or(|due| due <= now) {
            for topic in heard.into_iter().chain(joined.map(|_| Topic::All)) {
                self.outbox.again_on(topic);
                self.answer_due = Some(now.after(ANSWER_PAUSE));
            }
        }
        if !heartbeat.other_plain {
            for sensor in own.sensors() {
                if heartbeat.has.dot(sensor) == has.dot(sensor) {
                    self.progress.confirmed.set(sensor, has.get(sensor));
                }
            }
        }
    }

    /// Whether the display has known for a while that it does not have what the join has. A monitor says so
    /// in its heartbeats.
    fn misses_the_join(&self, now: Mono) -> bool {
        self.role == Role::Display && Card::ALL.into_iter().any(|card| self.chain.differs(now, card))
    }

    pub(super) fn gone(&mut self, now: Now, topic: Topic, life: Life) {
        if let Topic::Alive(card) = topic {
            self.chain.gone(now, card, life);
        }
    }

    /// The other board's broker is alive. A retained message does not prove that, but it lies at this board's
    /// broker only.
    pub(super) fn uptime(&mut self, now: Now, topic: Topic, retained: bool) {
        let Topic::Uptime(card) = topic else { return };
        match self.role {
            Role::Display => self.chain.home = card.other(),
            Role::Monitor(own) if own == card => self.found_other_board(),
            Role::Monitor(_) => {}
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
            self.chain.bridge_ended(now);
        }
    }
}
