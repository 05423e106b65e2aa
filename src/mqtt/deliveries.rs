//! The publishes under way on the present connection.

use std::collections::{BTreeMap, VecDeque};

use super::Problem;
use super::client::{Failure, Operation};
use crate::machine::{Event, Ticket};

/// A ticket is in here, or it has been answered; never both, never neither.
#[derive(Default)]
pub(super) struct Deliveries {
    /// The library may still hold a message whose ticket has been answered as undelivered.
    leftovers: bool,
    under_way: BTreeMap<u64, Delivery>,
}

struct Delivery {
    ticket: Ticket,
    topic: String,
    operation: Operation,
}

impl Deliveries {
    pub(super) fn add(&mut self, ticket: Ticket, topic: String, operation: Operation) {
        self.under_way.insert(
            operation.number(),
            Delivery {
                ticket,
                topic,
                operation,
            },
        );
    }

    pub(super) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Answers the ticket of this operation, if it is one of ours and has a result.
    pub(super) fn ended(&mut self, number: u64, events: &mut VecDeque<Event>) -> bool {
        let Some(outcome) = self
            .under_way
            .get_mut(&number)
            .and_then(|delivery| delivery.operation.result())
        else {
            return false;
        };
        let Some(Delivery { ticket, topic, .. }) = self.under_way.remove(&number) else {
            return false;
        };
        let refusal = match &outcome {
            Err(Failure::Known(why)) if *why != Problem::Lost => Some(Event::Refused {
                topic,
                why: why.to_string(),
                is_forbidden: *why == Problem::NotAuthorised,
            }),
            _ => None,
        };
        self.leftovers |= outcome.is_err() && refusal.is_none();
        let answer = if outcome.is_ok() {
            Event::Delivered
        } else {
            Event::Undelivered
        };
        events.extend(refusal.into_iter().chain([answer(ticket)]));
        true
    }

    /// The connection has ended: nothing is known any more of what was under way.
    pub(super) fn abandon(&mut self, events: &mut VecDeque<Event>) {
        for delivery in std::mem::take(&mut self.under_way).into_values() {
            self.leftovers = true;
            events.push_back(Event::Undelivered(delivery.ticket));
        }
    }

    /// Whether the library may hold messages that nobody waits for. Asked once a connection.
    pub(super) fn take_leftovers(&mut self) -> bool {
        std::mem::take(&mut self.leftovers)
    }
}
