//! The promise, as checks after every step.

use std::rc::Rc;

use dualboard_core::global::Shown;
use dualboard_core::machine::{Freshness, Machine};
use dualboard_core::sensor::{Card, SensorId, State};
use dualboard_core::stage::Stage;
use dualboard_core::wire::Topic;

use super::boards::broker::PublishPacket;
use super::boards::payload::DotNumbers;
use super::boards::world::{BOARD1, BOARD2};
use super::reference::Made;
use super::run::{Simulation, TWIN};

/// How old the truth may be that is shown as live.
const BOUND: u64 = 15_000;

/// What an owner has had: of one sensor, in one life of its program.
pub struct Had {
    pub slot: usize,
    pub place: usize,
    pub state: Option<bool>,
    pub until: u64,
}

fn place_of(sensor: SensorId) -> usize {
    usize::from(sensor.number()) - 1
}

/// What a program shows of a sensor: dot and state; the dot is missing from a plain word.
fn shown(machine: &Machine, sensor: SensorId) -> Option<(Option<DotNumbers>, bool)> {
    machine.shown(sensor).map(|shown| match shown {
        Shown::Reading(reading) => {
            let dot = reading.version.dot;
            (Some((dot.n, u64::from(dot.era.0))), reading.state == State::Ok)
        }
        Shown::Unversioned(word) => (None, word.state == State::Ok),
    })
}

impl Simulation {
    /// Looks at a program's screen after it has handled an event: a key, or what had done these commands.
    pub fn observe(&mut self, slot: usize, toggled: Option<SensorId>, commanded: &[SensorId]) {
        for sensor in SensorId::ALL {
            let place = place_of(sensor);
            let (program, record) = (&self.programs[slot], &self.hooks.records[slot]);
            let Some(machine) = program.machine.as_ref() else {
                return;
            };
            let own = program.card() == Some(sensor.card());
            match shown(machine, sensor) {
                None if record.states[place].is_some() && record.view[place].is_some() => {
                    self.fail(slot, format!("forgot {sensor}"));
                }
                None => self.hooks.records[slot].states[place] = None,
                Some((dot, state)) => {
                    if let Some(dot) = dot {
                        if own && self.hooks.ledger.find(place, dot, state).is_none() {
                            let by = [toggled == Some(sensor), commanded.contains(&sensor)];
                            self.newly_made(slot, sensor, (dot, state), by);
                        }
                        self.no_rollback(slot, sensor, dot, state);
                    } else if !self.hooks.ledger.said.contains(&(place, state)) {
                        let words = format!("shows {sensor} as {state}, which no plain program said");
                        self.fail(slot, words);
                    }
                    self.hooks.records[slot].states[place] = Some(state);
                    self.hooks.records[slot].wordy[place] = dot.is_none();
                }
            }
            if own {
                self.owner_has(slot, place);
                self.check_stage(slot, sensor);
            }
        }
        let program = &self.programs[slot];
        if let Some(machine) = &program.machine {
            let live = Card::ALL.map(|card| machine.freshness(card) == Freshness::Live);
            let before = self.hooks.records[slot].live;
            self.hooks.records[slot].live = self.hooks.planted.live(program.name, self.now, before, live);
        }
    }

    /// An owner shows a dot that nobody has seen before: it is a key press, a command, an initial state, or
    /// the same state under a new dot as it had.
    fn newly_made(&mut self, slot: usize, sensor: SensorId, (dot, state): (DotNumbers, bool), by: [bool; 2]) {
        let [toggled, commanded] = by;
        // Two owners with one state file may both come to the same number.
        if !self.hooks.copied && self.hooks.ledger.find(place_of(sensor), dot, !state).is_some() {
            self.fail(slot, format!("says {dot:?} of {sensor} again, of another state"));
        }
        let (place, record) = (place_of(sensor), &self.hooks.records[slot]);
        let over = self.hooks.ledger.press(place, &record.view);
        let before = over.filter(|made| made.state == state);
        let (memory, press) = (record.memory, 0);
        let (met, rival) = (self.hooks.memories.met_by(memory), self.rival(slot, place));
        let made = Made {
            state,
            press,
            memory,
            met,
            rival,
        };
        let over = over.map_or(0, |made| made.press);
        if toggled || commanded {
            let before = record.states[place].filter(|_| record.view[place].is_some());
            if toggled && state != before.is_none_or(|before| !before) {
                self.fail(slot, format!("did not toggle {sensor}"));
            }
            self.hooks.memories.pressed(over);
            self.hooks.ledger.pressed(place, dot, made);
        } else if let Some(before) = before {
            let own = self.hooks.memories.is_own(memory, before);
            let met = if own { met } else { before.met };
            self.hooks.ledger.made(place, dot, Made { met, ..before });
        } else if (dot.0 == 0 && state) || (dot.0 == 1 && self.hooks.ledger.said.contains(&(place, state))) {
            self.hooks.ledger.made(place, dot, made);
        } else {
            self.fail(slot, format!("invents {dot:?} of {sensor}: {state}"));
        }
    }

    /// What is shown was made by its owner, and is not older than what was shown before.
    fn no_rollback(&mut self, slot: usize, sensor: SensorId, dot: DotNumbers, state: bool) {
        let place = place_of(sensor);
        let Some(made) = self.hooks.ledger.find(place, dot, state) else {
            let words = format!("shows {sensor} as {state} at {dot:?}, which nobody made");
            self.fail(slot, words);
            return;
        };
        let record = &mut self.hooks.records[slot];
        let highest = record.highest[place];
        record.view[place] = Some((dot, state));
        self.hooks
            .ledger
            .had
            .insert((self.programs[slot].board, place, dot));
        let later = highest.filter(|highest| highest.press > made.press);
        // While two owners of a card are beside each other, one may know less than the other.
        let unordered = later.is_some_and(|later| {
            self.hooks.memories.unordered(made, later) || self.are_beside(sensor.card())
        });
        self.hooks.records[slot].highest[place] = later.filter(|_| !unordered).or(Some(made));
        // A twin is refused, and may see the owner's memory come in any order until it is.
        if let (Some(later), false, false) = (later, unordered, slot == TWIN) {
            let (from, to) = (later.press, made.press);
            let words = format!("rolls {sensor} back from press {from} to press {to}");
            self.fail(slot, words);
        }
    }

    /// SAVED and CONFIRMED are shown when they are true.
    fn check_stage(&mut self, slot: usize, sensor: SensorId) {
        let (place, program) = (place_of(sensor), &self.programs[slot]);
        let stage = program.machine.as_ref().and_then(|machine| machine.stage(sensor));
        let (Some(stage), Some((dot, value))) = (stage, self.hooks.records[slot].view[place]) else {
            return;
        };
        if stage < Stage::Saved {
            return;
        }
        let board = program.board;
        let durable = program.disk.durable.as_ref().and_then(|file| file.image[place]);
        if durable != Some((dot, value)) {
            let words = format!("shows {sensor} as saved, and its file has {durable:?}");
            self.fail(slot, words);
        }
        if !self.hooks.ledger.received.contains(&(board, place, dot)) {
            let words = format!("shows {sensor} as saved, and its broker never got {dot:?}");
            self.fail(slot, words);
        }
        if stage == Stage::Confirmed && !self.hooks.ledger.had.contains(&(1 - board, place, dot)) {
            let words = format!("shows {sensor} as confirmed, and the other board never had {dot:?}");
            self.fail(slot, words);
        }
        let (floor, made) = (
            self.hooks.ledger.floor[place],
            self.hooks.ledger.find(place, dot, value),
        );
        if let Some(made) = made {
            self.hooks.memories.saved(made.press);
        }
        if made.map(|made| made.press) > floor.map(|floor| floor.press) {
            self.hooks.ledger.floor[place] = made;
        }
    }

    pub fn owner_ends(&mut self, slot: usize) {
        let its = self.hooks.had.iter_mut().filter(|had| had.slot == slot);
        its.for_each(|had| had.until = had.until.min(self.now));
    }

    fn owner_has(&mut self, slot: usize, place: usize) {
        let (now, state) = (self.now, self.hooks.records[slot].states[place]);
        let is_current = |had: &&mut Had| had.slot == slot && had.place == place && had.until == u64::MAX;
        if let Some(current) = self.hooks.had.iter_mut().find(is_current) {
            if current.state == state {
                return;
            }
            current.until = now;
        }
        self.hooks.had.push(Had {
            slot,
            place,
            state,
            until: u64::MAX,
        });
        self.hooks
            .had
            .retain(|had| had.until >= now.saturating_sub(BOUND));
    }

    /// What is shown as live was so at its owner within the bound.
    pub fn check_live(&mut self) {
        let since = self.now.saturating_sub(BOUND);
        let mut failure = None;
        for (slot, (program, record)) in self.programs.iter().zip(&self.hooks.records).enumerate() {
            if program.machine.is_none() || program.stopped || program.dozes {
                continue;
            }
            for card in Card::ALL {
                if program.card() == Some(card) || !record.live[card as usize] {
                    continue;
                }
                for sensor in card.sensors() {
                    let place = place_of(sensor);
                    let state = record.states[place].filter(|_| !record.wordy[place]);
                    if state.is_some() && !self.was_so(state, place, since) {
                        failure = failure.or(Some((slot, sensor, state)));
                    }
                }
            }
        }
        if let Some((slot, sensor, state)) = failure {
            let words =
                format!("shows {sensor} as live at {state:?}: its owner has not had that for {BOUND} ms");
            self.fail(slot, words);
        }
    }

    fn was_so(&self, state: Option<bool>, place: usize, since: u64) -> bool {
        let mut had = self.hooks.had.iter();
        had.any(|had| had.place == place && had.until >= since && had.state == state)
    }

    /// A broker took in a publication.
    pub fn record_published(&mut self, board: usize, packet: &Rc<PublishPacket>) {
        let owned = match (board, &*packet.topic) {
            (BOARD1, "sensors/card1") => 0..3,
            (BOARD2, "sensors/card2") => 3..6,
            _ => 0..0,
        };
        for (place, known) in packet.image.iter().enumerate() {
            if let Some((dot, _)) = known {
                self.hooks.ledger.had.insert((board, place, *dot));
                if owned.contains(&place) {
                    self.hooks.ledger.received.insert((board, place, *dot));
                }
            }
        }
        if packet.retain && packet.qos == 2 && packet.image.iter().any(Option::is_some) {
            let place = usize::try_from(self.ids % 24).expect("small");
            if self.hooks.history.len() < 24 {
                self.hooks.history.push(Rc::clone(packet));
            } else {
                self.hooks.history[place] = Rc::clone(packet);
            }
        }
    }

    pub fn count_publication(&mut self, slot: usize, topic: Topic) {
        let second = self.now / 1000;
        let record = &mut self.hooks.records[slot];
        if record.second.0 != second {
            record.second = (second, 0);
        }
        record.second.1 += 1;
        let count = record.second.1;
        match topic {
            Topic::Alive(_) => record.beats += 1,
            Topic::Marker => {}
            _ => record.reports += 1,
        }
        if count > 60 {
            self.fail(slot, format!("published {count} messages in a second"));
        }
    }
}
