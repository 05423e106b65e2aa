//! What the library's threads and the look for a cause have to say.

use paho_mqtt::Message;

use super::Problem;
use super::client::NewClient;
use super::probe::Finding;

/// One thing that has happened. All come on one channel, so that what Paho saw first comes first.
pub struct Signal(pub(super) What);

pub(super) enum What {
    /// A message of a subscription, to the client of this number.
    Arrived(u64, Box<Message>),
    /// The connection of this client has ended, or the broker has said that it ends.
    Lost(u64, Problem),
    /// The operation of this number has a result.
    Ended(u64),
    /// What the probe found out about this attempt.
    Explained(u64, Finding),
    /// A new client is there, in the place of one that hangs; `None` if there is none to be had.
    Renewed(Option<NewClient>),
}
