//! The boards for tests that say themselves what happens. Everything is as quick as it can be, and nothing
//! goes wrong unasked.

use dualboard_core::alarms::{Alarms, Observed};
use dualboard_core::command::Name;
use dualboard_core::machine::{Effect, Event, Machine};
use dualboard_core::sensor::{Card, SensorId, State};
use dualboard_core::time::Now;

use super::Hooks;
use super::board::Board;
use super::broker::PublishPacket;
use super::program::Program;
use super::world::{BOARD1, BOARD2, World};

/// 2025-11-03 11:58:00 UTC.
const START: i64 = 1_762_171_080;

/// In milliseconds, until all that follows from something has happened, at both boards and on the disks.
const SETTLED: u64 = 30;

/// Places of the programs that are always there; one board 2's display is among them.
pub const CARD1: usize = 0;
pub const CARD2: usize = 1;
pub const DISPLAY: usize = 2;

#[derive(Default)]
pub struct Steady {
    /// The number that the next program draws.
    pub next_life: u32,
    /// By the place of the program: its screen's alarms, and why it stopped by itself.
    pub alarms: Vec<Alarms>,
    pub stopped: Vec<Option<Effect>>,
}

pub type Boards = World<Steady>;

impl Hooks for Steady {
    fn numbers(&mut self, _: usize) -> [u32; 2] {
        self.next_life += 1;
        [self.next_life; 2]
    }

    fn started(boards: &mut Boards, slot: usize) {
        boards.hooks.alarms[slot] = Alarms::default();
        boards.hooks.stopped[slot] = None;
    }

    fn handled(boards: &mut Boards, slot: usize, _: Option<SensorId>) {
        let now = boards.now_at(boards.programs[slot].board);
        if let Some(machine) = &boards.programs[slot].machine {
            let _ = boards.hooks.alarms[slot].look(now.wall, Observed::of(&machine.view()));
        }
    }

    fn stops(boards: &mut Boards, slot: usize, effect: Effect) {
        boards.hooks.stopped[slot] = Some(effect);
    }
}

impl Boards {
    /// Both brokers and the bridge are up; no program runs.
    pub fn idle() -> Self {
        let boards = [Board::new(100_000, START), Board::new(100_000, START)];
        let mut boards = Self::new(boards, Vec::new(), 1_000);
        for (name, card, board) in [
            ("card1_monitor", Some(Card::One), BOARD1),
            ("card2_monitor", Some(Card::Two), BOARD2),
            ("display", None, BOARD2),
        ] {
            boards.add(name, card, board);
        }
        for board in [BOARD1, BOARD2] {
            boards.start_broker(board);
        }
        boards.pass(200);
        boards
    }

    /// Everything runs and has settled.
    pub fn running() -> Self {
        let mut boards = Self::idle();
        for program in [CARD1, CARD2, DISPLAY] {
            boards.start(program);
            boards.pass(SETTLED);
        }
        boards.advance(6);
        boards
    }

    /// One more program, at the broker of this board; gives its place.
    pub fn add(&mut self, name: &'static str, card: Option<Card>, board: usize) -> usize {
        self.programs.push(Program::new(name, card, board));
        self.hooks.alarms.push(Alarms::default());
        self.hooks.stopped.push(None);
        self.programs.len() - 1
    }

    fn pass(&mut self, millis: u64) {
        let end = self.now + millis;
        while let Some(scheduled) = self.next(end) {
            self.act(scheduled);
            assert_eq!(self.failure, None);
        }
        self.now = end;
    }

    /// So many seconds go by.
    pub fn advance(&mut self, seconds: u64) {
        self.pass(1_000 * seconds);
    }

    /// Starts a program; it connects in a moment.
    pub fn start(&mut self, program: usize) {
        self.start_program(program);
    }

    /// A program ends without a word; its broker publishes its will.
    pub fn kill(&mut self, program: usize) {
        self.end_program(program, false, false);
        self.pass(SETTLED);
    }

    /// A program hangs, and its connection stays.
    pub fn hang(&mut self, program: usize) {
        self.hold(program, true);
    }

    /// Nothing passes between a program and its broker any more on this connection.
    pub fn block(&mut self, program: usize) {
        let conn = self.programs[program].conn.and_then(|id| self.conns.get_mut(&id));
        conn.expect("it is connected").held = true;
    }

    /// A broker ends; its programs notice.
    pub fn stop(&mut self, board: usize) {
        self.stop_broker(board, true, false);
        self.pass(SETTLED);
    }

    /// The cable between the boards does not carry anything any more; the brokers notice after some seconds.
    pub fn cut(&mut self) {
        self.freeze([true, true]);
    }

    /// The bridge does not say any more whether it is up, as with `notifications false`.
    pub fn mute_bridge(&mut self) {
        self.bridges.iter_mut().for_each(|bridge| bridge.state = None);
        let wills = &mut self.brokers[BOARD1].wills;
        wills.retain(|_, will| !will.topic.starts_with("$SYS"));
    }

    /// The cable is whole again, and the bridge connects after some seconds.
    pub fn heal(&mut self) {
        self.mend(self.cable.change);
    }

    /// A key on a program's screen.
    pub fn press(&mut self, program: usize, number: u8) {
        let sensor = SensorId::new(number).expect("1 to 6");
        self.feed(program, Event::Toggle(sensor));
        self.pass(SETTLED);
    }

    /// The operator of a screen has seen everything that is on it.
    pub fn acknowledge(&mut self, program: usize) {
        let seen = self.hooks.alarms[program].seen();
        self.hooks.alarms[program].acknowledge(seen);
        let alarms = self.machine(program).view().open_alarms();
        let by = Name::new("night shift");
        self.feed(program, Event::Acknowledge { alarms, by });
        self.pass(SETTLED);
    }

    /// Somebody publishes at a broker.
    pub fn publish(&mut self, board: usize, topic: &str, payload: &[u8]) {
        let packet = PublishPacket::new(topic, payload, 2, false);
        self.publish_at(board, &packet.by_somebody_else(), None);
        self.pass(SETTLED);
    }

    /// A program that runs.
    pub fn machine(&self, program: usize) -> &Machine {
        self.programs[program].machine.as_ref().expect("it runs")
    }

    /// What a screen shows of a sensor.
    pub fn shown(&self, program: usize, number: u8) -> Option<State> {
        let sensor = SensorId::new(number).expect("1 to 6");
        self.machine(program).shown(sensor).map(|shown| shown.state())
    }

    pub fn time(&self) -> Now {
        self.now_at(BOARD1)
    }
}
