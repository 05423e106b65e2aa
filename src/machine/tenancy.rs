//! One owner a card, where its lock does not reach: which of two programs stays that connect under one client id.
//!
//! A broker lets one client in under an id and drops the other, mostly without saying why (Mosquitto before 2.0.15). So the two take the
//! connection from each other, and never hear each other: all that one leaves for the other is what the broker retains. Each therefore
//! puts a [`Claim`] there when it has read everything, and in it which claim it replaced.
//!
//! Proof, not suspicion: a claim of another life that says that it replaced *this* life's can only come from a program that connected
//! after this one. A restart, a reconnect, a broker that lost or rolled back its store: none of these makes one.

use crate::version::Life;
use crate::wire::Claim;

/// What this program knows of its claim to the card.
#[derive(Debug, Clone, Default)]
pub(super) struct Tenancy {
    takes_over: bool,
    /// Whether the first gate has closed.
    begun: bool,
    /// Whose claim lay there then. Its owner was there before this program; whether it still runs was not known.
    met: Option<Life>,
    /// What lies at the broker, as far as it has been heard on this connection.
    lies: Option<Claim>,
}

/// What a claim says about another program with this client id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Twin {
    /// There is none, as far as anybody can tell.
    None,
    /// There is one, and it is the one to end.
    Yields,
    /// There is one that was there before.
    Stays,
    /// There is one that was started to take over.
    TakesOver,
}

impl Tenancy {
    pub(super) fn new(takes_over: bool) -> Self {
        Self {
            takes_over,
            ..Self::default()
        }
    }

    /// What lies at the broker may change from now on.
    pub(super) fn connection_lost(&mut self) {
        self.lies = None;
    }

    /// This claim lies at the broker now; `None`: nothing that can be read.
    pub(super) fn hear(&mut self, claim: Option<Claim>) {
        self.lies = claim;
    }

    /// All that the broker had retained has come. Both sides come to the same answer: who came later yields, unless started to
    /// take over; if neither met the other's claim first, since the broker had lost it, the life decides.
    pub(super) fn judge(&mut self, life: Life) -> Twin {
        if !std::mem::replace(&mut self.begun, true) {
            self.met = self.lies.map(|claim| claim.life);
        }
        let Some(other) = self
            .lies
            .filter(|claim| claim.life != life && claim.over == Some(life))
        else {
            return Twin::None;
        };
        let this_is_younger = self.met == Some(other.life);
        let other_is_younger = other.met == Some(life);
        let other_stays = match (this_is_younger, other_is_younger) {
            (true, false) => !self.takes_over,
            (false, true) => other.takes_over,
            _ if self.takes_over != other.takes_over => other.takes_over,
            _ => other.life < life,
        };
        match (other_stays, other.takes_over) {
            (false, _) => Twin::Yields,
            (true, true) if !this_is_younger => Twin::TakesOver,
            (true, _) => Twin::Stays,
        }
    }

    /// What has to be put at the broker, unless it lies there.
    pub(super) fn claim(&self, life: Life) -> Option<Claim> {
        let there = self.lies.map(|claim| claim.life);
        (there != Some(life)).then_some(Claim {
            life,
            met: self.met,
            over: there,
            takes_over: self.takes_over,
        })
    }
}
