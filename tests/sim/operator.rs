//! Somebody at a keyboard: presses a key on one of the cards, whatever else is going on.

use dualboard::machine::Event;
use dualboard::sensor::SensorId;

use super::kinds::Kind;
use super::world::{TWIN, World};

impl World {
    /// Where two owners run, on either of them.
    pub fn press(&mut self, sensor: SensorId) {
        let twin = &self.programs[TWIN];
        let there = twin.machine.is_some() && twin.card() == Some(sensor.card());
        let slot = if there && self.rng.chance(50) {
            TWIN
        } else {
            sensor.card() as usize
        };
        let program = &self.programs[slot];
        if program.machine.is_some() && !program.stopped && !program.dozes {
            if slot == TWIN {
                self.tally.count(Kind::TwinPressed);
            }
            self.feed(slot, Event::Toggle(sensor));
        }
    }
}
