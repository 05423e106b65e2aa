//! What comes in: which message is taken from whom, and what it leads to.

use alloc::vec::Vec;
use core::time::Duration;

use super::{Effect, Gate, Machine, Role};
use crate::chronicle::Fact;
use crate::reading::{Merge, Reading, Versions};
use crate::sensor::{Card, SensorId, State};
use crate::time::Now;
use crate::wire::{self, Entry, Malformed, Message, Report, Topic};

/// How long what is said again waits for the answer to what was said before: two owners that contradict each
/// other do not flood the brokers.
pub(super) const ANSWER_PAUSE: Duration = Duration::from_millis(250);

/// A message about sensors, with what matters about its arrival.
#[derive(Clone, Copy)]
pub(super) struct Arrival {
    pub(super) now: Now,
    pub(super) topic: Topic,
    /// The broker had not kept it: it was sent just now, or queued for this session.
    pub(super) live: bool,
}

impl Machine {
    /// Whether this program listens to a topic.
    pub(super) fn listens_to(&self, topic: Topic) -> bool {
        match topic {
            Topic::All | Topic::Alive(_) | Topic::Marker | Topic::Uptime(_) | Topic::Bridge(_) => true,
            Topic::Card(_) => self.role != Role::Display,
            Topic::Witness => self.role == Role::Monitor(Card::Two),
            Topic::Set(card) | Topic::ReadBack(card) => self.role == Role::Monitor(card),
            Topic::Answer(_) => false,
        }
    }

    /// Whether this owner publishes its state on a topic.
    pub(super) fn is_own_topic(&self, topic: Topic) -> bool {
        match self.role {
            Role::Monitor(card) => topic == Topic::Card(card) || (card == Card::Two && topic == Topic::All),
            Role::Display => false,
        }
    }

    /// The topic on which the other owner publishes its report; for the display, the join.
    pub(super) const fn other_topic(&self) -> Topic {
        match self.role {
            Role::Monitor(card) => Topic::Card(card.other()),
            Role::Display => Topic::All,
        }
    }

    /// The topic on which a plain program in the place of the other owner speaks.
    const fn word_topic(&self) -> Topic {
        match self.role {
            Role::Monitor(Card::Two) => Topic::Card(Card::One),
            Role::Monitor(Card::One) | Role::Display => Topic::All,
        }
    }

    pub(super) fn message(
        &mut self,
        now: Now,
        name: &str,
        payload: &[u8],
        retained: bool,
        effects: &mut Vec<Effect>,
    ) {
        let Some(topic) = Topic::parse(name, &self.client_id).filter(|topic| self.listens_to(*topic)) else {
            return;
        };
        let live = !retained && self.gate == Gate::Open;
        let arrival = Arrival { now, topic, live };
        match wire::decode(topic, payload) {
            Ok(Message::Report(report)) => self.report_heard(arrival, &report),
            Ok(Message::Heartbeat(heartbeat)) if !retained => {
                self.heartbeat(arrival, &heartbeat, effects);
            }
            Ok(Message::Gone(of)) if !retained => self.gone(now, topic, of),
            Ok(Message::Marker(back)) => {
                if matches!(self.gate, Gate::Waiting { nonce, .. } if nonce == back) {
                    self.gate_closes(now, effects);
                }
            }
            Ok(Message::Command(_)) if retained => {
                self.chronicle.note(now.wall, Fact::RetainedCommand(topic));
            }
            Ok(Message::Command(command)) => self.asked(now, &command),
            Ok(Message::Uptime) => self.uptime(now, topic, retained),
            Ok(Message::Bridge(up)) => self.bridge_says(now, topic, up),
            Ok(_) => {}
            Err(malformed) => self.malformed(arrival, malformed),
        }
    }

    fn malformed(&mut self, arrival: Arrival, malformed: Malformed) {
        self.malformed += 1;
        self.chronicle
            .note(arrival.now.wall, Fact::Malformed(arrival.topic, malformed));
        if matches!(arrival.topic, Topic::ReadBack(_)) || self.is_own_topic(arrival.topic) {
            // It lies where the good state should, at the other board or here.
            self.outbox.again();
        } else if arrival.topic == Topic::All && self.joined != Versions::default() {
            // The next heartbeat is at once, and says what was heard there.
            (self.joined, self.last_beat) = (Versions::default(), None);
            self.beat_due = self.beat_due.map(|_| arrival.now.mono);
        } else if arrival.topic == self.other_topic() && self.heard != Versions::default() {
            // The other owner publishes again once it hears that its message is not what was heard last. More
            // of the kind say no more.
            self.heard = Versions::default();
            self.beat_due = self.beat_due.map(|_| arrival.now.mono);
        }
    }

    fn report_heard(&mut self, arrival: Arrival, report: &Report) {
        let topic = arrival.topic;
        let heard_before = self.heard;
        if topic == self.other_topic() {
            self.heard = report.versions();
        }
        if topic == Topic::All {
            self.joined = report.versions();
            if report.is_plain() && arrival.live && self.echo_differs(report) {
                // A plain program joins: it is told with each heartbeat until it has what this owner has.
                self.outbox.found(Topic::Card(Card::One), true);
            }
        }
        if matches!(topic, Topic::Card(card) if self.role == Role::Monitor(card)) {
            self.ownership.reported_by(report);
        }
        let (mut behind, mut taken) = (false, false);
        for (sensor, entry) in report.iter() {
            let own = self.role == Role::Monitor(sensor.card());
            match entry {
                Entry::Reading(reading) if own => self.own_reading(arrival, sensor, reading),
                Entry::Reading(reading) => match self.other_reading(arrival, sensor, reading) {
                    Merge::Taken => taken = true,
                    Merge::Known => {}
                    Merge::Stale | Merge::Unordered => behind = true,
                },
                Entry::Plain(state) if own => self.own_word(arrival, sensor, state),
                Entry::Plain(state) => behind |= self.other_word(arrival, sensor, state, report.is_plain()),
            }
        }
        self.settle_own();
        if topic == self.other_topic() && (taken || (behind && self.heard != heard_before)) {
            // Its owner should know at once what was taken, and that something was not. What is no better is
            // not answered again before long: who floods the topic does not get a heartbeat for each message.
            let pause = self
                .last_beat
                .filter(|_| !taken)
                .map(|last| last.after(ANSWER_PAUSE));
            let due = pause.unwrap_or(arrival.now.mono).max(arrival.now.mono);
            self.beat_due = self.beat_due.map(|beat| beat.min(due));
        }
        if let Some(own) = self.report(topic) {
            let behind = report.versions().lacks(&own.versions(), topic.carries().iter());
            self.outbox.found(topic, behind);
        }
        let asks = self.role == Role::Monitor(Card::Two) && topic == Topic::Witness;
        if asks && report.versions().lacks(&self.has(), SensorId::ALL) {
            // Whoever sent it does not have what the join has.
            self.outbox.again_on(Topic::All);
        }
        if report.is_plain() && self.is_own_topic(topic) && self.restored {
            self.outbox.again();
        }
    }

    /// Whether a join without versions shows an own sensor in another state than it has.
    fn echo_differs(&self, report: &Report) -> bool {
        self.owner.as_ref().is_some_and(|owner| {
            owner
                .readings()
                .iter()
                .any(|(sensor, own)| report.get(sensor) != Some(Entry::Plain(own.state)))
        })
    }

    /// Hears an own sensor's reading. After the last one of a message comes [`Machine::settle_own`].
    pub(super) fn own_reading(&mut self, arrival: Arrival, sensor: SensorId, reading: Reading) {
        let taken = self
            .owner
            .as_mut()
            .is_some_and(|owner| owner.hear(sensor, reading));
        if taken && self.restored {
            self.chronicle.note(arrival.now.wall, Fact::Recovered(sensor));
        }
    }

    pub(super) fn settle_own(&mut self) {
        if let Some(owner) = &mut self.owner {
            owner.settle();
        }
    }

    /// Hears a plain word for an own sensor: memory before the first gate closes, afterwards somebody else's
    /// meddling.
    fn own_word(&mut self, arrival: Arrival, sensor: SensorId, state: State) {
        if !self.restored {
            self.own_plain[sensor] = Some(state);
        } else if arrival.live && self.is_own_topic(arrival.topic) {
            self.chronicle
                .note(arrival.now.wall, Fact::Impostor(sensor.card()));
        }
    }

    /// Hears a reading of another card's sensor.
    fn other_reading(&mut self, arrival: Arrival, sensor: SensorId, reading: Reading) -> Merge {
        let before = self.global.shown(sensor).map(|shown| shown.state());
        let speaks = arrival.live && self.speaker_is_live(arrival, sensor.card());
        let merge = self.merge(arrival, sensor, reading, speaks);
        self.note_change(arrival, sensor, before);
        merge
    }

    /// A plain word for a sensor of another card; gives whether it was said in place of the owner.
    fn other_word(
        &mut self,
        arrival: Arrival,
        sensor: SensorId,
        state: State,
        from_plain_program: bool,
    ) -> bool {
        let card = sensor.card();
        let before = self.global.shown(sensor).map(|shown| shown.state());
        if arrival.topic != self.word_topic() {
            // A copy of something said elsewhere, this program's own words among it: memory at best.
            if before.is_some() {
                return false;
            }
            self.global.recall(sensor, state);
        } else if !arrival.live {
            self.global.recall(sensor, state);
        } else if from_plain_program && self.speaker_is_live(arrival, card) {
            self.chronicle.note(arrival.now.wall, Fact::Impostor(card));
            return true;
        } else {
            self.global.believe(sensor, state, arrival.now.wall);
            self.chain.plain_spoke(arrival.now, card);
        }
        self.note_change(arrival, sensor, before);
        false
    }

    /// Whether the program with versions that should be speaking on this topic is live: on `sensors/all` it
    /// is card 2's, whoever owns the sensor.
    fn speaker_is_live(&self, arrival: Arrival, card: Card) -> bool {
        let speaker = if arrival.topic == Topic::All {
            Card::Two
        } else {
            card
        };
        self.chain.owner(speaker).pulse.is_live(arrival.now.mono)
    }

    pub(super) fn note_change(&mut self, arrival: Arrival, sensor: SensorId, from: Option<State>) {
        let to = self.global.shown(sensor).map(|shown| shown.state());
        if let (true, Some(to)) = (self.restored && from != to, to) {
            self.chronicle
                .note(arrival.now.wall, Fact::Changed { sensor, from, to });
        }
    }
}
