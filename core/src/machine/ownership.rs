//! One owner a card, where the lock of its state folder does not reach: which of two stays.
//!
//! Each owner has a client id of its own, so two of them are both connected and hear each other's heartbeats:
//! the later one ends. An owner with a copy of another one's state folder has the same client id, and a
//! broker drops the one when the other connects: they never hear each other. What one leaves for the other is
//! its report, which says whose it is.

use core::time::Duration;

use super::identity::Identity;
use crate::pulse::{Pulse, TIMEOUT};
use crate::time::{Mono, Now};
use crate::version::RunId;
use crate::wire::{Heartbeat, Report};

/// Two that started so close together are told apart by their lives: what a heartbeat takes on its way makes
/// the other one look later than it is.
const AT_ONCE: Duration = Duration::from_secs(1);

/// After so many proofs of life neither has ended, since one took the two starts for close together and the
/// other did not: then their lives decide, too.
const UNDECIDED: u32 = 5;

/// How soon after its restore has ended a connection is lost that another program takes away: that one
/// connects again at once.
const MOMENTS: Duration = Duration::from_secs(5);

/// So many times the connection is taken away before this program ends. The one that was there first counts
/// one less, since its first connection lasted; one that is to take over lets the other one end first.
const TAKEN_AWAY: u32 = 3;

/// What this program knows of other owners of its card.
#[derive(Debug, Clone, Default)]
pub(super) struct Ownership {
    take_over: TakeOver,
    twin: Twin,
    /// Whether this program is connected to the other board's broker. It hears the owner at the right one,
    /// across the bridge, and is not heard there.
    at_other_board: bool,
    /// How many connections this run has had.
    connections: u64,
    /// Whose report lies on the own topic, and from which of its connections.
    reporter: Option<(RunId, u64)>,
    /// The same of the last report of another one that was found there.
    displaced_by: Option<(RunId, u64)>,
    /// When this connection's restore ended.
    restored_at: Option<Mono>,
    /// How often the connection was taken away by another program since one has lasted.
    taken_away: u32,
    /// Whether the last connection was lost soon.
    lost_soon: bool,
}

/// Another owner of this card that is heard.
#[derive(Debug, Clone, Default)]
struct Twin {
    pulse: Pulse,
    takes_over: bool,
    /// How often in a row it has proved that it lives.
    proofs: u32,
    /// Whether both started close together, as the first proof shows: two that judged anew each time, by
    /// heartbeats that take longer and shorter, could both end.
    at_once: bool,
}

/// Whether this program was started to take over from another owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum TakeOver {
    /// It was not.
    #[default]
    No,
    /// It was, and has not read yet what its broker has.
    Begins,
    /// It says so in its heartbeats until then: long enough for the other one to hear it.
    Until(Mono),
}

/// What another owner's heartbeat means.
pub(super) enum Heard {
    /// Nothing more than the last one.
    Known,
    /// It is a second owner, and this program stays.
    New,
    /// This program ends.
    ToEndFor,
}

impl Ownership {
    pub(super) fn new(takes_over: bool) -> Self {
        let take_over = if takes_over {
            TakeOver::Begins
        } else {
            TakeOver::No
        };
        Self {
            take_over,
            ..Self::default()
        }
    }

    /// Whether it was started to take over, a moment ago.
    pub(super) fn takes_over(&self, now: Mono) -> bool {
        match self.take_over {
            TakeOver::No => false,
            TakeOver::Begins => true,
            TakeOver::Until(until) => now < until,
        }
    }

    pub(super) const fn connections(&self) -> u64 {
        self.connections
    }

    /// A report lies on the own topic.
    pub(super) fn reported_by(&mut self, report: &Report) {
        self.reporter = report.life.zip(report.connection);
    }

    /// Gives whether another program keeps taking the connection away: it was lost soon, and in the place of
    /// this program's report another one's lies now. A connection that is merely lost proves nothing.
    pub(super) fn restored(&mut self, now: Mono, life: RunId) -> bool {
        if self.take_over == TakeOver::Begins {
            self.take_over = TakeOver::Until(now.after(TIMEOUT));
        }
        self.restored_at = Some(now);
        self.connections += 1;
        // A broker that comes back with an older store shows a report that is no later than one that was seen
        // before.
        let seen = |(life, connection): (RunId, u64)| {
            let known = self.displaced_by.filter(|known| known.0 == life);
            known.is_some_and(|known| known.1 >= connection)
        };
        let other = self.reporter.filter(|other| other.0 != life && !seen(*other));
        if let Some((by, _)) = other {
            // Of one and the same other run: an older store may show a third one's.
            if self.displaced_by.is_none_or(|known| known.0 != by) {
                self.taken_away = 0;
            }
            self.displaced_by = other;
            self.taken_away += u32::from(self.lost_soon);
        } else if self.reporter.is_none_or(|(of, _)| of == life) {
            // Nobody has been there since, or who was there has left.
            self.taken_away = 0;
        }
        let patience = match self.take_over {
            TakeOver::No => TAKEN_AWAY,
            TakeOver::Begins | TakeOver::Until(_) => 2 * TAKEN_AWAY,
        };
        self.taken_away >= patience
    }

    pub(super) fn connection_lost(&mut self, now: Mono) {
        if let Some(at) = self.restored_at.take() {
            self.lost_soon = now < at.after(MOMENTS);
            if !self.lost_soon {
                self.taken_away = 0;
            }
        }
    }

    /// Another owner of this card is heard.
    pub(super) fn heard(&mut self, now: Now, heartbeat: &Heartbeat, identity: &Identity) -> Heard {
        let uptime = now.mono.since(identity.started.mono);
        if self.ends_for(now, heartbeat, uptime, identity.life) {
            Heard::ToEndFor
        } else if self.twin.proofs == 1 {
            Heard::New
        } else {
            Heard::Known
        }
    }

    /// Whether another owner that is heard is one to end for.
    fn ends_for(&mut self, now: Now, heartbeat: &Heartbeat, uptime: Duration, life: RunId) -> bool {
        if self.twin.pulse.life() != Some(heartbeat.life) {
            // Of several, one at a time: two that are heard in turn would prove nothing of each other. One
            // that takes over comes first.
            let followed = self.twin.pulse.forgotten().is_some_and(|at| now.mono < at);
            if followed && (self.twin.takes_over || !heartbeat.takes_over) {
                return false;
            }
            (self.twin.takes_over, self.twin.proofs) = (heartbeat.takes_over, 0);
        }
        if !self.twin.pulse.beat(now, heartbeat.life, heartbeat.uptime) {
            return false;
        }
        self.twin.proofs += 1;
        if self.twin.proofs == 1 {
            self.twin.at_once = uptime.abs_diff(heartbeat.uptime) <= AT_ONCE;
        }
        match (self.takes_over(now.mono), heartbeat.takes_over) {
            _ if self.at_other_board => true,
            (mine, theirs) if mine != theirs => theirs,
            (false, false) if self.twin.proofs < UNDECIDED && !self.twin.at_once => heartbeat.uptime > uptime,
            _ => heartbeat.life < life,
        }
    }

    /// This program is connected to the other board's broker.
    pub(super) const fn found_other_board(&mut self) {
        self.at_other_board = true;
    }

    /// Whether this owner is connected to the other board's broker.
    pub(super) const fn is_at_other_board(&self) -> bool {
        self.at_other_board
    }
}
