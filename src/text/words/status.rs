//! How a monitor is, in one line.

use crate::chain::{Connection, Status};
use crate::sensor::State;
use crate::text::plain_text::plain_text;
use crate::text::words;
use crate::view::View;

/// How a monitor is, in one line without times, which says the same as long as nothing has changed.
#[must_use]
pub fn status(view: &View, url: &str) -> String {
    let links = &view.links;
    let mut parts = vec![match &links.connection {
        Connection::Trying => format!("connecting to {url}"),
        Connection::Up { .. } => format!("connected to {url}"),
        Connection::Down { why, .. } => format!("no connection to {url}: {why}"),
    }];
    if let Some(of) = &view.lack {
        let [_, short, _] = words::lack(of, links.home);
        parts.push(short);
    }
    let states = links.home.sensors().map(|sensor| view.state(sensor));
    let counts: Vec<String> = [Some(State::Ok), Some(State::Ko), None]
        .into_iter()
        .map(|state| (states.iter().filter(|one| **one == state).count(), state))
        .filter(|(count, _)| *count > 0)
        .map(|(count, state)| format!("{count} {}", words::state(state)))
        .collect();
    parts.push(counts.join(", "));
    if let Some(why) = &view.disk_failure {
        parts.push(format!("not saved: {why}"));
    }
    if links.is_connected() {
        let bridge = match links.bridge.status {
            Status::Up(_) => "up",
            _ if links.bridge.is_ended => "down",
            Status::Down(_) => "silent",
            Status::Waiting => "not heard yet",
        };
        parts.push(format!("bridge {bridge}"));
    }
    plain_text(&parts.join("; ")).into_owned()
}
