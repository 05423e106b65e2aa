//! The alarms that are acknowledged, and how far that has got.

use crate::acknowledged::Acknowledged;
use crate::owner::Memory;
use crate::sensor::{Card, PerCard, SensorId};
use crate::stage::Stage;
use crate::version::Dot;

/// What this program knows of it, and who has it besides.
#[derive(Debug, Clone, Default)]
pub(super) struct Acknowledging {
    known: Acknowledged,
    /// In the state file, durably.
    durable: Acknowledged,
    /// Handed over to the broker, handshake completed.
    delivered: Acknowledged,
    /// In the heartbeats of each card's owner.
    owner_has: PerCard<Acknowledged>,
}

impl Acknowledging {
    /// With what the state file holds.
    pub(super) fn remembering(memory: Option<&Memory>) -> Self {
        let known = memory.map(|memory| memory.acknowledged).unwrap_or_default();
        Self {
            known,
            durable: known,
            ..Self::default()
        }
    }

    /// All that is known.
    pub(super) const fn known(&self) -> &Acknowledged {
        &self.known
    }

    /// Somebody acknowledged these; gives whether that is news.
    pub(super) fn merge(&mut self, other: &Acknowledged) -> bool {
        self.known.merge(other)
    }

    /// This much is in the state file now.
    pub(super) const fn on_disk(&mut self, durable: &Acknowledged) {
        self.durable = *durable;
    }

    /// The broker has taken this much.
    pub(super) const fn delivered(&mut self, delivered: &Acknowledged) {
        self.delivered = *delivered;
    }

    /// The owner of a card says that it has these.
    pub(super) fn owner_reports(&mut self, card: Card, has: &Acknowledged) {
        self.owner_has[card].merge(has);
    }

    /// How far an acknowledged alarm has got at an owner, as with toggles.
    pub(super) fn stage_at_owner(&self, own: Card, sensor: SensorId, alarm: Dot) -> Stage {
        let in_both = self.durable.covers(sensor, alarm) && self.delivered.covers(sensor, alarm);
        match (in_both, self.owner_has[own.other()].covers(sensor, alarm)) {
            (false, _) => Stage::Sending,
            (true, false) => Stage::Saved,
            (true, true) => Stage::Confirmed,
        }
    }

    /// How far it has got as seen from a display at the broker of `home`: that board's owner does not have
    /// it, or both have. What is in the file of one of them, it does not know.
    pub(super) fn stage_at_display(&self, home: Card, sensor: SensorId, alarm: Dot) -> Option<Stage> {
        let has = |card: Card| self.owner_has[card].covers(sensor, alarm);
        match (has(home), has(home.other())) {
            (false, _) => Some(Stage::Sending),
            (true, true) => Some(Stage::Confirmed),
            (true, false) => None,
        }
    }
}
