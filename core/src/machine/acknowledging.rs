//! The alarms that are acknowledged, and how far that has got.

use alloc::vec::Vec;

use crate::acknowledged::{Acknowledged, Acknowledgement};
use crate::command::Name;
use crate::owner::Memory;
use crate::sensor::{Card, PerCard, PerSensor, SensorId, SensorSet};
use crate::stage::Stage;
use crate::version::Dot;

/// What this program knows of it, and who has it besides.
#[derive(Debug, Clone, Default)]
pub(super) struct Acknowledging {
    known: Acknowledged,
    /// Handed over to the broker, handshake completed.
    delivered: Acknowledged,
    /// In the heartbeats of each card's owner.
    owner_has: PerCard<Acknowledged>,
}

impl Acknowledging {
    /// With what the state file holds.
    pub(super) fn remembering(memory: Option<&Memory>) -> Self {
        Self {
            known: memory.map(|memory| memory.acknowledged).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// All that is known.
    pub(super) const fn known(&self) -> &Acknowledged {
        &self.known
    }

    /// Somebody acknowledged these. If that is news: which of the present alarms are acknowledged by that,
    /// and by whom.
    pub(super) fn merge(
        &mut self,
        other: &Acknowledged,
        present: &PerSensor<Option<Dot>>,
    ) -> Option<Vec<(Option<Name>, SensorSet)>> {
        let before = self.known;
        if !self.known.merge(other) {
            return None;
        }
        let mut news: Vec<(Option<Name>, SensorSet)> = Vec::new();
        for (sensor, alarm) in present.iter() {
            let Some(now) = self.known.of_alarm(sensor, alarm) else {
                continue;
            };
            if before.covers(sensor, alarm) {
                continue;
            }
            match news.iter_mut().find(|(by, _)| *by == now.by) {
                Some((_, sensors)) => sensors.insert(sensor),
                None => news.push((now.by, SensorSet::from_iter([sensor]))),
            }
        }
        Some(news)
    }

    /// The broker has taken this much.
    pub(super) const fn delivered(&mut self, delivered: &Acknowledged) {
        self.delivered = *delivered;
    }

    /// The owner of a card says that it has these.
    pub(super) fn owner_reports(&mut self, card: Card, has: &Acknowledged) {
        self.owner_has[card].merge(has);
    }

    /// Who acknowledged an alarm; `None` if nobody has.
    pub(super) fn of_alarm(&self, sensor: SensorId, alarm: Dot) -> Option<Acknowledgement> {
        self.known.of_alarm(sensor, alarm)
    }

    /// How far an acknowledged alarm has got at an owner whose state file holds this, as with toggles.
    pub(super) fn stage_at_owner(
        &self,
        own: Card,
        file: Option<&Memory>,
        (sensor, alarm): (SensorId, Dot),
    ) -> Stage {
        let covers = |acknowledged: &Acknowledged| acknowledged.covers(sensor, alarm);
        Stage::of(
            file.is_some_and(|file| covers(&file.acknowledged)),
            covers(&self.delivered),
            covers(&self.owner_has[own.other()]),
        )
    }

    /// How far it has got as seen from a display at the broker of `home`: that board's owner does not have
    /// it, or both have; `None` in between. What is in the file of one of them, it does not know.
    pub(super) fn stage_at_display(&self, home: Card, sensor: SensorId, alarm: Dot) -> Option<Stage> {
        let has = |card: Card| self.owner_has[card].covers(sensor, alarm);
        match (has(home), has(home.other())) {
            (false, _) => Some(Stage::Sending),
            (true, true) => Some(Stage::Confirmed),
            (true, false) => None,
        }
    }
}
