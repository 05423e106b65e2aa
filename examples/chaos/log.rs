//! The record of a campaign: one JSON object a line, in the order in which things were seen.
//!
//! It is all that the checker (`tests/chaos/checker.py`) gets to see, so all that it needs must be in here.

use std::fmt::Debug;
use std::fs::File;
use std::io::Write;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

/// By the monotonic clock.
pub fn now() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Monotonic)).expect("a time after the machine's start")
}

/// `RolledBack` is "rolled back" in the log.
pub fn name(of: impl Debug) -> String {
    let mut name = String::new();
    for letter in format!("{of:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push(' ');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

static LOG: OnceLock<File> = OnceLock::new();

/// Where events go from now on.
pub fn open(path: &str) {
    LOG.get_or_init(|| File::create(path).expect("a new log"));
}

/// Writes one event: `t`, now by the monotonic clock, `e`, what it is, and details, as a JSON object.
pub fn event(name: &str, details: &Value) {
    let details = details.to_string();
    let t = now().as_secs_f64();
    let line = format!("{{\"t\":{t:.4},\"e\":\"{name}\",{}\n", &details[1..]);
    let mut log = LOG.get().expect("an open log");
    log.write_all(line.as_bytes()).expect("writing the log");
}

/// `log!("kill", {"who": "card1"})`
macro_rules! log {
    ($name:expr, $details:tt) => {
        $crate::log::event($name, &serde_json::json!($details))
    };
}
pub(crate) use log;
