//! The way to the broker: the latest report on each topic, never a queue.

use alloc::vec::Vec;

use super::{Effect, Ticket};
use crate::version::RunId;
use crate::wire::{Report, Topic};

/// The way to the broker. At most one report a topic is in flight; what changes meanwhile goes out after it,
/// once, as it is then.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    tickets: u64,
    slots: Vec<Publication>,
}

/// The retained report on one topic.
#[derive(Debug, Clone)]
struct Publication {
    topic: Topic,
    in_flight: Option<(Ticket, Report)>,
    /// What was handed over last, and whether it has to be handed over again.
    sent: Option<Report>,
    again: bool,
    /// What was last found on the topic is behind what belongs there: its own echo on the way, or somebody
    /// else's message. While it is, the report goes out again with each heartbeat.
    behind: bool,
    /// A broker that refuses is not asked again before the next heartbeat.
    refused: bool,
}

impl Outbox {
    /// Reports go out on these topics, in this order.
    pub(super) fn new(topics: &[Topic]) -> Self {
        let slot = |topic: &Topic| Publication {
            topic: *topic,
            in_flight: None,
            sent: None,
            again: false,
            behind: false,
            refused: false,
        };
        Self {
            tickets: 0,
            slots: topics.iter().map(slot).collect(),
        }
    }

    pub(super) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Unlike that of any other marker of this client id: the life is this program's, the ticket this
    /// connect's.
    pub(super) fn nonce(&mut self, life: RunId) -> u64 {
        (u64::from(life.0) << 32) | (self.ticket().0 & 0xFFFF_FFFF)
    }

    /// A message that is published once, whatever becomes of it.
    pub(super) fn publish(&mut self, topic: Topic, payload: Vec<u8>) -> Effect {
        let ticket = self.ticket();
        Effect::Publish {
            ticket,
            topic,
            payload,
        }
    }

    /// Whatever was sent is to be sent again.
    pub(super) fn again(&mut self) {
        for slot in &mut self.slots {
            slot.again = true;
        }
    }

    /// What was sent on this topic is to be sent again.
    pub(super) fn again_on(&mut self, topic: Topic) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.topic == topic) {
            slot.again = true;
        }
    }

    /// Something was found on a topic.
    pub(super) fn found(&mut self, topic: Topic, behind: bool) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.topic == topic) {
            slot.behind = behind;
        }
    }

    pub(super) fn connection_lost(&mut self) {
        for slot in &mut self.slots {
            slot.in_flight = None;
            slot.refused = false;
        }
    }

    /// A heartbeat is due: what the broker did not take may be offered to it again, and what is behind goes
    /// out again.
    pub(super) fn beat(&mut self) {
        for slot in &mut self.slots {
            slot.refused = false;
            slot.again |= slot.behind;
        }
    }

    pub(super) fn delivered(&mut self, ticket: Ticket) -> Option<(Topic, Report)> {
        let slot = self.slot_in_flight(ticket)?;
        let (_, report) = slot.in_flight.take()?;
        Some((slot.topic, report))
    }

    pub(super) fn undelivered(&mut self, ticket: Ticket) {
        if let Some(slot) = self.slot_in_flight(ticket) {
            slot.in_flight = None;
            slot.again = true;
            slot.refused = true;
        }
    }

    fn slot_in_flight(&mut self, ticket: Ticket) -> Option<&mut Publication> {
        let flies = |slot: &&mut Publication| slot.in_flight.is_some_and(|(flying, _)| flying == ticket);
        self.slots.iter_mut().find(flies)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.slots
            .iter()
            .any(|slot| slot.in_flight.is_some() || slot.again)
    }

    /// The report goes out if it is news on its topic, or has to go out again.
    pub(super) fn offer(&mut self, topic: Topic, report: &Report) -> Option<Ticket> {
        let ticket = Ticket(self.tickets + 1);
        let slot = self.slots.iter_mut().find(|slot| slot.topic == topic)?;
        let news = slot.again || slot.sent.as_ref() != Some(report);
        if slot.in_flight.is_some() || slot.refused || !news {
            return None;
        }
        slot.in_flight = Some((ticket, *report));
        slot.sent = Some(*report);
        slot.again = false;
        self.tickets += 1;
        Some(ticket)
    }
}
