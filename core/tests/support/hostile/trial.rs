//! A machine, the shell's part played for it, and every step watched: one at a time, since the fuzzer draws
//! what a broker and a disk do as well.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dualboard_core::acknowledged::Acknowledged;
use dualboard_core::machine::{Effect, Event, Machine, Role, Setup, Ticket};
use dualboard_core::owner::Memory;
use dualboard_core::reading::Snapshot;
use dualboard_core::sensor::{Card, PerSensor, SensorId};
use dualboard_core::time::{Mono, Now, Wall};
use dualboard_core::version::{Dot, Era, RunId};
use dualboard_core::wire::{
    Heartbeat, Topic, encode_heartbeat, encode_last_will, encode_marker, encode_report,
};

use super::steps::{InitialState, Step, Uptime};
use super::watch::Watch;

pub const LIFE: RunId = RunId(0x004D_004D);
pub const BEGIN: Now = Now {
    mono: Mono::from_start(Duration::from_secs(100)),
    wall: Wall(1_764_930_243),
};

pub struct Trial {
    pub machine: Machine,
    pub now: Now,
    pub role: Role,
    /// What the shell has been asked for and has not answered.
    pub(super) flying: Vec<(Ticket, Topic, Vec<u8>)>,
    saving: Option<Memory>,
    connected: bool,
    nonce: Option<u64>,
    /// What the broker holds on this program's own topics.
    pub holds: BTreeMap<Topic, Vec<u8>>,
    own_last: BTreeMap<Topic, Vec<u8>>,
    /// Whether it has asked for anything but a heartbeat since this was put back.
    pub(super) restless: bool,
    pub(super) watch: Watch,
}

impl Trial {
    pub fn new(start: InitialState) -> Self {
        let memory = start.memory.ok_or_else(|| "no state file".to_owned());
        let setup = Setup {
            role: start.role,
            client: 7,
            life: LIFE,
            memory: memory.clone(),
            names: None,
            user: None,
            takes_over: false,
            started: BEGIN,
        };
        let machine = Machine::new(setup);
        let watch = Watch::new(&machine, memory.as_ref().ok());
        Self {
            machine,
            now: BEGIN,
            role: start.role,
            flying: Vec::new(),
            saving: None,
            connected: false,
            nonce: None,
            holds: BTreeMap::new(),
            own_last: BTreeMap::new(),
            restless: false,
            watch,
        }
    }

    pub fn take(&mut self, step: Step) {
        match step {
            Step::Connected => self.connect(),
            Step::Lost => self.lose(),
            Step::MarkerBack => {
                if let Some(nonce) = self.nonce.filter(|_| self.connected) {
                    self.say(Topic::Marker, encode_marker(nonce), false);
                }
            }
            Step::Raw(topic, payload, retained) => self.say(topic, payload, retained),
            Step::Unknown(name) => {
                let topic = format!("sensors/{}", String::from_utf8_lossy(&name));
                self.event(Event::Message {
                    topic,
                    payload: name,
                    retained: false,
                });
            }
            Step::Report(topic, words, retained) => {
                let report = self.report(&words);
                self.say(topic, encode_report(&report, topic.carries()), retained);
            }
            Step::Heartbeat {
                card,
                life,
                uptime,
                has,
                heard,
                flags,
                retained,
            } => {
                let uptime = match uptime {
                    Uptime::InStep => self.now.mono.since(BEGIN.mono),
                    Uptime::Millis(millis) => Duration::from_millis(millis),
                };
                let beat = Heartbeat {
                    life,
                    uptime,
                    era: Era(u32::from(flags >> 5)),
                    run_era: None,
                    takes_over: flags & 8 != 0,
                    has: self.report(&has).versions(),
                    heard: self.report(&heard).versions(),
                    joined: Some(self.report(&heard).versions()).filter(|_| flags & 16 != 0),
                    heard_names: Some(u32::from(flags)),
                    joined_names: None,
                    quarantined: if flags & 4 == 0 {
                        Snapshot::default()
                    } else {
                        self.report(&heard).readings()
                    },
                    quarantined_ko: PerSensor::default(),
                    acknowledged: Acknowledged::default(),
                    other_live: flags & 1 != 0,
                    other_plain: flags & 2 != 0,
                };
                self.say(Topic::Alive(card), encode_heartbeat(&beat), retained);
            }
            Step::Gone(card, life, retained) => {
                self.say(Topic::Alive(card), encode_last_will(life), retained);
            }
            Step::Echo(retained) => {
                for (topic, payload) in self.own_last.clone() {
                    self.arrive(topic, payload, retained);
                }
            }
            Step::Delivered => self.answer(true),
            Step::Undelivered => self.answer(false),
            Step::Stray(number) => {
                self.event(Event::Delivered(Ticket(number | 1 << 62)));
                self.event(Event::Undelivered(Ticket(number | 1 << 62)));
            }
            Step::Refused => self.event(Event::Refused {
                topic: "sensors/card1".to_owned(),
                why: "not authorised".to_owned(),
                is_forbidden: true,
            }),
            Step::Saved => self.save(None),
            Step::NotSaved(why) => self.save(Some(format!("disk full ({})", why % 3))),
            Step::Toggle(sensor) => self.event(Event::Toggle(sensor)),
            Step::Publish => self.event(Event::Publish),
            Step::Leave => self.event(Event::Leave),
            Step::Command(card, command, retained) => {
                self.say(Topic::Set(card), super::command::payload(&command), retained);
            }
            Step::Tick => self.event(Event::Tick),
            Step::Wait(time) => {
                self.now.mono = self.now.mono.after(time);
                self.event(Event::Tick);
            }
            Step::WallClock(seconds) => self.now.wall = Wall(seconds),
        }
    }

    fn event(&mut self, event: Event) {
        self.watch.before(&self.machine);
        let effects = self.machine.handle(self.now, event.clone());
        self.watch
            .after(&self.machine, self.now, &event, &effects, self.connected);
        for effect in effects {
            self.restless |= !matches!(
                effect,
                Effect::Publish {
                    topic: Topic::Alive(_),
                    ..
                }
            );
            match effect {
                Effect::Publish {
                    ticket,
                    topic,
                    payload,
                } => {
                    if topic == Topic::Marker {
                        self.nonce = std::str::from_utf8(&payload)
                            .ok()
                            .and_then(|text| text.parse().ok());
                    }
                    if topic.qos() == 2 {
                        self.flying.push((ticket, topic, payload));
                    }
                }
                Effect::Save(memory) => {
                    assert!(self.saving.replace(*memory).is_none(), "two writes at a time");
                }
                Effect::StopForTwin | Effect::StopTakenOver => {}
            }
        }
        for own in own_topics(self.role) {
            let reports = self.flying.iter().filter(|(_, topic, _)| topic == own);
            assert!(reports.count() <= 1, "more than one report in flight on a topic");
        }
        let due = self.machine.deadline(self.now.mono);
        assert!(
            due.is_none_or(|due| due > self.now.mono),
            "the shell would spin: due {due:?} at {:?} after {event:?}",
            self.now.mono
        );
    }

    pub(super) fn connect(&mut self) {
        if !self.connected {
            self.connected = true;
            self.event(Event::Connected);
        }
    }

    fn lose(&mut self) {
        self.connected = false;
        self.nonce = None;
        let flying = std::mem::take(&mut self.flying);
        self.event(Event::Disconnected {
            why: "lost".to_owned(),
            retry_in: Duration::from_secs(1),
        });
        for (ticket, _, _) in flying {
            self.event(Event::Undelivered(ticket));
        }
    }

    /// A message arrives.
    pub fn say(&mut self, topic: Topic, payload: Vec<u8>, retained: bool) {
        if own_topics(self.role).contains(&topic) && self.connected {
            self.holds.insert(topic, payload.clone());
        }
        self.arrive(topic, payload, retained);
    }

    fn arrive(&mut self, topic: Topic, payload: Vec<u8>, retained: bool) {
        if self.connected {
            self.event(Event::Message {
                topic: topic.name(self.machine.marker()),
                payload,
                retained,
            });
        }
    }

    /// The fate of the oldest publication.
    pub(super) fn answer(&mut self, delivered: bool) {
        if self.flying.is_empty() {
            return;
        }
        let (ticket, topic, payload) = self.flying.remove(0);
        if !delivered {
            self.event(Event::Undelivered(ticket));
            return;
        }
        if own_topics(self.role).contains(&topic) {
            self.holds.insert(topic, payload.clone());
            self.own_last.insert(topic, payload.clone());
        }
        self.watch.delivered(topic, &payload);
        self.event(Event::Delivered(ticket));
    }

    pub(super) fn save(&mut self, failure: Option<String>) {
        let Some(memory) = self.saving.take() else { return };
        match failure {
            None => {
                self.watch.saved(&memory);
                self.event(Event::Saved);
            }
            Some(why) => self.event(Event::NotSaved(why)),
        }
    }
}

/// The topics with retained reports of its own.
pub const fn own_topics(role: Role) -> &'static [Topic] {
    match role {
        Role::Monitor(Card::One) => &[Topic::Card(Card::One)],
        Role::Monitor(Card::Two) => &[Topic::Card(Card::Two), Topic::All],
        Role::Display => &[],
    }
}

/// A set of what was proved to have been somewhere.
pub type Proved = BTreeSet<(SensorId, Dot)>;
