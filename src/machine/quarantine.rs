//! Readings of another card whose versions do not say whether they are later than what is shown.
//!
//! That is so where an owner began without any memory, had sensors toggled, and then a copy from before turns
//! up. The owner knows better: what it says in its heartbeats is taken. Until then the reading is kept and
//! the owner is told of it, since it may be the last copy of what the owner has lost.

use super::Machine;
use super::hearing::Arrival;
use crate::reading::{Merge, Reading, Snapshot, Versions};
use crate::sensor::SensorId;
use crate::time::Mono;
use crate::version::{Order, Version};

impl Machine {
    /// Merges another card's reading with what is shown.
    pub(super) fn merge(
        &mut self,
        arrival: Arrival,
        sensor: SensorId,
        reading: Reading,
        speaks: bool,
    ) -> Merge {
        let now = arrival.now.mono;
        let shown = self.global.best().get(sensor);
        let Some(shown) = shown.filter(|_| self.is_open(sensor, &reading.version)) else {
            return self.global.merge(sensor, reading, speaks);
        };
        let vouched = [reading, shown].map(|one| self.is_vouched(now, sensor, &one.version));
        let merge = match vouched {
            [true, false] => {
                self.global.put(sensor, reading);
                Merge::Taken
            }
            [false, true] => Merge::Unordered,
            _ => self.global.merge(sensor, reading, speaks),
        };
        if merge != Merge::Taken {
            self.quarantine(arrival, sensor, reading);
        }
        merge
    }

    /// Whether a sensor's owner speaks now, and says that it has this reading, or is in its era.
    fn is_vouched(&self, now: Mono, sensor: SensorId, version: &Version) -> bool {
        let card = sensor.card();
        let said = self
            .chain
            .heartbeat(card)
            .filter(|_| self.chain.speaks(now, card));
        said.is_some_and(|heartbeat| {
            let has = heartbeat.has.dot(sensor);
            // Of two that nobody has toggled it is the one that the owner shows, whatever era it is of.
            let same_era = has.is_some_and(|has| has.era == version.era()) || heartbeat.is_in(version.era());
            has == Some(version.dot) || (same_era && !version.is_provisional())
        })
    }

    fn quarantine(&mut self, arrival: Arrival, sensor: SensorId, reading: Reading) {
        let known = self.in_quarantine().get(sensor);
        let better = known.is_none_or(|known| match reading.version.compare(&known.version) {
            Order::Later => true,
            Order::Same | Order::Earlier => false,
            Order::Unordered => reading.version.dot > known.version.dot,
        });
        if better {
            self.quarantined.set(sensor, reading);
            self.beat_due = self.beat_due.map(|_| arrival.now.mono);
        }
    }

    /// What is in quarantine. What is shown by now, or surely earlier than that, is not.
    pub(super) fn in_quarantine(&self) -> Snapshot {
        let mut readings = self.quarantined;
        for (sensor, reading) in self.quarantined.iter() {
            if !self.is_open(sensor, &reading.version) {
                readings.clear(sensor);
            }
        }
        readings
    }

    /// What was last heard on the other owner's topic. What is not shown of it, and may yet be the later one,
    /// counts as not heard: the owner says it again, and has told by then which of the two it has.
    pub(super) fn heard_and_settled(&self) -> Versions {
        let mut heard = self.heard;
        for sensor in SensorId::ALL {
            if heard
                .get(sensor)
                .is_some_and(|heard| self.is_open(sensor, &heard))
            {
                heard.set(sensor, None);
            }
        }
        heard
    }

    /// Whether only the owner can tell for certain whether this version is later than the one that is shown.
    fn is_open(&self, sensor: SensorId, version: &Version) -> bool {
        let shown = self.global.best().version(sensor);
        shown.is_some_and(|shown| version.compare_exactly(&shown) == Order::Unordered)
    }
}
