//! The owner of a card and the screens of it, which are processes of their own: a Unix socket in the state
//! folder joins them.
//!
//! ```text
//!   owner --hello, then the newest view--> [socket] --> screen
//!   owner <--requests, each with a number-- [socket] <-- screen
//! ```
//!
//! A message is a line of JSON. An owner never waits for a screen: what a screen does not read is replaced by
//! what is newer. No broker is on the way, so it works without one.

mod owner_side;
mod peer;
mod screen_side;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::command::Name;
use crate::sensor::{Card, SensorId};
use crate::view::View;

pub use owner_side::{FromScreen, Screens};
pub use screen_side::{Attached, NotAttached};

/// The version of what is said on the socket. Owner and screen are of one release as a rule; an upgrade may
/// leave an older owner running.
const PROTOCOL: u32 = 1;

/// The longest line that a screen may send, in bytes. A request has 100.
const LONGEST_REQUEST: usize = 1024;

/// What an owner says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`].
    protocol: u32,
    /// The release of the owner.
    version: String,
    /// Its process.
    pub pid: u32,
    /// Where it runs, in words: a terminal, or that it is a service.
    pub place: String,
    /// Its broker's address, as people write it.
    pub url: String,
}

/// What an owner says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FromOwner {
    Hello(Hello),
    /// There are more screens than it serves; so many.
    Full(usize),
    /// What there is to see now.
    View(Box<View>),
    /// This request has been carried out, or was before.
    Done(u64),
}

/// What a screen asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its number, drawn at random: asked again after the owner was started again, it is done once.
    pub id: u64,
    /// Which screen it is, for the event log.
    pub by: Option<Name>,
    /// What.
    pub what: Asked,
}

/// What can be asked of an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// To toggle one of its sensors.
    Toggle(SensorId),
    /// To publish its state again.
    Publish,
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
