//! What goes wrong, when, and how it ends. The plan of a run comes from its seed.

use std::ops::RangeInclusive;
use std::rc::Rc;

use dualboard_core::sensor::SensorId;
use serde_json::Value;

use super::broker::{Packet, Store};
use super::kinds::{FOLLOW, KINDS, Kind};
use super::reference::states_of;
use super::rng::Rng;
use super::world::{AGREEMENT, Action, BOARD1, BOARD2, CARD1, CARD2, DISPLAY1, DISPLAY2, QUIET, TWIN, World};

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

/// One of the things that happen in a [`SCRIPTS`] course.
#[derive(Clone, Copy)]
enum Step {
    Harm(Kind, usize, u64),
    Press(u8),
}

use Kind::{AllKilled, BrokerKilled, BrokerStopped, Full, Killed, OneWay};
use Kind::{Refused, Replaced, StoreOld, StoreWiped, Torn, Wiped};
use Step::{Harm, Press};

/// What hardly ever comes about by chance: courses of events in which one mechanism alone saves a press.
/// When, in milliseconds after the beginning, and what.
const SCRIPTS: &[&[(u64, Step)]] = &[
    // The read-back: while nobody else is there to hear it card 1's press lies at both brokers, then its
    // board is lost; a new owner would publish over the last copy.
    &[
        (0, Harm(Wiped, CARD2, 20_000)),
        (0, Harm(Killed, DISPLAY1, 20_000)),
        (0, Harm(Killed, DISPLAY2, 20_000)),
        (1_000, Press(1)),
        (5_000, Harm(Replaced, BOARD1, 500)),
        (15_000, Press(2)),
    ],
    // Which eras were met: of the first era board 1 has sensor 1 only, board 2 sensor 2 as well. Sensor 2 is
    // pressed in a second era that has met sensor 1, after a restart and without a broker; then a third owner
    // hears both, of which that of the first era has the higher number.
    &[
        (0, Harm(Killed, CARD1, 100)),
        (4_000, Harm(Killed, CARD1, 100)),
        (8_000, Press(1)),
        (11_500, Harm(BrokerStopped, BOARD1, 1)),
        (15_500, Press(2)),
        (17_000, Harm(Refused, 0, 17_000)),
        (17_000, Harm(BrokerKilled, BOARD1, 1)),
        (17_000, Harm(Wiped, CARD1, 100)),
        (23_000, Harm(BrokerStopped, BOARD1, 6_000)),
        (23_000, Harm(Killed, CARD1, 100)),
        (27_000, Press(2)),
        (33_500, Harm(Wiped, CARD1, 7_000)),
        (41_000, Press(3)),
    ],
    // The reservation of numbers: a press is heard at board 2 and saved nowhere on board 1, the next run
    // makes another one, of a lower number in half of the cases, and the run after that hears of the first.
    &[
        (0, Harm(Killed, CARD1, 100)),
        (6_000, Harm(BrokerStopped, BOARD1, 1)),
        (10_000, Harm(Full, CARD1, 2_200)),
        (10_100, Press(1)),
        (11_700, Harm(Refused, 0, 10_500)),
        (11_700, Harm(BrokerKilled, BOARD1, 1)),
        (11_700, Harm(Killed, CARD1, 600)),
        (16_000, Press(1)),
        (20_500, Harm(Killed, CARD1, 100)),
        (25_000, Press(3)),
    ],
    // What is in quarantine: card 2's file has a press of an era that is lost otherwise; one of the next era
    // that its owner's disk did not take is left on a display alone. So card 2 learns of it when it shows the
    // other one, and so does its owner.
    &[
        (0, Press(2)),
        (4_000, Harm(Killed, CARD2, 9_500)),
        (4_000, Harm(Replaced, BOARD1, 100)),
        (4_000, Harm(StoreWiped, BOARD2, 100)),
        (4_000, Harm(Killed, DISPLAY2, 500)),
        (12_000, Harm(Full, CARD1, 5_100)),
        (12_000, Harm(Full, CARD2, 7_000)),
        (12_100, Press(2)),
        (13_000, Harm(OneWay, 0, 9_000)),
        (17_000, Harm(Refused, 0, 9_000)),
        (17_000, Harm(Killed, CARD1, 100)),
        (17_000, Harm(Killed, CARD2, 100)),
        (17_000, Harm(Killed, DISPLAY1, 100)),
        (17_000, Harm(StoreWiped, BOARD1, 50)),
        (17_000, Harm(StoreWiped, BOARD2, 50)),
        (26_000, Press(3)),
    ],
];

impl World {
    /// Starts, key presses, faults and the end, all drawn before the run begins.
    pub fn plan(&mut self) {
        let spread = *self.rng.pick(&[100, 3_000, 12_000]);
        for board in [BOARD1, BOARD2] {
            self.within(0, spread, Action::BrokerStart(board));
        }
        for slot in 0..TWIN {
            self.within(0, spread, Action::Start(slot));
        }
        if self.plan_script() {
            return;
        }
        let longest = *self.rng.pick(&[20_000, 45_000, 45_000, 90_000]);
        let end = self.rng.within(8_000, longest);
        let (kinds, many) = (self.swarm(), *self.rng.pick(&[3, 6, 12, 24]));
        // Alone, or soon after one another: what harms most is what comes on top of something.
        let mut at = self.rng.within(0, end);
        for _ in 0..self.rng.within(1, many) {
            let alone = self.rng.chance(50);
            let (from, to) = if alone { (0, end) } else { (at, at + 2_000) };
            at = self.rng.within(from, to).min(end);
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
        self.plan_losses(end);
        self.plan_burst(end);
        self.plan_pause(end);
        self.within(end, end + 6_000, Action::Heal);
    }

    /// In a few runs nothing is left to chance but when things happen exactly.
    fn plan_script(&mut self) -> bool {
        let mut rng = Rng::new(!self.rng.clone().next());
        let drawn = rng.chance(6);
        if drawn {
            let mut at = 0;
            let start = rng.within(13_000, 16_000);
            for (after, step) in *rng.pick(SCRIPTS) {
                at = start + after + rng.within(0, 40);
                let action = match *step {
                    Harm(kind, target, lasts) => Action::Fault(Fault { kind, target, lasts }),
                    Press(number) => Action::Press(SensorId::new(number).expect("a sensor")),
                };
                self.at(at, action);
            }
            self.at(at + rng.within(500, 6_000), Action::Heal);
        }
        drawn
    }

    /// Several memories are lost within moments: what is left is in one place only.
    fn plan_losses(&mut self, end: u64) {
        if !self.rng.chance(20) {
            return;
        }
        let lose = [AllKilled, Wiped, Torn, Replaced, StoreWiped, StoreOld, Refused];
        let start = self.rng.within(0, end);
        for _ in 0..self.rng.within(2, 6) {
            let at = start + self.rng.within(0, 2_000);
            let fault = self.draw(&lose);
            self.at(at.min(end), Action::Fault(fault));
        }
    }

    /// What hardly ever comes together by chance: a program is stopped, an owner that it hears of ends soon
    /// after, and what was stuck on the way is let go when that is old news.
    fn plan_burst(&mut self, end: u64) {
        let mut rng = Rng::new(self.rng.clone().next());
        if end < 24_000 || !rng.chance(3) {
            return;
        }
        let target = *rng.pick(&[CARD1, CARD2, DISPLAY2, DISPLAY1]);
        let owner = if target == CARD2 { CARD1 } else { CARD2 };
        let (at, lasts) = (rng.within(3_000, end - 20_500), 20_000);
        for (kind, target, at) in [(Kind::Stopped, target, at), (Kind::Killed, owner, at + 2_500)] {
            self.at(at, Action::Fault(Fault { kind, target, lasts }));
        }
    }

    /// The same of a virtual machine that is paused: meanwhile the link freezes, and the owner on the other
    /// board ends. When it goes on, nobody has told it.
    fn plan_pause(&mut self, end: u64) {
        let mut rng = Rng::new(self.rng.clone().next() ^ 1);
        if end < 28_000 || !rng.chance(3) {
            return;
        }
        let owner = *rng.pick(&[CARD1, CARD2]);
        let other = if owner == CARD1 { BOARD2 } else { BOARD1 };
        let (at, lasts) = (rng.within(3_000, end - 24_500), 20_000);
        let steps = [
            (Kind::Paused, other, 0),
            (Kind::Frozen, 0, 100),
            (Kind::Killed, owner, 500),
        ];
        for (kind, target, after) in steps {
            self.at(at + after, Action::Fault(Fault { kind, target, lasts }));
        }
    }

    /// Each run knows some kinds of faults, few or many, and some of them are drawn more often: so rare
    /// ones meet.
    fn swarm(&mut self) -> Vec<Kind> {
        let all = KINDS.iter().map(|(kind, _)| *kind);
        let all: Vec<Kind> = all.filter(|kind| !FOLLOW.contains(kind)).collect();
        let share = *self.rng.pick(&[5, 15, 40, 100]);
        let mut kinds: Vec<Kind> = all.iter().copied().filter(|_| self.rng.chance(share)).collect();
        for _ in 0..self.rng.within(1, 5) {
            let kind = *self.rng.pick(&all);
            kinds.extend([kind; 3]);
        }
        kinds
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
        let (slot, board, after) = (target % self.programs.len(), target % 2, self.now + lasts);
        match kind {
            Kind::Killed | Kind::Left => {
                self.end_program(slot, kind == Kind::Left, false);
                if slot != TWIN {
                    self.at(after, Action::Start(slot));
                }
            }
            Kind::ReadOnly => {
                self.end_program(board, false, false);
                self.programs[board].disk.read_only = true;
                self.at(after, Action::Start(board));
            }
            Kind::Asleep | Kind::Paused => self.sleep(board, kind == Kind::Paused, after + 3_000),
            Kind::Commanded => {
                let sensor = SensorId::ALL[target % 6];
                self.ids += 1;
                self.at(self.now, Action::Command(sensor, self.ids));
                if self.rng.chance(50) {
                    self.tally.count(Kind::Repeated);
                    self.at(after, Action::Command(sensor, self.ids));
                }
            }
            Kind::Wiped | Kind::Torn => self.harm_file(target % 2, kind, after),
            Kind::Full => {
                self.programs[target % 2].disk.failing = true;
                self.at(after, Action::DiskWorks(target % 2));
            }
            Kind::BrokerKilled | Kind::BrokerStopped | Kind::StoreWiped | Kind::StoreOld => {
                self.stop_broker(board, kind == Kind::BrokerStopped, false);
                let broker = &mut self.brokers[board];
                match kind {
                    Kind::StoreWiped => broker.saved = Store::default(),
                    Kind::StoreOld => broker.saved = broker.past.clone(),
                    _ => {}
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
                    self.within(after, after + lasts, Action::Start(slot));
                }
            }
            Kind::Refused | Kind::Frozen | Kind::OneWay | Kind::Slow => self.harm_link(kind, target, after),
            Kind::Dropped => self.drop_local(slot),
            Kind::Stopped => self.stop_program(slot, after),
            Kind::Clock => {
                let walls = [0, 2_147_483_647, 1_764_930_243, -62_135_596_800, 253_402_300_799];
                let wall = *self.rng.pick(&walls);
                // Nobody sets the clock of a machine that stands still.
                if self.boards[board].asleep.is_none() {
                    self.boards[board].wall = wall;
                }
            }
            Kind::Twin | Kind::TwinCopied => {
                let takes_over = self.rng.chance(30);
                self.start_twin(kind, takes_over);
            }
            Kind::Garbage | Kind::Replay | Kind::Meddler | Kind::Plain => self.meddle(kind, board),
            Kind::TakesOver | Kind::TwinPressed | Kind::Repeated | Kind::Overtaken | Kind::ClockBehind => {}
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
                let many = if self.rng.chance(50) { 3 } else { TOPICS.len() };
                let (topic, payload) = (*self.rng.pick(&TOPICS[..many]), *self.rng.pick(GARBAGE));
                let client = &self.programs[board].client_id;
                let own = if topic.ends_with('/') { client } else { "" };
                Packet::new(&format!("sensors/{topic}{own}"), payload.as_bytes(), 2, retain)
            }
            Kind::Replay if !self.history.is_empty() => {
                let history = std::mem::take(&mut self.history);
                let packet = Rc::clone(self.rng.pick(&history));
                self.history = history;
                self.replayed = Some(self.now);
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
    fn plain_words(&mut self, topic: &str, sensors: RangeInclusive<u8>, retain: bool) -> Rc<Packet> {
        let states = sensors.map(|number| (format!("sensor_{number}"), Value::from(self.rng.chance(50))));
        let payload = Value::Object(states.collect()).to_string();
        for (place, state) in states_of(payload.as_bytes()).into_iter().enumerate() {
            self.ledger.said.extend(state.map(|state| (place, state)));
        }
        Packet::new(topic, payload.as_bytes(), 2, retain)
    }

    /// All faults end now: what is down is started, and nothing goes wrong any more.
    pub fn heal(&mut self) {
        self.mend(self.link.change);
        self.overtaking = self.overtaking.min(50);
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
                self.at(self.now, Action::Start(slot));
            }
            if self.programs[slot].stopped {
                self.hold(slot, false);
            }
        }
        if self.programs[TWIN].machine.is_some() {
            // It ends at once in half of the runs; in the others one of two owners must end by itself before.
            let settles = !self.settling && self.rng.chance(50);
            if self.settling {
                self.check_one_owner();
            }
            if !settles {
                self.end_program(TWIN, true, false);
            }
            self.settling = settles;
            // The other owner may be about to stop for it: what it has said is still under way.
            self.at(self.now + if settles { 30_000 } else { 10_000 }, Action::Heal);
            return;
        }
        for slot in 0..TWIN {
            self.start_program(slot);
        }
        self.healed = Some(self.now);
        self.trace.note(self.now, 7, &[], || "HEALED");
        self.expect();
        for slot in [CARD1, CARD2] {
            self.programs[slot].reports = 0;
        }
        let end = self.now + AGREEMENT + QUIET;
        for at in (self.now..=end).step_by(250).chain([end + 1]) {
            self.at(at, Action::Theme);
        }
    }
}
