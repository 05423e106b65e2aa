//! The links from the sources to this program: which are up, since when, and which one is broken.

mod watched;

use alloc::string::String;
use core::time::Duration;

use serde::{Deserialize, Serialize};

pub use watched::{Status, Watched};

use crate::pulse::Pulse;
use crate::reading::Versions;
use crate::sensor::{Card, PerCard};
use crate::time::{Mono, Now, Wall};
use crate::version::RunId;
use crate::wire::Heartbeat;

/// A link of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Link {
    /// This program's broker.
    Broker,
    /// The bridge, which is down: with the other board's broker behind it, from here nobody can tell which of
    /// the two is out of reach.
    Bridge,
    /// The bridge: nothing comes over it, and nobody has said that it is down.
    Quiet,
    /// `card2_monitor`, by way of which the display gets card 1's values: it does not call them live itself.
    Relay,
    /// The program that owns a card: its connection has ended. For the display, `card2_monitor` is also the
    /// relay of card 1's values.
    Owner(Card),
    /// The program that owns a card: nothing is heard of it, nor that it has ended. It hangs or is stopped,
    /// or its end was not heard of.
    Silent(Card),
    /// The program that owns a card: it was not alive, and is heard again; its next heartbeat will prove that
    /// it is.
    Returning(Card),
    /// Everything is alive, but the values known here are behind what their owner says it has.
    Behind(Card),
}

/// The connection to this program's broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Connection {
    /// The first attempt is under way.
    Trying,
    /// Connected and subscribed.
    Up {
        /// Since when.
        since: Wall,
    },
    /// Not connected.
    Down {
        /// Since when; the first failure of this outage.
        since: Wall,
        /// Why, in words; of the last attempt.
        why: String,
        /// How long after that the next attempt is made.
        retry_in: Duration,
    },
}

/// Everything that is known of the links.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The board whose broker this program is connected to.
    pub home: Card,
    /// The card that this program owns: its own life needs no proof.
    own: Option<Card>,
    /// The connection to it.
    pub connection: Connection,
    /// What came across the bridge.
    pub bridge: Watched,
    /// Heartbeats of the cards' owners.
    owners: PerCard<Watched>,
    /// Words of plain programs.
    plain: PerCard<Pulse>,
    /// The last heartbeat of each owner.
    heartbeats: PerCard<Option<Heartbeat>>,
    /// Whether what is known here of a card is what its owner says it has.
    agreement: PerCard<Agreement>,
    patience: Mono,
    /// When the bridge was last said to be down: the owner beyond it may be another one since.
    bridge_ended: Option<Mono>,
}

/// How what is known here stands to what a card's owner said it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Agreement {
    /// Not compared since the owner was last out of sight.
    #[default]
    Unknown,
    /// There is nothing to compare: what is shown is a plain program's word.
    Plain,
    /// The same.
    Same,
    /// Not the same since. One may have overtaken the other on the way; if it lasts, something is missing on
    /// one side.
    Different(Mono),
}

/// How long a value that was the same may differ before it is no longer called live: until the heartbeat
/// after the change has had time to come.
const GRACE: Duration = Duration::from_secs(3);

impl Chain {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(home: Card, own: Option<Card>) -> Self {
        Self {
            home,
            own,
            connection: Connection::Trying,
            bridge: Watched::default(),
            owners: PerCard::default(),
            plain: PerCard::default(),
            heartbeats: PerCard::default(),
            agreement: PerCard::default(),
            patience: Mono::ZERO,
            bridge_ended: None,
        }
    }

    /// Time has passed that the monotonic clock did not count: everything has to be proved again.
    pub fn lapse(&mut self, now: Mono) {
        let owners = self.owners.iter_mut().map(|owner| &mut owner.pulse);
        for pulse in owners
            .chain(self.plain.iter_mut())
            .chain([&mut self.bridge.pulse])
        {
            pulse.lapse(now);
        }
    }

    /// The own broker says that the bridge is down.
    pub fn bridge_ended(&mut self, now: Now) {
        self.bridge.pulse.end(now);
        self.bridge_ended = Some(now.mono);
    }

    /// The connection is up.
    pub fn connected(&mut self, now: Now) {
        self.connection = Connection::Up { since: now.wall };
        self.patience = now.mono.after(crate::pulse::TIMEOUT);
    }

    /// The connection was lost, or an attempt failed.
    pub fn disconnected(&mut self, now: Now, why: String, retry_in: Duration) {
        let since = match self.connection {
            Connection::Down { since, .. } => since,
            Connection::Trying | Connection::Up { .. } => now.wall,
        };
        self.connection = Connection::Down { since, why, retry_in };
    }

    /// Whether this program's broker can be spoken to.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        matches!(self.connection, Connection::Up { .. })
    }

    /// The owner of a card, as judged by its heartbeats.
    #[must_use]
    pub fn owner(&self, card: Card) -> &Watched {
        &self.owners[card]
    }

    /// The last heartbeat of a card's owner.
    #[must_use]
    pub fn heartbeat(&self, card: Card) -> Option<&Heartbeat> {
        self.heartbeats[card].as_ref()
    }

    /// Whether a card's owner has been heard lately, and not that it has ended.
    #[must_use]
    pub fn speaks(&self, now: Mono, card: Card) -> bool {
        let pulse = &self.owners[card].pulse;
        pulse.is_live(now) || pulse.is_heard_again(now)
    }

    /// What a card's owner says now, if it is heard.
    #[must_use]
    pub fn said(&self, now: Mono, card: Card) -> Option<&Heartbeat> {
        self.heartbeat(card).filter(|_| self.speaks(now, card))
    }

    /// A heartbeat arrived; gives whether it is that of the card's owner. A second owner is not listened to
    /// while the first one is heard: it may know less.
    pub fn beat(&mut self, now: Now, card: Card, heartbeat: Heartbeat) -> bool {
        if card != self.home {
            self.bridge.pulse.beat(now, heartbeat.life, heartbeat.uptime);
        }
        let heard = self.owners[card].pulse.heard();
        let cut = card != self.home && heard <= self.bridge_ended;
        let speaks = self.speaks(now.mono, card) && !cut;
        let pulse = &mut self.owners[card].pulse;
        if speaks && pulse.life() != Some(heartbeat.life) {
            return false;
        }
        pulse.beat(now, heartbeat.life, heartbeat.uptime);
        self.heartbeats[card] = Some(heartbeat);
        true
    }

    /// Compares what is known here of a card with what its owner said last: `plain` says whether it is a
    /// plain program's word. What is of an era that is not the owner's cannot be what it has made since.
    pub fn compare(&mut self, now: Mono, card: Card, plain: bool, known: &Versions) {
        let said =
            self.heartbeats[card].filter(|_| self.is_connected() && self.owners[card].pulse.is_live(now));
        let Some(said) = said else {
            self.agreement[card] = Agreement::Unknown;
            return;
        };
        self.agreement[card] = match self.agreement[card] {
            _ if plain => Agreement::Plain,
            _ if said.has.same(known, card) => Agreement::Same,
            _ if !may_have_made(&said, known, card) => Agreement::Unknown,
            Agreement::Same => Agreement::Different(now),
            Agreement::Different(since) => Agreement::Different(since),
            Agreement::Unknown | Agreement::Plain => Agreement::Unknown,
        };
    }

    /// Something of a card has come from somebody's memory: it is not live before its owner says that it has
    /// it.
    pub fn doubt(&mut self, card: Card) {
        self.agreement[card] = Agreement::Unknown;
    }

    /// Whether what is known here of a card is what its owner says it has, or may be on its way here.
    #[must_use]
    pub fn agrees(&self, now: Mono, card: Card) -> bool {
        match self.agreement[card] {
            Agreement::Unknown => false,
            Agreement::Plain | Agreement::Same => true,
            Agreement::Different(since) => now < since.after(GRACE),
        }
    }

    /// The owner's connection has ended.
    pub fn gone(&mut self, now: Now, card: Card, life: RunId) {
        let pulse = &mut self.owners[card].pulse;
        if pulse.life() == Some(life) {
            pulse.end(now);
        }
    }

    /// A plain program spoke for a card, live.
    pub fn plain_spoke(&mut self, now: Now, card: Card) {
        self.plain[card].prove(now);
    }

    /// Draws all conclusions anew; gives whether the bridge went up (`true`) or down. What becomes of an
    /// owner shows in whether its values are live.
    pub fn conclude(&mut self, now: Now) -> Option<bool> {
        let (reachable, patience) = (self.is_connected(), self.patience);
        for card in Card::ALL.into_iter().filter(|card| Some(*card) != self.own) {
            self.owners[card].conclude(now, reachable, patience);
        }
        self.bridge.conclude(now, reachable, patience)
    }

    /// Which link is broken on the way from a card's owner to a program on this board; `None` if the card's
    /// values are live. `relay` says whether card 1's values come by way of `card2_monitor` (the display),
    /// `plain` whether they rest on a plain program's word.
    #[must_use]
    pub fn broken(&self, now: Mono, card: Card, relay: bool, plain: bool) -> Option<Link> {
        if !self.is_connected() {
            return Some(Link::Broker);
        }
        let relayed = relay && card == Card::One;
        // At broker 1 a display has card 1's values by way of `card2_monitor` too: over the bridge and back.
        let comes_back = relayed && self.home == Card::One;
        if (card != self.home || comes_back) && self.bridge.pulse.is_ended() {
            // What came over it just before it went may be behind already.
            return Some(Link::Bridge);
        }
        let relay_live = self.owners[Card::Two].pulse.is_live(now);
        let relay_says = self
            .heartbeat(Card::Two)
            .is_some_and(|heartbeat| heartbeat.other_live);
        let owner_live = self.owners[card].pulse.is_live(now);
        let (source_live, agrees) = if plain {
            let spoke = self.plain[card].is_live(now);
            (if relayed && relay_live { relay_says } else { spoke }, true)
        } else {
            // The relay's word alone is not enough: it may be as old as a proof of life when it is said, and
            // again when it is heard.
            let relay_agrees = !relayed || (relay_live && relay_says);
            (owner_live && relay_agrees, self.agrees(now, card))
        };
        if source_live {
            return (!agrees).then_some(Link::Behind(card));
        }
        if comes_back && !self.bridge.pulse.is_live(now) {
            return Some(Link::Quiet);
        }
        if relayed && !relay_live {
            return Some(self.without_life(now, Card::Two));
        }
        if relayed && owner_live {
            return Some(Link::Relay);
        }
        if card != self.home && !self.bridge.pulse.is_live(now) {
            // That it is down was looked at first.
            return Some(Link::Quiet);
        }
        Some(self.without_life(now, card))
    }

    /// What is wrong with an owner that gives no proof of life.
    fn without_life(&self, now: Mono, card: Card) -> Link {
        let pulse = &self.owner(card).pulse;
        if pulse.is_heard_again(now) {
            Link::Returning(card)
        } else if pulse.is_ended() {
            Link::Owner(card)
        } else {
            Link::Silent(card)
        }
    }

    /// When a link was last known to be whole, where that is known.
    #[must_use]
    pub fn lost_at(&self, link: Link) -> Option<Wall> {
        match link {
            Link::Broker | Link::Relay | Link::Behind(_) => None,
            Link::Bridge | Link::Quiet => self.bridge.pulse.lost_at(),
            Link::Owner(card) | Link::Silent(card) | Link::Returning(card) => {
                self.owners[card].pulse.lost_at()
            }
        }
    }

    /// When some proof of life ceases to hold: the next moment at which conclusions change by themselves.
    #[must_use]
    pub fn deadline(&self, now: Mono) -> Option<Mono> {
        let pulses = self.owners.iter().map(|owner| &owner.pulse);
        pulses
            .chain(self.plain.iter())
            .chain([&self.bridge.pulse])
            .flat_map(|pulse| [pulse.deadline(), pulse.forgotten()])
            .flatten()
            .chain([self.patience])
            .chain(self.agreement.iter().filter_map(|agreement| match agreement {
                Agreement::Different(since) => Some(since.after(GRACE)),
                Agreement::Unknown | Agreement::Plain | Agreement::Same => None,
            }))
            .filter(|deadline| *deadline > now)
            .min()
    }
}

/// Whether a card's owner that said this may have made since what is known elsewhere.
fn may_have_made(said: &Heartbeat, known: &Versions, card: Card) -> bool {
    card.sensors().into_iter().all(|sensor| {
        let dot = known.dot(sensor);
        dot == said.has.dot(sensor) || dot.is_some_and(|dot| said.is_in(dot.era))
    })
}
