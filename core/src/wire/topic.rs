//! The topics, by name. No other file spells one.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::sensor::{Card, SensorId, SensorSet};

const CARD1: &str = "sensors/card1";
const CARD2: &str = "sensors/card2";
const ALL: &str = "sensors/all";
const WITNESS: &str = "sensors/witness";
const CARD1_ALIVE: &str = "sensors/card1/alive";
const CARD2_ALIVE: &str = "sensors/card2/alive";
const CARD1_SET: &str = "sensors/card1/set";
const CARD2_SET: &str = "sensors/card2/set";
const CARD1_ACKNOWLEDGE: &str = "sensors/card1/acknowledge";
const CARD2_ACKNOWLEDGE: &str = "sensors/card2/acknowledge";
const CARD1_ANSWER: &str = "sensors/card1/set/answer";
const CARD2_ANSWER: &str = "sensors/card2/set/answer";
const BOARD2_CARD1: &str = "sensors/board2/card1";
const BOARD1_CARD2: &str = "sensors/board1/card2";
const BOARD1_UPTIME: &str = "sensors/board1/broker/uptime";
const BOARD2_UPTIME: &str = "sensors/board2/broker/uptime";
const MARKER: &str = "sensors/marker/";
const BRIDGE_IN: &str = "$SYS/broker/connection/board2_bridge_in/state";
const BRIDGE_OUT: &str = "$SYS/broker/connection/board2_bridge_out/state";

/// A topic that this project knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// `sensors/cardN`: a card's own readings.
    Card(Card),
    /// `sensors/all`: the join of both cards.
    All,
    /// `sensors/witness`: readings that the join does not have.
    Witness,
    /// `sensors/cardN/alive`: the heartbeat of a card's owner.
    Alive(Card),
    /// `sensors/cardN/set`: what the owner of a card is asked to do.
    Set(Card),
    /// `sensors/cardN/acknowledge`: alarms of a card that somebody has acknowledged.
    Acknowledge(Card),
    /// `sensors/cardN/set/answer`: how far it has got.
    Answer(Card),
    /// `sensors/board2/card1`, `sensors/board1/card2`: what the other board's broker held of this card when
    /// the bridge came up. Named by the card.
    ReadBack(Card),
    /// `sensors/boardN/broker/uptime`: the other board's broker is alive, and so is the bridge. Named by the
    /// card of that board.
    Uptime(Card),
    /// `sensors/marker/<client id>`, `sensors/marker/<user name>/<client id>` of a program that has a user
    /// name: its message to itself.
    Marker,
    /// The state of one of the bridge's two connections, from the broker's `$SYS` tree.
    Bridge(Direction),
}

/// One of the bridge's two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// From broker 1 to broker 2.
    In,
    /// From broker 2 to broker 1.
    Out,
}

impl Topic {
    /// Every topic but the marker's, which is each client's own.
    pub const COMMON: [(Self, &'static str); 18] = [
        (Self::Card(Card::One), CARD1),
        (Self::Card(Card::Two), CARD2),
        (Self::All, ALL),
        (Self::Witness, WITNESS),
        (Self::Alive(Card::One), CARD1_ALIVE),
        (Self::Alive(Card::Two), CARD2_ALIVE),
        (Self::Set(Card::One), CARD1_SET),
        (Self::Set(Card::Two), CARD2_SET),
        (Self::Acknowledge(Card::One), CARD1_ACKNOWLEDGE),
        (Self::Acknowledge(Card::Two), CARD2_ACKNOWLEDGE),
        (Self::Answer(Card::One), CARD1_ANSWER),
        (Self::Answer(Card::Two), CARD2_ANSWER),
        (Self::ReadBack(Card::One), BOARD2_CARD1),
        (Self::ReadBack(Card::Two), BOARD1_CARD2),
        (Self::Uptime(Card::One), BOARD1_UPTIME),
        (Self::Uptime(Card::Two), BOARD2_UPTIME),
        (Self::Bridge(Direction::In), BRIDGE_IN),
        (Self::Bridge(Direction::Out), BRIDGE_OUT),
    ];

    /// The topic with this name, as seen by the program that has its marker at `marker`.
    #[must_use]
    pub fn parse(name: &str, marker: &str) -> Option<Self> {
        Self::COMMON
            .iter()
            .find_map(|(topic, common)| (*common == name).then_some(*topic))
            .or_else(|| (name.strip_prefix(MARKER) == Some(marker)).then_some(Self::Marker))
    }

    /// Its name, as used by the program that has its marker at `marker`.
    #[must_use]
    pub fn name(self, marker: &str) -> String {
        Self::COMMON
            .iter()
            .find(|(topic, _)| *topic == self)
            .map_or_else(|| format!("{MARKER}{marker}"), |(_, name)| (*name).to_owned())
    }

    /// The quality of service that it is published and subscribed with: 2 for what carries state, 0 for what
    /// speaks of the moment only.
    #[must_use]
    pub const fn qos(self) -> u8 {
        match self {
            Self::Card(_)
            | Self::All
            | Self::Witness
            | Self::Marker
            | Self::Set(_)
            | Self::Acknowledge(_) => 2,
            Self::Alive(_) | Self::Answer(_) | Self::ReadBack(_) | Self::Uptime(_) | Self::Bridge(_) => 0,
        }
    }

    /// Whether this project publishes it as a retained message.
    #[must_use]
    pub const fn is_retained(self) -> bool {
        matches!(self, Self::Card(_) | Self::All)
    }

    /// The sensors whose readings a message on this topic may carry.
    #[must_use]
    pub fn carries(self) -> SensorSet {
        match self {
            Self::Card(card)
            | Self::ReadBack(card)
            | Self::Set(card)
            | Self::Acknowledge(card)
            | Self::Answer(card) => card.sensors().into_iter().collect(),
            Self::All | Self::Witness => SensorId::ALL.into_iter().collect(),
            _ => SensorSet::EMPTY,
        }
    }
}
