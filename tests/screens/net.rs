//! The three programs, their brokers and the bridge, in memory and with clocks that are turned by hand.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use dualboard::machine::{Effect, Event, Machine, Role, Setup};
use dualboard::owner::Memory;
use dualboard::sensor::{Card, SensorId};
use dualboard::time::{Mono, Now, Wall};
use dualboard::version::Life;
use dualboard::watch::{Seen, Watch};
use dualboard::wire::{self, Topic};

/// 2025-11-03 11:58:00 UTC.
const START: i64 = 1_762_171_080;

pub const ROLES: [Role; 3] = [Role::Monitor(Card::One), Role::Monitor(Card::Two), Role::Display];

/// A program in the net, by its place in [`ROLES`].
pub const CARD1: usize = 0;
pub const CARD2: usize = 1;
pub const DISPLAY: usize = 2;

/// What the bridge carries: from a broker, under one name, to the other broker, under another.
const BRIDGED: [(usize, &str, &str); 7] = [
    (0, "sensors/card1", "sensors/card1"),
    (0, "sensors/card1/alive", "sensors/card1/alive"),
    (0, "sensors/witness", "sensors/witness"),
    (0, "sensors/all", "sensors/board1/all"),
    (0, "$SYS/broker/uptime", "sensors/board1/broker/uptime"),
    (1, "sensors/all", "sensors/all"),
    (1, "sensors/card2/alive", "sensors/card2/alive"),
];

pub struct Net {
    pub mono: u64,
    pub machines: Vec<Option<Machine>>,
    pub watches: [Watch; 3],
    pub memories: [Memory; 3],
    lives: [Life; 3],
    /// Whether handshakes with broker 1 are completed.
    pub delivers: bool,
    bridge: bool,
    up: [bool; 2],
    retained: [BTreeMap<String, Vec<u8>>; 2],
    wire: VecDeque<(usize, String, Vec<u8>, bool)>,
}

fn board(program: usize) -> usize {
    usize::from(program != CARD1)
}

pub fn client_id(program: usize) -> &'static str {
    ["card1_monitor", "card2_monitor", "card2_global_display"][program]
}

impl Net {
    /// Both brokers and the bridge are up; no program runs.
    pub fn new() -> Self {
        Self {
            mono: 0,
            machines: vec![None, None, None],
            watches: Default::default(),
            memories: Default::default(),
            lives: [Life(0); 3],
            delivers: true,
            bridge: true,
            up: [true; 2],
            retained: Default::default(),
            wire: VecDeque::new(),
        }
    }

    /// Everything runs and has settled.
    pub fn running() -> Self {
        let mut net = Self::new();
        for program in [CARD1, CARD2, DISPLAY] {
            net.start(program);
            net.connect(program);
        }
        net.pass(6);
        net
    }

    pub fn now(&self) -> Now {
        Now {
            mono: Mono::from_start(Duration::from_secs(self.mono)),
            wall: Wall(START + i64::try_from(self.mono).expect("a short test")),
        }
    }

    pub fn start(&mut self, program: usize) {
        let life =
            Life(u32::try_from(program).expect("small") + 1 + u32::try_from(self.mono).expect("short"));
        self.lives[program] = life;
        self.watches[program] = Watch::default();
        self.machines[program] = Some(Machine::new(Setup {
            role: ROLES[program],
            client_id: client_id(program).to_owned(),
            life,
            memory: Ok(self.memories[program]),
            started: self.now(),
        }));
    }

    /// A program ends without a word; its broker says so.
    pub fn kill(&mut self, program: usize) {
        self.freeze(program);
        let Role::Monitor(card) = ROLES[program] else {
            return;
        };
        let will = wire::encode_last_will(self.lives[program]);
        self.publish(board(program), &Topic::Alive(card).name(""), &will);
    }

    /// A program does nothing any more, and its connection stays.
    pub fn freeze(&mut self, program: usize) {
        self.machines[program] = None;
    }

    pub fn connect(&mut self, program: usize) {
        self.tell(program, Event::Connected);
        let client = client_id(program);
        let topics = self.machines[program]
            .as_ref()
            .map(Machine::subscriptions)
            .unwrap_or_default();
        for (topic, payload) in self.retained[board(program)].clone() {
            if topics.iter().any(|(name, _)| *name == topic) {
                self.tell(program, message(&topic, &payload, true));
            }
        }
        let marker = format!("sensors/marker/{client}");
        let place = self.wire.iter().position(|(_, topic, ..)| *topic == marker);
        if let Some((_, topic, payload, _)) = place.and_then(|place| self.wire.remove(place)) {
            self.tell(program, message(&topic, &payload, false));
        }
        self.carry();
    }

    /// A broker ends; its programs notice.
    pub fn stop_broker(&mut self, broker: usize) {
        self.up[broker] = false;
        for program in (0..3).filter(|program| board(*program) == broker) {
            self.refuse(program, "connection refused");
        }
    }

    /// An attempt to connect fails.
    pub fn refuse(&mut self, program: usize, why: &str) {
        let down = Event::Disconnected {
            why: why.to_owned(),
            retry_in: Duration::from_secs(2),
        };
        self.tell(program, down);
        self.carry();
    }

    pub fn cut(&mut self) {
        self.bridge = false;
    }

    pub fn mend(&mut self) {
        self.bridge = true;
    }

    pub fn toggle(&mut self, program: usize, sensor: u8) {
        let sensor = SensorId::new(sensor).expect("1 to 6");
        self.give(program, Event::Toggle(sensor));
    }

    /// Gives a program an event, and carries everything that follows to where it goes.
    pub fn give(&mut self, program: usize, event: Event) {
        self.tell(program, event);
        self.carry();
    }

    /// Somebody publishes at a broker.
    pub fn publish(&mut self, broker: usize, topic: &str, payload: &[u8]) {
        self.wire
            .push_back((broker, topic.to_owned(), payload.to_vec(), false));
        self.carry();
    }

    /// So many seconds go by.
    pub fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.mono += 1;
            for program in 0..3 {
                self.give(program, Event::Tick);
            }
            if self.mono.is_multiple_of(3) {
                self.publish(0, "$SYS/broker/uptime", b"1 seconds");
            }
        }
    }

    fn tell(&mut self, program: usize, event: Event) {
        let now = self.now();
        let Some(machine) = &mut self.machines[program] else {
            return;
        };
        let effects = machine.handle(now, event);
        let _ = self.watches[program].look(now.wall, Seen::of(machine));
        for effect in effects {
            match effect {
                Effect::Publish {
                    ticket,
                    topic,
                    payload,
                } => {
                    let name = topic.name(client_id(program));
                    self.wire
                        .push_back((board(program), name, payload, topic.is_retained()));
                    if self.delivers || board(program) == 1 {
                        self.tell(program, Event::Delivered(ticket));
                    }
                }
                Effect::Save(memory) => {
                    self.memories[program] = *memory;
                    self.tell(program, Event::Saved);
                }
                Effect::StopForTwin | Effect::StopTakenOver => {}
            }
        }
    }

    fn carry(&mut self) {
        while let Some((broker, topic, payload, retained)) = self.wire.pop_front() {
            if !self.up[broker] {
                continue;
            }
            if retained {
                self.retained[broker].insert(topic.clone(), payload.clone());
            }
            for program in (0..3).filter(|program| board(*program) == broker) {
                self.tell(program, message(&topic, &payload, false));
            }
            let across = BRIDGED
                .iter()
                .find(|(from, name, _)| *from == broker && *name == topic);
            if let (Some((_, _, name)), true) = (across, self.bridge && self.up == [true; 2]) {
                self.wire
                    .push_back((1 - broker, (*name).to_owned(), payload, retained));
            }
        }
    }
}

fn message(topic: &str, payload: &[u8], retained: bool) -> Event {
    Event::Message {
        topic: topic.to_owned(),
        payload: payload.to_vec(),
        retained,
    }
}
