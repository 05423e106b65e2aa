//! One version, two states: no owner says that. Somebody has put false readings where true ones were, or something was damaged.

use super::{Machine, Role};
use crate::reading::Reading;
use crate::sensor::{Card, SensorId};
use crate::wire::{Entry, Report, Topic};

impl Machine {
    /// Takes care of readings that have the versions known here and say something else. Others may have believed them and would
    /// believe nothing else under these versions: own sensors get higher ones.
    pub(super) fn contradict(&mut self, topic: Topic, report: &Report) {
        let mut found = false;
        let from_other = topic == self.other_topic();
        for (sensor, entry) in report.iter() {
            let Entry::Reading(heard) = entry else { continue };
            let Some(known) = self.known(sensor).filter(|known| contradicts(*known, heard)) else {
                continue;
            };
            found = true;
            let own = self.owner.as_mut().filter(|owner| owner.card() == sensor.card());
            if let Some(owner) = own {
                // A first state stays provisional: nobody has vouched for it.
                if known.state != heard.state && !known.version.is_provisional() {
                    owner.reaffirm(sensor);
                }
            } else if from_other {
                // With the next heartbeat the owner is told that this was not heard, and says it again.
                self.heard.set(sensor, None);
            }
        }
        if found && self.is_copy_of_own(topic) {
            self.outbox.again();
        }
    }

    fn known(&self, sensor: SensorId) -> Option<Reading> {
        match &self.owner {
            Some(owner) if owner.card() == sensor.card() => owner.readings().get(sensor),
            _ => self.global.best().get(sensor),
        }
    }

    /// Whether what lies on a topic should be this owner's report.
    const fn is_copy_of_own(&self, topic: Topic) -> bool {
        matches!(
            (self.role, topic),
            (Role::Monitor(Card::One), Topic::Card1 | Topic::Board2Card1)
                | (Role::Monitor(Card::Two), Topic::All | Topic::Board1All)
        )
    }
}

/// A time of change that the wire cannot carry is left out there.
fn contradicts(known: Reading, heard: Reading) -> bool {
    let times = known.changed.zip(heard.changed);
    known.version == heard.version
        && (known.state != heard.state || times.is_some_and(|(known, heard)| known != heard))
}
