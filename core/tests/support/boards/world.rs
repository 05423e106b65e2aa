//! The boards as a whole, and the queue of what is going to happen on them.

use std::collections::{BTreeMap, BTreeSet};

use super::Hooks;
use super::board::Board;
use super::bridge::{Bridge, bridges};
use super::broker::VirtualBroker;
use super::cable::{Cable, USUAL};
use super::connections::{Conn, Parcel};
use super::program::Program;
use super::trace::Trace;

pub const BOARD1: usize = 0;
pub const BOARD2: usize = 1;

/// Something that is going to happen.
#[derive(Clone)]
pub enum Scheduled {
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
    Wake(usize),
    Mend(u64),
    Release(usize, u64),
    DiskWorks(usize),
    /// What the hooks have planned, by its number.
    Own(usize),
}

#[derive(Default)]
pub struct World<H> {
    pub now: u64,
    pub hooks: H,
    pub trace: Trace,
    pub brokers: [VirtualBroker; 2],
    pub boards: [Board; 2],
    pub bridges: Vec<Bridge>,
    pub programs: Vec<Program>,
    pub conns: BTreeMap<u64, Conn>,
    pub stuck: Vec<(u64, usize, Parcel)>,
    pub cable: Cable,
    pub local_latency: (u64, u64),
    pub autosave: u64,
    /// The longest that a write of a state file takes.
    pub sync: u64,
    /// The first thing that does not hold.
    pub failure: Option<String>,
    pub ids: u64,
    /// How many writes of state files have begun.
    pub writes: u64,
    sequence: u64,
    queue: BTreeMap<(u64, u64), Scheduled>,
}

impl<H: Hooks + Default> World<H> {
    /// Nothing runs yet.
    pub fn new(boards: [Board; 2], programs: Vec<Program>, max_queued: usize) -> Self {
        Self {
            brokers: [VirtualBroker::new(max_queued), VirtualBroker::new(max_queued)],
            boards,
            bridges: bridges(),
            programs,
            cable: Cable {
                latency: USUAL,
                ..Cable::default()
            },
            autosave: 1_800_000,
            ..Self::default()
        }
    }
}

impl<H: Hooks> World<H> {
    pub fn at(&mut self, when: u64, scheduled: Scheduled) {
        self.sequence += 1;
        self.queue.insert((when.max(self.now), self.sequence), scheduled);
    }

    /// At some moment between these.
    pub fn within(&mut self, low: u64, high: u64, scheduled: Scheduled) {
        let at = self.hooks.within(low, high);
        self.at(at, scheduled);
    }

    /// What has been taken from a queue: it is removed there when the acknowledgement arrives, which is
    /// under way.
    pub fn acknowledged(&self) -> BTreeSet<u64> {
        let stuck = self.stuck.iter().map(|(_, _, parcel)| parcel);
        let postponed = self.boards.iter().flat_map(|board| &board.postponed);
        let moving = self.queue.values().chain(postponed);
        let moving = moving.filter_map(|scheduled| match scheduled {
            Scheduled::Arrive(_, _, parcel) => Some(parcel),
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

    /// What happens next, unless that is after this moment. It is for [`Self::act`].
    pub fn next(&mut self, until: u64) -> Option<Scheduled> {
        let first = self.queue.first_entry().filter(|first| first.key().0 <= until)?;
        self.now = first.key().0;
        Some(first.remove())
    }

    pub fn act(&mut self, scheduled: Scheduled) {
        let board = self.board_of(&scheduled);
        if let Some(board) = board.filter(|board| self.boards[*board].asleep.is_some()) {
            self.boards[board].postponed.push(scheduled);
            return;
        }
        if let Scheduled::Tick(slot, life, _) | Scheduled::Synced(slot, life) = scheduled {
            if self.programs[slot].life != life {
                return;
            }
            if self.programs[slot].stopped {
                return self.at(self.now + 50, scheduled);
            }
        }
        match scheduled {
            Scheduled::Arrive(id, direction, parcel) => self.arrive(id, direction, parcel),
            Scheduled::Dial(slot, life) => self.dial(slot, life),
            Scheduled::DialBridge(place, attempt) => self.dial_bridge(place, attempt),
            Scheduled::DialTimeout(id) => self.dial_timeout(id),
            Scheduled::Keepalive(id, at_client) => self.keepalive(id, at_client),
            Scheduled::Tick(slot, _, at) => self.tick(slot, at),
            Scheduled::Synced(slot, _) => self.synced(slot),
            Scheduled::Forget(id) => {
                self.conns.remove(&id);
            }
            Scheduled::Autosave(place, run) => self.autosave(place, run),
            Scheduled::Uptime(place, run) => self.uptime(place, run),
            Scheduled::Start(slot) => self.start_program(slot),
            Scheduled::End(slot, life) if self.programs[slot].life == life => {
                self.end_program(slot, true, false);
            }
            Scheduled::BrokerStart(place) => self.start_broker(place),
            Scheduled::Wake(board) => self.wake(board),
            Scheduled::Mend(change) => self.mend(change),
            Scheduled::Release(slot, life) if self.programs[slot].life == life => self.hold(slot, false),
            Scheduled::End(..) | Scheduled::Release(..) => {}
            Scheduled::DiskWorks(slot) => self.programs[slot].disk.failing = false,
            Scheduled::Own(number) => H::due(self, number),
        }
    }
}
