//! The owner of a card and the screens of it, which are processes of their own: a Unix socket in the state
//! folder joins them.
//!
//! ```text
//!   owner --hello, then the newest view--> [socket] --> screen
//!   owner <--requests, each with a number-- [socket] <-- screen
//! ```
//!
//! `--set` and `--toggle` are a screen without a terminal: they ask in the same way, and follow the replies.
//!
//! A screen asks every few seconds whether its owner is alive, and the owner's main loop answers: so one that
//! is stopped, or hangs, is known to be. A message is a line of JSON. An owner never waits for a screen: what
//! a screen does not read is replaced by what is newer. No broker is on the way, so it works without one.

mod owner_side;
mod peer;
mod screen_side;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::command::{Answer, Change, Changes, Done, Name};
use crate::mqtt::Exposure;
use crate::sensor::{Card, PerSensor};
use crate::version::Dot;
use crate::view::View;

pub use owner_side::{FromScreen, Screens};
pub use screen_side::{NotAttached, OwnerLink};

/// The release of this program. What is said on the socket may change with each, so owner and screen have to
/// be of one; an upgrade may leave an older owner running.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A request that is older than this is not carried out any more: nobody would expect it then.
pub const REQUEST_LIVES: Duration = Duration::from_secs(8);

/// So many requests of a screen may wait for their answers. An owner remembers as many that it has done.
pub const MOST_ASKED: usize = Done::KEPT;

/// The longest line that a screen may send, in bytes. A request has under 200.
const LONGEST_REQUEST: usize = 1024;

/// What an owner says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The release of the owner.
    version: String,
    /// Its process.
    pub pid: u32,
    /// Where it runs, in words: a terminal, or that it is a service.
    pub place: String,
    /// Its broker's address, as people write it.
    pub url: String,
    /// What its connection to the broker lacks. Earlier releases do not say it, and have to be named all the
    /// same.
    #[serde(default)]
    pub exposure: Exposure,
}

/// What an owner says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FromOwner {
    Hello(Hello),
    /// There are more screens than it serves; so many.
    Full(usize),
    /// What there is to see now; of the events those that are new or have changed since the last view.
    View(Box<View>),
    Reply(Reply),
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The change has been made, and has got so far; it is said again whenever it has got further. While it
    /// is SENDING, the disk may not have it yet, and the broker may.
    Changed(Answer),
    /// It has been carried out, and what it did is on disk; or that was so before. Or it came too late, and
    /// nothing is done.
    Done(u64),
}

/// What a screen asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its number, drawn at random: asked again after the owner was started again, it is done once.
    pub id: u64,
    /// Who asks: the operator of the screen.
    pub by: Option<Name>,
    /// When it was made, in time since the machine's start.
    pub made: Duration,
    /// What.
    pub what: Asked,
}

/// What can be asked of an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// To change some of its sensors.
    Change(Changes),
    /// To take note that the operator has seen these alarms.
    Acknowledge(PerSensor<Option<Dot>>),
    /// To publish its state again.
    Publish,
    /// Not to wait any longer before it connects again: somebody is there.
    Retry,
    /// To say that it is alive, by the answer. Its main loop gives that: one that hangs has nothing to say.
    Answer,
    /// To show what there is to see, also if that has been shown.
    View,
}

/// What the next owner is asked for, of a change that an owner has made before it ended: states in the place
/// of toggles. The next owner may have them from the broker, and would undo them.
#[must_use]
pub fn made(changes: &Changes, answer: &Answer) -> Changes {
    let mut made = *changes;
    for (sensor, change) in changes.iter() {
        if let (Change::Toggle, Some((state, _))) = (change, answer.get(sensor)) {
            made.put(sensor, Some(Change::Set(state)));
        }
    }
    made
}

/// Where the owner of a card listens.
fn socket_path(folder: &Path, card: Card) -> PathBuf {
    folder.join(format!("card{}.socket", card.number()))
}

/// A message as a line.
fn line(message: &impl Serialize) -> Vec<u8> {
    // Plain values with string keys can always be written.
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}
