//! One run: the boards, what its seed draws over them, and what is known of all that has happened.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use dualboard_core::global::Shown;
use dualboard_core::machine::{Effect, Event, Machine};
use dualboard_core::names::{Names, SensorName};
use dualboard_core::owner::Memory;
use dualboard_core::sensor::{Card, SensorId};
use dualboard_core::time::Now;
use dualboard_core::wire::Topic;

use super::acknowledging::{Acknowledgements, ShownAlarms};
use super::assertions::Had;
use super::boards::Hooks;
use super::boards::board::Board;
use super::boards::broker::PublishPacket;
use super::boards::payload::{Image, quarantined_in};
use super::boards::program::Program;
use super::boards::runtime::message;
use super::boards::trace::Trace;
use super::boards::world::{BOARD1, BOARD2, Scheduled, World};
use super::faults::Fault;
use super::kinds::{Kind, Tally};
use super::memories::Memories;
use super::planted::Planted;
use super::reference::{Ledger, Made};
use super::rng::Rng;

/// Places of the programs.
pub const CARD1: usize = 0;
pub const CARD2: usize = 1;
pub const DISPLAY2: usize = 2;
pub const DISPLAY1: usize = 3;
pub const TWIN: usize = 4;

/// How long all may take to agree after the last fault, and how long it is then watched that nothing more
/// is said.
pub const AGREEMENT: u64 = 40_000;
pub const QUIET: u64 = 14_000;

/// What is done to the boards, and when.
#[derive(Clone)]
pub enum Planned {
    Fault(Fault),
    Press(SensorId),
    Command(SensorId, u64),
    /// Somebody acknowledges what is on the screen of a program.
    Acknowledge(usize),
    Heal,
    Look,
}

/// What is known of a program.
#[derive(Default)]
pub struct Record {
    /// What its screen shows that has a version.
    pub view: Image,
    /// Whether a word without version is shown.
    pub wordy: [bool; 6],
    pub states: [Option<bool>; 6],
    /// Whether the sensors of each card are shown as live.
    pub live: [bool; 2],
    /// The latest press that each sensor has shown in this life.
    pub highest: [Option<Made>; 6],
    /// Which memory an owner goes on from.
    pub memory: usize,
    /// The commands that it has been given and not done yet, and those that it has done, or its memory has.
    pub asked: Vec<(u64, SensorId)>,
    pub done: BTreeSet<u64>,
    /// Publications in the present second, by kind: reports, all.
    pub second: (u64, u64),
    pub reports: u64,
    pub beats: u64,
    /// Whether it has ended, or is about to, for another owner.
    pub gave_way: bool,
    pub alarms: ShownAlarms,
}

#[derive(Default)]
pub struct Run {
    pub rng: Rng,
    pub tally: Tally,
    pub planted: Planted,
    pub planned: Vec<Planned>,
    /// By the place of the program.
    pub records: [Record; 5],
    /// Whose memory each write of a state file holds, and the commands that were done then.
    pub files: BTreeMap<u64, (usize, BTreeSet<u64>)>,
    /// Per cent of the bridge's connects at which newer messages overtake an older retained copy.
    pub overtaking: u64,
    pub waits_for_clock: bool,
    pub ledger: Ledger,
    pub memories: Memories,
    pub acknowledgements: Acknowledgements,
    /// A twin has been started with a copy of the owner's state file.
    pub copied: bool,
    /// All is well since, but for two owners of a card, of which one is to end.
    pub settling: bool,
    /// When somebody last published a program's old message again.
    pub replayed: Option<u64>,
    /// What owners have had lately.
    pub had: Vec<Had>,
    /// The last fault is over since.
    pub healed: Option<u64>,
    /// All views and stores have agreed since.
    pub agreed: Option<u64>,
    /// What was left of each sensor then.
    pub expected: [Vec<Made>; 6],
    pub history: Vec<Rc<PublishPacket>>,
}

pub type Simulation = World<Run>;

/// What a run came to.
pub struct RunResult {
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

impl Simulation {
    /// One seed decides everything.
    pub fn seeded(seed: u64, planted: Planted, recording: bool) -> Self {
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
        let boards = [1_764_930_243, 0].map(|wall| Board::new(rng.within(1 << 20, 1 << 32), wall));
        let mut world = Self::new(boards, programs, max_queued);
        world.trace = Trace::new(recording);
        world.local_latency = (0, *rng.pick(&[1, 5, 60]));
        world.hooks.overtaking = *rng.pick(&[0, 30, 100]);
        world.hooks.waits_for_clock = rng.chance(30);
        world.autosave = *rng.pick(&[1_000, 10_000, 1_800_000]);
        world.sync = *rng.pick(&[5, 30, 3_000]);
        (world.hooks.planted, world.hooks.rng) = (planted, rng);
        world
    }

    pub fn plan_at(&mut self, when: u64, planned: Planned) {
        self.hooks.planned.push(planned);
        self.at(when, Scheduled::Own(self.hooks.planned.len() - 1));
    }

    /// Runs from the first start to the end of the quiet after the last fault.
    pub fn run(mut self) -> RunResult {
        self.plan();
        let mut steps = 0;
        while self.failure.is_none() {
            let Some(scheduled) = self.next(u64::MAX) else {
                break;
            };
            let healed = self.hooks.healed;
            if healed.is_some_and(|healed| self.now > healed + AGREEMENT + QUIET) {
                self.check_quiet();
                break;
            }
            self.act(scheduled);
            self.check_live();
            steps += 1;
        }
        if self.hooks.agreed.is_none() {
            self.fail(
                usize::MAX,
                "has come to its end without a look at whether all agree",
            );
        }
        let run = self.hooks;
        RunResult {
            failure: self.failure,
            hash: self.trace.hash(),
            lines: self.trace.lines().to_vec(),
            tally: run.tally,
            simulated: self.now,
            agreement: run.agreed.unwrap_or(0).saturating_sub(run.healed.unwrap_or(0)),
            presses: run.ledger.presses(),
            unordered: run.memories.excused.get(),
            steps,
        }
    }

    /// What a planted fault does: the program forgets, and does not know that it did.
    fn start_anew(&mut self, slot: usize) {
        let now = self.hooks.clock(self.now_at(self.programs[slot].board));
        let program = &mut self.programs[slot];
        let mut machine = Machine::new(program.setup(now, Err(String::new())));
        for effect in machine.handle(now, Event::Connected) {
            if let Effect::Publish { topic, payload, .. } = effect {
                let topic = topic.name(&program.client_id);
                let _ = machine.handle(now, message(topic, payload, false));
            }
        }
        program.machine = Some(machine);
    }
}

impl Hooks for Run {
    fn within(&mut self, low: u64, high: u64) -> u64 {
        self.rng.within(low, high)
    }

    fn numbers(&mut self, slot: usize) -> [u32; 2] {
        let [life, client] = [(); 2].map(|()| u32::try_from(self.rng.next() >> 32).expect("32 bits"));
        [self.planted.life(slot, life), client]
    }

    /// Each life calls some of its sensors something, and no two lives the same.
    fn names(&self, life: u32) -> Option<Names> {
        let mut names = Names::default();
        for sensor in SensorId::ALL {
            if life >> sensor.number() & 1 == 0 {
                let name = format!("{} of {life:08x}", sensor.number());
                names.set(sensor, Some(SensorName::new(&name).expect("a name")));
            }
        }
        Some(names)
    }

    fn keeps_write(&mut self) -> bool {
        self.rng.chance(50)
    }

    fn overtakes(&mut self) -> bool {
        let overtakes = self.rng.chance(self.overtaking);
        if overtakes {
            self.tally.count(Kind::Overtaken);
        }
        overtakes
    }

    fn waits_for_clock(&mut self) -> bool {
        if self.waits_for_clock {
            self.tally.count(Kind::ClockBehind);
        }
        self.waits_for_clock
    }

    fn clock(&self, now: Now) -> Now {
        self.planted.now(now)
    }

    fn memory(&self, card: Option<Card>, read: Result<Memory, String>) -> Result<Memory, String> {
        self.planted.memory(card, read)
    }

    fn due(world: &mut Simulation, number: usize) {
        match world.hooks.planned[number].clone() {
            Planned::Fault(fault) => world.inject(fault),
            Planned::Press(sensor) => world.press(sensor),
            Planned::Command(sensor, id) => world.command(sensor, id),
            Planned::Acknowledge(slot) => world.press_acknowledge(slot),
            Planned::Heal => world.heal(),
            Planned::Look => world.look(),
        }
    }

    fn started(world: &mut Simulation, slot: usize) {
        let file = world.programs[slot].disk.durable.as_ref();
        let (memory, done) = file
            .and_then(|file| world.hooks.files.get(&file.number).cloned())
            .unzip();
        let record = &mut world.hooks.records[slot];
        record.asked.clear();
        record.done = done.unwrap_or_default();
        (record.highest, record.view, record.states) = ([None; 6], [None; 6], [None; 6]);
        (record.live, record.gave_way) = ([false; 2], false);
        record.alarms = ShownAlarms::default();
        world.remember(slot, memory);
        world.forget();
    }

    fn ended(world: &mut Simulation, slot: usize) {
        world.hooks.records[slot].live = [false; 2];
        world.owner_ends(slot);
        world.forget();
        if slot == TWIN {
            world.lower_floor();
        }
    }

    fn arrives(world: &mut Simulation, slot: usize, packet: &PublishPacket) {
        world.asked(slot, packet);
        let heartbeat = packet.topic.ends_with("/alive");
        let told = heartbeat.then(|| quarantined_in(&packet.payload));
        world.meet(slot, &told.unwrap_or(packet.image));
    }

    fn incoming(world: &mut Simulation, slot: usize, event: Event) -> VecDeque<Event> {
        let (run, program) = (&mut world.hooks, &world.programs[slot]);
        if run.planted.forgets(program, &run.records[slot].view, &event) {
            world.start_anew(slot);
        }
        let planted = &mut world.hooks.planted;
        VecDeque::from(planted.incoming(&world.programs[slot], world.now, event))
    }

    fn handled(world: &mut Simulation, slot: usize, key: Option<SensorId>) {
        let commanded = world.newly_done(slot);
        world.observe(slot, key, &commanded);
        world.observe_alarms(slot);
    }

    fn outgoing(world: &mut Simulation, slot: usize, effect: Effect) -> (Option<Effect>, Vec<Event>) {
        world.hooks.planted.outgoing(&world.programs[slot], effect)
    }

    fn publishes(world: &mut Simulation, slot: usize, topic: Topic, payload: &[u8]) -> bool {
        world.count_publication(slot, topic);
        if matches!(topic, Topic::Answer(_)) {
            world.check_answer(slot, payload);
        }
        relays_a_word(world.programs[slot].machine.as_ref(), topic)
    }

    fn writes(world: &mut Simulation, slot: usize, number: u64) {
        let record = &world.hooks.records[slot];
        let file = (record.memory, record.done.clone());
        world.hooks.files.insert(number, file);
    }

    fn stops(world: &mut Simulation, slot: usize, _: Effect) {
        world.stops_for_twin(slot);
        // What ends after the last fault is started again: nobody else would do it.
        if slot != TWIN && (world.hooks.rng.chance(50) || world.hooks.healed.is_some()) {
            world.within(world.now + 1_000, world.now + 20_000, Scheduled::Start(slot));
        }
    }

    fn published(
        world: &mut Simulation,
        board: usize,
        packet: &Rc<PublishPacket>,
        pass_on: impl FnOnce(&mut Simulation),
    ) {
        world.record_published(board, packet);
        world.record_acknowledged(board, packet);
        let before = packet.foreign.then(|| world.survivors());
        pass_on(world);
        if let Some(before) = before {
            world.overwritten(&before);
        }
    }
}

/// Whether a report on this topic says something without a version. A plain program's word is later than what
/// it lies over, also where the join carries it.
fn relays_a_word(machine: Option<&Machine>, topic: Topic) -> bool {
    let word = |machine: &Machine, sensor| matches!(machine.shown(sensor), Some(Shown::Unversioned(_)));
    let mut sensors = Card::One.sensors().into_iter();
    let machine = machine.filter(|_| topic == Topic::All);
    machine.is_some_and(|machine| sensors.any(|sensor| word(machine, sensor)))
}
