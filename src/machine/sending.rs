//! What goes out: the retained report, heartbeats, the witness, the state file. One latest state each, never a queue.

use std::time::Duration;

use super::{Effect, Freshness, Gate, Machine, Role, Ticket};
use crate::chain::Link;
use crate::chronicle::Fact;
use crate::global::Shown;
use crate::owner::Memory;
use crate::pulse;
use crate::reading::Versions;
use crate::sensor::{Card, SensorId};
use crate::time::{Mono, Now};
use crate::version::Life;
use crate::wire::{self, Entry, Heartbeat, Report, Topic};

/// How long to wait before the state file is tried again after a failure, if nothing changes before.
const DISK_RETRY: Duration = Duration::from_secs(5);

/// The way to the broker. At most one retained report is in flight; what changes meanwhile goes out after it, once, as it is then.
#[derive(Debug, Clone, Default)]
pub(super) struct Outbox {
    tickets: u64,
    in_flight: Option<(Ticket, Report)>,
    /// What was handed over last, and whether it has to be handed over again.
    sent: Option<Report>,
    again: bool,
    /// A broker that refuses is not asked again before the next heartbeat.
    refused: bool,
}

impl Outbox {
    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    pub(super) fn marker(&mut self, life: Life) -> (u64, Effect) {
        let ticket = self.ticket();
        // Unlike any other marker of this client id: the life is this program's, the ticket this connect's.
        let nonce = (u64::from(life.0) << 32) | (ticket.0 & 0xFFFF_FFFF);
        let marker = Effect::Publish {
            ticket,
            topic: Topic::Marker,
            payload: wire::encode_marker(nonce),
        };
        (nonce, marker)
    }

    /// The heartbeat that ends all heartbeats of this life.
    pub(super) fn last_word(&mut self, card: Card, life: Life) -> Effect {
        Effect::Publish {
            ticket: self.ticket(),
            topic: Topic::Alive(card),
            payload: wire::encode_last_will(life),
        }
    }

    /// Whatever was sent is to be sent again.
    pub(super) fn again(&mut self) {
        self.again = true;
    }

    pub(super) fn connection_lost(&mut self) {
        self.in_flight = None;
        self.again = true;
        self.refused = false;
    }

    pub(super) fn delivered(&mut self, ticket: Ticket) -> Option<Versions> {
        let (_, report) = self.in_flight.take_if(|(flying, _)| *flying == ticket)?;
        Some(report.versions())
    }

    pub(super) fn undelivered(&mut self, ticket: Ticket) {
        if self.in_flight.take_if(|(flying, _)| *flying == ticket).is_some() {
            self.again = true;
            self.refused = true;
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.is_some() || self.again
    }

    /// The report goes out if it is news, or has to go out again.
    fn offer(&mut self, report: &Report) -> Option<Ticket> {
        if self.in_flight.is_some() || self.refused || !(self.again || self.sent.as_ref() != Some(report)) {
            return None;
        }
        let ticket = self.ticket();
        self.in_flight = Some((ticket, *report));
        self.sent = Some(*report);
        self.again = false;
        Some(ticket)
    }
}

/// The way to the state file: one write at a time, of the latest memory.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    holds: Option<Memory>,
    writing: Option<Memory>,
    failure: Option<String>,
    retry_at: Option<Mono>,
}

impl Disk {
    pub(super) fn holding(memory: Option<&Memory>) -> Self {
        Self {
            holds: memory.copied(),
            writing: None,
            failure: None,
            retry_at: None,
        }
    }

    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    pub(super) const fn retry_at(&self) -> Option<Mono> {
        self.retry_at
    }

    pub(super) const fn is_settled(&self) -> bool {
        self.writing.is_none()
    }

    fn offer(&mut self, now: Mono, memory: &Memory) -> bool {
        let waits = self.retry_at.is_some_and(|at| now < at);
        if self.writing.is_some() || self.holds.as_ref() == Some(memory) || waits {
            return false;
        }
        self.retry_at = None;
        self.writing = Some(*memory);
        true
    }
}

impl Machine {
    pub(super) fn saved(&mut self, now: Now) {
        if let Some(memory) = self.disk.writing.take() {
            self.disk.holds = Some(memory);
            self.progress.durable = memory.readings.versions();
        }
        if self.disk.failure.take().is_some() {
            self.chronicle.note(now.wall, Fact::SavedAgain);
        }
    }

    pub(super) fn not_saved(&mut self, now: Now, why: String) {
        self.disk.writing = None;
        self.disk.retry_at = Some(now.mono.after(DISK_RETRY));
        if self.disk.failure.as_ref() != Some(&why) {
            self.chronicle.note(now.wall, Fact::NotSaved(why.clone()));
        }
        self.disk.failure = Some(why);
    }

    /// Everything that follows from the state as it is now.
    pub(super) fn settle(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.conclude(now);
        if self.gate == Gate::Open {
            self.send_report(effects);
            if !self.leaving {
                self.send_heartbeat(now, effects);
            }
        }
        if let (Some(owner), true) = (&self.owner, self.restored || self.has_toggled()) {
            let mut readings = *self.global.best();
            for (sensor, reading) in owner.readings().iter() {
                readings.set(sensor, reading);
            }
            let memory = Memory {
                readings,
                asserted: owner.asserted(),
            };
            if self.disk.offer(now.mono, &memory) {
                effects.push(Effect::Save(Box::new(memory)));
            }
        }
        let progress = self.progress;
        self.chronicle
            .follow(now.mono, |sensor, version| progress.stage(sensor, version));
    }

    /// Before the first gate closes only a toggle is worth a write: nothing else has happened yet.
    fn has_toggled(&self) -> bool {
        let life = self.life;
        self.owner.as_ref().is_some_and(|owner| {
            owner
                .readings()
                .iter()
                .any(|(_, reading)| reading.version.life == life)
        })
    }

    /// What this owner says on its retained topic.
    pub(super) fn report(&self) -> Option<(Topic, Report)> {
        let owner = self.owner.as_ref()?;
        let mut report = Report::of(owner.readings(), owner.asserted());
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

    fn send_report(&mut self, effects: &mut Vec<Effect>) {
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
        self.outbox.refused = false;
        if self.plain_echo_behind && self.freshness(card.other()) == Freshness::Live {
            self.outbox.again();
        }
        let heartbeat = Heartbeat {
            life: self.life,
            uptime: now.mono.since(self.started.mono),
            has: self.has(),
            heard: self.heard,
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
    pub(super) fn send_witness(&mut self, effects: &mut Vec<Effect>) {
        let report = Report::of(self.global.best(), None);
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
                .broken(now.mono, card, relay, self.global.is_plain(card)),
            Gate::Offline | Gate::Waiting(_) => Some(Link::Broker),
        };
        match (broken, self.freshness(card)) {
            (None, _) => Freshness::Live,
            (Some(broken), Freshness::Held { since, .. }) => Freshness::Held { since, broken },
            (Some(broken), Freshness::Live) => Freshness::Held {
                since: now.wall,
                broken,
            },
        }
    }

    /// The other side may be behind: the report and a heartbeat go out at once.
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
            .any(|sensor| has.get(sensor) < best.get(sensor))
    }
}
