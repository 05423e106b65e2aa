//! Which topics a program needs of its broker, and which it must not be able to publish on.

use super::Role;
use crate::sensor::Card;
use crate::wire::Topic;

impl Role {
    /// Whether it listens to a topic.
    #[must_use]
    pub fn listens_to(self, topic: Topic) -> bool {
        match topic {
            Topic::All | Topic::Alive(_) | Topic::Marker | Topic::Uptime(_) | Topic::Bridge(_) => true,
            Topic::Card(_) | Topic::Acknowledge(_) => self != Self::Display,
            Topic::Witness => self == Self::Monitor(Card::Two),
            Topic::Set(card) | Topic::ReadBack(card) => self == Self::Monitor(card),
            Topic::Answer(_) => false,
        }
    }

    /// Whether it publishes on a topic.
    #[must_use]
    pub fn publishes_on(self, topic: Topic) -> bool {
        match topic {
            Topic::Card(card) | Topic::Alive(card) | Topic::Answer(card) => self == Self::Monitor(card),
            Topic::All => self == Self::Monitor(Card::Two),
            Topic::Witness => self != Self::Monitor(Card::Two),
            Topic::Acknowledge(_) => self == Self::Display,
            Topic::Marker => true,
            Topic::Set(_) | Topic::ReadBack(_) | Topic::Uptime(_) | Topic::Bridge(_) => false,
        }
    }

    /// Whether it does all that it shows without the right to publish on a topic: a display that may not
    /// witness or acknowledge is one that only looks.
    #[must_use]
    pub fn spares(self, topic: Topic) -> bool {
        self == Self::Display && matches!(topic, Topic::Witness | Topic::Acknowledge(_))
    }

    /// Whether it could do harm with the right to publish on a topic: pass for an owner or for the bridge, or
    /// ask a card for something that it never asks.
    #[must_use]
    pub fn could_harm_on(self, topic: Topic) -> bool {
        match topic {
            Topic::Card(_)
            | Topic::All
            | Topic::Alive(_)
            | Topic::ReadBack(_)
            | Topic::Uptime(_)
            | Topic::Bridge(_) => !self.publishes_on(topic),
            Topic::Set(card) | Topic::Answer(card) => self != Self::Monitor(card),
            Topic::Witness | Topic::Acknowledge(_) | Topic::Marker => false,
        }
    }
}
