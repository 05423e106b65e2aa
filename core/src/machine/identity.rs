//! Who a program is, and which topics are its own: settled at its start.

use alloc::string::String;
use alloc::vec::Vec;

use super::Role;
use crate::sensor::{Card, SensorId};
use crate::time::Now;
use crate::version::RunId;
use crate::wire::Topic;

/// Who this program is.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) role: Role,
    /// The number in its client id.
    pub(super) client: u32,
    pub(super) client_id: String,
    /// Where its marker is: its client id, behind its user name where it has one. A broker can bind a topic
    /// to a user, and some brokers give a client another id than the one that it has asked for.
    pub(super) marker: String,
    pub(super) life: RunId,
    pub(super) started: Now,
}

impl Identity {
    /// The card that it owns.
    pub(super) const fn card(&self) -> Option<Card> {
        match self.role {
            Role::Monitor(card) => Some(card),
            Role::Display => None,
        }
    }

    /// Whether it owns a sensor.
    pub(super) fn owns(&self, sensor: SensorId) -> bool {
        self.card() == Some(sensor.card())
    }

    /// The sensors that it answers for: its own, or all that it shows.
    pub(super) fn sensors(&self) -> Vec<SensorId> {
        match self.role {
            Role::Monitor(card) => card.sensors().to_vec(),
            Role::Display => SensorId::ALL.to_vec(),
        }
    }

    /// Whether it listens to a topic.
    pub(super) fn listens_to(&self, topic: Topic) -> bool {
        self.role.listens_to(topic)
    }

    /// The topics to subscribe to, with their quality of service.
    pub(super) fn subscriptions(&self) -> Vec<(String, u8)> {
        let topics = Topic::COMMON
            .into_iter()
            .map(|(topic, _)| topic)
            .chain([Topic::Marker]);
        topics
            .filter(|topic| self.listens_to(*topic))
            .map(|topic| (topic.name(&self.marker), topic.qos()))
            .collect()
    }

    /// The topics on which it publishes its reports. What the other owner waits for goes first.
    pub(super) const fn own_topics(&self) -> &'static [Topic] {
        match self.role {
            Role::Monitor(Card::One) => &[Topic::Card(Card::One)],
            Role::Monitor(Card::Two) => &[Topic::Card(Card::Two), Topic::All],
            Role::Display => &[],
        }
    }

    /// Whether it publishes its report on a topic.
    pub(super) fn is_own_topic(&self, topic: Topic) -> bool {
        self.own_topics().contains(&topic)
    }

    /// The topic on which the other owner publishes its report; for the display, the join.
    pub(super) const fn other_topic(&self) -> Topic {
        match self.role {
            Role::Monitor(card) => Topic::Card(card.other()),
            Role::Display => Topic::All,
        }
    }

    /// The topic on which a plain program in the place of the other owner speaks.
    pub(super) const fn plain_topic(&self) -> Topic {
        match self.role {
            Role::Monitor(Card::Two) => Topic::Card(Card::One),
            Role::Monitor(Card::One) | Role::Display => Topic::All,
        }
    }
}
