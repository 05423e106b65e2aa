//! What goes out: the retained report, heartbeats, the witness, the state file. One latest state each, never
//! a queue.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Effect, Freshness, Gate, Machine, Role};
use crate::chain::Link;
use crate::chronicle::Fact;
use crate::global::Shown;
use crate::owner::{Memory, Owner};
use crate::pulse;
use crate::reading::Versions;
use crate::sensor::{Card, SensorId};
use crate::time::{Mono, Now};
use crate::wire::{self, Entry, Heartbeat, Report, Topic};

/// How long nothing more is witnessed after a witness: the answer may be under way. The next heartbeat asks
/// again.
const WITNESS_PAUSE: Duration = Duration::from_secs(1);

/// How long a marker may take before it is published again.
const MARKER_RETRY: Duration = Duration::from_millis(500);

impl Machine {
    /// Everything that follows from the state as it is now.
    pub(super) fn settle(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.conclude(now);
        self.mind_the_rights(now);
        self.send_marker(now, effects);
        self.mind_the_disk(now);
        if self.gate == Gate::Open {
            self.send_reports(effects);
            self.send_answers(effects);
            if !self.leaving {
                self.send_heartbeat(now, effects);
            }
        }
        self.disk.end_pause(now.mono);
        if let Some(memory) = self.memory()
            && self.disk.offer(now.mono, &memory)
        {
            effects.push(Effect::Save(Box::new(memory)));
        }
        let stages = SensorId::ALL.map(|sensor| self.stage(sensor));
        self.chronicle.follow(now.mono, |sensor| stages[sensor.index()]);
    }

    /// What the state file should hold. Where there was no file, nothing is written before there is a reading
    /// of this card (from a copy or from the operator), or the restore has ended.
    fn memory(&self) -> Option<Memory> {
        let owner = self.owner.as_ref()?;
        let mut readings = *self.global.best();
        for (sensor, reading) in owner.readings().iter() {
            readings.set(sensor, reading);
        }
        let anything =
            self.restored || self.disk.holds_something() || owner.readings().iter().next().is_some();
        anything.then(|| Memory {
            readings,
            client: Some(self.client),
            done: self.desk.done(),
            ..owner.memory()
        })
    }

    /// What this owner says on a topic; `None` where it says nothing there.
    pub(super) fn report(&self, topic: Topic) -> Option<Report> {
        let owner = self.owner.as_ref().filter(|_| self.is_own_topic(topic))?;
        let mut report = Report::of(owner.readings());
        if topic != Topic::All {
            // What this program leaves behind takes the connection away from nobody.
            if !self.leaving {
                (report.life, report.connection) = (Some(self.life), Some(self.ownership.connections()));
            }
            return Some(report);
        }
        for sensor in owner.card().other().sensors() {
            match self.global.shown(sensor) {
                Some(Shown::Reading(reading)) => report.put(sensor, Entry::Reading(reading)),
                Some(Shown::Word(word)) => report.put(sensor, Entry::Plain(word.state)),
                None => {}
            }
        }
        Some(report)
    }

    /// The marker goes out if it is due. Whichever copy comes back first closes the gate.
    pub(super) fn send_marker(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let Gate::Waiting {
            nonce,
            since,
            again_at,
        } = self.gate
        else {
            return;
        };
        if now.mono < again_at {
            return;
        }
        self.gate = Gate::Waiting {
            nonce,
            since,
            again_at: now.mono.after(MARKER_RETRY),
        };
        effects.push(self.outbox.publish(Topic::Marker, wire::encode_marker(nonce)));
    }

    fn send_reports(&mut self, effects: &mut Vec<Effect>) {
        let unsaved = self.owner.is_some() && self.desk.done() != self.disk.done();
        if unsaved && self.disk.failure().is_none() {
            // Once a command, not once a key: a later life must not do it again on top of what somebody has
            // heard of it.
            return;
        }
        let Role::Monitor(card) = self.role else { return };
        for topic in [Topic::Card(card), Topic::All] {
            let Some(report) = self.report(topic) else {
                continue;
            };
            if let Some(ticket) = self.outbox.offer(topic, &report) {
                effects.push(Effect::Publish {
                    ticket,
                    topic,
                    payload: wire::encode_report(&report, topic.carries()),
                });
            }
        }
    }

    fn send_heartbeat(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let Role::Monitor(card) = self.role else {
            self.beat_due = None;
            return;
        };
        if self.beat_due.is_none_or(|due| now.mono < due) {
            return;
        }
        self.beat_due = Some(now.mono.after(pulse::INTERVAL));
        self.outbox.beat();
        let regular = self
            .last_beat
            .is_none_or(|last| last.after(pulse::INTERVAL) <= now.mono);
        self.last_beat = Some(now.mono);
        let (era, run_era) = self.owner.as_ref().map(Owner::eras).unwrap_or_default();
        let heartbeat = Heartbeat {
            life: self.life,
            uptime: now.mono.since(self.started.mono),
            era,
            run_era,
            takes_over: self.ownership.takes_over(now.mono),
            has: self.has(),
            heard: self.heard,
            joined: Some(self.joined).filter(|_| regular && card == Card::One),
            quarantined: self.quarantined,
            other_live: self.freshness(card.other()) == Freshness::Live,
            other_plain: self.global.is_plain(card.other()),
        };
        effects.push(
            self.outbox
                .publish(Topic::Alive(card), wire::encode_heartbeat(&heartbeat)),
        );
    }

    /// Says what is known here and not in the join.
    pub(super) fn send_witness(&mut self, now: Mono, effects: &mut Vec<Effect>) {
        if self.witness_due.is_some_and(|due| now < due) {
            return;
        }
        self.witness_due = Some(now.after(WITNESS_PAUSE));
        let report = Report::of(self.global.best());
        effects.push(self.outbox.publish(
            Topic::Witness,
            wire::encode_report(&report, Topic::Witness.carries()),
        ));
    }

    /// The best versions known.
    pub(super) fn has(&self) -> Versions {
        let mut versions = self.global.best().versions();
        if let Some(owner) = &self.owner {
            for sensor in owner.card().sensors() {
                versions.set(sensor, owner.readings().version(sensor));
            }
        }
        versions
    }

    /// Which links are up and which values live; notes what changed, and tells the other owner at once.
    fn conclude(&mut self, now: Now) {
        for (link, up) in self.chain.conclude(now) {
            // Of the owners' programs it is told whether their values are live or held.
            if self.chain.is_connected() && link == Link::Bridge {
                let fact = if up {
                    Fact::Up(link)
                } else {
                    Fact::Down(link, String::new())
                };
                self.chronicle.note(now.wall, fact);
            }
        }
        for card in Card::ALL {
            // The display hears card 1's state from the join, which ends the word itself.
            let speaks_here = self.role != Role::Display || card == Card::Two;
            if speaks_here && self.chain.owner(card).pulse.is_live(now.mono) {
                self.global.end_plain(card);
            }
        }
        let has = self.has();
        for card in Card::ALL {
            let plain = self.global.is_all_plain(card);
            self.chain.compare(now.mono, card, plain, &has);
            let fresh = self.judge(now, card);
            let before = core::mem::replace(&mut self.freshness[card as usize], fresh);
            let live = fresh == Freshness::Live;
            if live != (before == Freshness::Live) {
                self.beat_due = self.beat_due.map(|_| now.mono);
                let fact = match fresh {
                    Freshness::Live => Fact::Live(card),
                    Freshness::Held { broken, .. } => Fact::Held(card, broken),
                };
                self.chronicle.note(now.wall, fact);
            }
        }
    }

    fn judge(&self, now: Now, card: Card) -> Freshness {
        if self.role == Role::Monitor(card) {
            return Freshness::Live;
        }
        let relay = self.role == Role::Display;
        let broken = match self.gate {
            Gate::Open => self
                .chain
                .broken(now.mono, card, relay, self.global.is_all_plain(card)),
            Gate::Offline | Gate::Waiting { .. } => Some(Link::Broker),
        };
        match (broken, self.freshness(card)) {
            (None, _) => Freshness::Live,
            (Some(broken), Freshness::Held { since, .. }) => Freshness::Held { since, broken },
            // Out of reach since it was last proved, not since that proof ceased to hold.
            (Some(broken), Freshness::Live) => Freshness::Held {
                since: self.chain.lost_at(broken).unwrap_or(now.wall),
                broken,
            },
        }
    }

    /// The other side may be behind: the reports and a heartbeat go out at once.
    pub(super) fn speak_again(&mut self, now: Now) {
        self.outbox.again();
        self.beat_due = self.beat_due.map(|_| now.mono);
    }

    /// Whether the other side lacks something that is known here, of a card that is not this owner's.
    pub(super) fn knows_better(&self, has: &Versions) -> bool {
        let best = self.global.best().versions();
        SensorId::ALL
            .into_iter()
            .filter(|sensor| self.role != Role::Monitor(sensor.card()))
            .any(|sensor| has.is_earlier(&best, sensor))
    }
}
