//! A second owner of a card on the same board, with a state folder of its own or with a copy of the owner's.

use dualboard_core::sensor::Card;

use super::boards::program::Program;
use super::kinds::Kind;
use super::run::{Record, Simulation, TWIN};

/// For how long an owner that has ended may still be heard.
const HEARD: u64 = 15_000;

impl Simulation {
    /// The owner's place in the list of the programs; its twin has the last one.
    pub fn first_owner(&self) -> usize {
        self.programs[TWIN].card().expect("a twin owns a card") as usize
    }

    /// The other programs that own the same card.
    pub fn other_owners(&self, slot: usize) -> impl Iterator<Item = (&Program, &Record)> {
        let card = self.programs[slot].card();
        let programs = self.programs.iter().zip(&self.hooks.records).enumerate();
        let others = programs.filter(move |(other, (program, _))| *other != slot && program.card() == card);
        others.map(|(_, other)| other).filter(move |_| card.is_some())
    }

    pub fn start_twin(&mut self, kind: Kind, takes_over: bool) {
        if self.programs[TWIN].machine.is_some() {
            return;
        }
        self.programs[TWIN].disk.wipe();
        let owner = &self.programs[self.first_owner()];
        if kind == Kind::TwinCopied {
            let file = owner.disk.durable.clone();
            self.hooks.copied |= file.is_some();
            self.programs[TWIN].disk.durable = file;
        }
        self.programs[TWIN].takes_over = takes_over;
        if takes_over {
            self.hooks.tally.count(Kind::TakesOver);
        }
        self.start_program(TWIN);
    }

    /// Whether two owners of a card run, or have run a moment ago.
    pub fn are_beside(&self, card: Card) -> bool {
        let owners = self
            .programs
            .iter()
            .filter(|program| program.card() == Some(card));
        let lately = |owner: &&Program| {
            owner.machine.is_some() || owner.ended.is_some_and(|ended| ended + HEARD >= self.now)
        };
        self.programs[TWIN].card() == Some(card) && owners.filter(lately).count() > 1
    }

    /// An owner ends for another one: one must have been there, and must not be about to end for this one,
    /// unless somebody else has replayed its report since.
    pub fn stops_for_twin(&mut self, slot: usize) {
        self.hooks.records[slot].gave_way = true;
        let lately = |other: &Program| {
            other.machine.is_some() || other.ended.is_some_and(|ended| ended + HEARD >= self.now)
        };
        let replayed = self.hooks.replayed.is_some_and(|at| at + HEARD >= self.now);
        let goes_on = |(other, record): (&Program, &Record)| lately(other) && (!record.gave_way || replayed);
        if !self.other_owners(slot).any(goes_on) {
            self.fail(slot, "ends for another owner, and there is none that goes on");
        }
    }

    /// All has been well for a while: of two owners one must have ended.
    pub fn check_one_owner(&mut self) {
        let both = [self.first_owner(), TWIN].map(|slot| &self.programs[slot]);
        let settled = |owner: &Program| owner.machine.is_some() && owner.started + 20_000 <= self.now;
        if both.into_iter().all(settled) {
            self.fail(TWIN, "and the first owner of its card both go on");
        }
    }
}
