//! Higher versions that nevertheless may be older: of another memory of their owner, which did not know of what is shown.

use super::Machine;
use super::hearing::Arrival;
use crate::sensor::SensorId;
use crate::version::Version;

impl Machine {
    /// Whether a version, though higher, may be older than what is shown: it is of another era, whose owner did not know of this one. It is
    /// taken once the owner has said that it is in that era itself.
    pub(super) fn is_doubtful(&self, sensor: SensorId, version: Version) -> bool {
        let claimed = self.chain.heartbeat(sensor.card()).is_some_and(|heartbeat| {
            let has = heartbeat.has.get(sensor);
            heartbeat.life.is_of(version.life) || has.is_some_and(|has| has.era() == version.era())
        });
        let shown = self.global.best().version(sensor);
        shown.is_some_and(|shown| version > shown && !version.follows(shown)) && !claimed
    }

    /// What is not believed counts as not heard: if it is the owner's, the owner says it again after its next heartbeat. If it is not, the
    /// owner is told, and raises what it has above it.
    pub(super) fn refuse(&mut self, arrival: Arrival, sensor: SensorId, version: Version) {
        self.counters.stale += 1;
        if arrival.topic == self.other_topic() {
            self.heard.set(sensor, None);
        }
        if self.refused.get(sensor) < Some(version) {
            self.refused.set(sensor, Some(version));
            self.beat_due = self.beat_due.map(|_| arrival.now.mono);
        }
    }
}
