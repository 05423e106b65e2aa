//! Readings of another card whose versions do not say whether they are later than what is shown.
//!
//! That is so where an owner began without any memory, had sensors toggled, and then a copy from before turns
//! up. The owner knows better: what it says in its heartbeats is taken.

use super::Machine;
use crate::reading::{Merge, Reading, Versions};
use crate::sensor::SensorId;
use crate::time::Mono;
use crate::version::{Order, Version};

impl Machine {
    /// Merges another card's reading with what is shown.
    pub(super) fn merge(&mut self, now: Mono, sensor: SensorId, reading: Reading, speaks: bool) -> Merge {
        let shown = self.global.best().get(sensor);
        let Some(shown) = shown.filter(|_| self.is_open(sensor, &reading.version)) else {
            return self.global.merge(sensor, reading, speaks);
        };
        let vouched = [reading, shown].map(|one| self.is_vouched(now, sensor, &one.version));
        match vouched {
            [true, false] => {
                self.global.put(sensor, reading);
                Merge::Taken
            }
            [false, true] => Merge::Unordered,
            _ => self.global.merge(sensor, reading, speaks),
        }
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
