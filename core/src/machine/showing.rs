//! What the screens show.

use super::{Freshness, Gate, Machine, Role};
use crate::chain::Chain;
use crate::chronicle::Chronicle;
use crate::global::Shown;
use crate::sensor::{Card, SensorId, SensorSet};
use crate::stage::Stage;
use crate::time::Now;

impl Machine {
    /// What the program is there for.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Its MQTT client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What is known of a sensor; `None` is UNKNOWN.
    #[must_use]
    pub fn shown(&self, sensor: SensorId) -> Option<Shown> {
        match &self.owner {
            Some(owner) if owner.card() == sensor.card() => owner.readings().get(sensor).map(Shown::Reading),
            _ => self.global.shown(sensor),
        }
    }

    /// How far the present state of an own sensor has got; `None` for other sensors, and while nothing is
    /// known.
    #[must_use]
    pub fn stage(&self, sensor: SensorId) -> Option<Stage> {
        let version = self.owner.as_ref()?.readings().version(sensor)?;
        Some(self.progress.stage(sensor, version))
    }

    /// Whether a card's values are live. An owner's own are always: it is the source.
    #[must_use]
    pub fn freshness(&self, card: Card) -> Freshness {
        self.freshness[card as usize]
    }

    /// Whether the first start gate has closed.
    #[must_use]
    pub const fn is_restored(&self) -> bool {
        self.restored
    }

    /// The links.
    #[must_use]
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The last events.
    #[must_use]
    pub const fn chronicle(&self) -> &Chronicle {
        &self.chronicle
    }

    /// How many payloads could not be read.
    #[must_use]
    pub const fn malformed_payloads(&self) -> u64 {
        self.malformed
    }

    /// Why the state file cannot be written, if so; in words.
    #[must_use]
    pub fn disk_failure(&self) -> Option<&str> {
        self.disk.failure()
    }

    /// Whether the broker has what this owner has of these sensors.
    #[must_use]
    pub fn is_delivered(&self, sensors: SensorSet) -> bool {
        let has = self.owner.as_ref().map(crate::owner::Owner::readings);
        let version = |sensor| has.and_then(|readings| readings.version(sensor));
        sensors
            .iter()
            .all(|sensor| self.progress.delivered.get(sensor) == version(sensor))
    }

    /// When the program started.
    #[must_use]
    pub const fn started(&self) -> Now {
        self.started
    }

    /// Whether nothing is under way: every toggle has reached the disk and the broker as far as they can be
    /// reached now.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let reports = self.gate == Gate::Open && self.owner.is_some();
        self.disk.is_settled()
            && !(reports && self.outbox.is_busy())
            && !matches!(self.gate, Gate::Waiting { .. })
    }
}
