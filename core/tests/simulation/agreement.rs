//! After the last fault: what everything must come to, and whether it does.

use std::fmt::{Display, Formatter, Result};
use std::rc::Rc;

use dualboard_core::sensor::SensorId;
use dualboard_core::stage::Stage;

use super::boards::broker::PublishPacket;
use super::boards::world::{BOARD1, BOARD2};
use super::reference::Made;
use super::run::{AGREEMENT, CARD1, CARD2, QUIET, Simulation, TWIN};
use super::survivors::latest;

/// Where a retained message lies.
#[derive(Clone, Copy)]
struct Kept {
    topic: &'static str,
    board: usize,
}

impl Display for Kept {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        write!(to, "{} at broker {}", self.topic, self.board + 1)
    }
}

fn owner_of(place: usize) -> usize {
    if place < 3 { CARD1 } else { CARD2 }
}

impl Simulation {
    /// The last fault is over: what must everything come to?
    pub fn expect(&mut self) {
        self.hooks.expected = self.survivors();
        self.expect_acknowledged();
        for sensor in SensorId::ALL {
            let place = usize::from(sensor.number()) - 1;
            let left = latest(self.hooks.expected[place].iter().copied());
            let [floor, left] = [self.hooks.ledger.floor[place], left];
            let [saved, latest_left] = [floor, left].map(|made| made.map_or(0, |made| made.press));
            if saved > latest_left && !self.gave_way(place, left) {
                let words =
                    format!("forgot press {saved} of {sensor} by itself: {latest_left} is the latest left");
                self.fail(usize::MAX, words);
            }
        }
    }

    /// Whether nobody can put in order what was saved of a sensor last, and what is left or what its owner
    /// has: an older copy may still lie somewhere.
    fn gave_way(&self, place: usize, left: Option<Made>) -> bool {
        let owner = owner_of(place);
        let file = self.programs[owner].disk.durable.as_ref().map(|file| &file.image);
        let has = file.into_iter().chain([&self.hooks.records[owner].view]);
        let has = has.filter_map(|image| self.hooks.ledger.press(place, image));
        let mut others = has.chain(left);
        self.hooks.ledger.floor[place]
            .is_some_and(|floor| others.any(|other| self.hooks.memories.unordered(floor, other)))
    }

    /// The retained messages that carry a sensor: where they lie, and what lies there.
    fn retained(&self, place: usize) -> impl Iterator<Item = (Kept, Option<&Rc<PublishPacket>>)> {
        let own = ["sensors/card1", "sensors/card2"][usize::from(place >= 3)];
        let topics = [own, "sensors/all"].into_iter();
        let kept = topics.flat_map(|topic| [BOARD1, BOARD2].map(|board| Kept { topic, board }));
        kept.map(|kept| {
            let store = &self.brokers[kept.board].store;
            (kept, store.retained.get(kept.topic))
        })
    }

    /// What does not agree with the reference, in words.
    fn disagreement(&self) -> Option<String> {
        for (place, left) in self.hooks.expected.iter().enumerate() {
            let number = place + 1;
            let owner = &self.hooks.records[owner_of(place)].view;
            let Some(made) = self.hooks.ledger.press(place, owner) else {
                return Some(format!("the owner knows nothing of sensor {number}"));
            };
            let mut later = left.iter().filter(|left| left.press > made.press);
            if let Some(left) = later.find(|left| !self.hooks.memories.unordered(made, **left)) {
                let words = format!(
                    "sensor {number} came to press {}, and an image of press",
                    made.press
                );
                return Some(format!("{words} {} existed", left.press));
            }
            let programs = self.programs[..TWIN].iter().zip(&self.hooks.records);
            for (slot, (program, record)) in programs.enumerate() {
                let name = program.name;
                if record.view[place] != owner[place] || record.wordy[place] {
                    return Some(format!("{name} shows another sensor {number} than its owner"));
                }
                if slot != owner_of(place) && !record.live[usize::from(place >= 3)] {
                    return Some(format!("{name} does not show sensor {number} as live"));
                }
            }
            let sensor = SensorId::ALL[place];
            if let Some(words) = self.disagreement_on_alarm(sensor, owner_of(place)) {
                return Some(words);
            }
            for (name, packet) in self.retained(place) {
                if packet.and_then(|packet| packet.image[place]) != owner[place] {
                    return Some(format!("{name} has another sensor {number} than its owner"));
                }
            }
        }
        self.other_name().or_else(|| self.unconfirmed())
    }

    /// Who calls a sensor otherwise than its owner.
    fn other_name(&self) -> Option<String> {
        let name_of = |slot: usize, sensor| {
            let machine = self.programs[slot].machine.as_ref()?;
            machine.names().get(sensor).map(|name| name.as_str().to_owned())
        };
        for sensor in SensorId::ALL {
            let place = usize::from(sensor.number()) - 1;
            let name = name_of(owner_of(place), sensor);
            let mut programs = (0..TWIN).filter(|slot| name_of(*slot, sensor) != name);
            if let Some(slot) = programs.next() {
                let program = self.programs[slot].name;
                return Some(format!("{program} calls {sensor} otherwise than its owner"));
            }
            for (kept, packet) in self.retained(place) {
                let said = packet.and_then(|packet| packet.names()[place].as_ref());
                if said != name.as_ref() {
                    return Some(format!("{kept} calls {sensor} otherwise than its owner"));
                }
            }
        }
        None
    }

    fn unconfirmed(&self) -> Option<String> {
        for slot in [CARD1, CARD2] {
            let program = &self.programs[slot];
            let (name, machine) = (program.name, program.machine.as_ref()?);
            if let Some((id, sensor)) = self.hooks.records[slot].asked.first() {
                return Some(format!("{name} has not done command {id} for {sensor}"));
            }
            for sensor in program.card()?.sensors() {
                let stage = machine.stage(sensor);
                if stage != Some(Stage::Confirmed) {
                    return Some(format!("{name} shows {sensor} as {stage:?}"));
                }
            }
        }
        None
    }

    /// Looks whether all agree, and whether they do so in time.
    pub fn look(&mut self) {
        let Some(healed) = self.hooks.healed else { return };
        let over = self.now > healed + AGREEMENT;
        match self.disagreement() {
            None => self.hooks.agreed = self.hooks.agreed.or(Some(self.now)),
            Some(words) => {
                self.hooks.agreed = None;
                if over {
                    self.fail(usize::MAX, format!("does not agree: {words}"));
                }
            }
        }
        if !over {
            for record in &mut self.hooks.records {
                (record.reports, record.beats) = (0, 0);
            }
        }
    }

    /// Nothing happened for a while: owners said that they are alive, and nothing else.
    pub fn check_quiet(&mut self) {
        for slot in 0..TWIN {
            let (reports, beats) = (self.hooks.records[slot].reports, self.hooks.records[slot].beats);
            if reports > 0 || beats > QUIET / 2_000 + 2 {
                let words =
                    format!("published {reports} reports and {beats} heartbeats while nothing happened");
                self.fail(slot, words);
            }
        }
    }
}
