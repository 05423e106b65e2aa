//! One program: events in, effects out. No clock, no I/O, no thread.
//!
//! `handle` is the only way in, and everything that follows from an event comes back from it at once. Around
//! it the shell carries out the effects, and calls again with [`Event::Tick`] at [`Machine::deadline`].
//!
//! Each part owns its own fields and decides for itself. What one part has to do with another stands here,
//! and nowhere else: a message passes from the top of the file to the bottom.

mod acknowledging;
mod commands;
mod disk;
mod event;
mod freshness;
mod heart;
mod identity;
mod naming;
mod others;
mod outbox;
mod own;
mod ownership;
mod restore;
mod rights;
mod topics;

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::acknowledged::{Acknowledged, Acknowledgement};
use crate::chain::{Chain, Connection, Link};
use crate::command::{Answer, Command, Name};
use crate::event_log::{EventLog, Fact};
use crate::global::Shown;
use crate::lack::Lack;
use crate::names::Names;
use crate::reading::{Ko, Merge, Reading, Versions};
use crate::sensor::{Card, PerCard, PerSensor, SensorId, SensorSet, State};
use crate::stage::Stage;
use crate::time::{Mono, Now};
use crate::version::{Dot, Order, Version};
use crate::view::View;
use crate::wire::{self, Direction, Entry, Heartbeat, Malformed, Message, Report, Topic};

pub use event::{Effect, Event, Role, Setup, Ticket};
pub use freshness::Freshness;

use acknowledging::Acknowledging;
use heart::{Heart, Pause};
use identity::Identity;
use naming::Naming;
use others::Others;
use outbox::Outbox;
use own::OwnCard;
use ownership::{Heard, Ownership};
use restore::Restore;
use rights::Rights;

/// By how much the wall clock may run ahead of the monotonic one between two events before it counts as time
/// that the monotonic clock did not count: a virtual machine that was paused. Clocks that are kept right are
/// slewed by less.
const LAPSE: i64 = 3;

/// How long what is said again waits for the answer to what was said before: two owners that contradict each
/// other do not flood the brokers.
const ANSWER_PAUSE: Duration = Duration::from_millis(250);

/// How long nothing more that an owner lacks is sent to it: the answer may be under way. The next heartbeat
/// asks again.
const WITNESS_PAUSE: Duration = Duration::from_secs(1);

/// What a program is: its parts, and what they have to do with each other.
#[derive(Debug, Clone)]
pub struct Machine {
    identity: Identity,
    restore: Restore,
    /// Of a monitor.
    own: Option<OwnCard>,
    others: Others,
    naming: Naming,
    chain: Chain,
    pub(crate) freshness: PerCard<Freshness>,
    acknowledging: Acknowledging,
    outbox: Outbox,
    heart: Heart,
    /// After what an owner lacks was sent to it: the answer may be under way.
    witnessed: Pause,
    /// After a report was published again for another owner that says that it has not heard it.
    answered: Pause,
    ownership: Ownership,
    rights: Rights,
    /// Shared with the views that are still in use; copied when it changes.
    pub(crate) event_log: Arc<EventLog>,
    /// When the last event was.
    last: Now,
    leaving: bool,
    malformed: u64,
}

/// A message about sensors, with what matters about its arrival.
#[derive(Clone, Copy)]
struct Arrival {
    now: Now,
    topic: Topic,
    /// The broker had not kept it: it was sent just now, or queued for this session.
    live: bool,
}

impl Machine {
    /// A program at its start. An owner takes what its state file holds.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let client_id = setup.role.client_id(setup.client);
        let identity = Identity {
            role: setup.role,
            client: setup.client,
            marker: match setup.user {
                Some(user) => format!("{user}/{client_id}"),
                None => client_id.clone(),
            },
            client_id,
            life: setup.life,
            started: setup.started,
        };
        let own = identity.card();
        let wall = setup.started.wall;
        let mut event_log = EventLog::default();
        let memory = match setup.memory {
            Ok(memory) => Some(memory),
            Err(why) => {
                if own.is_some() {
                    event_log.note(wall, Fact::MemoryLost(why));
                }
                None
            }
        };
        let memory = memory.as_ref();
        let held = Freshness::Held {
            since: wall,
            broken: Link::Broker,
        };
        Self {
            restore: Restore::new(),
            own: own.map(|card| OwnCard::new(card, setup.life, memory)),
            others: Others::remembering(memory, own),
            naming: Naming::new(setup.names.as_ref(), own),
            chain: Chain::new(own.unwrap_or(Card::Two), own),
            freshness: PerCard::from_fn(|card| if Some(card) == own { Freshness::Live } else { held }),
            acknowledging: Acknowledging::remembering(memory),
            outbox: Outbox::new(identity.own_topics()),
            heart: Heart::default(),
            witnessed: Pause::default(),
            answered: Pause::default(),
            ownership: Ownership::new(setup.takes_over),
            rights: Rights::default(),
            event_log: Arc::new(event_log),
            last: setup.started,
            leaving: false,
            malformed: 0,
            identity,
        }
    }

    /// The topics to subscribe to, with their quality of service.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<(String, u8)> {
        self.identity.subscriptions()
    }

    /// Takes an event; gives everything that follows from it, in order.
    #[must_use]
    pub fn handle(&mut self, now: Now, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.mind_the_clock(now);
        match event {
            Event::Connected => self.connected(now),
            Event::Disconnected { why, retry_in } => self.disconnected(now, why, retry_in),
            Event::Message {
                topic,
                payload,
                retained,
            } => self.message(now, &topic, &payload, retained, &mut effects),
            Event::Delivered(ticket) => self.delivered(ticket),
            Event::Undelivered(ticket) => self.outbox.undelivered(ticket),
            Event::Refused {
                topic,
                why,
                is_forbidden,
            } => self.refused(now, topic, why, is_forbidden),
            Event::Saved => self.storage(now, OwnCard::saved),
            Event::NotSaved(why) => self.storage(now, |own| own.not_saved(now.mono, why)),
            Event::FileGone(why) => self.storage(now, |own| own.file_gone(why)),
            Event::NotLogged(why) => self.note(now, Fact::NotLogged(why)),
            Event::LoggedAgain => self.note(now, Fact::LoggedAgain),
            Event::AlarmCommandFailed(why) => self.note(now, Fact::AlarmCommandFailed(why)),
            Event::Toggle(sensor) => self.toggle(now, sensor),
            Event::Command(command) => self.local_command(now, &command),
            Event::Acknowledge { alarms, by } => self.acknowledge(now, &alarms, by, &mut effects),
            Event::Publish => self.publish_again(now),
            Event::Leave => self.leave(&mut effects),
            Event::Tick => {}
        }
        self.settle(now, &mut effects);
        effects
    }

    /// When to call with [`Event::Tick`] if nothing else happens before.
    #[must_use]
    pub fn deadline(&self, now: Mono) -> Option<Mono> {
        let deadlines = [
            self.chain.deadline(now),
            self.heart.deadline(),
            self.own.as_ref().and_then(|own| own.disk().deadline()),
            self.restore.deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    fn note(&mut self, now: Now, fact: impl Into<Option<Fact>>) {
        if let Some(fact) = fact.into() {
            Arc::make_mut(&mut self.event_log).note(now.wall, fact);
        }
    }

    // The connection, and the restore on it.

    fn connected(&mut self, now: Now) {
        self.chain.connected(now);
        self.note(now, Fact::Up(Link::Broker));
        let nonce = self.outbox.nonce(self.identity.life);
        self.restore.begin(now.mono, nonce);
    }

    fn disconnected(&mut self, now: Now, why: String, retry_in: Duration) {
        self.ownership.connection_lost(now.mono);
        if !matches!(self.chain.connection, Connection::Down { .. }) {
            self.note(now, Fact::Down(Link::Broker, why.clone()));
        }
        self.chain.disconnected(now, why, retry_in);
        self.restore.connection_lost();
        self.outbox.connection_lost();
        self.rights.connection_lost();
        self.heart.stop();
    }

    /// The broker takes no messages on a topic. That a display may only look is no fault: what it knows and
    /// what is acknowledged on it stays its own.
    fn refused(&mut self, now: Now, name: String, why: String, is_forbidden: bool) {
        let topic = Topic::parse(&name, &self.identity.marker);
        let is_viewer = self.identity.role == Role::Display && is_forbidden;
        match topic.filter(|_| is_viewer) {
            Some(topic @ (Topic::Witness | Topic::Acknowledge(_))) => {
                let is_new = self.rights.forbid(topic);
                self.note(now, is_new.then_some(Fact::MayNotPublish(topic)));
            }
            _ => self.rights.refused(now.mono, name, why),
        }
    }

    /// Where time has passed that the monotonic clock did not count, nothing is live until it is proved
    /// again.
    fn mind_the_clock(&mut self, now: Now) {
        let last = core::mem::replace(&mut self.last, now);
        let counted = i64::try_from(now.mono.since(last.mono).as_secs()).unwrap_or(i64::MAX);
        if now.wall.0.saturating_sub(last.wall.0).saturating_sub(counted) >= LAPSE {
            self.chain.lapse(now.mono);
        }
    }

    /// All that the broker had is known.
    fn restored(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.rights.heartbeat_back(now.mono);
        if self.restore.end() {
            self.restored_first(now);
        }
        if let Some(own) = &mut self.own {
            own.carry_out_waiting(now, Arc::make_mut(&mut self.event_log));
        }
        self.outbox.again();
        if self.ownership.restored(now.mono, self.identity.life) && !self.leaving {
            // Of two programs with one client id one ends, and the other one keeps the connection.
            self.stop(effects, Effect::StopForTwin);
        }
        if self.own.is_some() && !self.leaving {
            self.heart.start(now.mono);
        }
    }

    fn restored_first(&mut self, now: Now) {
        let plain = self.restore.plain();
        let known = |sensor: &SensorId| self.shown(*sensor).is_some() || plain[*sensor].is_some();
        let sensors = self.identity.sensors();
        let (found, of) = (
            sensors.iter().filter(|sensor| known(sensor)).count(),
            sensors.len(),
        );
        if let Some(own) = &mut self.own {
            own.restored(plain);
        }
        self.note(now, Fact::Restored { found, of });
    }

    // What the operator, the disk and commands do.

    fn toggle(&mut self, now: Now, sensor: SensorId) {
        if let Some(own) = self.own.as_mut().filter(|_| !self.leaving) {
            own.toggle(now, sensor, Arc::make_mut(&mut self.event_log));
        }
    }

    /// Asked on the command line: done as a key is, at once.
    fn local_command(&mut self, now: Now, command: &Command) {
        if let Some(own) = self.own.as_mut().filter(|_| !self.leaving) {
            own.local_command(
                now,
                command,
                self.restore.was_ever_done(),
                Arc::make_mut(&mut self.event_log),
            );
        }
    }

    /// Asked by a message: done once all that the broker had is known.
    fn remote_command(&mut self, now: Now, command: &Command) {
        if self.restore.is_done() {
            self.local_command(now, command);
        } else if let Some(own) = self.own.as_mut().filter(|_| !self.leaving) {
            own.early_command(command);
        }
    }

    // Alarms.

    /// The operator has seen these alarms.
    fn acknowledge(
        &mut self,
        now: Now,
        alarms: &PerSensor<Option<Dot>>,
        by: Option<Name>,
        effects: &mut Vec<Effect>,
    ) {
        self.merge_acknowledged(now, &Acknowledged::of(alarms, by, Some(now.wall)));
        self.heart.by(now.mono);
        if self.identity.role == Role::Display && self.restore.is_done() {
            // The owner may have lost what it once had: it is sent all.
            self.send_acknowledged(&Acknowledged::default(), effects);
        }
    }

    /// Somebody has seen these alarms. The other owner hears of it at once.
    fn merge_acknowledged(&mut self, now: Now, alarms: &Acknowledged) {
        let present = PerSensor::from_fn(|sensor| Some(self.alarm(sensor)?.dot));
        let Some(news) = self.acknowledging.merge(alarms, &present) else {
            return;
        };
        self.heart.soon(now.mono, ANSWER_PAUSE);
        if self.restore.was_ever_done() {
            for (by, sensors) in news {
                self.note(now, Fact::Acknowledged { by, sensors });
            }
        }
    }

    /// Sends the owner at this broker the acknowledged alarms that it lacks, which spreads them.
    fn send_acknowledged(&mut self, has: &Acknowledged, effects: &mut Vec<Effect>) {
        for card in Card::ALL {
            let alarms = self.acknowledging.known().beyond(has, card.sensors());
            if !alarms.is_empty() && !self.rights.forbids(Topic::Acknowledge(card)) {
                let payload = wire::encode_acknowledged(&alarms);
                effects.push(self.outbox.publish(Topic::Acknowledge(card), payload));
            }
        }
    }

    /// Something became of the state file.
    fn storage(&mut self, now: Now, what: impl FnOnce(&mut OwnCard) -> Option<Fact>) {
        let fact = self.own.as_mut().and_then(what);
        self.note(now, fact);
    }

    /// No heartbeat follows; what has been toggled still goes out.
    fn leave(&mut self, effects: &mut Vec<Effect>) {
        self.leaving = true;
        self.heart.stop();
        if let Some(card) = self.identity.card().filter(|_| self.restore.is_done()) {
            let last_word = wire::encode_last_will(self.identity.life);
            effects.push(self.outbox.publish(Topic::Alive(card), last_word));
        }
    }

    fn stop(&mut self, effects: &mut Vec<Effect>, why: Effect) {
        self.leaving = true;
        self.heart.stop();
        effects.push(why);
    }

    fn publish_again(&mut self, now: Now) {
        if self.own.is_some() {
            self.speak_again(now);
            self.note(now, Fact::PublishedAgain);
        }
    }

    fn delivered(&mut self, ticket: Ticket) {
        if let (Some((Topic::Card(_), report)), Some(own)) = (self.outbox.delivered(ticket), &mut self.own) {
            own.delivered(&report.versions());
            self.acknowledging.delivered(&report.acknowledged);
        }
    }

    // Messages.

    fn message(&mut self, now: Now, name: &str, payload: &[u8], retained: bool, effects: &mut Vec<Effect>) {
        let topic = Topic::parse(name, &self.identity.marker);
        let Some(topic) = topic.filter(|topic| self.identity.listens_to(*topic)) else {
            return;
        };
        let live = !retained && self.restore.is_done();
        let arrival = Arrival { now, topic, live };
        match wire::decode(topic, payload) {
            Ok(Message::Report(report)) => self.report_heard(arrival, &report),
            Ok(Message::Heartbeat(heartbeat)) if !retained => {
                self.heartbeat(arrival, &heartbeat, effects);
            }
            Ok(Message::Gone(of)) if !retained => {
                if let Topic::Alive(card) = topic {
                    self.chain.gone(now, card, of);
                }
            }
            Ok(Message::Marker(back)) => {
                if self.restore.is_ended_by(back) {
                    self.restored(now, effects);
                }
            }
            Ok(Message::Command(_)) if retained => self.note(now, Fact::RetainedCommand(topic)),
            Ok(Message::Command(command)) => self.remote_command(now, &command),
            Ok(Message::Acknowledged(alarms)) => self.merge_acknowledged(now, &alarms),
            Ok(Message::Uptime) => self.uptime(now, topic, retained),
            Ok(Message::Bridge(up)) => self.bridge_says(now, topic, up),
            Ok(_) => {}
            Err(malformed) => self.malformed(arrival, malformed),
        }
    }

    fn malformed(&mut self, arrival: Arrival, malformed: Malformed) {
        let Arrival { now, topic, .. } = arrival;
        self.malformed += 1;
        self.note(now, Fact::Malformed(topic, malformed));
        if matches!(topic, Topic::ReadBack(_)) || self.identity.is_own_topic(topic) {
            // It lies where the good state should, at the other board or here.
            self.outbox.again();
        } else if topic == Topic::All && self.others.joined != Versions::default() {
            // The next heartbeat is at once, and says what was heard there.
            self.others.joined = Versions::default();
            self.heart.regular_now(now.mono);
        } else if topic == self.identity.other_topic() && self.others.heard != Versions::default() {
            // The other owner publishes again once it hears that its message is not what was heard last. More
            // of the kind say no more.
            self.others.heard = Versions::default();
            self.heart.by(now.mono);
        }
    }

    fn report_heard(&mut self, arrival: Arrival, report: &Report) {
        let Arrival { now, topic, .. } = arrival;
        let theirs = topic == self.identity.other_topic();
        let heard_before = self.others.heard;
        if theirs {
            self.others.heard = report.versions();
        }
        if topic == Topic::All {
            self.others.joined = report.versions();
            if report.is_plain() && arrival.live && self.echo_differs(report) {
                // A plain program joins: it is told with each heartbeat until it has what this owner has.
                self.outbox.found(Topic::Card(Card::One), true);
            }
        }
        if self.identity.card().map(Topic::Card) == Some(topic) {
            self.ownership.reported_by(report);
        }
        self.merge_acknowledged(now, &report.acknowledged);
        let (mut behind, mut taken) = (false, false);
        for (sensor, entry) in report.iter() {
            let own = self.identity.owns(sensor);
            match entry {
                Entry::Reading(reading) if own => self.own_reading(now, sensor, reading),
                Entry::Reading(reading) => match self.other_reading(arrival, sensor, reading) {
                    Merge::Taken => taken = true,
                    Merge::Known => {}
                    Merge::Stale | Merge::Unordered => behind = true,
                },
                Entry::Plain(state) if own => self.own_plain(arrival, sensor, state),
                Entry::Plain(state) => behind |= self.other_plain(arrival, sensor, state, report.is_plain()),
            }
        }
        self.all_own_readings_heard();
        self.names_heard(topic, report);
        if theirs && (taken || (behind && self.others.heard != heard_before)) {
            // Its owner should know at once what was taken, and that something was not. What is no better is
            // not answered again before long: who floods the topic does not get a heartbeat for each message.
            self.heart
                .soon(now.mono, if taken { Duration::ZERO } else { ANSWER_PAUSE });
        }
        if let Some(own) = self.report(topic) {
            let lacks = report.versions().lacks(&own.versions(), topic.carries().iter());
            self.outbox.found(topic, lacks || report.names != own.names);
        }
        if topic == Topic::Witness && report.versions().lacks(&self.has(), SensorId::ALL) {
            // Whoever sent it does not have what the join has.
            self.outbox.again_on(Topic::All);
        }
        if report.is_plain() && self.identity.is_own_topic(topic) && self.restore.was_ever_done() {
            self.outbox.again();
        }
    }

    /// Names come with a reading that is not surely earlier than the one that is shown: in the other owner's
    /// report, or, for the display, in the join. An owner that was told none keeps those of the run before.
    fn names_heard(&mut self, topic: Topic, report: &Report) {
        if topic == self.identity.other_topic() {
            self.naming.last_heard = report.names.mark();
        }
        if topic == Topic::All {
            self.naming.last_joined = report.names.mark();
        }
        let shown = *self.others.global.best();
        for (sensor, reading) in report.readings().iter() {
            let name = report.names.get(sensor);
            let earlier = |shown: Version| reading.version.compare_exactly(&shown) == Order::Earlier;
            if self.identity.owns(sensor) {
                if topic == Topic::Card(sensor.card()) && !self.restore.was_ever_done() {
                    self.naming.found(sensor, name);
                }
            } else if topic == self.identity.other_topic() && !shown.version(sensor).is_some_and(earlier) {
                self.naming.heard(sensor, name);
            }
        }
    }

    /// Whether a join without versions shows an own sensor in another state than it has.
    fn echo_differs(&self, report: &Report) -> bool {
        let differs =
            |(sensor, own): (SensorId, Reading)| report.get(sensor) != Some(Entry::Plain(own.state));
        self.own
            .as_ref()
            .is_some_and(|own| own.readings().iter().any(differs))
    }

    /// Hears an own sensor's reading. After the last one of a message comes
    /// [`Machine::all_own_readings_heard`].
    fn own_reading(&mut self, now: Now, sensor: SensorId, reading: Reading) {
        let taken = self.own.as_mut().is_some_and(|own| own.hear(sensor, reading));
        if taken && self.restore.was_ever_done() {
            self.note(now, Fact::Recovered(sensor));
        }
    }

    fn all_own_readings_heard(&mut self) {
        if let Some(own) = &mut self.own {
            own.all_heard();
        }
    }

    /// Hears a plain word for an own sensor: memory before the first restore has ended, afterwards somebody
    /// else's meddling.
    fn own_plain(&mut self, arrival: Arrival, sensor: SensorId, state: State) {
        if !self.restore.was_ever_done() {
            self.restore.found_plain(sensor, state);
        } else if arrival.live && self.identity.is_own_topic(arrival.topic) {
            self.note(arrival.now, Fact::Impostor(sensor.card()));
        }
    }

    /// Hears a reading of another card's sensor.
    fn other_reading(&mut self, arrival: Arrival, sensor: SensorId, reading: Reading) -> Merge {
        let Arrival { now, topic, live } = arrival;
        let card = sensor.card();
        let before = self.others.state(sensor);
        let speaks = live && self.speaker_is_live(arrival, card);
        let said = self.chain.said(now.mono, card);
        let merged = self.others.merge(said, sensor, reading, speaks);
        if merged.is_open && topic == self.identity.other_topic() {
            // It counts as not heard: if it is the owner's, the owner says it again after its next heartbeat.
            self.others.heard.set(sensor, None);
        }
        if merged.quarantined {
            self.heart.by(now.mono);
        }
        if topic == Topic::Witness && merged.merge == Merge::Taken {
            self.chain.doubt(card);
        }
        self.note_change(now, sensor, before);
        merged.merge
    }

    /// A plain word for a sensor of another card; gives whether it was said in place of the owner.
    fn other_plain(
        &mut self,
        arrival: Arrival,
        sensor: SensorId,
        state: State,
        from_plain_program: bool,
    ) -> bool {
        let Arrival { now, topic, live } = arrival;
        let card = sensor.card();
        let before = self.others.state(sensor);
        if topic != self.identity.plain_topic() {
            // A copy of something said elsewhere, this program's own words among it: memory at best.
            if before.is_some() {
                return false;
            }
            self.others.global.recall(sensor, state);
        } else if !live {
            self.others.global.recall(sensor, state);
        } else if from_plain_program && self.speaker_is_live(arrival, card) {
            self.note(now, Fact::Impostor(card));
            return true;
        } else {
            self.others.global.believe(sensor, state, now.wall);
            self.chain.plain_spoke(now, card);
        }
        self.note_change(now, sensor, before);
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

    fn note_change(&mut self, now: Now, sensor: SensorId, from: Option<State>) {
        let to = self.others.state(sensor);
        if let (true, Some(to)) = (self.restore.was_ever_done() && from != to, to) {
            self.note(now, Fact::Changed { sensor, from, to });
        }
    }

    // Signs of life.

    fn heartbeat(&mut self, arrival: Arrival, heartbeat: &Heartbeat, effects: &mut Vec<Effect>) {
        let now = arrival.now;
        let Topic::Alive(card) = arrival.topic else { return };
        if self.identity.card() == Some(card) {
            self.own_heartbeat(now, heartbeat, effects);
            return;
        }
        if !self.chain.beat(now, card, *heartbeat) {
            return;
        }
        self.acknowledging.owner_reports(card, &heartbeat.acknowledged);
        self.merge_acknowledged(now, &heartbeat.acknowledged);
        let said = self.chain.said(now.mono, card);
        for (sensor, before) in self.others.release(said, card) {
            self.note_change(now, sensor, before);
        }
        if self.identity.role == Role::Display && card == Card::Two && !heartbeat.other_plain {
            self.others.global.forget_plain(Card::One, &heartbeat.has);
        }
        if !self.restore.is_done() {
            return;
        }
        if let Some(own) = self.identity.card() {
            for (sensor, reading) in heartbeat.quarantined.of(own).iter() {
                let ko = heartbeat.quarantined_ko[sensor];
                self.own_reading(now, sensor, Reading { ko, ..reading });
            }
            self.all_own_readings_heard();
            self.answer_heartbeat(now.mono, own, heartbeat);
        }
        let lacks = heartbeat.acknowledged.lacks(self.acknowledging.known());
        if self.identity.role == Role::Display
            && card == self.chain.home
            && lacks
            && self.witnessed.is_over(now.mono)
        {
            self.witnessed.begin(now.mono, WITNESS_PAUSE);
            self.send_acknowledged(&heartbeat.acknowledged, effects);
        }
        if card == Card::Two
            && (self.knows_better(&heartbeat.has) || self.misses_the_join(now.mono, &heartbeat.has))
        {
            self.send_witness(now.mono, effects);
        }
    }

    /// A heartbeat of this card's owner: this program's own comes back, or another owner is there.
    fn own_heartbeat(&mut self, now: Now, heartbeat: &Heartbeat, effects: &mut Vec<Effect>) {
        if heartbeat.life == self.identity.life {
            self.rights.heartbeat_back(now.mono);
        } else if !self.leaving {
            match self.ownership.heard(now, heartbeat, &self.identity) {
                Heard::Known => {}
                Heard::New => self.note(now, Fact::Twin),
                Heard::ToEndFor if heartbeat.takes_over => self.stop(effects, Effect::StopTakenOver),
                Heard::ToEndFor => self.stop(effects, Effect::StopForTwin),
            }
        }
    }

    /// Publishes again what the other owner has not heard. What it has is confirmed.
    fn answer_heartbeat(&mut self, now: Mono, own: Card, heartbeat: &Heartbeat) {
        let has = self.has();
        let not_heard = heartbeat.heard.lacks(&has, own.sensors());
        let not_joined = heartbeat
            .joined
            .is_some_and(|joined| joined.lacks(&has, SensorId::ALL));
        // New names leave the versions as they were.
        let not_heard = not_heard || self.has_other_names(Topic::Card(own), heartbeat.heard_names);
        let not_joined = not_joined || self.has_other_names(Topic::All, heartbeat.joined_names);
        if (not_heard || not_joined) && !self.outbox.is_busy() && self.answered.is_over(now) {
            if not_heard {
                self.outbox.again_on(Topic::Card(own));
            }
            if not_joined {
                self.outbox.again_on(Topic::All);
            }
            self.answered.begin(now, ANSWER_PAUSE);
        }
        if let Some(own) = self.own.as_mut().filter(|_| !heartbeat.other_plain) {
            own.confirmed_by(heartbeat);
        }
    }

    /// Whether this owner's report on a topic has other names than those that somebody has heard there.
    fn has_other_names(&self, topic: Topic, heard: Option<u32>) -> bool {
        let own = self.report(topic).map(|report| report.names.mark());
        own.is_some_and(|own| heard.is_some_and(|heard| heard != own))
    }

    /// Whether the display has known for a while that it does not have what the join has, which `joined`
    /// says. A monitor says so in its heartbeats.
    fn misses_the_join(&self, now: Mono, joined: &Versions) -> bool {
        let misses = |card| {
            if self.chain.owner(card).pulse.is_live(now) {
                !self.chain.agrees(now, card)
            } else {
                // Nobody makes anything of it that could be on its way.
                !joined.same(&self.has(), card)
            }
        };
        self.identity.role == Role::Display && Card::ALL.into_iter().any(misses)
    }

    /// The other board's broker is alive. A retained message does not prove that, but it lies at this board's
    /// broker only.
    fn uptime(&mut self, now: Now, topic: Topic, retained: bool) {
        let Topic::Uptime(card) = topic else { return };
        match self.identity.card() {
            None => self.chain.home = card.other(),
            Some(own) if own == card => self.ownership.found_other_board(),
            Some(_) => {}
        }
        if !retained {
            self.chain.bridge.pulse.prove(now);
        }
    }

    /// The broker's opinion of the bridge: a hint and a trigger, not a proof.
    fn bridge_says(&mut self, now: Now, topic: Topic, up: bool) {
        let inbound = match self.chain.home {
            Card::Two => Topic::Bridge(Direction::In),
            Card::One => Topic::Bridge(Direction::Out),
        };
        if up {
            self.speak_again(now);
        } else if topic == inbound {
            self.chain.bridge_ended(now);
        }
    }

    /// The other side may be behind: the reports and a heartbeat go out at once.
    fn speak_again(&mut self, now: Now) {
        self.outbox.again();
        self.heart.by(now.mono);
    }

    // What goes out.

    /// Everything that follows from the state as it is now.
    fn settle(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if let Some(own) = &mut self.own {
            own.outrun(self.acknowledging.known());
        }
        self.conclude(now);
        let lack = self
            .rights
            .look(now.mono, &self.identity, &self.restore, self.leaving);
        self.note(now, lack.map(Fact::Lacks));
        if let Some(nonce) = self.restore.marker_due(now.mono) {
            effects.push(self.outbox.publish(Topic::Marker, wire::encode_marker(nonce)));
        }
        self.storage(now, |own| own.overdue(now.mono));
        if self.restore.is_done() {
            self.send_reports(effects);
            self.send_answers(effects);
            self.send_heartbeat(now, effects);
        }
        let (client, restored) = (self.identity.client, self.restore.was_ever_done());
        if let Some(own) = &mut self.own
            && let Some(memory) = own.save(
                now.mono,
                client,
                self.others.global.best(),
                self.acknowledging.known(),
                restored,
            )
        {
            effects.push(Effect::Save(memory));
        }
        let stages = PerSensor::from_fn(|sensor| self.stage(sensor));
        if self.event_log.follows() {
            Arc::make_mut(&mut self.event_log).follow(now.mono, |sensor| stages[sensor]);
        }
    }

    /// Which links are up and which values live; notes what changed, and tells the other owner at once.
    fn conclude(&mut self, now: Now) {
        if let Some(up) = self.chain.conclude(now).filter(|_| self.chain.is_connected()) {
            let down = || Fact::Down(Link::Bridge, String::new());
            self.note(now, if up { Fact::Up(Link::Bridge) } else { down() });
        }
        for card in Card::ALL {
            // The display hears card 1's state from the join, which ends the word itself.
            let speaks_here = self.identity.role != Role::Display || card == Card::Two;
            if speaks_here && self.chain.owner(card).pulse.is_live(now.mono) {
                self.others.global.end_plain(card);
            }
        }
        let has = self.has();
        for card in Card::ALL {
            let plain = self.others.global.is_all_plain(card);
            self.chain.compare(now.mono, card, plain, &has);
            let before = self.freshness[card];
            let fresh = self.judge(now, card);
            self.freshness[card] = fresh;
            if fresh.is_live() != before.is_live() {
                self.heart.by(now.mono);
                let fact = match fresh {
                    Freshness::Live => Fact::Live(card),
                    Freshness::Held { broken, .. } => Fact::Held(card, broken),
                };
                self.note(now, fact);
            }
        }
    }

    fn judge(&self, now: Now, card: Card) -> Freshness {
        if self.identity.card() == Some(card) {
            return Freshness::Live;
        }
        let (relay, plain) = (
            self.identity.role == Role::Display,
            self.others.global.is_all_plain(card),
        );
        let broken = if self.restore.is_done() {
            self.chain.broken(now.mono, card, relay, plain)
        } else {
            Some(Link::Broker)
        };
        let lost_at = broken.and_then(|link| self.chain.lost_at(link));
        self.freshness(card).with(broken, lost_at.unwrap_or(now.wall))
    }

    fn send_reports(&mut self, effects: &mut Vec<Effect>) {
        if self.own.as_ref().is_none_or(|own| !own.may_be_told()) {
            return;
        }
        for topic in self.identity.own_topics() {
            let Some(report) = self.report(*topic) else {
                continue;
            };
            if let Some(ticket) = self.outbox.offer(*topic, &report) {
                effects.push(Effect::Publish {
                    ticket,
                    topic: *topic,
                    payload: wire::encode_report(&report, topic.carries()),
                });
            }
        }
    }

    /// What this owner says on a topic; `None` where it says nothing there.
    fn report(&self, topic: Topic) -> Option<Report> {
        let own = self.own.as_ref().filter(|_| self.identity.is_own_topic(topic))?;
        let mut report = Report::of(own.readings());
        report.acknowledged = *self.acknowledging.known();
        report.names = self.naming.all().of(topic.carries());
        if topic != Topic::All {
            // What this program leaves behind takes the connection away from nobody.
            if !self.leaving {
                report.life = Some(self.identity.life);
                report.connection = Some(self.ownership.connections());
            }
            return Some(report);
        }
        for sensor in own.card().other().sensors() {
            match self.others.global.shown(sensor) {
                Some(Shown::Reading(reading)) => report.put(sensor, Entry::Reading(reading)),
                Some(Shown::Unversioned(word)) => report.put(sensor, Entry::Plain(word.state)),
                None => {}
            }
        }
        Some(report)
    }

    /// Tells each command's giver what is new.
    fn send_answers(&mut self, effects: &mut Vec<Effect>) {
        let Some(own) = &mut self.own else { return };
        for answer in own.answers() {
            let payload = wire::encode_answer(&answer);
            effects.push(self.outbox.publish(Topic::Answer(own.card()), payload));
        }
    }

    fn send_heartbeat(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let Some(own) = self.own.as_ref().filter(|_| !self.leaving) else {
            return;
        };
        let Some(regular) = self.heart.beat(now.mono) else {
            return;
        };
        self.outbox.beat();
        let card = own.card();
        let (era, run_era) = own.eras();
        let quarantined = self.others.quarantined();
        let heartbeat = Heartbeat {
            life: self.identity.life,
            uptime: now.mono.since(self.identity.started.mono),
            era,
            run_era,
            takes_over: self.ownership.takes_over(now.mono),
            has: self.has(),
            heard: self.others.heard,
            joined: Some(self.others.joined).filter(|_| regular && card == Card::One),
            heard_names: Some(self.naming.last_heard),
            joined_names: Some(self.naming.last_joined).filter(|_| regular && card == Card::One),
            quarantined,
            quarantined_ko: PerSensor::from_fn(|sensor| quarantined.get(sensor)?.last_ko()),
            acknowledged: *self.acknowledging.known(),
            other_live: self.freshness(card.other()).is_live(),
            other_plain: self.others.global.is_plain(card.other()),
        };
        effects.push(
            self.outbox
                .publish(Topic::Alive(card), wire::encode_heartbeat(&heartbeat)),
        );
    }

    /// Says what is known here and not in the join.
    fn send_witness(&mut self, now: Mono, effects: &mut Vec<Effect>) {
        if self.witnessed.is_over(now) && !self.rights.forbids(Topic::Witness) {
            self.witnessed.begin(now, WITNESS_PAUSE);
            let report = Report::of(self.others.global.best());
            let payload = wire::encode_report(&report, Topic::Witness.carries());
            effects.push(self.outbox.publish(Topic::Witness, payload));
        }
    }

    /// The best versions known.
    fn has(&self) -> Versions {
        let mut versions = self.others.global.best().versions();
        if let Some(own) = &self.own {
            for sensor in own.card().sensors() {
                versions.set(sensor, own.readings().version(sensor));
            }
        }
        versions
    }

    /// Whether the other side lacks something that is known here, of a card that is not this owner's.
    fn knows_better(&self, has: &Versions) -> bool {
        let best = self.others.global.best().versions();
        let sensors = SensorId::ALL
            .into_iter()
            .filter(|sensor| !self.identity.owns(*sensor));
        sensors.into_iter().any(|sensor| has.is_earlier(&best, sensor))
    }

    // What there is to see.

    /// What there is to see, as one plain value.
    #[must_use]
    pub fn view(&self) -> View {
        View::of(self)
    }

    /// What the program is there for.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.identity.role
    }

    /// Its MQTT client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.identity.client_id
    }

    /// What tells its marker's topic from that of other programs.
    #[must_use]
    pub fn marker(&self) -> &str {
        &self.identity.marker
    }

    /// The alarms that this program knows to be acknowledged.
    #[must_use]
    pub const fn known_acknowledged(&self) -> &Acknowledged {
        self.acknowledging.known()
    }

    /// The last time that a sensor was KO, as far as somebody with versions says so.
    #[must_use]
    pub fn alarm(&self, sensor: SensorId) -> Option<Ko> {
        match self.shown(sensor)? {
            Shown::Reading(reading) => reading.last_ko(),
            Shown::Unversioned(_) => None,
        }
    }

    /// Who acknowledged a sensor's alarm, and how far that has got; `None` if nobody has.
    #[must_use]
    pub fn acknowledgement(&self, sensor: SensorId, alarm: Dot) -> Option<(Acknowledgement, Option<Stage>)> {
        let acknowledgement = self.acknowledging.of_alarm(sensor, alarm)?;
        let stage = match &self.own {
            Some(own) => Some(self.acknowledging.stage_at_owner(
                own.card(),
                own.disk().holds(),
                (sensor, alarm),
            )),
            None => self
                .acknowledging
                .stage_at_display(self.chain.home, sensor, alarm),
        };
        Some((acknowledgement, stage))
    }

    /// Whether an acknowledged alarm stays on this display: its user may not tell the owner, and nobody else
    /// has.
    #[must_use]
    pub fn is_acknowledged_here_only(&self, sensor: SensorId, alarm: Dot) -> bool {
        let stage = self.acknowledgement(sensor, alarm).and_then(|(_, stage)| stage);
        stage == Some(Stage::Sending) && self.rights.forbids(Topic::Acknowledge(sensor.card()))
    }

    /// When the program started.
    #[must_use]
    pub const fn started(&self) -> Now {
        self.identity.started
    }

    /// What is known of a sensor; `None` is UNKNOWN.
    #[must_use]
    pub fn shown(&self, sensor: SensorId) -> Option<Shown> {
        match &self.own {
            Some(own) if own.card() == sensor.card() => own.readings().get(sensor).map(Shown::Reading),
            _ => self.others.global.shown(sensor),
        }
    }

    /// What the sensors are called.
    #[must_use]
    pub const fn names(&self) -> &Names {
        self.naming.all()
    }

    /// How far the present state of an own sensor has got; `None` for other sensors, and while nothing is
    /// known.
    #[must_use]
    pub fn stage(&self, sensor: SensorId) -> Option<Stage> {
        self.own.as_ref()?.stage(sensor)
    }

    /// How far a command has got; `None` if it is not known, or waits for the restore.
    #[must_use]
    pub fn answer(&self, id: u64) -> Option<Answer> {
        self.own.as_ref()?.answer(id)
    }

    /// Whether a card's values are live. An owner's own are always: it is the source.
    #[must_use]
    pub fn freshness(&self, card: Card) -> Freshness {
        self.freshness[card]
    }

    /// Whether the first restore has ended.
    #[must_use]
    pub const fn is_restored(&self) -> bool {
        self.restore.was_ever_done()
    }

    /// The links.
    #[must_use]
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The last events.
    #[must_use]
    pub fn event_log(&self) -> &EventLog {
        &self.event_log
    }

    /// How many payloads could not be read.
    #[must_use]
    pub const fn malformed_payloads(&self) -> u64 {
        self.malformed
    }

    /// What the broker keeps from this program, if anything; the worst first.
    #[must_use]
    pub const fn lack(&self) -> Option<&Lack> {
        self.rights.lack()
    }

    /// Whether this owner is connected to the other board's broker.
    #[must_use]
    pub const fn is_at_other_board(&self) -> bool {
        self.ownership.is_at_other_board()
    }

    /// Whether the program is ending: nothing is toggled any more.
    #[must_use]
    pub const fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// Why the state file cannot be written, if so; in words.
    #[must_use]
    pub fn disk_failure(&self) -> Option<&str> {
        self.own.as_ref()?.disk().failure()
    }

    /// Whether everything is on disk that should be.
    #[must_use]
    pub fn is_on_disk(&self) -> bool {
        self.disk_failure().is_none() && self.is_disk_settled()
    }

    fn is_disk_settled(&self) -> bool {
        self.own.as_ref().is_none_or(|own| own.disk().is_settled())
    }

    /// Whether the broker has what this owner has of these sensors.
    #[must_use]
    pub fn is_delivered(&self, sensors: SensorSet) -> bool {
        self.own.as_ref().is_none_or(|own| own.is_delivered(sensors))
    }

    /// Whether nothing is under way: every toggle has reached the disk and the broker as far as they can be
    /// reached now.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let reports = self.restore.is_done() && self.own.is_some();
        self.is_disk_settled()
            && !(reports && self.outbox.is_busy())
            && self.restore.reading_since().is_none()
    }
}
