//! What goes wrong, how it is done to the boards, and how it ends.

use std::ops::RangeInclusive;
use std::rc::Rc;

use dualboard_core::sensor::SensorId;
use serde_json::Value;

use super::boards::broker::{PublishPacket, Store};
use super::boards::connections::UP;
use super::boards::payload::states_of;
use super::boards::program::Program;
use super::boards::world::{BOARD1, BOARD2, Scheduled};
use super::kinds::Kind;
use super::run::{AGREEMENT, CARD1, CARD2, Planned, QUIET, Simulation, TWIN};

#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub kind: Kind,
    /// A program, a board, a direction: as the kind needs it.
    pub target: usize,
    /// Until it is over.
    pub lasts: u64,
}

const GARBAGE: &[&str] = &[
    "",
    "not json",
    "[true,true,true]",
    "{\"sensor_1\":1}",
    "{\"sensor_1\":true,\"sensor_1\":false}",
    "{\"sensor_1\":true,\"versions\":{\"sensor_1\":[9007199254740993,1]}}",
    "{\"sensor_4\":true,\"versions\":{\"sensor_4\":[9,1,9]}}",
    "{\"sensor_1\":true,\"versions\":[[9,9,9]]}",
    "{\"sensor_9\":true}",
    "{}",
    "null",
    "{\"alive\":true}",
    "\u{1b}[2J\u{7}",
];

/// Below `sensors/`.
const TOPICS: [&str; 9] = [
    "card1",
    "card2",
    "all",
    "witness",
    "board2/card1",
    "board1/card2",
    "card1/alive",
    "card2/alive",
    "marker/",
];

impl Simulation {
    pub fn inject(&mut self, fault: Fault) {
        self.hooks.tally.count(fault.kind);
        self.trace.note(self.now, 5, &[], || format!("FAULT {fault:?}"));
        let Fault { kind, target, lasts } = fault;
        let (slot, board, after) = (target % self.programs.len(), target % 2, self.now + lasts);
        match kind {
            Kind::Killed | Kind::Left => {
                self.end_program(slot, kind == Kind::Left, false);
                if slot != TWIN {
                    self.at(after, Scheduled::Start(slot));
                }
            }
            Kind::ReadOnly => {
                self.end_program(board, false, false);
                self.programs[board].disk.read_only = true;
                self.at(after, Scheduled::Start(board));
            }
            Kind::Asleep | Kind::Paused => self.sleep(board, kind == Kind::Paused, after + 3_000),
            Kind::Commanded => {
                let sensor = SensorId::ALL[target % 6];
                self.ids += 1;
                self.plan_at(self.now, Planned::Command(sensor, self.ids));
                if self.hooks.rng.chance(50) {
                    self.hooks.tally.count(Kind::Repeated);
                    self.plan_at(after, Planned::Command(sensor, self.ids));
                }
            }
            Kind::Wiped | Kind::Torn => self.harm_file(target % 2, kind, after),
            Kind::Full => {
                self.programs[target % 2].disk.failing = true;
                self.at(after, Scheduled::DiskWorks(target % 2));
            }
            Kind::BrokerKilled | Kind::BrokerStopped | Kind::StoreWiped | Kind::StoreOld => {
                self.stop_broker(board, kind == Kind::BrokerStopped, false);
                let broker = &mut self.brokers[board];
                match kind {
                    Kind::StoreWiped => broker.saved = Store::default(),
                    Kind::StoreOld => broker.saved = broker.past.clone(),
                    _ => {}
                }
                self.at(after, Scheduled::BrokerStart(board));
            }
            Kind::PowerCut => self.power_cut(board, after),
            Kind::Replaced => {
                self.power_cut(board, after);
                self.brokers[board].saved = Store::default();
                let there = self.programs.iter_mut().filter(|program| program.board == board);
                there.for_each(|program| program.disk.wipe());
            }
            Kind::AllKilled => {
                for slot in 0..TWIN {
                    self.end_program(slot, false, false);
                    self.within(after, after + lasts, Scheduled::Start(slot));
                }
            }
            Kind::Refused | Kind::Frozen | Kind::OneWay | Kind::Slow => self.harm_link(kind, target, after),
            Kind::Dropped => self.drop_local(slot),
            Kind::Stopped => self.stop_program(slot, after),
            Kind::Clock => {
                let walls = [0, 2_147_483_647, 1_764_930_243, -62_135_596_800, 253_402_300_799];
                let wall = *self.hooks.rng.pick(&walls);
                // Nobody sets the clock of a machine that stands still, nor before its programs have seen
                // that it did.
                let dozes = |program: &Program| program.board == board && program.dozes;
                if self.boards[board].asleep.is_none() && !self.programs.iter().any(dozes) {
                    self.boards[board].wall = wall;
                }
            }
            Kind::Twin | Kind::TwinCopied => {
                let takes_over = self.hooks.rng.chance(30);
                self.start_twin(kind, takes_over);
            }
            Kind::Garbage | Kind::Replay | Kind::Meddler | Kind::Plain => self.meddle(kind, board),
            Kind::TakesOver
            | Kind::Acknowledged
            | Kind::TwinPressed
            | Kind::Repeated
            | Kind::Overtaken
            | Kind::ClockBehind => {}
        }
        self.lower_floor();
        self.forget();
    }

    /// Somebody publishes what is not theirs.
    fn meddle(&mut self, kind: Kind, board: usize) {
        if !self.brokers[board].up {
            return;
        }
        let retain = self.hooks.rng.chance(60);
        let packet = match kind {
            Kind::Garbage => {
                let many = if self.hooks.rng.chance(50) {
                    3
                } else {
                    TOPICS.len()
                };
                let (topic, payload) = (
                    *self.hooks.rng.pick(&TOPICS[..many]),
                    *self.hooks.rng.pick(GARBAGE),
                );
                let client = &self.programs[board].client_id;
                let own = if topic.ends_with('/') { client } else { "" };
                PublishPacket::new(&format!("sensors/{topic}{own}"), payload.as_bytes(), 2, retain)
            }
            Kind::Replay if !self.hooks.history.is_empty() => {
                let history = std::mem::take(&mut self.hooks.history);
                let packet = Rc::clone(self.hooks.rng.pick(&history));
                self.hooks.history = history;
                self.hooks.replayed = Some(self.now);
                packet
            }
            Kind::Meddler => self.plain_words("sensors/card1", 1..=3, retain),
            Kind::Plain => {
                // Its own session is there beside that of the owner, whose client id has more to it.
                let heard = ["sensors/all", "sensors/card1"][board];
                let key = Rc::from(["card1_monitor", "card2_monitor"][board]);
                let session = self.brokers[board].session(&key);
                session.subscriptions = vec![(Rc::from(heard), 2)];
                let (topic, last) = [("sensors/card1", 3), ("sensors/all", 6)][board];
                self.plain_words(topic, 1..=last, true)
            }
            _ => return,
        };
        self.publish_at(board, &packet.by_somebody_else(), None);
    }

    /// States as a program says them that knows nothing of versions.
    fn plain_words(&mut self, topic: &str, sensors: RangeInclusive<u8>, retain: bool) -> Rc<PublishPacket> {
        let states =
            sensors.map(|number| (format!("sensor_{number}"), Value::from(self.hooks.rng.chance(50))));
        let payload = Value::Object(states.collect()).to_string();
        for (place, state) in states_of(payload.as_bytes()).into_iter().enumerate() {
            self.hooks.ledger.said.extend(state.map(|state| (place, state)));
        }
        PublishPacket::new(topic, payload.as_bytes(), 2, retain)
    }

    /// All faults end now: what is down is started, and nothing goes wrong any more.
    pub fn heal(&mut self) {
        self.mend(self.cable.change);
        self.hooks.overtaking = self.hooks.overtaking.min(50);
        let caught_up = self.bridges.iter().filter_map(|bridge| bridge.connected_at).max();
        for board in [BOARD1, BOARD2] {
            self.wake(board);
            let wall = &mut self.boards[board].wall;
            *wall = caught_up.map_or(*wall, |seconds| seconds.max(*wall));
            self.start_broker(board);
        }
        for slot in 0..self.programs.len() {
            self.programs[slot].disk.failing = false;
            if self.programs[slot].disk.read_only {
                self.end_program(slot, false, false);
                self.programs[slot].disk.read_only = false;
                self.lower_floor();
                self.at(self.now, Scheduled::Start(slot));
            }
            if self.programs[slot].stopped {
                self.hold(slot, false);
            }
        }
        if self.programs[TWIN].machine.is_some() {
            // It ends at once in half of the runs; in the others one of two owners must end by itself before.
            let settles = !self.hooks.settling && self.hooks.rng.chance(50);
            if self.hooks.settling {
                self.check_one_owner();
            }
            if !settles {
                self.end_program(TWIN, true, false);
            }
            self.hooks.settling = settles;
            // The other owner may be about to stop for it: what it has said is still under way.
            self.plan_at(self.now + if settles { 30_000 } else { 10_000 }, Planned::Heal);
            return;
        }
        for slot in 0..TWIN {
            self.start_program(slot);
        }
        self.hooks.healed = Some(self.now);
        self.trace.note(self.now, 7, &[], || "HEALED");
        self.expect();
        for slot in [CARD1, CARD2] {
            self.hooks.records[slot].reports = 0;
        }
        let end = self.now + AGREEMENT + QUIET;
        for at in (self.now..=end).step_by(250).chain([end + 1]) {
            self.plan_at(at, Planned::Look);
        }
    }

    fn harm_file(&mut self, slot: usize, kind: Kind, after: u64) {
        self.end_program(slot, false, false);
        let at = usize::try_from(self.hooks.rng.within(0, 1_000)).expect("small");
        let disk = &mut self.programs[slot].disk;
        if kind == Kind::Wiped {
            disk.wipe();
        } else {
            disk.tear(at);
        }
        self.at(after, Scheduled::Start(slot));
    }

    fn power_cut(&mut self, board: usize, after: u64) {
        self.wake(board);
        self.stop_broker(board, false, true);
        // What its kernel had not got rid of is gone with it.
        let mut stuck = std::mem::take(&mut self.stuck);
        stuck.retain(|(id, direction, _)| self.board_at(*id, *direction == UP) != Some(board));
        self.stuck = stuck;
        for slot in 0..self.programs.len() {
            if self.programs[slot].board == board {
                self.end_program(slot, false, true);
                if slot != TWIN {
                    self.within(after, after + 3_000, Scheduled::Start(slot));
                }
            }
        }
        self.boards[board].booted = self.hooks.rng.within(0, 1 << 20);
        self.within(after, after + 3_000, Scheduled::BrokerStart(board));
    }

    fn harm_link(&mut self, kind: Kind, target: usize, after: u64) {
        self.cable.change += 1;
        let change = self.cable.change;
        match kind {
            Kind::Slow => self.cable.latency = (*self.hooks.rng.pick(&[100, 800, 2_000]), 2_500),
            Kind::Refused => self.refuse(),
            Kind::OneWay => self.freeze([target.is_multiple_of(2), !target.is_multiple_of(2)]),
            _ => self.freeze([true, true]),
        }
        self.at(after, Scheduled::Mend(change));
    }
}
