//! One program around the core: what the shell does, in virtual time.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use dualboard_core::machine::{Event, Machine, Role, Setup, Ticket};
use dualboard_core::names::Names;
use dualboard_core::owner::Memory;
use dualboard_core::sensor::Card;
use dualboard_core::time::Now;
use dualboard_core::version::RunId;
use dualboard_core::wire::{Topic, encode_last_will};

use super::Hooks;
use super::broker::{PublishPacket, Queued};
use super::connections::{Parcel, Peer, UP};
use super::disk::VirtualDisk;
use super::runtime::message;
use super::world::{Scheduled, World};

#[expect(
    clippy::struct_excessive_bools,
    reason = "what is true of a process at one time, each by itself"
)]
#[derive(Default)]
pub struct Program {
    pub name: &'static str,
    /// Whose sensors it owns; a display owns none.
    card: Option<Card>,
    pub board: usize,
    /// The number in its client id, and the id.
    pub client: u32,
    pub client_id: Rc<str>,
    /// What it is told of names at its next start; `None` keeps those that are found.
    pub names: Option<Names>,
    pub takes_over: bool,
    pub machine: Option<Machine>,
    /// Raised with each start and end: what was meant for an earlier life does nothing.
    pub life: u64,
    pub life_id: u32,
    /// When it was last started, and when it ended.
    pub started: u64,
    pub ended: Option<u64>,
    pub conn: Option<u64>,
    pub granted: bool,
    /// Whether the marker that it published has come back on this connection.
    pub marked: bool,
    /// Publications whose handshakes are under way.
    pub flying: Vec<(Ticket, Queued)>,
    seen: BTreeSet<u64>,
    pub disk: VirtualDisk,
    pub stopped: bool,
    /// Its machine has been asleep, and nothing has happened to it since.
    pub dozes: bool,
    pub due: Option<u64>,
}

impl Program {
    pub fn new(name: &'static str, card: Option<Card>, board: usize) -> Self {
        Self {
            name,
            card,
            board,
            client_id: Rc::from(name),
            names: Some(Names::default()),
            ..Self::default()
        }
    }

    pub fn setup(&self, started: Now, memory: Result<Memory, String>) -> Setup {
        Setup {
            role: self.role(),
            client: self.client,
            life: RunId(self.life_id),
            memory,
            names: self.names,
            user: None,
            takes_over: self.takes_over,
            started,
        }
    }

    pub fn card(&self) -> Option<Card> {
        self.card
    }

    pub fn role(&self) -> Role {
        self.card.map_or(Role::Display, Role::Monitor)
    }
}

impl<H: Hooks> World<H> {
    pub fn start_program(&mut self, slot: usize) {
        if self.programs[slot].machine.is_some() || self.boards[self.programs[slot].board].unpowered {
            return;
        }
        let [life_id, client] = self.hooks.numbers(slot);
        let names = self.hooks.names(life_id);
        let now = self.hooks.clock(self.now_at(self.programs[slot].board));
        let program = &mut self.programs[slot];
        let memory = self.hooks.memory(program.card, program.disk.read());
        program.life_id = life_id;
        program.names = names.or(program.names);
        let kept = memory.as_ref().ok().and_then(|memory| memory.client);
        program.client = kept.unwrap_or(client);
        let machine = Machine::new(program.setup(now, memory));
        program.client_id = Rc::from(machine.client_id());
        program.machine = Some(machine);
        program.life += 1;
        (program.started, program.dozes, program.due) = (self.now, false, None);
        let name = program.name;
        self.trace.note(self.now, 1, &[], || format!("{name} starts"));
        H::started(self, slot);
        self.feed(slot, Event::Tick);
        self.redial(slot, 1, 50);
    }

    /// The process is gone. `silent`: with its board's power; `clean`: it said goodbye to its broker.
    pub fn end_program(&mut self, slot: usize, clean: bool, silent: bool) {
        let kept = self.hooks.keeps_write();
        let program = &mut self.programs[slot];
        if program.machine.take().is_none() {
            return;
        }
        program.life += 1;
        program.disk.crash(kept);
        (program.stopped, program.dozes, program.ended) = (false, false, Some(self.now));
        program.flying.clear();
        program.seen.clear();
        program.granted = false;
        let conn = program.conn.take();
        let name = program.name;
        self.trace.note(self.now, 2, &[], || format!("{name} ends"));
        H::ended(self, slot);
        if let Some(id) = conn {
            self.close_client(id, clean, silent);
        }
    }

    fn redial(&mut self, slot: usize, low: u64, high: u64) {
        let dial = Scheduled::Dial(slot, self.programs[slot].life);
        self.within(self.now + low, self.now + high, dial);
    }

    pub fn dial(&mut self, slot: usize, life: u64) {
        let program = &self.programs[slot];
        if program.life != life || program.conn.is_some() {
            return;
        }
        if program.stopped {
            self.redial(slot, 100, 200);
            return;
        }
        let board = program.board;
        if !self.brokers[board].up {
            self.lost(slot, "connection refused");
            return;
        }
        let key = Rc::clone(&program.client_id);
        let will = program.card().map(|card| {
            let topic = Topic::Alive(card).name(&key);
            PublishPacket::new(&topic, &encode_last_will(RunId(program.life_id)), 0, false)
        });
        let topics = program.machine.iter().flat_map(Machine::subscriptions);
        let topics = topics.map(|(topic, qos)| (Rc::from(topic), qos)).collect();
        let id = self.open(Peer::Program(slot), board, &key);
        self.programs[slot].conn = Some(id);
        self.send(id, UP, Parcel::Connect(Rc::new(topics), will, false));
    }

    /// Something arrived from the broker.
    pub fn at_program(&mut self, slot: usize, id: u64, parcel: Parcel) {
        let program = &mut self.programs[slot];
        if program.conn != Some(id) {
            return;
        }
        match parcel {
            Parcel::Granted => {
                program.granted = true;
                program.marked = false;
                for (_, queued) in program.flying.clone() {
                    self.send(id, UP, Parcel::Publish(queued));
                }
                self.feed(slot, Event::Connected);
            }
            Parcel::Ack(mid) => {
                let mut flying = program.flying.iter();
                if let Some(at) = flying.position(|(_, queued)| queued.mid == mid) {
                    let (ticket, _) = program.flying.remove(at);
                    self.feed(slot, Event::Delivered(ticket));
                }
            }
            Parcel::Closed { .. } => {
                program.conn = None;
                program.granted = false;
                self.lost(slot, "connection lost");
            }
            Parcel::Publish(queued) => {
                let fresh = queued.packet.qos == 0 || program.seen.insert(queued.mid);
                let marker = queued.packet.topic.starts_with("sensors/marker/");
                program.marked |= fresh && marker && queued.packet.payload.iter().all(u8::is_ascii_digit);
                if queued.packet.qos > 0 {
                    self.send(id, UP, Parcel::Ack(queued.mid));
                }
                if fresh {
                    let packet = &queued.packet;
                    H::arrives(self, slot, packet);
                    let (topic, payload) = (packet.topic.to_string(), packet.payload.to_vec());
                    self.feed(slot, message(topic, payload, queued.retained));
                }
            }
            Parcel::Connect(..) => {}
        }
    }

    pub fn tick(&mut self, slot: usize, at: u64) {
        let due = &mut self.programs[slot].due;
        if due.take_if(|due| *due == at).is_some() {
            self.feed(slot, Event::Tick);
        }
    }

    pub fn synced(&mut self, slot: usize) {
        let event = match self.programs[slot].disk.sync() {
            Ok(()) => Event::Saved,
            Err(why) => Event::NotSaved(why),
        };
        self.feed(slot, event);
    }

    /// The program's process is stopped, or goes on.
    pub fn hold(&mut self, slot: usize, stopped: bool) {
        let program = &mut self.programs[slot];
        program.stopped = stopped && program.machine.is_some();
        let stopped = program.stopped;
        if let Some(conn) = program.conn.and_then(|id| self.conns.get_mut(&id)) {
            conn.held = stopped;
        }
        if !stopped {
            self.feed(slot, Event::Tick);
            self.thaw();
        }
    }

    /// The process is stopped until then.
    pub fn stop_program(&mut self, slot: usize, after: u64) {
        if self.programs[slot].machine.is_none() {
            return;
        }
        self.hold(slot, true);
        self.at(after, Scheduled::Release(slot, self.programs[slot].life));
        if let Some(id) = self.programs[slot].conn {
            self.at(self.now + 7_500, Scheduled::Keepalive(id, false));
        }
    }

    fn lost(&mut self, slot: usize, why: &str) {
        let (millis, why) = (self.hooks.within(300, 2_000), why.to_owned());
        let retry_in = Duration::from_millis(millis);
        self.feed(slot, Event::Disconnected { why, retry_in });
        self.redial(slot, millis, millis + 1);
    }
}
