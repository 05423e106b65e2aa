//! Somebody at a keyboard: presses a key on one of the cards, whatever else is going on.

use dualboard::machine::Event;
use dualboard::sensor::SensorId;

use super::world::{CARD1, CARD2, World};

impl World {
    pub fn press(&mut self, sensor: SensorId) {
        let slot = if sensor.number() <= 3 { CARD1 } else { CARD2 };
        let program = &self.programs[slot];
        if program.machine.is_some() && !program.stopped {
            self.feed(slot, Event::Toggle(sensor));
        }
    }
}
