//! What a broker keeps from this program though the connection is up: rights, as a rule. A broker that
//! forbids something says so of few things, and of a heartbeat or a subscription not at all. So whatever a
//! correct set-up gives at once has a limit.

use alloc::string::String;
use core::time::Duration;

use super::{Gate, Machine, Role};
use crate::chronicle::Fact;
use crate::pulse::TIMEOUT;
use crate::time::{Mono, Now};
use crate::wire::Topic;

/// How long the marker may take: a broker gives it back in milliseconds.
const MARKER_LIMIT: Duration = Duration::from_secs(5);

/// What this program does not get.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// What is known of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Lacks {
    /// When an own heartbeat last came back; the gate's closing counts as one.
    pub(super) heartbeat_back: Option<Mono>,
    /// What was refused last, and when. It is published again with each heartbeat.
    refused: Option<(Lack, Mono)>,
    /// What was found last.
    found: Option<Lack>,
}

impl Machine {
    /// What the broker keeps from this program, if anything; the worst first.
    #[must_use]
    pub const fn lack(&self) -> Option<&Lack> {
        self.lacks.found.as_ref()
    }

    /// The broker does not take messages on this topic.
    pub(super) fn refused(&mut self, now: Mono, topic: String, why: String) {
        self.lacks.refused = Some((Lack::Publishing { topic, why }, now));
    }

    /// Looks for what does not come, and notes what is new.
    pub(super) fn mind_the_rights(&mut self, now: Now) {
        let found = self.find_lack(now.mono);
        if found != self.lacks.found {
            if let Some(lack) = &found {
                self.chronicle.note(now.wall, Fact::Lacks(lack.clone()));
            }
            self.lacks.found = found;
        }
    }

    fn find_lack(&self, now: Mono) -> Option<Lack> {
        let over = |since: Mono, limit| since.after(limit) <= now;
        match self.gate {
            Gate::Offline => return None,
            Gate::Waiting { since, .. } => {
                let marker = || Lack::Marker(Topic::Marker.name(&self.client_id));
                return over(since, MARKER_LIMIT).then(marker);
            }
            Gate::Open => {}
        }
        let refused = self.lacks.refused.as_ref();
        if let Some((refused, _)) = refused.filter(|(_, at)| !over(*at, TIMEOUT)) {
            return Some(refused.clone());
        }
        let Role::Monitor(card) = self.role else {
            return None;
        };
        let back = self.lacks.heartbeat_back.filter(|_| !self.leaving);
        let silent = back.is_some_and(|back| over(back, TIMEOUT));
        silent.then(|| Lack::Heartbeats(Topic::Alive(card).name(&self.client_id)))
    }
}
