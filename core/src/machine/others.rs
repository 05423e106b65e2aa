//! What is believed of sensors that are not this program's own.
//!
//! Mostly the versions say which of two readings is the later one. They do not where an owner began without
//! any memory, had sensors toggled, and then a copy from before turns up. The owner knows better: what it
//! says in its heartbeats is taken. Until then the other reading is kept in quarantine and the owner is told
//! of it, since it may be the last copy of what the owner has lost.

use alloc::vec::Vec;

use crate::global::Global;
use crate::owner::Memory;
use crate::reading::{Merge, Reading, Snapshot, Versions};
use crate::sensor::{Card, SensorId, State};
use crate::version::{Order, Version};
use crate::wire::Heartbeat;

/// What is known of others' sensors.
#[derive(Debug, Clone, Default)]
pub(super) struct Others {
    pub(super) global: Global,
    /// Readings that are not shown, though their versions do not say that they are earlier: copies of what
    /// their owner may have lost.
    quarantined: Snapshot,
    /// What the last message on the other owner's topic said, but for what the versions did not order.
    pub(super) heard: Versions,
    /// What the last message on `sensors/all` said.
    pub(super) joined: Versions,
}

/// What became of a reading.
pub(super) struct Merged {
    pub(super) merge: Merge,
    /// Only its owner can tell whether it is the later one.
    pub(super) is_open: bool,
    /// It, or what it has replaced, is in quarantine now: its owner should know at once.
    pub(super) quarantined: bool,
}

impl Others {
    /// What the state file holds of sensors that are not this program's own.
    pub(super) fn remembering(memory: Option<&Memory>, own: Option<Card>) -> Self {
        let mut others = Self::default();
        let readings = memory.map(|memory| memory.readings).unwrap_or_default();
        for (sensor, reading) in readings.iter() {
            if Some(sensor.card()) != own {
                others.global.merge(sensor, reading, false);
            }
        }
        others
    }

    /// Readings in quarantine.
    pub(super) const fn quarantined(&self) -> Snapshot {
        self.quarantined
    }

    /// What is shown of a sensor.
    pub(super) fn state(&self, sensor: SensorId) -> Option<State> {
        self.global.shown(sensor).map(|shown| shown.state())
    }

    /// Merges a reading with what is shown. `said` is what its owner says now, if that is heard; `speaks`,
    /// whether the reading comes live from a program that is to be believed before a plain one.
    pub(super) fn merge(
        &mut self,
        said: Option<&Heartbeat>,
        sensor: SensorId,
        reading: Reading,
        speaks: bool,
    ) -> Merged {
        let shown = self.global.best().get(sensor);
        let Some(shown) = shown.filter(|shown| is_open(&reading, shown)) else {
            return Merged {
                merge: self.global.merge(sensor, reading, speaks),
                is_open: false,
                quarantined: false,
            };
        };
        let taken = is_preferred(said, sensor, &reading.version, &shown.version);
        if taken {
            self.global.put(sensor, reading);
        }
        Merged {
            merge: if taken { Merge::Taken } else { Merge::Unordered },
            is_open: true,
            quarantined: self.quarantine(sensor, if taken { shown } else { reading }),
        }
    }

    /// Gives whether it is kept.
    fn quarantine(&mut self, sensor: SensorId, reading: Reading) -> bool {
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
        }
        better
    }

    /// The owner of a card has said what it has: what is in quarantine may be taken now. Gives what was shown
    /// before of the sensors where it was.
    pub(super) fn release(&mut self, said: Option<&Heartbeat>, card: Card) -> Vec<(SensorId, Option<State>)> {
        let mut released = Vec::new();
        for (sensor, reading) in self.quarantined.of(card).iter() {
            let shown = self.global.best().get(sensor);
            let Some(shown) = shown.filter(|shown| is_open(&reading, shown)) else {
                self.quarantined.clear(sensor);
                continue;
            };
            if is_preferred(said, sensor, &reading.version, &shown.version) {
                released.push((sensor, self.state(sensor)));
                self.global.put(sensor, reading);
                self.quarantined.set(sensor, shown);
            }
        }
        released
    }
}

/// Whether one of two readings that the versions do not order for certain is shown, and not the other: the
/// later one by what its owner has seen by now, else that of an era in which its owner counts, else the one
/// that has met the other's era, else the one that its owner has. The owner itself decides in the same order.
fn is_preferred(said: Option<&Heartbeat>, sensor: SensorId, one: &Version, other: &Version) -> bool {
    let owners = said.and_then(|said| said.has.get(sensor));
    let has = |version: &Version| owners.is_some_and(|owners| owners.dot == version.dot);
    // The owner may have decided since this copy of what it has was made.
    let [one, other] = &[one, other].map(|version| match owners {
        Some(owners) if has(version) => version.having_seen(&owners),
        _ => *version,
    });
    let counts_in = |version: &Version| {
        // Of two that nobody has toggled it is the one that the owner shows, whatever era it is of.
        said.is_some_and(|said| said.is_in(version.era())) && !version.is_provisional()
    };
    if one.compare_exactly(other) == Order::Unordered && counts_in(one) != counts_in(other) {
        return counts_in(one);
    }
    match one.compare(other) {
        Order::Later => true,
        Order::Earlier => false,
        Order::Same | Order::Unordered => has(one) && !has(other),
    }
}

/// Whether only the owner can tell for certain which of two readings is the later one.
fn is_open(one: &Reading, other: &Reading) -> bool {
    one.version.compare_exactly(&other.version) == Order::Unordered
}
