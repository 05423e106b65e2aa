//! When what happens in a run: all of it is drawn from the seed before the run begins.

use dualboard_core::sensor::SensorId;

use super::boards::world::{BOARD1, BOARD2, Scheduled};
use super::faults::Fault;
use super::kinds::{FOLLOW, KINDS, Kind};
use super::rng::Rng;
use super::run::{CARD1, CARD2, DISPLAY1, DISPLAY2, Planned, Simulation, TWIN};

/// One of the things that happen in a [`SCRIPTS`] course.
#[derive(Clone, Copy)]
enum ScriptStep {
    Harm(Kind, usize, u64),
    Press(u8),
}

use Kind::{AllKilled, BrokerKilled, BrokerStopped, Full, Killed, OneWay};
use Kind::{Refused, Replaced, StoreOld, StoreWiped, Torn, Wiped};
use ScriptStep::{Harm, Press};

/// What hardly ever comes about by chance: courses of events in which one mechanism alone saves a press.
/// When, in milliseconds after the beginning, and what.
const SCRIPTS: &[&[(u64, ScriptStep)]] = &[
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

impl Simulation {
    /// Starts, key presses, faults and the end, all drawn before the run begins.
    pub fn plan(&mut self) {
        let spread = *self.hooks.rng.pick(&[100, 3_000, 12_000]);
        for board in [BOARD1, BOARD2] {
            self.within(0, spread, Scheduled::BrokerStart(board));
        }
        for slot in 0..TWIN {
            self.within(0, spread, Scheduled::Start(slot));
        }
        if self.plan_script() {
            return;
        }
        let longest = *self.hooks.rng.pick(&[20_000, 45_000, 45_000, 90_000]);
        let end = self.hooks.rng.within(8_000, longest);
        let (kinds, many) = (self.swarm(), *self.hooks.rng.pick(&[3, 6, 12, 24]));
        // Alone, or soon after one another: what harms most is what comes on top of something.
        let mut at = self.hooks.rng.within(0, end);
        for _ in 0..self.hooks.rng.within(1, many) {
            let alone = self.hooks.rng.chance(50);
            let (from, to) = if alone { (0, end) } else { (at, at + 2_000) };
            at = self.hooks.rng.within(from, to).min(end);
            let fault = self.draw(&kinds);
            self.plan_at(at, Planned::Fault(fault));
        }
        let most = *self.hooks.rng.pick(&[4, 16, 48]);
        let sensors = match self.hooks.rng.within(0, 2) {
            0 => SensorId::ALL.to_vec(),
            _ => vec![*self.hooks.rng.pick(&SensorId::ALL)],
        };
        for _ in 0..self.hooks.rng.within(1, most) {
            let at = self.hooks.rng.within(0, end);
            let sensor = *self.hooks.rng.pick(&sensors);
            self.plan_at(at, Planned::Press(sensor));
        }
        self.plan_acknowledgements(end);
        self.plan_losses(end);
        self.plan_burst(end);
        self.plan_pause(end);
        let at = self.hooks.rng.within(end, end + 6_000);
        self.plan_at(at, Planned::Heal);
    }

    /// Somebody looks at a screen now and then.
    fn plan_acknowledgements(&mut self, end: u64) {
        let mut rng = Rng::new(self.hooks.rng.clone().next() ^ 2);
        for _ in 0..rng.within(0, 16) {
            let (at, slot) = (rng.within(0, end), rng.within(0, TWIN as u64));
            let slot = usize::try_from(slot).expect("small");
            self.plan_at(at, Planned::Acknowledge(slot));
        }
    }

    /// In a few runs nothing is left to chance but when things happen exactly.
    fn plan_script(&mut self) -> bool {
        let mut rng = Rng::new(!self.hooks.rng.clone().next());
        let drawn = rng.chance(6);
        if drawn {
            let mut at = 0;
            let start = rng.within(13_000, 16_000);
            for (after, step) in *rng.pick(SCRIPTS) {
                at = start + after + rng.within(0, 40);
                let planned = match *step {
                    Harm(kind, target, lasts) => Planned::Fault(Fault { kind, target, lasts }),
                    Press(number) => Planned::Press(SensorId::new(number).expect("a sensor")),
                };
                self.plan_at(at, planned);
            }
            self.plan_at(at + rng.within(500, 6_000), Planned::Heal);
        }
        drawn
    }

    /// Several memories are lost within moments: what is left is in one place only.
    fn plan_losses(&mut self, end: u64) {
        if !self.hooks.rng.chance(20) {
            return;
        }
        let lose = [AllKilled, Wiped, Torn, Replaced, StoreWiped, StoreOld, Refused];
        let start = self.hooks.rng.within(0, end);
        for _ in 0..self.hooks.rng.within(2, 6) {
            let at = start + self.hooks.rng.within(0, 2_000);
            let fault = self.draw(&lose);
            self.plan_at(at.min(end), Planned::Fault(fault));
        }
    }

    /// What hardly ever comes together by chance: a program is stopped, an owner that it hears of ends soon
    /// after, and what was stuck on the way is let go when that is old news.
    fn plan_burst(&mut self, end: u64) {
        let mut rng = Rng::new(self.hooks.rng.clone().next());
        if end < 24_000 || !rng.chance(3) {
            return;
        }
        let target = *rng.pick(&[CARD1, CARD2, DISPLAY2, DISPLAY1]);
        let owner = if target == CARD2 { CARD1 } else { CARD2 };
        let (at, lasts) = (rng.within(3_000, end - 20_500), 20_000);
        for (kind, target, at) in [(Kind::Stopped, target, at), (Kind::Killed, owner, at + 2_500)] {
            self.plan_at(at, Planned::Fault(Fault { kind, target, lasts }));
        }
    }

    /// The same of a virtual machine that is paused: meanwhile the link freezes, and the owner on the other
    /// board ends. When it goes on, nobody has told it.
    fn plan_pause(&mut self, end: u64) {
        let mut rng = Rng::new(self.hooks.rng.clone().next() ^ 1);
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
            self.plan_at(at + after, Planned::Fault(Fault { kind, target, lasts }));
        }
    }

    /// Each run knows some kinds of faults, few or many, and some of them are drawn more often: so rare
    /// ones meet.
    fn swarm(&mut self) -> Vec<Kind> {
        let all = KINDS.iter().map(|(kind, _)| *kind);
        let all: Vec<Kind> = all.filter(|kind| !FOLLOW.contains(kind)).collect();
        let share = *self.hooks.rng.pick(&[5, 15, 40, 100]);
        let mut kinds: Vec<Kind> = all
            .iter()
            .copied()
            .filter(|_| self.hooks.rng.chance(share))
            .collect();
        for _ in 0..self.hooks.rng.within(1, 5) {
            let kind = *self.hooks.rng.pick(&all);
            kinds.extend([kind; 3]);
        }
        kinds
    }

    fn draw(&mut self, kinds: &[Kind]) -> Fault {
        let kind = *self.hooks.rng.pick(kinds);
        let target = usize::try_from(self.hooks.rng.within(0, 64)).expect("small");
        let longest = *self.hooks.rng.pick(&[100, 3_000, 20_000]);
        let lasts = self.hooks.rng.within(1, longest);
        Fault { kind, target, lasts }
    }
}
