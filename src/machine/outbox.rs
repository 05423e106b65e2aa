//! The way to the broker: one latest report, never a queue.

use super::{Effect, Ticket};
use crate::reading::Versions;
use crate::sensor::Card;
use crate::version::Life;
use crate::wire::{self, Report, Topic};

/// The way to the broker. At most one retained report is in flight; what changes meanwhile goes out after it, once, as it is then.
#[derive(Debug, Clone, Default)]
pub(super) struct Outbox {
    tickets: u64,
    in_flight: Option<(Ticket, Report)>,
    /// What was handed over last, and whether it has to be handed over again.
    sent: Option<Report>,
    again: bool,
    /// A broker that refuses is not asked again before the next heartbeat.
    refused: bool,
}

impl Outbox {
    pub(super) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Unlike that of any other marker of this client id: the life is this program's, the ticket this connect's.
    pub(super) fn nonce(&mut self, life: Life) -> u64 {
        (u64::from(life.0) << 32) | (self.ticket().0 & 0xFFFF_FFFF)
    }

    /// The heartbeat that ends all heartbeats of this life.
    pub(super) fn last_word(&mut self, card: Card, life: Life) -> Effect {
        Effect::Publish {
            ticket: self.ticket(),
            topic: Topic::Alive(card),
            payload: wire::encode_last_will(life),
        }
    }

    /// Whatever was sent is to be sent again.
    pub(super) fn again(&mut self) {
        self.again = true;
    }

    pub(super) fn connection_lost(&mut self) {
        self.in_flight = None;
        self.again = true;
        self.refused = false;
    }

    /// What the broker did not take may be offered to it again.
    pub(super) fn may_try_again(&mut self) {
        self.refused = false;
    }

    pub(super) fn delivered(&mut self, ticket: Ticket) -> Option<Versions> {
        let (_, report) = self.in_flight.take_if(|(flying, _)| *flying == ticket)?;
        Some(report.versions())
    }

    pub(super) fn undelivered(&mut self, ticket: Ticket) {
        if self.in_flight.take_if(|(flying, _)| *flying == ticket).is_some() {
            self.again = true;
            self.refused = true;
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.is_some() || self.again
    }

    /// The report goes out if it is news, or has to go out again.
    pub(super) fn offer(&mut self, report: &Report) -> Option<Ticket> {
        if self.in_flight.is_some() || self.refused || !(self.again || self.sent.as_ref() != Some(report)) {
            return None;
        }
        let ticket = self.ticket();
        self.in_flight = Some((ticket, *report));
        self.sent = Some(*report);
        self.again = false;
        Some(ticket)
    }
}
