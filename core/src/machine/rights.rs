//! What a broker keeps from this program though the connection is up: rights, as a rule. A broker that
//! forbids something says so of few things, and of a heartbeat or a subscription not at all. So whatever a
//! correct set-up gives at once has a limit.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::identity::Identity;
use super::restore::Restore;
use crate::lack::Lack;
use crate::pulse::TIMEOUT;
use crate::time::Mono;
use crate::wire::Topic;

/// How long the marker may take: a broker gives it back in milliseconds.
const MARKER_LIMIT: Duration = Duration::from_secs(5);

/// What is known of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Rights {
    /// When an own heartbeat last came back; the end of the restore counts as one.
    heartbeat_back: Option<Mono>,
    /// What was refused last, and when. It is published again with each heartbeat.
    refused: Option<(Lack, Mono)>,
    /// What was found last.
    lack: Option<Lack>,
    /// Of a display: where its user may not publish, as far as this connection has told.
    forbidden: Vec<Topic>,
    /// The same as far as it was ever told: that is said once.
    said: Vec<Topic>,
}

impl Rights {
    /// What the broker keeps from this program, if anything; the worst first.
    pub(super) const fn lack(&self) -> Option<&Lack> {
        self.lack.as_ref()
    }

    /// An own heartbeat came back, or the broker has just given all that it had.
    pub(super) const fn heartbeat_back(&mut self, now: Mono) {
        self.heartbeat_back = Some(now);
    }

    /// The broker does not take messages on this topic.
    pub(super) fn refused(&mut self, now: Mono, topic: String, why: String) {
        self.refused = Some((Lack::Publishing { topic, why }, now));
    }

    /// A display may not publish on this topic. It works all the same, and takes that as settled until the
    /// next connection, for which its user may have other rights. Gives whether it is to be said.
    pub(super) fn forbid(&mut self, topic: Topic) -> bool {
        if !self.forbids(topic) {
            self.forbidden.push(topic);
        }
        // The right to acknowledge is one right, though each card has its topic.
        let is_same = |said: &Topic| {
            *said == topic || matches!((said, topic), (Topic::Acknowledge(_), Topic::Acknowledge(_)))
        };
        let is_new = !self.said.iter().any(is_same);
        if is_new {
            self.said.push(topic);
        }
        is_new
    }

    /// Whether it is settled that this display may not publish on this topic.
    pub(super) fn forbids(&self, topic: Topic) -> bool {
        self.forbidden.contains(&topic)
    }

    pub(super) fn connection_lost(&mut self) {
        self.forbidden.clear();
    }

    /// Looks for what does not come; gives what is new.
    pub(super) fn look(
        &mut self,
        now: Mono,
        identity: &Identity,
        restore: &Restore,
        leaving: bool,
    ) -> Option<Lack> {
        let found = self.find(now, identity, restore, leaving);
        if found == self.lack {
            return None;
        }
        self.lack = found;
        self.lack.clone()
    }

    fn find(&self, now: Mono, identity: &Identity, restore: &Restore, leaving: bool) -> Option<Lack> {
        let over = |since: Mono, limit| since.after(limit) <= now;
        if !restore.is_done() {
            let marker = |_| Lack::Marker(Topic::Marker.name(&identity.marker));
            return restore
                .reading_since()
                .filter(|since| over(*since, MARKER_LIMIT))
                .map(marker);
        }
        let refused = self.refused.as_ref();
        if let Some((refused, _)) = refused.filter(|(_, at)| !over(*at, TIMEOUT)) {
            return Some(refused.clone());
        }
        let card = identity.card().filter(|_| !leaving)?;
        let silent = self.heartbeat_back.is_some_and(|back| over(back, TIMEOUT));
        silent.then(|| Lack::Heartbeats(Topic::Alive(card).name(&identity.marker)))
    }
}
