//! What is heard at the broker in a few seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use super::broker::Reached;
use crate::machine::Role;
use crate::mqtt::Problem;
use crate::mqtt::visit::{Arrived, Verdict};
use crate::sensor::Card;
use crate::settings::CheckOptions;
use crate::system::clock::Clock;
use crate::system::random;
use crate::text::plain_text::plain_text;
use crate::wire::{self, Direction, Message, Topic};

/// Where a broker says what it is.
const VERSION: &str = "$SYS/broker/version";

/// How long the marker may take, also where the check is to listen for less.
const MARKER_LIMIT: Duration = Duration::from_secs(5);

/// What the check knows of the broker's messages.
#[derive(Debug)]
pub(super) struct Evidence {
    /// Whether there was a connection.
    pub(super) connected: bool,
    /// The card of the board whose broker it is.
    pub(super) home: Card,
    /// Topics that were refused when they were asked for.
    pub(super) refused: Vec<Topic>,
    /// Topics with a message, kept or live.
    pub(super) arrived: BTreeMap<Topic, Message>,
    /// Cards whose owner's heartbeat came, and no goodbye after it.
    pub(super) alive: Vec<Card>,
    /// The other board's broker was heard, across the bridge, while the check listened.
    pub(super) crossed: bool,
    /// What became of the check's own messages to itself.
    pub(super) marker: Marker,
    /// What the broker says that it is.
    pub(super) version: Option<String>,
    /// Why the connection ended too early, if it did.
    pub(super) lost: Option<Problem>,
}

/// What became of the check's own messages to itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Marker {
    /// Not known: there was no connection, or not for long enough.
    Unknown,
    /// It may not be published.
    Denied(Verdict),
    /// It was published and did not come back.
    Missing,
    /// It came back. Also whether one came that was offered and never released.
    Back { unreleased_too: bool },
}

impl Evidence {
    /// Without a connection nothing is heard.
    pub(super) const fn none(role: Role) -> Self {
        Self {
            connected: false,
            home: home(role),
            refused: Vec::new(),
            arrived: BTreeMap::new(),
            alive: Vec::new(),
            crossed: false,
            marker: Marker::Unknown,
            version: None,
            lost: None,
        }
    }

    /// What the broker says of the bridge's connection that brings the other board's messages here.
    pub(super) fn bridge_is_up(&self) -> Option<bool> {
        let inbound = match self.home {
            Card::One => Direction::Out,
            Card::Two => Direction::In,
        };
        match self.arrived.get(&Topic::Bridge(inbound)) {
            Some(Message::Bridge(up)) => Some(*up),
            _ => None,
        }
    }

    pub(super) fn is_alive(&self, card: Card) -> bool {
        self.alive.contains(&card)
    }

    fn take(&mut self, topic: Topic, arrived: &Arrived) {
        // What is malformed has arrived too; the owner of the topic sees to it.
        let Ok(message) = wire::decode(topic, &arrived.payload) else {
            return;
        };
        match (topic, &message) {
            (Topic::Alive(card), Message::Heartbeat(_)) if !self.is_alive(card) => self.alive.push(card),
            (Topic::Alive(card), Message::Gone(_)) => self.alive.retain(|alive| *alive != card),
            (Topic::Uptime(card), _) => {
                self.home = card.other();
                self.crossed |= !arrived.retained;
            }
            _ => {}
        }
        self.arrived.insert(topic, message);
    }

    /// Whether everything has been heard that a board in order has to say.
    fn is_complete(&self, role: Role) -> bool {
        let states = [Topic::Card(Card::One), Topic::Card(Card::Two), Topic::All];
        let mut states = states.into_iter().filter(|topic| role.listens_to(*topic));
        matches!(self.marker, Marker::Back { .. })
            && self.version.is_some()
            && self.crossed
            && self.bridge_is_up().is_some()
            && self.alive.len() == Card::ALL.len()
            && states.all(|topic| self.arrived.contains_key(&topic))
    }
}

const fn home(role: Role) -> Card {
    match role {
        Role::Monitor(card) => card,
        Role::Display => Card::Two,
    }
}

/// The topics that the program needs.
pub(super) fn needed(role: Role) -> impl Iterator<Item = Topic> {
    let common = Topic::COMMON.into_iter().map(|(topic, _)| topic);
    common.filter(move |topic| role.listens_to(*topic))
}

/// The topics that a check asks for. The marker is among them.
pub(super) fn topics(role: Role, marker: &str) -> Vec<(String, u8)> {
    let topics = needed(role).chain([Topic::Marker]);
    let names = topics.map(|topic| topic.name(marker));
    names.chain([VERSION.to_owned()]).map(|name| (name, 0)).collect()
}

/// Listens until all that a board in order says has been heard, or the time is over.
pub(super) fn listen(reached: &mut Reached, options: &CheckOptions) -> Evidence {
    let mut heard = Evidence::none(options.role);
    heard.connected = true;
    if let Err(why) = follow(reached, options, &mut heard) {
        heard.lost = Some(why);
    }
    heard
}

fn follow(reached: &mut Reached, options: &CheckOptions, heard: &mut Evidence) -> Result<(), Problem> {
    let clock = Clock::start();
    let until = clock.now().mono.after(options.timeout);
    let names: Vec<String> = reached
        .settings
        .subscriptions
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    let codes = reached.visit.subscribe(&names)?;
    let refused = names.iter().zip(codes).filter(|(_, code)| *code >= 0x80);
    heard.refused = refused
        .filter_map(|(name, _)| Topic::parse(name, &reached.marker))
        .collect();
    // Whoever hears these two knows whether a message that is offered and not released is delivered.
    let unreleased = random::u32().map_err(|_| Problem::Unexplained)?;
    let released = unreleased ^ 1;
    let topic = Topic::Marker.name(&reached.marker);
    let payload = |nonce: u32| wire::encode_marker(u64::from(nonce));
    let offered = reached.visit.offer(&topic, &payload(unreleased))?;
    heard.marker = if offered == Verdict::Granted {
        match reached.visit.publish(&topic, &payload(released))? {
            Verdict::Granted => Marker::Missing,
            other => Marker::Denied(other),
        }
    } else {
        Marker::Denied(offered)
    };
    let mut unreleased_too = false;
    // A broker with much to do is not one that keeps the marker to itself.
    let marker_until = clock.now().mono.after(MARKER_LIMIT);
    while !heard.is_complete(options.role) {
        let is_missing = heard.marker == Marker::Missing;
        let left = clock.until(if is_missing {
            until.max(marker_until)
        } else {
            until
        });
        if left == Duration::ZERO {
            break;
        }
        let Some(arrived) = reached.visit.next(left)? else {
            break;
        };
        if arrived.topic == VERSION {
            let version = String::from_utf8_lossy(&arrived.payload);
            heard.version = Some(plain_text(&version).chars().take(60).collect());
            continue;
        }
        match Topic::parse(&arrived.topic, &reached.marker) {
            Some(Topic::Marker) => match wire::decode(Topic::Marker, &arrived.payload) {
                Ok(Message::Marker(nonce)) if nonce == u64::from(released) => {
                    heard.marker = Marker::Back { unreleased_too };
                }
                _ => unreleased_too = true,
            },
            Some(topic) => heard.take(topic, &arrived),
            None => {}
        }
    }
    Ok(())
}
