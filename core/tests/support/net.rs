//! The three programs, and more of them, their brokers and the bridge, in memory and with clocks that are
//! turned by hand.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use dualboard_core::alarms::{Alarms, Observed};
use dualboard_core::machine::{Effect, Event, Machine, Role, Setup};
use dualboard_core::owner::Memory;
use dualboard_core::sensor::{Card, SensorId, State};
use dualboard_core::time::{Mono, Now, Wall};
use dualboard_core::version::Life;
use dualboard_core::wire::{self, Topic};

/// 2025-11-03 11:58:00 UTC.
const START: i64 = 1_762_171_080;

pub const ROLES: [Role; 3] = [Role::Monitor(Card::One), Role::Monitor(Card::Two), Role::Display];

/// A program in the net, by its place in [`ROLES`].
pub const CARD1: usize = 0;
pub const CARD2: usize = 1;
pub const DISPLAY: usize = 2;

/// What the bridge carries, by its file: from a broker, under one name, to the other broker, under another.
fn bridged() -> Vec<(usize, String, String)> {
    let rule = |line: &str| {
        let words: Vec<&str> = line.strip_prefix("topic ")?.split_whitespace().collect();
        let [pattern, direction, _, local, remote] = words[..] else {
            panic!("{line}");
        };
        let [local, remote] = [local, remote].map(|prefix| format!("{prefix}{pattern}"));
        Some(if direction == "in" {
            (0, remote, local)
        } else {
            (1, local, remote)
        })
    };
    let text = include_str!("../../../mosquitto_bridge.conf");
    text.lines().filter_map(rule).collect()
}

pub struct Net {
    pub mono: u64,
    pub machines: Vec<Option<Machine>>,
    pub watches: Vec<Alarms>,
    pub memories: Vec<Memory>,
    /// What each was told to do at the end.
    pub ends: Vec<Option<Effect>>,
    roles: Vec<Role>,
    boards: Vec<usize>,
    lives: Vec<Life>,
    connected: Vec<bool>,
    /// Whether handshakes with broker 1 are completed.
    pub delivers: bool,
    bridge: bool,
    up: [bool; 2],
    retained: [BTreeMap<String, Vec<u8>>; 2],
    wire: VecDeque<Carried>,
    bridged: Vec<(usize, String, String)>,
}

/// A message at a broker.
struct Carried {
    broker: usize,
    topic: String,
    payload: Vec<u8>,
    retained: bool,
    /// Whether it has come over the bridge: it does not go back.
    crossed: bool,
}

impl Net {
    /// Both brokers and the bridge are up; no program runs.
    pub fn new() -> Self {
        let mut net = Self {
            mono: 0,
            machines: Vec::new(),
            watches: Vec::new(),
            memories: Vec::new(),
            ends: Vec::new(),
            roles: Vec::new(),
            boards: Vec::new(),
            lives: Vec::new(),
            connected: Vec::new(),
            delivers: true,
            bridge: true,
            up: [true; 2],
            retained: Default::default(),
            wire: VecDeque::new(),
            bridged: bridged(),
        };
        for (role, board) in ROLES.into_iter().zip([0, 1, 1]) {
            net.add(role, board);
        }
        net
    }

    /// One more program, at the broker of this board; gives its place.
    pub fn add(&mut self, role: Role, board: usize) -> usize {
        self.machines.push(None);
        self.watches.push(Alarms::default());
        self.memories.push(Memory::default());
        self.ends.push(None);
        self.roles.push(role);
        self.boards.push(board);
        self.lives.push(Life(0));
        self.connected.push(false);
        self.roles.len() - 1
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
        self.start_as(program, life.0);
    }

    pub fn start_as(&mut self, program: usize, life: u32) {
        let memory = self.memories[program];
        self.lives[program] = Life(life);
        self.watches[program] = Alarms::default();
        self.machines[program] = Some(Machine::new(Setup {
            role: self.roles[program],
            client: memory.client.unwrap_or(life),
            life: Life(life),
            memory: Ok(memory),
            started: self.now(),
        }));
    }

    /// What was just started takes over.
    pub fn take_over(&mut self, program: usize) {
        self.machines[program] = self.machines[program].take().map(Machine::taking_over);
    }

    /// A program ends without a word; its broker says so.
    pub fn kill(&mut self, program: usize) {
        self.freeze(program);
        let Role::Monitor(card) = self.roles[program] else {
            return;
        };
        let will = wire::encode_last_will(self.lives[program]);
        self.publish(self.boards[program], &Topic::Alive(card).name(""), &will);
    }

    /// A program does nothing any more, and its connection stays.
    pub fn freeze(&mut self, program: usize) {
        self.machines[program] = None;
        self.connected[program] = false;
    }

    /// A program connects; who has its client id is thrown out.
    pub fn connect(&mut self, program: usize) {
        let client = self.client_id(program);
        for other in 0..self.roles.len() {
            let same = self.boards[other] == self.boards[program] && self.connected[other];
            if same && other != program && self.client_id(other) == client {
                self.refuse(other, "session taken over");
            }
        }
        self.connected[program] = true;
        self.tell(program, Event::Connected);
        let topics = self.machines[program]
            .as_ref()
            .map(Machine::subscriptions)
            .unwrap_or_default();
        for (topic, payload) in self.retained[self.boards[program]].clone() {
            if topics.iter().any(|(name, _)| *name == topic) {
                self.tell(program, message(&topic, &payload, true));
            }
        }
        let marker = format!("sensors/marker/{client}");
        let place = self.wire.iter().position(|carried| carried.topic == marker);
        if let Some(back) = place.and_then(|place| self.wire.remove(place)) {
            self.tell(program, message(&back.topic, &back.payload, false));
        }
        self.carry();
    }

    /// A broker ends; its programs notice.
    pub fn stop_broker(&mut self, broker: usize) {
        self.up[broker] = false;
        for program in 0..self.roles.len() {
            if self.boards[program] == broker {
                self.refuse(program, "connection refused");
            }
        }
    }

    /// An attempt to connect fails.
    pub fn refuse(&mut self, program: usize, why: &str) {
        let down = Event::Disconnected {
            why: why.to_owned(),
            retry_in: Duration::from_secs(2),
        };
        self.connected[program] = false;
        self.tell(program, down);
        self.carry();
    }

    pub fn client_id(&self, program: usize) -> String {
        let machine = self.machines[program].as_ref();
        machine.map_or_else(String::new, |machine| machine.client_id().to_owned())
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
        self.put(broker, topic.to_owned(), payload.to_vec(), false);
        self.carry();
    }

    /// The operator of a screen has seen everything that is on it.
    pub fn acknowledge(&mut self, program: usize) {
        let seen = self.watches[program].seen();
        self.watches[program].acknowledge(seen);
    }

    /// So many seconds go by.
    pub fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.mono += 1;
            for program in 0..self.roles.len() {
                self.give(program, Event::Tick);
            }
            if self.mono.is_multiple_of(3) {
                for broker in 0..2 {
                    self.publish(broker, "$SYS/broker/uptime", b"1 seconds");
                }
            }
        }
    }

    fn tell(&mut self, program: usize, event: Event) {
        let now = self.now();
        let Some(machine) = &mut self.machines[program] else {
            return;
        };
        let effects = machine.handle(now, event);
        let _ = self.watches[program].look(now.wall, Observed::of(&machine.view()));
        for effect in effects {
            match effect {
                Effect::Publish {
                    ticket,
                    topic,
                    payload,
                } => {
                    let name = topic.name(&self.client_id(program));
                    let board = self.boards[program];
                    self.put(board, name, payload, topic.is_retained());
                    if self.delivers || board == 1 {
                        self.tell(program, Event::Delivered(ticket));
                    }
                }
                Effect::Save(memory) => {
                    self.memories[program] = *memory;
                    self.tell(program, Event::Saved);
                }
                end @ (Effect::StopForTwin | Effect::StopTakenOver) => {
                    assert!(self.ends[program].replace(end).is_none(), "ends twice");
                }
            }
        }
    }

    fn put(&mut self, broker: usize, topic: String, payload: Vec<u8>, retained: bool) {
        self.wire.push_back(Carried {
            broker,
            topic,
            payload,
            retained,
            crossed: false,
        });
    }

    fn carry(&mut self) {
        while let Some(carried) = self.wire.pop_front() {
            let (broker, topic, payload) = (carried.broker, &carried.topic, &carried.payload);
            if !self.up[broker] {
                continue;
            }
            if carried.retained {
                self.retained[broker].insert(topic.clone(), payload.clone());
            }
            for program in 0..self.roles.len() {
                if self.boards[program] == broker && self.connected[program] {
                    self.tell(program, message(topic, payload, false));
                }
            }
            let rule = |(from, name, _): &&(usize, String, String)| *from == broker && name == topic;
            let across = self.bridged.iter().find(rule);
            if let (Some((_, _, name)), true) =
                (across, self.bridge && self.up == [true; 2] && !carried.crossed)
            {
                self.wire.push_back(Carried {
                    broker: 1 - broker,
                    topic: name.clone(),
                    crossed: true,
                    ..carried
                });
            }
        }
    }

    /// What the programs of this board find when they connect.
    pub fn retained(&self, broker: usize, topic: &str) -> Option<&[u8]> {
        self.retained[broker].get(topic).map(Vec::as_slice)
    }

    pub fn state(&self, program: usize, number: u8) -> Option<State> {
        let machine = self.machines[program].as_ref().expect("it runs");
        let sensor = SensorId::new(number).expect("1 to 6");
        machine.shown(sensor).map(|shown| shown.state())
    }
}

fn message(topic: &str, payload: &[u8], retained: bool) -> Event {
    Event::Message {
        topic: topic.to_owned(),
        payload: payload.to_vec(),
        retained,
    }
}
