//! Where the state is restored: on each connect all that the broker has is read before anything is said.

use core::time::Duration;

use crate::sensor::{PerSensor, SensorId, State};
use crate::time::Mono;

/// How long a marker may take before it is published again: a full queue drops the newest message.
const MARKER_RETRY: Duration = Duration::from_millis(500);

/// How far this connection's restore has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Offline,
    /// Everything that the broker has retained or queued comes before this marker.
    Reading {
        nonce: u64,
        since: Mono,
        marker_at: Mono,
    },
    Done,
}

/// The restore: reading to the end what the broker has, on each connect anew.
#[derive(Debug, Clone)]
pub(super) struct Restore {
    phase: Phase,
    /// Whether one has ever ended.
    ever_done: bool,
    /// Words of plain programs for own sensors, met before the first one ended.
    plain: PerSensor<Option<State>>,
}

impl Restore {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Offline,
            ever_done: false,
            plain: PerSensor::default(),
        }
    }

    /// The connection is up; this marker is the end of what the broker has.
    pub(super) const fn begin(&mut self, now: Mono, nonce: u64) {
        self.phase = Phase::Reading {
            nonce,
            since: now,
            marker_at: now,
        };
    }

    pub(super) const fn connection_lost(&mut self) {
        self.phase = Phase::Offline;
    }

    /// The marker to publish now, if it is due.
    pub(super) fn marker_due(&mut self, now: Mono) -> Option<u64> {
        match &mut self.phase {
            Phase::Reading { nonce, marker_at, .. } if *marker_at <= now => {
                *marker_at = now.after(MARKER_RETRY);
                Some(*nonce)
            }
            _ => None,
        }
    }

    /// When the marker is due again.
    pub(super) const fn deadline(&self) -> Option<Mono> {
        match self.phase {
            Phase::Reading { marker_at, .. } => Some(marker_at),
            Phase::Offline | Phase::Done => None,
        }
    }

    /// Whether this is the marker that is waited for. Whichever copy comes back first ends the restore.
    pub(super) fn is_ended_by(&self, back: u64) -> bool {
        matches!(self.phase, Phase::Reading { nonce, .. } if nonce == back)
    }

    /// The marker has come back: all that the broker had is known. Gives whether that is so for the first
    /// time.
    pub(super) fn end(&mut self) -> bool {
        self.phase = Phase::Done;
        !core::mem::replace(&mut self.ever_done, true)
    }

    /// Whether this connection is up, and all that the broker had is known.
    pub(super) fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// Whether one has ever ended.
    pub(super) const fn was_ever_done(&self) -> bool {
        self.ever_done
    }

    /// Since when the marker is waited for, if it is.
    pub(super) const fn reading_since(&self) -> Option<Mono> {
        match self.phase {
            Phase::Reading { since, .. } => Some(since),
            Phase::Offline | Phase::Done => None,
        }
    }

    /// A plain program's word for an own sensor turned up.
    pub(super) fn found_plain(&mut self, sensor: SensorId, state: State) {
        self.plain[sensor] = Some(state);
    }

    /// The words of plain programs that were found.
    pub(super) const fn plain(&self) -> PerSensor<Option<State>> {
        self.plain
    }
}
