//! The promise, as checks after every step.

use std::rc::Rc;

use dualboard_core::global::Shown;
use dualboard_core::machine::{Freshness, Machine};
use dualboard_core::sensor::{Card, SensorId, State};
use dualboard_core::stage::Stage;
use dualboard_core::wire::Topic;

use super::broker::Packet;
use super::program::Program;
use super::reference::{Dot, Made};
use super::world::{BOARD1, BOARD2, TWIN, World};

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
fn shown(machine: &Machine, sensor: SensorId) -> Option<(Option<Dot>, bool)> {
    machine.shown(sensor).map(|shown| match shown {
        Shown::Reading(reading) => {
            let dot = reading.version.dot;
            (Some((dot.n, u64::from(dot.era.0))), reading.state == State::Ok)
        }
        Shown::Unversioned(word) => (None, word.state == State::Ok),
    })
}

impl World {
    /// Looks at a program's screen after it has handled an event: a key, or what had done these commands.
    pub fn observe(&mut self, slot: usize, toggled: Option<SensorId>, commanded: &[SensorId]) {
        for sensor in SensorId::ALL {
            let place = place_of(sensor);
            let program = &self.programs[slot];
            let Some(machine) = program.machine.as_ref() else {
                return;
            };
            let own = program.card() == Some(sensor.card());
            match shown(machine, sensor) {
                None if program.states[place].is_some() && program.view[place].is_some() => {
                    self.fail(slot, format!("forgot {sensor}"));
                }
                None => self.programs[slot].states[place] = None,
                Some((dot, state)) => {
                    if let Some(dot) = dot {
                        if own && self.ledger.find(place, dot, state).is_none() {
                            let by = [toggled == Some(sensor), commanded.contains(&sensor)];
                            self.newly_made(slot, sensor, (dot, state), by);
                        }
                        self.no_rollback(slot, sensor, dot, state);
                    } else if !self.ledger.said.contains(&(place, state)) {
                        let words = format!("shows {sensor} as {state}, which no plain program said");
                        self.fail(slot, words);
                    }
                    self.programs[slot].states[place] = Some(state);
                    self.programs[slot].wordy[place] = dot.is_none();
                }
            }
            if own {
                self.owner_has(slot, place);
                self.check_stage(slot, sensor);
            }
        }
        let program = &mut self.programs[slot];
        if let Some(machine) = &program.machine {
            let live = Card::ALL.map(|card| machine.freshness(card) == Freshness::Live);
            program.live = self.planted.live(program, self.now, live);
        }
    }

    /// An owner shows a dot that nobody has seen before: it is a key press, a command, an initial state, or
    /// the same state under a new dot as it had.
    fn newly_made(&mut self, slot: usize, sensor: SensorId, (dot, state): (Dot, bool), by: [bool; 2]) {
        let [toggled, commanded] = by;
        // Two owners with one state file may both come to the same number.
        if !self.copied && self.ledger.find(place_of(sensor), dot, !state).is_some() {
            self.fail(slot, format!("says {dot:?} of {sensor} again, of another state"));
        }
        let (place, program) = (place_of(sensor), &self.programs[slot]);
        let over = self.ledger.press(place, &program.view);
        let before = over.filter(|made| made.state == state);
        let (memory, press) = (program.memory, 0);
        let (met, rival) = (self.memories.met_by(memory), self.rival(slot, place));
        let made = Made {
            state,
            press,
            memory,
            met,
            rival,
        };
        let over = over.map_or(0, |made| made.press);
        if toggled || commanded {
            let before = program.states[place].filter(|_| program.view[place].is_some());
            if toggled && state != before.is_none_or(|before| !before) {
                self.fail(slot, format!("did not toggle {sensor}"));
            }
            self.memories.pressed(over);
            self.ledger.pressed(place, dot, made);
        } else if let Some(before) = before {
            let own = self.memories.is_own(memory, before);
            let met = if own { met } else { before.met };
            self.ledger.made(place, dot, Made { met, ..before });
        } else if (dot.0 == 0 && state) || (dot.0 == 1 && self.ledger.said.contains(&(place, state))) {
            self.ledger.made(place, dot, made);
        } else {
            self.fail(slot, format!("invents {dot:?} of {sensor}: {state}"));
        }
    }

    /// What is shown was made by its owner, and is not older than what was shown before.
    fn no_rollback(&mut self, slot: usize, sensor: SensorId, dot: Dot, state: bool) {
        let place = place_of(sensor);
        let Some(made) = self.ledger.find(place, dot, state) else {
            let words = format!("shows {sensor} as {state} at {dot:?}, which nobody made");
            self.fail(slot, words);
            return;
        };
        let program = &mut self.programs[slot];
        let highest = program.highest[place];
        program.view[place] = Some((dot, state));
        self.ledger.had.insert((self.programs[slot].board, place, dot));
        let later = highest.filter(|highest| highest.press > made.press);
        // While two owners of a card are beside each other, one may know less than the other.
        let unordered =
            later.is_some_and(|later| self.memories.unordered(made, later) || self.are_beside(sensor.card()));
        self.programs[slot].highest[place] = later.filter(|_| !unordered).or(Some(made));
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
        let (Some(stage), Some((dot, value))) = (stage, program.view[place]) else {
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
        if !self.ledger.received.contains(&(board, place, dot)) {
            let words = format!("shows {sensor} as saved, and its broker never got {dot:?}");
            self.fail(slot, words);
        }
        if stage == Stage::Confirmed && !self.ledger.had.contains(&(1 - board, place, dot)) {
            let words = format!("shows {sensor} as confirmed, and the other board never had {dot:?}");
            self.fail(slot, words);
        }
        let (floor, made) = (self.ledger.floor[place], self.ledger.find(place, dot, value));
        if let Some(made) = made {
            self.memories.saved(made.press);
        }
        if made.map(|made| made.press) > floor.map(|floor| floor.press) {
            self.ledger.floor[place] = made;
        }
    }

    pub fn owner_ends(&mut self, slot: usize) {
        let its = self.had.iter_mut().filter(|had| had.slot == slot);
        its.for_each(|had| had.until = had.until.min(self.now));
    }

    fn owner_has(&mut self, slot: usize, place: usize) {
        let (now, state) = (self.now, self.programs[slot].states[place]);
        let is_current = |had: &&mut Had| had.slot == slot && had.place == place && had.until == u64::MAX;
        if let Some(current) = self.had.iter_mut().find(is_current) {
            if current.state == state {
                return;
            }
            current.until = now;
        }
        self.had.push(Had {
            slot,
            place,
            state,
            until: u64::MAX,
        });
        self.had.retain(|had| had.until >= now.saturating_sub(BOUND));
    }

    /// What is shown as live was so at its owner within the bound.
    pub fn check_live(&mut self) {
        let since = self.now.saturating_sub(BOUND);
        let mut failure = None;
        for (slot, program) in self.programs.iter().enumerate() {
            if program.machine.is_none() || program.stopped || program.dozes {
                continue;
            }
            for card in Card::ALL {
                if program.card() == Some(card) || !program.live[card as usize] {
                    continue;
                }
                for sensor in card.sensors() {
                    let place = place_of(sensor);
                    let state = program.states[place].filter(|_| !program.wordy[place]);
                    if state.is_some() && !self.was_so(program, place, since) {
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

    fn was_so(&self, program: &Program, place: usize, since: u64) -> bool {
        let mut had = self.had.iter();
        had.any(|had| had.place == place && had.until >= since && had.state == program.states[place])
    }

    /// A broker took in a publication.
    pub fn record_published(&mut self, board: usize, packet: &Rc<Packet>) {
        let owned = match (board, &*packet.topic) {
            (BOARD1, "sensors/card1") => 0..3,
            (BOARD2, "sensors/card2") => 3..6,
            _ => 0..0,
        };
        for (place, known) in packet.image.iter().enumerate() {
            if let Some((dot, _)) = known {
                self.ledger.had.insert((board, place, *dot));
                if owned.contains(&place) {
                    self.ledger.received.insert((board, place, *dot));
                }
            }
        }
        if packet.retain && packet.qos == 2 && packet.image.iter().any(Option::is_some) {
            let place = usize::try_from(self.ids % 24).expect("small");
            if self.history.len() < 24 {
                self.history.push(Rc::clone(packet));
            } else {
                self.history[place] = Rc::clone(packet);
            }
        }
    }

    pub fn count_publication(&mut self, slot: usize, topic: Topic) {
        let second = self.now / 1000;
        let program = &mut self.programs[slot];
        if program.second.0 != second {
            program.second = (second, 0);
        }
        program.second.1 += 1;
        let count = program.second.1;
        match topic {
            Topic::Alive(_) => program.beats += 1,
            Topic::Marker => {}
            _ => program.reports += 1,
        }
        if count > 60 {
            self.fail(slot, format!("published {count} messages in a second"));
        }
    }
}
