//! How the broker is started.

use std::path::Path;
use std::process::Command;

/// Debian keeps it out of an ordinary user's path.
pub fn mosquitto() -> Command {
    let known = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"];
    let there = known.into_iter().find(|path| Path::new(path).exists());
    Command::new(there.unwrap_or("mosquitto"))
}
