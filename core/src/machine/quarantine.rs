//! Readings of another card whose versions do not say whether they are later than what is shown.
//!
//! That is so where an owner began without any memory, had sensors toggled, and then a copy from before turns
//! up. The owner knows better: what it says in its heartbeats is taken. Until then the reading is kept and
//! the owner is told of it, since it may be the last copy of what the owner has lost.

use super::Machine;
use super::hearing::Arrival;
use crate::reading::{Merge, Reading};
use crate::sensor::{Card, SensorId};
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
        let Some(shown) = shown.filter(|shown| is_open(&reading, shown)) else {
            return self.global.merge(sensor, reading, speaks);
        };
        let vouched = [reading, shown].map(|one| self.is_vouched(now, sensor, &one.version));
        let taken = match vouched {
            [true, false] => {
                self.global.put(sensor, reading);
                true
            }
            [false, true] => false,
            _ => self.global.merge(sensor, reading, speaks) == Merge::Taken,
        };
        self.quarantine(arrival, sensor, if taken { shown } else { reading });
        if taken { Merge::Taken } else { Merge::Unordered }
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
        if arrival.topic == self.other_topic() {
            // It counts as not heard: if it is the owner's, the owner says it again after its next heartbeat.
            self.heard.set(sensor, None);
        }
        // What is shown by now, or surely earlier than that, makes room.
        let shown = self.global.best().get(sensor);
        let known = self.quarantined.get(sensor);
        let known = known.filter(|known| shown.is_none_or(|shown| is_open(known, &shown)));
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

    /// The owner of a card has said what it has: what is in quarantine may be taken now.
    pub(super) fn release(&mut self, arrival: Arrival, card: Card) {
        let now = arrival.now.mono;
        for (sensor, reading) in self.quarantined.of(card).iter() {
            let shown = self.global.best().get(sensor);
            let Some(shown) = shown.filter(|shown| is_open(&reading, shown)) else {
                self.quarantined.clear(sensor);
                continue;
            };
            if self.is_vouched(now, sensor, &reading.version) && !self.is_vouched(now, sensor, &shown.version)
            {
                let before = self.global.shown(sensor).map(|shown| shown.state());
                self.global.put(sensor, reading);
                self.quarantined.set(sensor, shown);
                self.note_change(arrival, sensor, before);
            }
        }
    }
}

/// Whether only the owner can tell for certain which of two readings is the later one.
fn is_open(one: &Reading, other: &Reading) -> bool {
    one.version.compare_exactly(&other.version) == Order::Unordered
}
