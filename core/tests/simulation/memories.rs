//! Which memory an owner goes on from, and which others it has met. What no memory ever held against each
//! other nobody can put in order, nor what was pressed on two owners of a card at one time: that much less
//! is demanded, and no more.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::boards::payload::Image;
use super::boards::program::Program;
use super::reference::Made;
use super::run::{Simulation, TWIN};

/// What one life of an owner remembers. The next one goes on from it if it is in the state file.
struct Remembered {
    /// What it has met, itself and what those had met among it.
    met: u128,
    /// Itself, and those that it goes on from.
    line: u128,
    /// Whose state folder it is of, and whether that is a copy.
    folder: usize,
    copied: bool,
}

/// The memories of a run, each one bit: a run has far fewer.
#[derive(Default)]
pub struct Memories {
    all: Vec<Remembered>,
    /// The presses that were shown as SAVED, and the latest press of all at that moment.
    saved: BTreeMap<u64, u64>,
    /// For each press, from the first one on, the press that was shown before.
    over: Vec<u64>,
    /// Those that a program or a state file still has.
    kept: u128,
    /// Whether anything could not be put in order in this run.
    pub excused: Cell<bool>,
}

fn bit(memory: usize) -> u128 {
    1 << (memory % 128)
}

impl Memories {
    fn begin(&mut self, folder: usize, file: Option<usize>) -> usize {
        let new = self.all.len();
        // Each twin is started in a folder of its own.
        let folder = if folder == TWIN { TWIN + new } else { folder };
        let (met, line) = file.map_or((0, 0), |file| (self.all[file].met, self.all[file].line));
        let (met, line) = (met | bit(new), line | bit(new));
        let copied = folder >= TWIN && file.is_some();
        self.all.push(Remembered {
            met,
            line,
            folder,
            copied,
        });
        new
    }

    pub fn met_by(&self, memory: usize) -> u128 {
        self.all.get(memory).map_or(0, |memory| memory.met)
    }

    /// A key was pressed where the screen showed this press before.
    pub fn pressed(&mut self, over: u64) {
        self.over.push(over);
    }

    /// A press is shown as SAVED.
    pub fn saved(&mut self, press: u64) {
        let latest = self.over.len() as u64;
        self.saved.entry(press).or_insert(latest);
    }

    /// Whether a press was made where the screen showed the earlier one, or what followed from it.
    fn follows(&self, mut press: u64, earlier: u64) -> bool {
        while press > earlier {
            press = self.over[usize::try_from(press).expect("few presses") - 1];
        }
        press == earlier
    }

    /// Whether a reading was set in this memory, or in one that it goes on from.
    pub fn is_own(&self, memory: usize, made: Made) -> bool {
        let memory = self.all.get(memory);
        memory.is_some_and(|memory| memory.line & bit(made.memory) != 0)
    }

    /// Whether a memory that is left goes on from this one.
    fn goes_on(&self, memory: usize) -> bool {
        let left = self
            .all
            .iter()
            .enumerate()
            .filter(|(left, _)| self.kept & bit(*left) != 0);
        left.into_iter().any(|(_, left)| left.line & bit(memory) != 0)
    }

    /// Whether nobody can tell which of two readings of a sensor is the later one:
    /// - each was set in a memory that had not met the other's, and both memories have been lost;
    /// - they were set in two runs of one owner, the later one without knowledge of the earlier one, which
    ///   was never SAVED, or not before, and then the memory of the later one was lost;
    /// - they were set from two state folders, and the later one without knowledge of the earlier one, or one
    ///   of the two folders is a copy: then both owners count in one era;
    /// - the later one was set while another owner of the card stood for the earlier one, or for what came
    ///   after it.
    pub fn unordered(&self, a: Made, b: Made) -> bool {
        let (earlier, later) = if a.press < b.press { (a, b) } else { (b, a) };
        let lost = |made: Made| self.kept & bit(made.memory) == 0;
        let knows = |a: Made, b: Made| a.met & bit(b.memory) != 0;
        let strangers = lost(a) && lost(b) && !knows(a, b) && !knows(b, a);
        let folder = |made: Made| self.all.get(made.memory).map(|memory| memory.folder);
        let runs = folder(a) == folder(b) && a.memory != b.memory;
        let saved = self.saved.get(&earlier.press);
        let gone = !self.goes_on(later.memory);
        let unsaved = runs && saved.is_none_or(|latest| gone && *latest >= later.press);
        let unsaved = unsaved && !self.follows(later.press, earlier.press);
        let copied = |made: Made| self.all.get(made.memory).is_some_and(|memory| memory.copied);
        let copies = copied(a) || copied(b);
        let apart = folder(a) != folder(b) && (copies || !self.follows(later.press, earlier.press));
        let unordered = earlier.press > 0 && (strangers || unsaved || apart || earlier.press <= later.rival);
        self.excused.set(self.excused.get() || unordered);
        unordered
    }
}

impl Simulation {
    /// An owner starts: it goes on from what its file remembers, or from nothing.
    pub fn remember(&mut self, slot: usize, file: Option<usize>) {
        if self.programs[slot].card().is_some() {
            self.hooks.records[slot].memory = self.hooks.memories.begin(slot, file);
        }
    }

    /// Which memories are left: those of the owners that run, and of a card whose owner is off that of its
    /// file. A twin that runs alone cannot ask that file. Nobody starts a twin from its own folder again.
    pub fn forget(&mut self) {
        let runs = |program: &Program| program.card().is_some() && program.machine.is_some();
        let all = self.programs.iter().zip(&self.hooks.records);
        let running = all.filter(|(program, _)| runs(program));
        let off = self.programs[..TWIN].iter().filter(|owner| {
            owner.card().is_some()
                && !self
                    .programs
                    .iter()
                    .any(|other| runs(other) && other.card() == owner.card())
        });
        let files = off.filter_map(|owner| {
            let file = owner.disk.durable.as_ref()?;
            Some(self.hooks.files.get(&file.number)?.0)
        });
        let kept = running.map(|(_, record)| record.memory).chain(files);
        self.hooks.memories.kept = kept.fold(0, |kept, memory| kept | bit(memory));
    }

    /// The latest press of a sensor that another owner of its card shows.
    pub fn rival(&self, slot: usize, place: usize) -> u64 {
        let others = self
            .other_owners(slot)
            .filter(|(other, _)| other.machine.is_some());
        let presses = others.filter_map(|(_, record)| self.hooks.ledger.press(place, &record.view));
        presses.map(|made| made.press).max().unwrap_or(0)
    }

    /// An owner is given a copy of its own sensors' readings.
    pub fn meet(&mut self, slot: usize, image: &Image) {
        let Some(card) = self.programs[slot].card() else {
            return;
        };
        for sensor in card.sensors() {
            let place = usize::from(sensor.number()) - 1;
            if let Some(made) = self.hooks.ledger.press(place, image) {
                // An initial state or a plain word lists nothing that its owner had met.
                let met = if made.press > 0 {
                    made.met
                } else {
                    bit(made.memory)
                };
                self.hooks.memories.all[self.hooks.records[slot].memory].met |= met;
            }
        }
    }
}
