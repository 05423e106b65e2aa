//! The naive reference: what operators did, in the order in which they did it, and which copies of it
//! exist.

use std::collections::{BTreeMap, BTreeSet};

use super::boards::payload::{DotNumbers, Image};

/// A dot that an owner made, and the key press it stands for; 0 is no press at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Made {
    pub state: bool,
    pub press: u64,
    /// In which memory it was pressed, and which that memory had met: see [`super::memories`].
    pub memory: usize,
    pub met: u128,
    /// The latest press that another owner of the card showed at that moment.
    pub rival: u64,
}

/// Everything that was ever pressed or said.
#[derive(Default)]
pub struct Ledger {
    made: BTreeMap<(usize, DotNumbers, bool), Made>,
    presses: u64,
    /// States that plain programs have said, by sensor.
    pub said: BTreeSet<(usize, bool)>,
    /// Which board has had which dot of which sensor.
    pub had: BTreeSet<(usize, usize, DotNumbers)>,
    /// Which broker has received which dot on its owner's topic.
    pub received: BTreeSet<(usize, usize, DotNumbers)>,
    /// The latest press of each sensor that was shown as SAVED and of which an image has existed ever since.
    pub floor: [Option<Made>; 6],
}

impl Ledger {
    pub fn find(&self, place: usize, dot: DotNumbers, state: bool) -> Option<Made> {
        self.made.get(&(place, dot, state)).copied()
    }

    /// The operator pressed a key, and this came of it.
    pub fn pressed(&mut self, place: usize, dot: DotNumbers, made: Made) {
        self.presses += 1;
        let press = self.presses;
        self.made(place, dot, Made { press, ..made });
    }

    /// An owner gave a new dot to what it had.
    pub fn made(&mut self, place: usize, dot: DotNumbers, made: Made) {
        self.made.insert((place, dot, made.state), made);
    }

    pub fn presses(&self) -> u64 {
        self.presses
    }

    /// The latest press in an image of a sensor.
    pub fn press(&self, place: usize, image: &Image) -> Option<Made> {
        image[place].and_then(|(dot, state)| self.find(place, dot, state))
    }
}
