//! What a broker keeps from a program though the connection is up.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// What this program does not get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lack {
    /// What it publishes on this topic does not come back, and nothing is restored or published before.
    Marker(String),
    /// Its heartbeats on this topic do not come back: nobody may hear them.
    Heartbeats(String),
    /// The broker takes no messages on this topic.
    Publishing {
        /// The topic.
        topic: String,
        /// The broker's reason, in words.
        why: String,
    },
}
