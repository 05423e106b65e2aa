//! A campaign: rounds of faults that overlap, by seed; after each everything is mended, and all views must
//! come to agree.
//!
//! One thread does it all, in the order of its log.

use std::time::Duration;

use rustix::process::Signal;

use crate::chance::Chance;
use crate::faults::{RealFault, Spared, Strike, draw_spared, name_of};
use crate::log::{log, name, now};
use crate::observer::{BrokerObserver, RETAINED, SensorStates};
use crate::operator::Operator;
use crate::storage;
use crate::unit::{ALL, BROKERS, PROGRAMS, Who};
use crate::world::RealWorld;

/// How often conditions are looked at.
const TICK: Duration = Duration::from_millis(5);
/// A turn that comes later than this is logged: the checker has to know when this process was too slow to
/// see.
const STALL: Duration = Duration::from_millis(300);
/// A round whose views do not agree after this time is left as it is; the checker has a stricter opinion.
const PATIENCE: Duration = Duration::from_secs(60);
/// Views that agree for a moment only do not agree.
const STEADY: Duration = Duration::from_millis(250);
/// A key that is pressed before a fault is pressed this much before it, at the most.
const AIM: Duration = Duration::from_millis(8);
/// In seconds: longer than a source may be shown as live after its death.
const LONG: (f64, f64) = (16.5, 21.0);

/// What is to be done at some time.
type Act = Box<dyn FnOnce(&mut Campaign)>;

/// Two boards, an operator, and a schedule drawn from a seed.
pub struct Campaign {
    pub world: RealWorld,
    pub chance: Chance,
    operator: Operator,
    pub strikes: Vec<Strike>,
    agenda: Vec<(Duration, Act)>,
    /// Since when all views show the same values, and since when all of them live and confirmed.
    same_since: Option<Duration>,
    live_since: Option<Duration>,
    /// Faults and rounds so far.
    pub done: usize,
    rounds: u64,
    seed: u64,
}

impl Campaign {
    pub fn new(world: RealWorld, seed: u64) -> Self {
        Self {
            world,
            operator: Operator::default(),
            chance: Chance::new(seed),
            strikes: Vec::new(),
            agenda: Vec::new(),
            same_since: None,
            live_since: None,
            done: 0,
            rounds: 0,
            seed,
        }
    }

    /// All rounds; false if the views did not agree after one of them.
    pub fn run(&mut self, faults: usize) -> bool {
        for who in self.chance.shuffled(ALL.to_vec()) {
            self.world.start(who);
        }
        let mut whole = self.agree("start");
        while whole && self.done < faults {
            self.rounds += 1;
            whole = self.round();
        }
        log!("over", {"whole": whole, "rounds": self.rounds, "faults": self.done});
        whole
    }

    /// What it draws depends on the seed and its number alone, however the clock of the round before went.
    fn round(&mut self) -> bool {
        self.chance = Chance::new((self.seed << 20) + self.rounds);
        let lasts = self.chance.is(0.07);
        let window = self.chance.seconds(0.8, 4.0);
        let spared = draw_spared(&mut self.chance);
        log!("round", {"number": self.rounds, "spared": name_of(spared), "long": lasts});
        if self.chance.is(0.3) {
            // Mosquitto saves its store, as it does by itself once a minute.
            for unit in BROKERS.map(|broker| self.world.unit(broker)) {
                if unit.is_up() && !unit.stopped {
                    unit.signal(Signal::USR1);
                }
            }
        }
        self.strikes = self.draw(spared, lasts);
        let more = self.chance.seconds(LONG.0, LONG.1);
        let end = window + if lasts { more } else { AIM };
        self.plan(window, lasts);
        // Some keys come while everything is mended.
        self.type_until(end + Duration::from_secs(2));
        self.advance(end);
        self.heal();
        self.agree(&format!("round {}", self.rounds))
    }

    fn draw(&mut self, spared: Spared, lasts: bool) -> Vec<Strike> {
        let chance = &mut self.chance;
        let count = 5 + chance.below(10);
        let mut faults: Vec<_> = (0..count).map(|_| RealFault::draw(chance, spared)).collect();
        if lasts {
            faults.truncate(2);
            faults.insert(0, RealFault::draw_lasting(chance, spared));
        } else if chance.is(0.15) {
            faults.push(RealFault::AllButOne(spared));
        }
        let strike = |fault| Strike {
            fault,
            chance: chance.split(),
            holds: false,
            order: 0,
        };
        faults.into_iter().map(strike).collect()
    }

    /// When each fault strikes, and when it is mended: a good part of them together with everything. Often a
    /// key is pressed just before: the fault then strikes between memory, file, broker and the other board.
    fn plan(&mut self, window: Duration, lasts: bool) {
        for number in 0..self.strikes.len() {
            let chance = &mut self.chance;
            let mut wait = window.mul_f64(chance.real());
            let held = if lasts && number == 0 {
                Some(chance.seconds(LONG.0, LONG.1))
            } else {
                let brief = chance.wait_for(1.0).min(Duration::from_secs(3));
                (!chance.is(0.35)).then_some(brief)
            };
            if chance.is(0.3) {
                let before = AIM.mul_f64(chance.real());
                self.press_after(wait);
                wait += before;
            }
            self.after(wait, move |campaign| campaign.strike(number));
            if let Some(held) = held {
                self.after(wait + held, move |campaign| campaign.mend(number));
            }
        }
    }

    /// The operator's keys, some of them for the time after the faults.
    fn type_until(&mut self, end: Duration) {
        let pace = self.chance.pick(&[0.1, 0.25, 0.6]);
        let mut wait = self.chance.wait_for(pace);
        while wait < end {
            self.press_after(wait);
            wait += self.chance.wait_for(pace);
        }
        // Fewer than keys: an alarm has to be there.
        let mut wait = self.chance.wait_for(1.0);
        while wait < end {
            let who = self.chance.pick(&PROGRAMS);
            self.after(wait, move |campaign| Operator::acknowledge(who, &campaign.world));
            wait += self.chance.wait_for(1.0);
        }
    }

    /// Mends everything in random order.
    fn heal(&mut self) {
        for number in self.chance.shuffled((0..self.strikes.len()).collect()) {
            if self.strikes[number].holds {
                self.mend(number);
                let pause = self.chance.seconds(0.0, 0.2);
                self.advance(pause);
            }
        }
        // What has no time any more in this round.
        self.agenda.clear();
        self.world.cable.freeze(false);
        self.world.cable.heal();
        self.world.restore_power(0);
        self.world.restore_power(1);
        let limit = Duration::from_secs(10);
        self.until(limit, |campaign| {
            !ALL.iter().any(|who| campaign.world.unit(*who).is_ending())
        });
        for who in self.chance.shuffled(ALL.to_vec()) {
            self.world.unit_mut(who).resume();
            self.world.start(who);
        }
        self.until(limit, |campaign| {
            ALL.iter().all(|who| campaign.world.unit(*who).is_up())
        });
    }

    /// Waits until everybody shows the same, live and confirmed; logs how long that took.
    fn agree(&mut self, what: &str) -> bool {
        log!("healed", {"round": self.rounds});
        let whole = self.until(PATIENCE, |campaign| {
            let steady = now().saturating_sub(campaign.world.mended()) >= STEADY;
            steady && campaign.live_since.is_some_and(|since| now() >= since + STEADY)
        });
        let mended = self.world.mended();
        let took = |since: Option<Duration>| since.map_or(PATIENCE, |since| since.saturating_sub(mended));
        let [values, live] = [self.same_since, self.live_since].map(|since| took(since).as_secs_f64());
        self.world.observers.iter().for_each(BrokerObserver::ask);
        // Not of a later moment: a store may then hold the last copy of a toggle that counts as destroyed.
        storage::keep_copies();
        log!("agreed", {"whole": whole, "values": values, "live": live});
        let done = self.done;
        println!("{what}: {done} faults so far, values {values:.2} s, live {live:.2} s");
        if !whole {
            // Going on would only blur it.
            for who in PROGRAMS {
                println!("--- {}\n{}", name(who), self.world.unit(who).text());
            }
        }
        whole
    }

    pub fn after(&mut self, wait: Duration, act: impl FnOnce(&mut Self) + 'static) {
        self.agenda.push((now() + wait, Box::new(act)));
    }

    fn press_after(&mut self, wait: Duration) {
        let sensor = self.chance.pick(&[1, 2, 3, 4, 5, 6]);
        self.after(wait, move |campaign| {
            campaign.operator.press(sensor, &campaign.world);
        });
    }

    /// Lets so much time go by.
    fn advance(&mut self, time: Duration) {
        self.until(time, |_| false);
    }

    /// Turns until something holds, for so long at the most; whether it held.
    fn until(&mut self, limit: Duration, condition: impl Fn(&Self) -> bool) -> bool {
        let deadline = now() + limit;
        while !condition(self) {
            if now() >= deadline {
                return false;
            }
            self.turn();
        }
        true
    }

    /// Waits for something to do, a tick at most, and does it.
    fn turn(&mut self) {
        let begun = now();
        let next = self
            .agenda
            .iter()
            .map(|(when, _)| when.saturating_sub(begun))
            .min();
        let wait = next.unwrap_or(TICK).min(TICK);
        std::thread::park_timeout(wait);
        note_stall(begun + wait);
        let woken = now();
        self.world.look();
        while let Some(due) = self.agenda.iter().position(|(when, _)| *when <= now()) {
            self.agenda.remove(due).1(self);
        }
        self.operator.look(&self.world);
        self.watch();
        note_stall(woken);
    }

    /// Keeps since when the views agree. All the time: they may do so before the last thing is mended.
    fn watch(&mut self) {
        let world = &self.world;
        let same = have_one_view(world) && !self.operator.waits(world);
        let live = same && PROGRAMS.iter().all(|who| is_live(world, *who)) && have_same_alarms(world);
        self.same_since = same.then(|| self.same_since.unwrap_or_else(now));
        self.live_since = live.then(|| self.live_since.unwrap_or_else(now));
    }
}

fn note_stall(since: Duration) {
    let late = now().saturating_sub(since);
    if late > STALL {
        log!("stall", {"seconds": late.as_secs_f64()});
    }
}

/// Whether all screens and both brokers show the same states.
fn have_one_view(world: &RealWorld) -> bool {
    let states = |who: Who| -> SensorStates {
        let rows = world.unit(who).screen.rows.iter();
        rows.map(|(&sensor, (state, ..))| (sensor, state.clone()))
            .collect()
    };
    let first = states(Who::Card1);
    let holds = |observer: &BrokerObserver| {
        RETAINED.into_iter().all(|(topic, carried)| {
            let held = observer.holds.get(topic);
            held.is_some_and(|held| held.iter().eq(first.range(carried)))
        })
    };
    first.len() == 6 && PROGRAMS.iter().all(|who| states(*who) == first) && world.observers.iter().all(holds)
}

/// Whether all screens say the same of each alarm, and none of it is under way.
fn have_same_alarms(world: &RealWorld) -> bool {
    let alarms = |who: Who| -> Vec<&str> {
        let rows = world.unit(who).screen.rows.values();
        rows.map(|(_, _, alarm)| alarm.as_str()).collect()
    };
    let first = alarms(Who::Card1);
    let under_way = |alarm: &&str| alarm.ends_with("SENDING") || alarm.ends_with("SAVED");
    !first.iter().any(under_way) && PROGRAMS.iter().all(|who| alarms(*who) == first)
}

/// Whether a screen calls everything confirmed or live.
fn is_live(world: &RealWorld, who: Who) -> bool {
    world
        .unit(who)
        .screen
        .rows
        .iter()
        .all(|(sensor, (_, beside, _))| {
            let own = Who::owner_of(*sensor) == who;
            beside == if own { "CONFIRMED" } else { "LIVE" }
        })
}
