//! Higher versions that nevertheless may be older: of another memory of their owner, which did not know of what is shown.

use super::Machine;
use super::hearing::Arrival;
use crate::reading::{Offer, Reading};
use crate::sensor::{Card, SensorId};
use crate::time::Mono;
use crate::version::Version;

impl Machine {
    /// Whether a version, though higher, may be older than what is shown: it is of another era, whose owner did not know of this one. It is
    /// taken once the owner has said that it is in that era itself.
    pub(super) fn is_doubtful(&self, now: Mono, sensor: SensorId, version: Version) -> bool {
        let card = sensor.card();
        // What it said long ago says nothing of what it has now.
        let vouches = self.chain.speaks(now, card) && !self.chain.is_contested(now, card);
        let said = self.chain.heartbeat(card).filter(|_| vouches);
        let claimed = said.is_some_and(|heartbeat| {
            let has = heartbeat.has.get(sensor);
            heartbeat.life.is_of(version.life) || has.is_some_and(|has| has.era() == version.era())
        });
        let shown = self.global.best().version(sensor);
        shown.is_some_and(|shown| version > shown && !version.follows(shown)) && !claimed
    }

    /// What is not believed counts as not heard: if it is the owner's, the owner says it again after its next heartbeat. If it is not, the
    /// owner is told, and raises what it has above it. It is kept: it may be the last copy there is.
    pub(super) fn refuse(&mut self, arrival: Arrival, sensor: SensorId, reading: Reading) {
        self.counters.stale += 1;
        if arrival.topic == self.other_topic() {
            self.heard.set(sensor, None);
        }
        if self.refused.offer(sensor, reading) == Offer::Taken {
            self.beat_due = self.beat_due.map(|_| arrival.now.mono);
        }
    }

    /// The owner of a card has said what it has: some of what was refused may be believed now.
    pub(super) fn reconsider(&mut self, arrival: Arrival, card: Card) {
        for (sensor, reading) in self.refused.of(card).iter() {
            if self.global.best().version(sensor) < Some(reading.version)
                && !self.is_doubtful(arrival.now.mono, sensor, reading.version)
            {
                self.recall(arrival, sensor, reading);
            }
        }
    }
}
