//! The monitor that is asked, and where it runs.

use std::fmt;

use crate::storage::lock::{Holder, ProcessState, RunMode};

/// The monitor that is asked.
pub(super) enum RunningMonitor {
    /// With the same state folder; and what it did when its lock was met.
    Here(Holder, ProcessState),
    /// With another one, or on another machine: no lock tells of it, its heartbeats do.
    Elsewhere,
}

impl RunningMonitor {
    /// How it can be done where the broker is away.
    pub(super) fn other_way(&self) -> &'static str {
        match self {
            Self::Here(holder, _) if holder.run_mode() == RunMode::Screen => "press the key there",
            _ => "retry when the broker is back",
        }
    }
}

impl fmt::Display for RunningMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(holder, _) => holder.fmt(f),
            Self::Elsewhere => f.write_str("with another state folder or on another machine"),
        }
    }
}
