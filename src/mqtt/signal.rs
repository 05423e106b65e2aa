//! What the library's threads and the look for a cause have to say.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use paho_mqtt::{Message, QoS};

use super::Problem;
use super::client::NewClient;
use super::probe::Finding;

/// One thing that has happened. All come on one channel, so that what Paho saw first comes first.
pub struct Signal(pub(super) What);

pub(super) enum What {
    /// A message of a subscription, to the client of this number.
    Arrived(u64, Box<Message>, Superseded),
    /// The connection of this client has ended, or the broker has said that it ends.
    Lost(u64, Problem),
    /// The operation of this number has a result.
    Ended(u64),
    /// What the probe found out about this attempt.
    Explained(u64, Finding),
    /// A new client is there, in the place of one that hangs; `None` if there is none to be had.
    Renewed(Option<NewClient>),
}

/// Whether a message need not be taken in any more, since a later one is there.
#[derive(Default, Clone)]
pub(super) struct Superseded(Arc<AtomicBool>);

impl Superseded {
    pub(super) fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The last message of `QoS` 0 on each topic. Without it, what comes faster than it can be taken in would
/// pile up without end: Paho reads on, so the broker never learns that it is too fast.
#[derive(Default)]
pub(super) struct LastOnTopic(BTreeMap<String, Superseded>);

impl LastOnTopic {
    /// A message has come, while so many signals wait. If these are many, the message of `QoS` 0 before it on
    /// its topic is superseded: a broker too drops such messages when it has to, and tells whoever subscribes
    /// later only the last one.
    pub(super) fn note(&mut self, message: &Message, waiting: usize) -> Superseded {
        let note = Superseded::default();
        if message.qos() == QoS::AtMostOnce {
            if let Some(last) = self.0.get_mut(message.topic()) {
                last.0.store(waiting > MOST_WAITING, Ordering::Relaxed);
                *last = note.clone();
            } else {
                self.0.insert(message.topic().to_owned(), note.clone());
            }
        }
        note
    }
}

/// So many signals wait at times also where nobody floods a topic: what a broker has for a new connection.
const MOST_WAITING: usize = 64;
