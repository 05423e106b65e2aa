//! Which memory an owner goes on from, and which others it has met. What no memory ever held against each other nobody can put in order:
//! that much less is demanded, and no more.

use std::cell::Cell;

use dualboard::sensor::Card;

use super::reference::{Image, Made};
use super::world::{CARD1, CARD2, TWIN, World};

/// The memories of a run, each one bit: a run has far fewer.
#[derive(Default)]
pub struct Memories {
    /// What each has met, itself and what those had met among it.
    met: Vec<u128>,
    /// In which each card's owner has been last.
    latest: [usize; 2],
    /// Whether that was the case anywhere in this run.
    pub excused: Cell<bool>,
}

impl Memories {
    fn begin(&mut self) -> usize {
        self.met.push(1 << (self.met.len() % 128));
        self.met.len() - 1
    }

    pub fn met_by(&self, memory: usize) -> u128 {
        self.met.get(memory).copied().unwrap_or_default()
    }

    /// Whether nobody can tell which of two readings of a card is the later one: each was set in a memory that had not met the other's,
    /// and both memories have been lost.
    pub fn unordered(&self, card: Card, a: Made, b: Made) -> bool {
        let lost = |made: Made| made.memory != self.latest[card as usize];
        let knows = |a: Made, b: Made| a.met & (1 << (b.memory % 128)) != 0;
        let unordered = a.press > 0 && b.press > 0 && lost(a) && lost(b) && !knows(a, b) && !knows(b, a);
        self.excused.set(self.excused.get() || unordered);
        unordered
    }
}

impl World {
    /// An owner starts: it goes on from its file, or in a new memory.
    pub fn remember(&mut self, slot: usize) {
        let Some(card) = self.programs[slot].card() else {
            return;
        };
        if self.programs[slot].disk.read().is_err() {
            self.programs[slot].memory = self.memories.begin();
        }
        if slot != TWIN {
            self.memories.latest[card as usize] = self.programs[slot].memory;
        }
    }

    /// A memory has ended where no program has it and no file: also before its owner starts again, since a twin may speak for the card meanwhile.
    pub fn forget(&mut self) {
        for (slot, card) in [(CARD1, Card::One), (CARD2, Card::Two)] {
            let owner = &self.programs[slot];
            if owner.machine.is_none() && owner.disk.read().is_err() {
                self.memories.latest[card as usize] = usize::MAX;
            }
        }
    }

    /// An owner is given a copy of its own sensors' readings.
    pub fn meet(&mut self, slot: usize, image: &Image) {
        let Some(card) = self.programs[slot].card() else {
            return;
        };
        for sensor in card.sensors() {
            let place = usize::from(sensor.number()) - 1;
            if let Some(made) = self.ledger.press(place, image) {
                self.memories.met[self.programs[slot].memory] |= made.met;
            }
        }
    }
}
