//! Two boards in virtual time. One seed decides everything.

use std::collections::{BTreeMap, BTreeSet};

use dualboard_core::sensor::{Card, SensorId};

use super::assertions::Had;
use super::boards::Board;
use super::bridge::{Bridge, bridges};
use super::broker::{Broker, Packet};
use super::faults::Fault;
use super::kinds::Tally;
use super::memories::Memories;
use super::net::{Conn, Link, Parcel};
use super::planted::Planted;
use super::program::Program;
use super::reference::{Ledger, Made};
use super::rng::Rng;
use super::trace::Trace;

pub const BOARD1: usize = 0;
pub const BOARD2: usize = 1;

/// Places of the programs.
pub const CARD1: usize = 0;
pub const CARD2: usize = 1;
pub const DISPLAY2: usize = 2;
pub const DISPLAY1: usize = 3;
pub const TWIN: usize = 4;

/// Something that is going to happen.
#[derive(Clone)]
pub enum Action {
    Arrive(u64, usize, Parcel),
    Dial(usize, u64),
    DialBridge(usize, u64),
    /// A connection of the bridge that is not granted by now is given up.
    DialTimeout(u64),
    /// Nothing came for one and a half keepalive intervals: at the client (`true`) or at the broker.
    Keepalive(u64, bool),
    Tick(usize, u64, u64),
    Synced(usize, u64),
    Forget(u64),
    Autosave(usize, u64),
    Uptime(usize, u64),
    Start(usize),
    End(usize, u64),
    BrokerStart(usize),
    Fault(Fault),
    Press(SensorId),
    Command(SensorId, u64),
    Wake(usize),
    Mend(u64),
    Release(usize, u64),
    DiskWorks(usize),
    Heal,
    Theme,
}

#[derive(Default)]
pub struct World {
    pub now: u64,
    pub rng: Rng,
    pub trace: Trace,
    pub tally: Tally,
    pub planted: Planted,
    pub brokers: [Broker; 2],
    pub boards: [Board; 2],
    pub bridges: Vec<Bridge>,
    pub programs: Vec<Program>,
    pub conns: BTreeMap<u64, Conn>,
    pub stuck: Vec<(u64, usize, Parcel)>,
    pub link: Link,
    pub local_latency: (u64, u64),
    /// Per cent of the bridge's connects at which newer messages overtake an older retained copy.
    pub overtaking: u64,
    /// Whether the bridge does not reconnect while the wall clock is behind: Mosquitto 2.0.21.
    pub waits_for_clock: bool,
    pub autosave: u64,
    /// The longest that a write of a state file takes.
    pub sync: u64,
    pub ledger: Ledger,
    pub memories: Memories,
    /// A twin has been started with a copy of the owner's state file.
    pub copied: bool,
    /// All is well since, but for two owners of a card, of which one is to end.
    pub settling: bool,
    /// When somebody last published a program's old message again.
    pub replayed: Option<u64>,
    /// What owners have had lately.
    pub had: Vec<Had>,
    pub failure: Option<String>,
    /// The last fault is over since.
    pub healed: Option<u64>,
    /// All views and stores have agreed since.
    pub agreed: Option<u64>,
    /// What was left of each sensor then.
    pub expected: [Vec<Made>; 6],
    pub history: Vec<std::rc::Rc<Packet>>,
    pub ids: u64,
    sequence: u64,
    queue: BTreeMap<(u64, u64), Action>,
}

/// What a run came to.
pub struct Outcome {
    pub failure: Option<String>,
    pub hash: u64,
    pub lines: Vec<String>,
    pub tally: Tally,
    pub simulated: u64,
    /// From the end of the last fault until all agreed, in milliseconds.
    pub agreement: u64,
    pub presses: u64,
    /// Whether two readings were met of which nobody can tell the later one.
    pub unordered: bool,
    pub steps: u64,
}

/// How long all may take to agree after the last fault, and how long it is then watched that nothing more
/// is said.
pub const AGREEMENT: u64 = 40_000;
pub const QUIET: u64 = 14_000;

impl World {
    pub fn new(seed: u64, planted: Planted, recording: bool) -> Self {
        let mut rng = Rng::new(seed);
        let max_queued = *rng.pick(&[3, 20, 1_000]);
        let card = *rng.pick(&Card::ALL);
        let programs = vec![
            Program::new("card1_monitor", Some(Card::One), BOARD1),
            Program::new("card2_monitor", Some(Card::Two), BOARD2),
            Program::new("display2", None, BOARD2),
            Program::new("display1", None, BOARD1),
            Program::new("twin", Some(card), card as usize),
        ];
        let mut board = |wall| Board::new(rng.within(1 << 20, 1 << 32), wall);
        Self {
            trace: Trace::new(recording),
            planted,
            brokers: [Broker::new(max_queued), Broker::new(max_queued)],
            boards: [board(1_764_930_243), board(0)],
            bridges: bridges(),
            programs,
            link: Link {
                latency: (1, 5),
                ..Link::default()
            },
            local_latency: (0, *rng.pick(&[1, 5, 60])),
            overtaking: *rng.pick(&[0, 30, 100]),
            waits_for_clock: rng.chance(30),
            autosave: *rng.pick(&[1_000, 10_000, 1_800_000]),
            sync: *rng.pick(&[5, 30, 3_000]),
            rng,
            ..Self::default()
        }
    }

    pub fn at(&mut self, when: u64, action: Action) {
        self.sequence += 1;
        self.queue.insert((when.max(self.now), self.sequence), action);
    }

    /// At some moment between these.
    pub fn within(&mut self, low: u64, high: u64, action: Action) {
        let at = self.rng.within(low, high);
        self.at(at, action);
    }

    /// What has been taken from a queue: it is removed there when the acknowledgement arrives, which is
    /// under way.
    pub fn acknowledged(&self) -> BTreeSet<u64> {
        let stuck = self.stuck.iter().map(|(_, _, parcel)| parcel);
        let postponed = self.boards.iter().flat_map(|board| &board.postponed);
        let moving = self.queue.values().chain(postponed);
        let moving = moving.filter_map(|action| match action {
            Action::Arrive(_, _, parcel) => Some(parcel),
            _ => None,
        });
        let acks = moving.chain(stuck).filter_map(|parcel| match parcel {
            Parcel::Ack(mid) => Some(*mid),
            _ => None,
        });
        acks.collect()
    }

    /// Something does not hold. The first thing counts.
    pub fn fail(&mut self, slot: usize, words: impl Into<String>) {
        if self.failure.is_none() {
            let program = self.programs.get(slot);
            let name = program.map_or("the system", |program| program.name);
            self.failure = Some(format!("at {} ms: {name} {}", self.now, words.into()));
        }
    }

    /// Runs from the first start to the end of the quiet after the last fault.
    pub fn run(mut self) -> Outcome {
        self.plan();
        let mut steps = 0;
        while let (None, Some(((when, _), action))) = (&self.failure, self.queue.pop_first()) {
            self.now = when;
            if self
                .healed
                .is_some_and(|healed| when > healed + AGREEMENT + QUIET)
            {
                self.check_quiet();
                break;
            }
            self.act(action);
            self.check_live();
            steps += 1;
        }
        let agreement = self.agreed.unwrap_or(0).saturating_sub(self.healed.unwrap_or(0));
        Outcome {
            failure: self.failure,
            hash: self.trace.hash(),
            lines: self.trace.lines().to_vec(),
            tally: self.tally,
            simulated: self.now,
            agreement,
            presses: self.ledger.presses(),
            unordered: self.memories.excused.get(),
            steps,
        }
    }

    fn act(&mut self, action: Action) {
        let board = self.board_of(&action);
        if let Some(board) = board.filter(|board| self.boards[*board].asleep.is_some()) {
            self.boards[board].postponed.push(action);
            return;
        }
        if let Action::Tick(slot, life, _) | Action::Synced(slot, life) = action {
            if self.programs[slot].life != life {
                return;
            }
            if self.programs[slot].stopped {
                return self.at(self.now + 50, action);
            }
        }
        match action {
            Action::Arrive(id, direction, parcel) => self.arrive(id, direction, parcel),
            Action::Dial(slot, life) => self.dial(slot, life),
            Action::DialBridge(place, attempt) => self.dial_bridge(place, attempt),
            Action::DialTimeout(id) => self.dial_timeout(id),
            Action::Keepalive(id, at_client) => self.keepalive(id, at_client),
            Action::Tick(slot, _, at) => self.tick(slot, at),
            Action::Synced(slot, _) => self.synced(slot),
            Action::Forget(id) => {
                self.conns.remove(&id);
            }
            Action::Autosave(place, run) => self.autosave(place, run),
            Action::Uptime(place, run) => self.uptime(place, run),
            Action::Start(slot) => self.start_program(slot),
            Action::End(slot, life) if self.programs[slot].life == life => {
                self.end_program(slot, true, false);
            }
            Action::BrokerStart(place) => self.start_broker(place),
            Action::Fault(fault) => self.inject(fault),
            Action::Press(sensor) => self.press(sensor),
            Action::Command(sensor, id) => self.command(sensor, id),
            Action::Wake(board) => self.wake(board),
            Action::Mend(change) => self.mend(change),
            Action::Release(slot, life) if self.programs[slot].life == life => self.hold(slot, false),
            Action::End(..) | Action::Release(..) => {}
            Action::DiskWorks(slot) => self.programs[slot].disk.failing = false,
            Action::Heal => self.heal(),
            Action::Theme => self.look(),
        }
    }

    pub fn start_broker(&mut self, place: usize) {
        if self.brokers[place].up || self.boards[place].unpowered {
            return;
        }
        let broker = &mut self.brokers[place];
        broker.up = true;
        broker.run += 1;
        broker.store = broker.saved.clone();
        broker.attached.clear();
        broker.wills.clear();
        let (run, number) = (broker.run, place + 1);
        self.trace
            .note(self.now, 3, &[], || format!("broker {number} starts"));
        self.at(self.now + self.autosave, Action::Autosave(place, run));
        self.at(self.now, Action::Uptime(place, run));
        if place == BOARD2 {
            self.bridge_starts();
        }
    }

    /// The broker's process ends; `saving` on SIGTERM, `silent` with its board's power.
    pub fn stop_broker(&mut self, place: usize, saving: bool, silent: bool) {
        let broker = &mut self.brokers[place];
        if !broker.up {
            return;
        }
        if saving {
            broker.save();
        }
        broker.up = false;
        broker.wills.clear();
        broker.attached.clear();
        let number = place + 1;
        self.trace
            .note(self.now, 4, &[], || format!("broker {number} ends"));
        for id in self.conns_that(|conn| conn.broker == place) {
            let crosses = self.conns[&id].crosses();
            self.close_broker(id, silent && crosses);
            if silent && crosses {
                self.at(self.now + 7_500, Action::Keepalive(id, true));
            }
        }
        if place == BOARD2 {
            for bridge in 0..self.bridges.len() {
                self.bridges[bridge].up = false;
                self.bridges[bridge].attempt += 1;
                if let Some(id) = self.bridges[bridge].conn.take() {
                    self.close_client(id, false, silent);
                    if silent {
                        self.at(self.now + 7_500, Action::Keepalive(id, false));
                    }
                }
            }
        }
    }

    fn autosave(&mut self, place: usize, run: u64) {
        let broker = &mut self.brokers[place];
        if broker.up && broker.run == run {
            broker.save();
            self.at(self.now + self.autosave, Action::Autosave(place, run));
        }
    }

    fn uptime(&mut self, place: usize, run: u64) {
        if self.brokers[place].up && self.brokers[place].run == run {
            let payload = format!("{} seconds", self.now / 1000);
            let packet = Packet::new("$SYS/broker/uptime", payload.as_bytes(), 0, true);
            self.publish_at(place, &packet, None);
            self.at(self.now + 4_000, Action::Uptime(place, run));
        }
    }
}
