//! One owner a card, where its lock does not reach: which of two programs stays that connect under one client id.
//!
//! A broker lets one client in under an id and drops the other, mostly without saying why (Mosquitto before 2.0.15). So the two take the
//! connection from each other, and never hear each other: all that one leaves for the other is what the broker retains. Each therefore
//! puts a [`Claim`] there when it has read everything, and in it which claims it replaced.
//!
//! Proof, not suspicion: a claim of another life that says that it replaced *this* life's, or one that did, can only come from a program
//! that connected after this one. A restart, a reconnect, a broker that lost its store: none of these makes one.
//!
//! It proves that the other one lived when it put it there, and a program may end soon after that. So only a young one ends this program;
//! an older one is replaced, and who lives answers that by connecting once more. Who ends by itself takes back what it replaced.

use std::time::Duration;

use super::{Effect, Gate, Machine};
use crate::chronicle::Fact;
use crate::pulse::Pulse;
use crate::sensor::Card;
use crate::time::{Mono, Now};
use crate::version::Life;
use crate::wire::{self, Claim, Heartbeat, Replaced, Topic};

/// How old a claim may be that ends this program: more than a heartbeat and the longest pause before a reconnect take together.
const YOUNG: Duration = Duration::from_secs(5);

/// After so many proofs of life a younger one is known not to hear this program: after two of this one's heartbeats it would have ended.
const DEAF: u32 = 5;

/// What this program knows of its claim to the card.
#[derive(Debug, Clone, Default)]
pub(super) struct Tenancy {
    takes_over: bool,
    /// Whether the first gate has closed.
    begun: bool,
    /// One more than in the claim that lay there then. Its owner was there before this program; whether it still runs was not known.
    turn: u32,
    /// What lies at the broker, as far as it has been heard on this connection.
    lies: Option<Claim>,
    /// When this program's own claim surely lay there: whatever lies there now is younger.
    held_at: Option<Mono>,
    /// Of the other life that speaks as this card's owner, where both are connected.
    twin: Pulse,
    /// Whether this program ends for that one.
    heard_twin: bool,
    /// How often in a row that one has proved that it lives.
    proofs: u32,
}

/// What a claim says about another program with this client id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Twin {
    /// There is none that is known to live.
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

    /// A heartbeat that this program published then has come back, and what it hears of the broker comes in order.
    fn held(&mut self, life: Life, at: Mono) {
        if self.lies.is_some_and(|claim| claim.life == life) {
            self.held_at = Some(at);
        }
    }

    /// Whether another life that speaks as this card's owner is one to end for. A younger one ends by itself; if it does not, it cannot hear this
    /// one: heartbeats cross the bridge away from their own board, and this program is at the other board's broker.
    fn twin_lives(&mut self, now: Now, heartbeat: &Heartbeat, younger: bool) -> bool {
        if self.twin.life() != Some(heartbeat.life) {
            self.proofs = 0;
        }
        if self.twin.beat(now, heartbeat.life, heartbeat.uptime) {
            self.proofs += 1;
        }
        self.proofs >= if younger { DEAF } else { 1 }
    }

    /// All that the broker had retained has come. All sides come to the same answer.
    fn judge(&mut self, life: Life, now: Mono) -> Twin {
        if !std::mem::replace(&mut self.begun, true) {
            self.turn = self.lies.map_or(0, |claim| claim.turn.saturating_add(1));
        }
        let Some(other) = self
            .lies
            .filter(|claim| claim.life != life && claim.over.contains(life))
        else {
            return Twin::None;
        };
        let lives = self.held_at.is_some_and(|at| now < at.after(YOUNG));
        let came_before = other.turn < self.turn;
        match (other.outranks(&self.own(life)), other.takes_over) {
            _ if !lives => Twin::None,
            (false, _) => Twin::Yields,
            (true, true) if !came_before => Twin::TakesOver,
            (true, _) => Twin::Stays,
        }
    }

    /// The claim of a program that has replaced nobody's.
    fn own(&self, life: Life) -> Claim {
        Claim {
            life,
            turn: self.turn,
            over: Replaced::default(),
            takes_over: self.takes_over,
        }
    }

    /// What has to lie there, in place of a claim that would end the program before this one.
    fn withdrawn(&mut self, life: Life) -> Option<Claim> {
        let own = self.lies.as_mut().filter(|claim| claim.life == life)?;
        let over = std::mem::take(&mut own.over);
        (!over.is_empty()).then_some(*own)
    }

    /// What has to be put at the broker, unless it lies there.
    pub(super) fn claim(&self, life: Life) -> Option<Claim> {
        let over = match &self.lies {
            Some(claim) if claim.life == life => return None,
            Some(claim) => Replaced::by(life, claim),
            None => Replaced::default(),
        };
        Some(Claim {
            over,
            ..self.own(life)
        })
    }
}

impl Machine {
    /// Ends if another program under this client id is the one to stay. What this one's operator has toggled still goes out.
    pub(super) fn stands_back(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if self.leaving {
            return;
        }
        match self.tenancy.judge(self.life, now.mono) {
            Twin::None => return,
            Twin::Yields => return self.chronicle.note(now.wall, Fact::Twin),
            Twin::Stays => effects.push(Effect::StopForTwin),
            Twin::TakesOver => effects.push(Effect::StopTakenOver),
        }
        self.leaving = true;
    }

    /// A claim to this card lies at the broker. Under another life's, its reports lie where this program's should, and some may be queued for the other
    /// board.
    pub(super) fn claimed(&mut self, now: Now, claim: Claim) {
        self.tenancy.hear(Some(claim));
        if claim.life != self.life && self.restored {
            self.report_again(now);
        }
    }

    /// A heartbeat of this card's owner: this program's own comes back, another life's is a twin under another client id, or at the other
    /// board's broker. The one that has been there for longer stays, unless only it can hear the other one.
    pub(super) fn own_heartbeat(
        &mut self,
        card: Card,
        now: Now,
        heartbeat: &Heartbeat,
        effects: &mut Vec<Effect>,
    ) {
        if heartbeat.life == self.life {
            let sent = self.started.mono.after(heartbeat.uptime);
            return self.tenancy.held(self.life, sent.min(now.mono));
        }
        let younger = heartbeat.uptime <= now.mono.since(self.started.mono);
        if self.leaving || !self.tenancy.twin_lives(now, heartbeat, younger) {
            return;
        }
        effects.push(Effect::StopForTwin);
        self.tenancy.heard_twin = true;
        self.leaving = true;
        self.beat_due = None;
        self.withdraw(card, effects);
    }

    /// Whether the other owner, for which this one ends, was heard: two at one broker never hear each other, so it is at another one.
    #[must_use]
    pub const fn has_heard_twin(&self) -> bool {
        self.tenancy.heard_twin
    }

    /// This program ends: nobody is to end for its claim any more.
    pub(super) fn withdraw(&mut self, card: Card, effects: &mut Vec<Effect>) {
        if self.gate != Gate::Open {
            return;
        }
        if let Some(claim) = self.tenancy.withdrawn(self.life) {
            effects.push(Effect::Publish {
                ticket: self.outbox.ticket(),
                topic: Topic::Claim(card),
                payload: wire::encode_claim(&claim),
            });
        }
    }
}
