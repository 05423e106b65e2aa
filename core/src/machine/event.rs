//! What goes into a machine, and what comes out of it.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::command::{Command, Name};
use crate::names::Names;
use crate::owner::Memory;
use crate::sensor::{Card, PerSensor, SensorId};
use crate::time::Now;
use crate::version::{Dot, RunId};
use crate::wire::Topic;

/// What a program is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Owns a card; card 2's owner joins both.
    Monitor(Card),
    /// Shows everything, owns nothing.
    Display,
}

impl Role {
    /// The MQTT client id with this number in it.
    #[must_use]
    pub fn client_id(self, client: u32) -> String {
        match self {
            Self::Monitor(card) => format!("card{}_monitor-{client:08x}", card.number()),
            Self::Display => format!("card2_global_display-{client:08x}"),
        }
    }
}

/// What the shell found out before the machine starts.
#[derive(Debug, Clone)]
pub struct Setup {
    /// What the program is there for.
    pub role: Role,
    /// The number in its MQTT client id: an owner's own, kept in its state file, so that two owners are both
    /// connected and hear each other.
    pub client: u32,
    /// Drawn at random.
    pub life: RunId,
    /// What the state file holds; on a failure, in words, why it cannot be believed. A display has none.
    pub memory: Result<Memory, String>,
    /// What an owner's sensors are called; `None` if it was not told, and keeps the names that its broker
    /// has.
    pub names: Option<Names>,
    /// The name by which its broker knows it, where it has one.
    pub user: Option<String>,
    /// Whether it was started to take over from another owner, wherever that runs.
    pub takes_over: bool,
    /// The moment of the start.
    pub started: Now,
}

/// Names a publication, so that its fate can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Connected, and every subscription granted. It says nothing about retained messages, which come later.
    Connected,
    /// An attempt to connect failed, or the connection was lost.
    Disconnected {
        /// In words.
        why: String,
        /// When the next attempt is made.
        retry_in: Duration,
    },
    /// A message arrived.
    Message {
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: Vec<u8>,
        /// Whether the broker had it in store.
        retained: bool,
    },
    /// A publication's handshake is complete.
    Delivered(Ticket),
    /// Whether a publication was delivered is not known, and will not be.
    Undelivered(Ticket),
    /// The broker does not take this program's messages on a topic. The ticket's answer follows.
    Refused {
        /// Its name.
        topic: String,
        /// Why, in words.
        why: String,
        /// Whether its access rules forbid it: asking again changes nothing.
        is_forbidden: bool,
    },
    /// The memory of the last [`Effect::Save`] is on disk, durably.
    Saved,
    /// It could not be written; in words.
    NotSaved(String),
    /// What was saved before is not on disk any more; in words.
    FileGone(String),
    /// The log file cannot be written; in words.
    NotLogged(String),
    /// It can be written again.
    LoggedAgain,
    /// The command that the shell runs at each alarm has failed; in words.
    AlarmCommandFailed(String),
    /// The operator toggles an own sensor.
    Toggle(SensorId),
    /// The operator asks for states of own sensors on the command line; done at once, as a key is.
    Command(Box<Command>),
    /// The operator has seen these alarms.
    Acknowledge {
        /// Of each sensor the alarm that was on the screen.
        alarms: PerSensor<Option<Dot>>,
        /// Who it is.
        by: Option<Name>,
    },
    /// The operator asks to publish the present state again.
    Publish,
    /// The program is about to end.
    Leave,
    /// [`super::Machine::deadline`] has come.
    Tick,
}

/// Something that the shell is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Publish, and say what became of it.
    Publish {
        /// Its name.
        ticket: Ticket,
        /// On which topic; its name, quality of service and retain flag follow.
        topic: Topic,
        /// The payload.
        payload: Vec<u8>,
    },
    /// Write the state file. One at a time: the next comes after the answer.
    Save(Box<Memory>),
    /// End: of two owners of this card the other one stays.
    StopForTwin,
    /// End: another owner of this card was started to take over.
    StopTakenOver,
}
