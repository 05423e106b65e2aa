//! What goes out: the retained report, heartbeats, the witness, the state file. One latest state each, never a queue.

use std::time::Duration;

use super::{Effect, Freshness, Gate, Machine, Role};
use crate::chain::Link;
use crate::chronicle::Fact;
use crate::global::Shown;
use crate::owner::Memory;
use crate::pulse;
use crate::reading::Versions;
use crate::sensor::{Card, SensorId};
use crate::time::{Mono, Now};
use crate::wire::{self, Entry, Heartbeat, Report, Topic};

/// How long nothing more is witnessed after a witness: the answer may be under way. The next heartbeat asks again.
const WITNESS_PAUSE: Duration = Duration::from_secs(1);

/// How long until what was queued for the other board has arrived there, or the connection has been given up: the bridge's keep-alive.
const QUEUED: Duration = Duration::from_secs(5);

/// How long a marker may take before it is published again.
const MARKER_RETRY: Duration = Duration::from_secs(3);

impl Machine {
    /// Everything that follows from the state as it is now.
    pub(super) fn settle(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.conclude(now);
        self.outrank(now);
        self.send_marker(now, effects);
        self.mind_the_disk(now);
        if self.gate == Gate::Open {
            self.send_report(effects);
            self.send_answers(effects);
            if !self.leaving {
                self.send_heartbeat(now, effects);
            }
            self.send_copy(false, effects);
        }
        self.disk.end_pause(now.mono);
        if let (Some(owner), true) = (&self.owner, self.restored || self.has_toggled()) {
            let mut readings = *self.global.best();
            for (sensor, reading) in owner.readings().iter() {
                readings.set(sensor, reading);
            }
            let memory = Memory {
                readings,
                done: self.desk.done(),
                ..owner.memory()
            };
            if self.disk.offer(now.mono, &memory) {
                effects.push(Effect::Save(Box::new(memory)));
            }
        }
        let stages = SensorId::ALL.map(|sensor| self.stage(sensor));
        self.chronicle.follow(now.mono, |sensor| stages[sensor.index()]);
    }

    /// What must not win is outranked, once everybody in reach has heard what this owner found, twice.
    fn outrank(&mut self, now: Now) {
        if let (Some(_), Some(owner)) = (self.outranks_at.take_if(|at| *at <= now.mono), &mut self.owner) {
            owner.outrank();
        }
    }

    /// Before the first gate closes only a toggle is worth a write: nothing else has happened yet.
    fn has_toggled(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.used() > 0)
    }

    /// What this owner says on its retained topic.
    pub(super) fn report(&self) -> Option<(Topic, Report)> {
        let owner = self.owner.as_ref()?;
        let mut report = Report::of(owner.readings());
        if owner.card() == Card::One {
            return Some((Topic::Card1, report));
        }
        for sensor in Card::One.sensors() {
            match self.global.shown(sensor) {
                Some(Shown::Reading(reading)) => report.put(sensor, Entry::Reading(reading)),
                Some(Shown::Word(word)) => report.put(sensor, Entry::Plain(word.state)),
                None => {}
            }
        }
        Some((Topic::All, report))
    }

    /// The marker goes out if it is due. Whichever copy comes back first closes the gate.
    pub(super) fn send_marker(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let Gate::Waiting { nonce, again_at } = self.gate else {
            return;
        };
        if now.mono < again_at {
            return;
        }
        self.gate = Gate::Waiting {
            nonce,
            again_at: now.mono.after(MARKER_RETRY),
        };
        effects.push(Effect::Publish {
            ticket: self.outbox.ticket(),
            topic: Topic::Marker,
            payload: wire::encode_marker(nonce),
        });
    }

    fn send_report(&mut self, effects: &mut Vec<Effect>) {
        let unsaved = self.desk.done() != self.disk.done()
            || self
                .owner
                .as_ref()
                .is_some_and(|owner| owner.used() > self.disk.reserved());
        if unsaved && self.disk.failure().is_none() {
            // Once an incarnation, not once a key: a later life must find it, or it might use it again. And once a command: a later
            // life must not do it again on top of what somebody has heard of it.
            return;
        }
        if let Some(owner) = self
            .owner
            .as_mut()
            .filter(|owner| unsaved && self.disk.era() == Some(owner.life().era()))
        {
            owner.branch_off(self.disk.reserved());
        }
        let Some((topic, report)) = self.report() else {
            return;
        };
        if let Some(ticket) = self.outbox.offer(&report) {
            effects.push(Effect::Publish {
                ticket,
                topic,
                payload: wire::encode_report(&report, topic.carries()),
            });
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
        self.outbox.may_try_again();
        let across = self.copies.across.take_if(|due| *due <= now.mono);
        if self.copies.echo || self.copies.own_topic || across.is_some() {
            self.outbox.again();
        }
        self.send_copy(true, effects);
        if let Some(claim) = self.tenancy.claim(self.life) {
            effects.push(Effect::Publish {
                ticket: self.outbox.ticket(),
                topic: Topic::Claim(card),
                payload: wire::encode_claim(&claim),
            });
        }
        let heartbeat = Heartbeat {
            life: self.life,
            uptime: now.mono.since(self.started.mono),
            has: self.has(),
            heard: self.heard,
            refused: self.refused.above(self.global.best()),
            other_live: self.freshness(card.other()) == Freshness::Live,
            other_plain: self.global.is_plain(card.other()),
        };
        effects.push(Effect::Publish {
            ticket: self.outbox.ticket(),
            topic: Topic::Alive(card),
            payload: wire::encode_heartbeat(&heartbeat),
        });
    }

    /// Says what is known here and not in the join.
    pub(super) fn send_witness(&mut self, now: Mono, effects: &mut Vec<Effect>) {
        if self.witness_due.is_some_and(|due| now < due) {
            return;
        }
        self.witness_due = Some(now.after(WITNESS_PAUSE));
        let report = Report::of(self.global.best());
        effects.push(Effect::Publish {
            ticket: self.outbox.ticket(),
            topic: Topic::Witness,
            payload: wire::encode_report(&report, Topic::Witness.carries()),
        });
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
                if up {
                    self.speak_again(now);
                }
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
            self.chain.compare(
                now.mono,
                card,
                plain,
                |said| said.same(&has, card),
                |said| {
                    has.above(&said.has)
                        .of(card)
                        .all(|version| version.life.is_of(said.life))
                },
            );
            let fresh = self.judge(now, card);
            let before = std::mem::replace(&mut self.freshness[card as usize], fresh);
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

    /// The other side may be behind: the report and a heartbeat go out at once.
    pub(super) fn speak_again(&mut self, now: Now) {
        self.report_again(now);
        self.beat_due = self.beat_due.map(|_| now.mono);
    }

    /// Something else may lie where the report should, here or at the other board: it goes out at once, and once more when it meets no queue.
    pub(super) fn report_again(&mut self, now: Now) {
        self.outbox.again();
        self.copies.across = Some(now.mono.after(QUEUED));
    }

    /// Whether the other side lacks something that is known here, of a card that is not this owner's.
    pub(super) fn knows_better(&self, has: &Versions) -> bool {
        let best = self.global.best().versions();
        SensorId::ALL
            .into_iter()
            .filter(|sensor| self.role != Role::Monitor(sensor.card()))
            .any(|sensor| has.get(sensor) < best.get(sensor))
    }
}
