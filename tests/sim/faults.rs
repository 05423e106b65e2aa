//! What goes wrong, when, and how it ends. The plan of a run comes from its seed.

use std::rc::Rc;

use dualboard::sensor::SensorId;

use super::broker::{Packet, Store};
use super::kinds::{KINDS, Kind};
use super::reference::states_of;
use super::rng::Rng;
use super::world::{AGREEMENT, Action, BOARD1, BOARD2, CARD1, CARD2, QUIET, TWIN, World};

#[derive(Clone, Copy, Debug)]
pub struct Fault {
    kind: Kind,
    /// A program, a board, a direction: as the kind needs it.
    target: usize,
    /// Until it is over.
    lasts: u64,
}

const GARBAGE: &[&str] = &[
    "",
    "not json",
    "[true,true,true]",
    "{\"sensor_1\":1}",
    "{\"sensor_1\":true,\"sensor_1\":false}",
    "{\"sensor_1\":true,\"versions\":{\"sensor_1\":[9007199254740993,0,0]}}",
    "{\"sensor_1\":true,\"versions\":[[9,9,9]]}",
    "{\"sensor_9\":true}",
    "{}",
    "null",
    "{\"alive\":true}",
    "\u{1b}[2J\u{7}",
];

const TOPICS: &[&str] = &[
    "sensors/card1",
    "sensors/all",
    "sensors/witness",
    "sensors/board1/all",
    "sensors/board2/card1",
    "sensors/card2/copy",
    "sensors/board2/card2/copy",
    "sensors/card1/alive",
    "sensors/card2/alive",
    "sensors/marker/card1_monitor",
];

impl World {
    /// Starts, key presses, faults and the end, all drawn before the run begins.
    pub fn plan(&mut self) {
        let spread = *self.rng.pick(&[100, 3_000, 12_000]);
        for board in [BOARD1, BOARD2] {
            let at = self.rng.within(0, spread);
            self.at(at, Action::BrokerStart(board));
        }
        for slot in 0..TWIN {
            let at = self.rng.within(0, spread);
            self.at(at, Action::Start(slot));
        }
        let end = self.rng.within(8_000, 45_000);
        let kinds = self.swarm();
        // Alone, or soon after one another: what harms most is what comes on top of something.
        let mut at = self.rng.within(0, end);
        for _ in 0..self.rng.within(1, 12) {
            at = if self.rng.chance(50) {
                self.rng.within(0, end)
            } else {
                (at + self.rng.within(0, 2_000)).min(end)
            };
            let fault = self.draw(&kinds);
            self.at(at, Action::Fault(fault));
        }
        let most = *self.rng.pick(&[4, 16, 48]);
        let sensors = match self.rng.within(0, 2) {
            0 => SensorId::ALL.to_vec(),
            _ => vec![*self.rng.pick(&SensorId::ALL)],
        };
        for _ in 0..self.rng.within(1, most) {
            let at = self.rng.within(0, end);
            let sensor = *self.rng.pick(&sensors);
            self.at(at, Action::Press(sensor));
        }
        self.plan_burst(end);
        let end = end + self.rng.within(0, 6_000);
        self.at(end, Action::Heal);
    }

    /// What hardly ever comes together by chance: a program is stopped, an owner that it hears of ends soon after, and what was stuck on the
    /// way is let go when that is old news.
    fn plan_burst(&mut self, end: u64) {
        let mut rng = Rng::new(self.rng.clone().next());
        if end < 24_000 || !rng.chance(3) {
            return;
        }
        let (target, owner) = *rng.pick(&[(CARD1, CARD2), (CARD2, CARD1), (2, CARD2), (3, CARD2)]);
        let (at, lasts) = (rng.within(3_000, end - 20_500), 20_000);
        for (kind, target, at) in [(Kind::Stopped, target, at), (Kind::Killed, owner, at + 2_500)] {
            self.at(at, Action::Fault(Fault { kind, target, lasts }));
        }
    }

    /// Half of the runs know all kinds of faults, the others a few only, which then meet more often.
    fn swarm(&mut self) -> Vec<Kind> {
        let all: Vec<Kind> = KINDS
            .iter()
            .map(|(kind, _)| *kind)
            .filter(|kind| *kind != Kind::Overtaken)
            .collect();
        if self.rng.chance(50) {
            return all;
        }
        (0..self.rng.within(2, 6)).map(|_| *self.rng.pick(&all)).collect()
    }

    fn draw(&mut self, kinds: &[Kind]) -> Fault {
        let kind = *self.rng.pick(kinds);
        let target = usize::try_from(self.rng.within(0, 64)).expect("small");
        let longest = *self.rng.pick(&[100, 3_000, 20_000]);
        let lasts = self.rng.within(1, longest);
        Fault { kind, target, lasts }
    }

    pub fn inject(&mut self, fault: Fault) {
        self.tally.count(fault.kind);
        self.trace.note(self.now, 5, &[], || format!("FAULT {fault:?}"));
        let Fault { kind, target, lasts } = fault;
        let (slot, board, after) = (target % TWIN, target % 2, self.now + lasts);
        match kind {
            Kind::Killed | Kind::Left => {
                self.end_program(slot, kind == Kind::Left, false);
                self.at(after, Action::Start(slot));
            }
            Kind::Wiped | Kind::Torn => self.harm_file(target % 2, kind, after),
            Kind::Full => {
                self.programs[target % 2].disk.failing = true;
                self.at(after, Action::DiskWorks(target % 2));
            }
            Kind::BrokerKilled | Kind::BrokerStopped | Kind::StoreWiped => {
                self.stop_broker(board, kind == Kind::BrokerStopped, false);
                if kind == Kind::StoreWiped {
                    self.brokers[board].saved = Store::default();
                }
                self.at(after, Action::BrokerStart(board));
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
                    let at = after + self.rng.within(0, lasts);
                    self.at(at, Action::Start(slot));
                }
            }
            Kind::Refused | Kind::Frozen | Kind::OneWay | Kind::Slow => self.harm_link(kind, target, after),
            Kind::Dropped => self.drop_local(slot),
            Kind::Stopped => self.stop_program(slot, after),
            Kind::Clock => {
                let walls = [0, 2_147_483_647, 1_764_930_243, -62_135_596_800, 253_402_300_799];
                self.walls[board] = *self.rng.pick(&walls);
            }
            Kind::Twin => {
                self.start_program(TWIN);
            }
            Kind::Garbage | Kind::Replay | Kind::Meddler => self.meddle(kind, board),
            Kind::Overtaken => {}
        }
        self.lower_floor();
        self.forget();
    }

    /// Somebody publishes what is not theirs.
    fn meddle(&mut self, kind: Kind, board: usize) {
        if !self.brokers[board].up {
            return;
        }
        let retain = self.rng.chance(60);
        let packet = match kind {
            Kind::Garbage => {
                let (topic, payload) = (*self.rng.pick(TOPICS), *self.rng.pick(GARBAGE));
                Packet::new(topic, payload.as_bytes(), 2, retain)
            }
            Kind::Replay if !self.history.is_empty() => {
                let history = std::mem::take(&mut self.history);
                let packet = Rc::clone(self.rng.pick(&history));
                self.history = history;
                packet
            }
            Kind::Meddler => {
                let state = self.rng.chance(50);
                let payload = format!("{{\"sensor_1\":{state},\"sensor_2\":true,\"sensor_3\":{state}}}");
                for (place, state) in states_of(payload.as_bytes()).into_iter().enumerate() {
                    self.ledger.said.extend(state.map(|state| (place, state)));
                }
                Packet::new("sensors/card1", payload.as_bytes(), 2, retain)
            }
            _ => return,
        };
        self.publish_at(board, &packet.by_somebody_else(), None);
    }

    /// All faults end now: what is down is started, and nothing goes wrong any more.
    pub fn heal(&mut self) {
        if self.programs[TWIN].machine.is_some() {
            // The other owner may be about to stop for it: what it has said is still under way.
            self.end_program(TWIN, true, false);
            self.at(self.now + 10_000, Action::Heal);
            return;
        }
        self.mend(self.link.change);
        self.overtaking = self.overtaking.min(50);
        for board in [BOARD1, BOARD2] {
            self.start_broker(board);
        }
        for slot in 0..TWIN {
            self.programs[slot].disk.failing = false;
            self.start_program(slot);
            if self.programs[slot].stopped {
                self.hold(slot, false);
            }
        }
        self.healed = Some(self.now);
        self.trace.note(self.now, 7, &[], || "HEALED".to_owned());
        self.expect();
        for slot in [CARD1, CARD2] {
            self.programs[slot].reports = 0;
        }
        let mut at = self.now;
        while at <= self.now + AGREEMENT + QUIET {
            self.at(at, Action::Look);
            at += 250;
        }
        self.at(self.now + AGREEMENT + QUIET + 1, Action::Look);
    }
}
