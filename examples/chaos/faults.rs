//! Which faults strike, by chance, and what a round leaves alone, since the promise is for as long as one
//! copy survives; how each strikes, and is mended.

use std::time::Duration;

use crate::cable::{DROP, PASS, REJECT, Way};
use crate::campaign::Campaign;
use crate::chance::Chance;
use crate::log::{log, name};
use crate::storage::Harm::{self, Damaged, RolledBack, Wiped};
use crate::storage::spoil;
use crate::unit::{ALL, BROKERS, OWNERS, Who};
use crate::world::{RealWorld, set_clock};

const HOUR: i64 = 3600;
const YEAR: i64 = 365 * 24 * HOUR;
/// An hour back, without a battery, beyond 2038, a day on.
const CLOCKS: [i64; 5] = [-HOUR, -56 * YEAR, 13 * YEAR, 24 * HOUR, -90];

/// The copy that a round leaves alone: what one program or broker holds, or the owners' files.
pub type Spared = Option<Who>;

/// How the link fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LinkFault {
    Swallowed,
    Refused,
    Frozen,
    Slow,
    Flapping,
    Lossy,
    OneWay,
}

use LinkFault::{Flapping, Frozen, Lossy, OneWay, Refused, Slow, Swallowed};

/// One thing that goes wrong. It is mended some time later; several at once are the rule.
#[derive(Clone, Copy, PartialEq)]
pub enum RealFault {
    Kill(Who),
    /// SIGTERM; a broker saves its store.
    Terminate(Who),
    Stop(Who),
    /// A whole board at once; it may come back with blank storage.
    PowerCut(usize, bool),
    Link(LinkFault),
    /// A broker or an owner is killed, and its file is another one when it starts again.
    Spoil(Who, Harm),
    /// A board's wall clock jumps, and jumps back.
    Clock(usize),
    /// At one moment all is killed and wiped but one copy.
    AllButOne(Spared),
}

/// As the log says it.
pub fn name_of(spared: Spared) -> String {
    spared.map_or("files".into(), name)
}

pub fn draw_spared(chance: &mut Chance) -> Spared {
    ALL.get(chance.below(8)).copied()
}

impl RealFault {
    /// One by chance, none that would destroy what is to be spared.
    pub fn draw(chance: &mut Chance, spared: Spared) -> Self {
        loop {
            let fault = Self::draw_any(&mut chance.split());
            if !fault.destroys(spared) {
                return fault;
            }
        }
    }

    fn draw_any(chance: &mut Chance) -> Self {
        let board = chance.below(2);
        match chance.below(100) {
            0..20 => Self::Kill(chance.pick(&ALL)),
            20..30 => Self::Terminate(chance.pick(&ALL)),
            30..40 => Self::Stop(chance.pick(&ALL)),
            40..48 => Self::PowerCut(board, false),
            48..74 => Self::Link(chance.pick(&[Swallowed, Refused, Frozen, Slow, Flapping, Lossy, OneWay])),
            74..84 => Self::Spoil(BROKERS[board], chance.pick(&[Wiped, Damaged, RolledBack])),
            84..91 => Self::Spoil(OWNERS[board], chance.pick(&[Wiped, Damaged])),
            91..94 => Self::PowerCut(board, true),
            _ => Self::Clock(board),
        }
    }

    /// One that is held longer than anything may be called live without proof.
    pub fn draw_lasting(chance: &mut Chance, spared: Spared) -> Self {
        let links = [Swallowed, Refused, Frozen, OneWay].map(Self::Link);
        let mut all = [
            &links[..],
            &ALL.map(Self::Stop),
            &ALL.map(Self::Kill),
            &[0, 1].map(|board| Self::PowerCut(board, false)),
        ]
        .concat();
        all.retain(|fault| !fault.destroys(spared));
        chance.pick(&all)
    }

    /// Would it destroy what this round leaves alone?
    fn destroys(self, spared: Spared) -> bool {
        match self {
            Self::Kill(who) | Self::Terminate(who) => spared == Some(who),
            Self::PowerCut(board, blank) => spared.map_or(blank, |who| who.board() == board),
            Self::Spoil(who, _) => spared.map_or(OWNERS.contains(&who), |spared| spared == who),
            _ => false,
        }
    }

    /// As the log says it: the kind, and what is struck.
    pub fn names(self) -> (String, String) {
        let on = |what: &str, board: usize| format!("{what}{}", board + 1);
        match self {
            Self::Kill(who) => ("kill -9".into(), name(who)),
            Self::Terminate(who) => ("SIGTERM".into(), name(who)),
            Self::Stop(who) => ("SIGSTOP".into(), name(who)),
            Self::PowerCut(board, false) => ("power cut".into(), on("board", board)),
            Self::PowerCut(board, true) => ("board replaced".into(), on("board", board)),
            Self::Link(link) => (format!("link {}", name(link)), "cable".into()),
            Self::Spoil(who, harm) if BROKERS.contains(&who) => (format!("store {}", name(harm)), name(who)),
            Self::Spoil(who, harm) => (format!("state file {}", name(harm)), name(who)),
            Self::Clock(board) => ("clock set".into(), on("clock", board)),
            Self::AllButOne(spared) => ("all copies but one lost".into(), name_of(spared)),
        }
    }
}

impl LinkFault {
    /// How the cable is then; for one that flaps, how it is down this time.
    pub fn ways(self, chance: &mut Chance) -> [Way; 2] {
        match self {
            Swallowed | Frozen => [DROP; 2],
            Refused => [REJECT; 2],
            Flapping => [chance.pick(&[DROP, REJECT]); 2],
            OneWay => chance.pick(&[[PASS, DROP], [DROP, PASS]]),
            Slow => {
                let late = [[0.02, 0.0], [0.1, 0.15], [0.6, 0.8], [1.5, 2.0]];
                let which = chance.below(4);
                let rate = [3000.0, 1e6, 1e5, 1e6][which];
                [Way::new("slow", [0.0; 2], late[which], rate); 2]
            }
            Lossy => {
                let odds = [chance.pick(&[0.05, 0.2, 0.4]), chance.pick(&[0.0, 0.2])];
                let late = [0.0, chance.pick(&[0.0, 0.05])];
                [Way::new("lossy", odds, late, f64::INFINITY); 2]
            }
        }
    }
}

/// A fault of this round. It has draws of its own.
pub struct Strike {
    pub fault: RealFault,
    pub chance: Chance,
    /// It has struck and is not mended.
    pub holds: bool,
    /// What the cable was last told by this one.
    pub order: u64,
}

impl Strike {
    /// Whether there was anything to break: what is broken already is not counted.
    fn strike(&mut self, world: &mut RealWorld) -> bool {
        match self.fault {
            RealFault::Kill(who) => return world.unit_mut(who).kill("kill"),
            RealFault::Terminate(who) if world.unit(who).is_up() => world.unit_mut(who).terminate(),
            RealFault::Stop(who) if world.unit(who).is_up() && !world.unit(who).stopped => {
                world.unit_mut(who).stop();
            }
            RealFault::PowerCut(board, blank) if world.powered[board] => {
                world.cut_power(board);
                for who in [OWNERS[board], BROKERS[board]].into_iter().filter(|_| blank) {
                    spoil(who, Wiped, &mut self.chance);
                }
            }
            RealFault::Link(_) if world.cable.frozen => return false,
            RealFault::Link(Frozen) => world.cable.freeze(true),
            RealFault::Link(link) => self.cut(link, world),
            RealFault::Spoil(who, harm) if world.unit_mut(who).kill("kill") => {
                spoil(who, harm, &mut self.chance);
            }
            RealFault::Clock(board) if world.has_clocks => set_clock(board, self.chance.pick(&CLOCKS)),
            RealFault::AllButOne(spared) if spared.is_none_or(|who| world.unit(who).is_up()) => {
                self.lose_all_but(spared, world);
            }
            _ => return false,
        }
        true
    }

    fn cut(&mut self, link: LinkFault, world: &mut RealWorld) {
        world.cable.set(link.ways(&mut self.chance));
        self.order = world.cable.order;
    }

    /// Whether the cable is still as this one has left it.
    fn has_the_cable(&self, world: &RealWorld) -> bool {
        world.cable.order == self.order && !world.cable.frozen
    }

    fn lose_all_but(&mut self, spared: Spared, world: &mut RealWorld) {
        let lost = || ALL.into_iter().filter(|who| spared != Some(*who));
        for who in lost() {
            world.unit_mut(who).kill("kill");
        }
        for who in lost() {
            if BROKERS.contains(&who) || (spared.is_some() && OWNERS.contains(&who)) {
                spoil(who, Wiped, &mut self.chance);
            }
        }
    }
}

impl Campaign {
    /// Makes it go wrong.
    pub fn strike(&mut self, number: usize) {
        let strike = &mut self.strikes[number];
        if !strike.strike(&mut self.world) {
            return;
        }
        strike.holds = true;
        self.done += 1;
        let (kind, about) = strike.fault.names();
        log!("fault", {"kind": kind, "about": about});
        if strike.fault == RealFault::Link(Flapping) {
            self.after(Duration::from_millis(300), move |campaign| campaign.flap(number));
        }
    }

    /// Up and down, every time another way of being down; until another fault has told the cable something.
    pub fn flap(&mut self, number: usize) {
        let strike = &mut self.strikes[number];
        if !strike.holds {
            return;
        }
        if strike.has_the_cable(&self.world) {
            self.world.cable.heal();
        } else if self.world.cable.is_whole() && !self.world.cable.frozen {
            strike.cut(Flapping, &mut self.world);
        } else {
            return;
        }
        let wait = strike.chance.pick(&[50, 300, 800]);
        self.after(Duration::from_millis(wait), move |campaign| campaign.flap(number));
    }

    /// Mends it, if it has struck and nobody has.
    pub fn mend(&mut self, number: usize) {
        let (strike, world) = (&mut self.strikes[number], &mut self.world);
        if !std::mem::take(&mut strike.holds) {
            return;
        }
        match strike.fault {
            RealFault::Kill(who) | RealFault::Terminate(who) | RealFault::Spoil(who, _) => self.start(who),
            RealFault::Stop(who) => world.unit_mut(who).resume(),
            RealFault::Link(Frozen) => world.cable.freeze(false),
            RealFault::Link(_) if strike.has_the_cable(world) => world.cable.heal(),
            RealFault::Clock(board) => set_clock(board, 0),
            RealFault::PowerCut(board, _) if !world.powered[board] => {
                world.restore_power(board);
                self.start_some(|who| who.board() == board, 0.4);
            }
            RealFault::AllButOne(_) => self.start_some(|_| true, 1.5),
            RealFault::Link(_) | RealFault::PowerCut(..) => {}
        }
    }

    /// As soon as it has ended, if it is just ending.
    pub fn start(&mut self, who: Who) {
        if self.world.unit(who).is_ending() {
            self.after(Duration::from_millis(50), move |campaign| campaign.start(who));
        } else {
            self.world.start(who);
        }
    }

    fn start_some(&mut self, which: impl Fn(Who) -> bool, within: f64) {
        for who in ALL.into_iter().filter(|who| which(*who)) {
            let wait = self.chance.seconds(0.0, within);
            self.after(wait, move |campaign| campaign.start(who));
        }
    }
}

#[test]
fn a_seed_draws_the_same_faults_and_none_that_destroys_what_is_spared() {
    let drawn = |seed| {
        let mut chance = Chance::new(seed);
        let spared = draw_spared(&mut chance);
        let faults = [(); 1000].map(|()| RealFault::draw(&mut chance, spared));
        for fault in [&faults[..], &[RealFault::draw_lasting(&mut chance, spared)]].concat() {
            let harmless = matches!(fault, RealFault::Stop(_)) || fault.names().1 != name_of(spared);
            assert!(harmless, "{:?} where {spared:?} is spared", fault.names());
        }
        faults.map(RealFault::names)
    };
    for seed in 0..50 {
        assert_eq!(drawn(seed), drawn(seed));
        assert_ne!(drawn(seed), drawn(seed + 1));
    }
}
