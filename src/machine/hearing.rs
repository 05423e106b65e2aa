//! What comes in: which message is taken from whom, and what it leads to.

use super::{Effect, Gate, Machine, Role};
use crate::chronicle::Fact;
use crate::owner::Heard;
use crate::reading::{Offer, Reading, Versions};
use crate::sensor::{Card, SensorId, State};
use crate::time::Now;
use crate::wire::{self, Entry, Malformed, Message, Report, Topic};

/// A message about sensors, with what matters about its arrival.
#[derive(Clone, Copy)]
pub(super) struct Arrival {
    pub(super) now: Now,
    pub(super) topic: Topic,
    /// The broker had not kept it: it was sent just now, or queued for this session.
    live: bool,
}

impl Machine {
    /// Whether this program listens to a topic.
    pub(super) fn listens_to(&self, topic: Topic) -> bool {
        match topic {
            Topic::All | Topic::Alive(_) | Topic::Marker | Topic::Uptime(_) | Topic::Bridge(_) => true,
            Topic::Card1 | Topic::Copy => self.role != Role::Display,
            Topic::Witness | Topic::Board1All => self.role == Role::Monitor(Card::Two),
            Topic::Set(card) | Topic::Claim(card) => self.role == Role::Monitor(card),
            Topic::Answer(_) => false,
            Topic::Board2Card1 | Topic::Board2Copy => self.role == Role::Monitor(Card::One),
        }
    }

    /// The topic on which this owner publishes its report.
    const fn own_topic(&self) -> Option<Topic> {
        match self.role {
            Role::Monitor(Card::One) => Some(Topic::Card1),
            Role::Monitor(Card::Two) => Some(Topic::All),
            Role::Display => None,
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
            Ok(Message::Report(report)) if matches!(topic, Topic::Copy | Topic::Board2Copy) => {
                self.copy_heard(arrival, &report);
            }
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
            Ok(Message::Claim(claim)) => self.claimed(now, claim),
            Ok(Message::Uptime) => self.uptime(now, topic, retained),
            Ok(Message::Bridge(up)) => self.bridge_says(now, topic, up),
            Ok(_) => {}
            Err(malformed) => self.malformed(arrival, malformed),
        }
    }

    fn malformed(&mut self, arrival: Arrival, malformed: Malformed) {
        self.counters.malformed += 1;
        self.chronicle
            .note(arrival.now.wall, Fact::Malformed(arrival.topic, malformed));
        let there = matches!(arrival.topic, Topic::Board1All | Topic::Board2Card1);
        if there || self.own_topic() == Some(arrival.topic) {
            // It lies where the good state should, at the other board or here.
            self.report_again(arrival.now);
        } else if matches!(arrival.topic, Topic::Copy | Topic::Board2Copy) {
            self.copy_is_wrong();
        } else if matches!(arrival.topic, Topic::Claim(_)) {
            self.tenancy.hear(None);
        } else if arrival.topic == self.other_topic() && self.heard != Versions::default() {
            // The other owner publishes again once it hears that its message is not what was heard last. More of the kind say no more.
            self.heard = Versions::default();
            self.beat_due = self.beat_due.map(|_| arrival.now.mono);
        }
    }

    /// The topic on which the other owner publishes its report; for the display, the join.
    pub(super) const fn other_topic(&self) -> Topic {
        match self.role {
            Role::Monitor(Card::Two) => Topic::Card1,
            Role::Monitor(Card::One) | Role::Display => Topic::All,
        }
    }

    fn report_heard(&mut self, arrival: Arrival, report: &Report) {
        let heard_before = self.heard;
        if arrival.topic == self.other_topic() {
            self.heard = report.versions();
        }
        if arrival.topic == Topic::All && self.role == Role::Monitor(Card::One) {
            self.copies.echo = report.is_plain() && arrival.live && self.echo_differs(report);
        }
        let (mut overwritten, mut behind) = (false, false);
        for (sensor, entry) in report.iter() {
            let own = self.role == Role::Monitor(sensor.card());
            match entry {
                Entry::Reading(reading) if own => {
                    overwritten |= self.own_reading(arrival, sensor, reading);
                }
                Entry::Reading(reading) => behind |= self.other_reading(arrival, sensor, reading),
                Entry::Plain(state) if own => overwritten |= self.own_word(arrival, sensor, state),
                Entry::Plain(state) => behind |= self.other_word(arrival, sensor, state, report.is_plain()),
            }
        }
        if behind && arrival.topic == self.other_topic() && self.heard != heard_before {
            // Its owner should know at once; but an answer that is no better is not answered again before the next heartbeat: who
            // floods the topic does not get a heartbeat for each.
            self.beat_due = self.beat_due.map(|_| arrival.now.mono);
        }
        self.contradict(arrival.topic, report);
        self.echoes(arrival, report);
        if let Some((topic, own)) = self.report() {
            let behind = report.versions().lacks(&own.versions());
            if arrival.topic == topic {
                self.copies.own_topic = behind;
            } else if arrival.topic == Topic::Board1All {
                self.copies.echo = behind;
            } else if arrival.topic == Topic::Board2Card1 && behind {
                self.speak_again(arrival.now);
            }
        }
        let asks = self.role == Role::Monitor(Card::Two) && arrival.topic == Topic::Witness;
        if asks && report.versions().lacks(&self.has()) {
            // Whoever sent it has missed the last join: a full queue drops the newest message.
            self.outbox.again();
        }
        if overwritten && self.own_topic() == Some(arrival.topic) && self.restored {
            self.report_again(arrival.now);
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

    /// Hears an own sensor's reading; gives whether somebody else put an older one where this owner's should be.
    pub(super) fn own_reading(&mut self, arrival: Arrival, sensor: SensorId, reading: Reading) -> bool {
        let Some(owner) = &mut self.owner else {
            return false;
        };
        if owner.hear(sensor, reading) == Heard::Recovered && self.restored {
            self.chronicle.note(arrival.now.wall, Fact::Recovered(sensor));
        }
        owner.readings().version(sensor) > Some(reading.version) && !reading.version.life.is_of(owner.life())
    }

    /// Hears a plain word for an own sensor: memory before the first gate closes, afterwards somebody else's meddling.
    fn own_word(&mut self, arrival: Arrival, sensor: SensorId, state: State) -> bool {
        if !self.restored {
            self.own_plain[sensor.index()] = Some(state);
        } else if arrival.live && self.own_topic() == Some(arrival.topic) {
            self.counters.impostors += 1;
            self.chronicle
                .note(arrival.now.wall, Fact::Impostor(sensor.card()));
        }
        true
    }

    /// Hears a reading of another card's sensor; gives whether it is behind what is known, or not believed.
    fn other_reading(&mut self, arrival: Arrival, sensor: SensorId, reading: Reading) -> bool {
        if self.is_doubtful(arrival.now.mono, sensor, reading.version) {
            self.refuse(arrival, sensor, reading);
            return true;
        }
        let before = self.global.shown(sensor).map(|shown| shown.state());
        let speaks = arrival.live && self.speaker_is_live(arrival, sensor.card());
        match self.global.offer(sensor, reading, speaks) {
            // An older one that comes back on the own topic is this program's own echo.
            Offer::Stale if self.own_topic() == Some(arrival.topic) => false,
            Offer::Stale => {
                self.counters.stale += 1;
                true
            }
            Offer::Taken | Offer::Known => {
                self.note_change(arrival, sensor, before);
                false
            }
        }
    }

    /// A copy of another card's reading, which says nothing of its owner now.
    pub(super) fn recall(&mut self, arrival: Arrival, sensor: SensorId, reading: Reading) {
        if self.is_doubtful(arrival.now.mono, sensor, reading.version) {
            return self.refuse(arrival, sensor, reading);
        }
        let before = self.global.shown(sensor).map(|shown| shown.state());
        if self.global.offer(sensor, reading, false) == Offer::Taken {
            self.note_change(arrival, sensor, before);
        }
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
        if arrival.topic != self.other_topic() {
            // A copy of something said elsewhere, this program's own words among it: memory at best.
            if before.is_some() {
                return false;
            }
            self.global.recall(sensor, state);
        } else if !arrival.live {
            self.global.recall(sensor, state);
        } else if from_plain_program && self.speaker_is_live(arrival, card) {
            self.counters.impostors += 1;
            self.chronicle.note(arrival.now.wall, Fact::Impostor(card));
            return true;
        } else {
            self.global.believe(sensor, state, arrival.now.wall);
            self.chain.plain_spoke(arrival.now, card);
        }
        self.note_change(arrival, sensor, before);
        false
    }

    /// Whether the program with versions that should be speaking on this topic is live: on `sensors/all` it is card 2's, whoever
    /// owns the sensor.
    fn speaker_is_live(&self, arrival: Arrival, card: Card) -> bool {
        let speaker = if arrival.topic == Topic::All {
            Card::Two
        } else {
            card
        };
        self.chain.owner(speaker).pulse.is_live(arrival.now.mono)
    }

    fn note_change(&mut self, arrival: Arrival, sensor: SensorId, from: Option<State>) {
        let to = self.global.shown(sensor).map(|shown| shown.state());
        if let (true, Some(to)) = (self.restored && from != to, to) {
            self.chronicle
                .note(arrival.now.wall, Fact::Changed { sensor, from, to });
        }
    }

    /// A report that the other board has shown proves that it has these versions. One that lay at this board's broker may come from an
    /// older store of it, and speak of what the other board had once: then its next heartbeat tells.
    fn echoes(&mut self, arrival: Arrival, report: &Report) {
        if !arrival.live {
            return;
        }
        if let (Role::Monitor(Card::One), Topic::All) | (Role::Monitor(Card::Two), Topic::Board1All) =
            (self.role, arrival.topic)
        {
            self.shown_by_other_board(&report.versions());
        }
    }
}
