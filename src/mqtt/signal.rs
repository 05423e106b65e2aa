//! What the broker's thread reacts to.

use std::time::Instant;

use crossbeam_channel::Sender;
use paho_mqtt::Message;

use super::probe::Finding;
use super::{Outgoing, Problem};
use crate::machine::Ticket;

/// One stream for commands, Paho's events, and the ends of operations: what Paho saw first comes first.
pub(super) enum Signal {
    /// [`super::Broker::publish`].
    Publish(Ticket, Outgoing),
    /// [`super::Broker::retry`].
    Retry,
    /// [`super::Broker::close`]: end by then, and tell when it is done.
    Close { by: Instant, done: Sender<()> },
    /// A message of a subscription, to the client of this number.
    Arrived(u64, Box<Message>),
    /// The connection of this client has ended, or the broker has said that it ends.
    Lost(u64, Problem),
    /// The operation of this number has a result.
    Ended(u64),
    /// What the probe found out about this attempt.
    Explained(u64, Finding),
}
