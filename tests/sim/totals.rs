//! What many runs came to together.

use super::kinds::{KINDS, Tally};
use super::world::Outcome;

#[derive(Default)]
pub struct Totals {
    tally: Tally,
    simulated: u64,
    presses: u64,
    steps: u64,
    /// Runs in which two readings met that nobody can put in order.
    unordered: u64,
    /// How long it took until all agreed, one for each run.
    agreements: Vec<u64>,
    /// Seeds, and what was wrong.
    pub failures: Vec<(u64, String)>,
}

impl Totals {
    pub fn count(&mut self, seed: u64, outcome: Outcome) {
        self.tally.add(&outcome.tally);
        self.simulated += outcome.simulated;
        self.presses += outcome.presses;
        self.steps += outcome.steps;
        self.unordered += u64::from(outcome.unordered);
        self.agreements.push(outcome.agreement);
        self.failures
            .extend(outcome.failure.map(|failure| (seed, failure)));
    }

    pub fn add(&mut self, other: Self) {
        self.tally.add(&other.tally);
        self.simulated += other.simulated;
        self.presses += other.presses;
        self.steps += other.steps;
        self.unordered += other.unordered;
        self.agreements.extend(other.agreements);
        self.failures.extend(other.failures);
        self.failures.sort_unstable();
    }

    pub fn print(&mut self, first: u64) {
        let (runs, faults) = (self.agreements.len(), self.tally.total());
        println!(
            "{runs} seeds from {first}, {faults} faults, {} key presses, {} steps",
            self.presses, self.steps
        );
        println!("{} hours of simulated time", self.simulated / 3_600_000);
        println!(
            "{} runs with two readings that nobody can put in order",
            self.unordered
        );
        self.agreements.sort_unstable();
        let at = |percent: usize| self.agreements[(runs - 1) * percent / 100];
        println!(
            "agreement after the last fault: median {} ms, 99 % {} ms, worst {} ms",
            at(50),
            at(99),
            at(100)
        );
        for (kind, words) in KINDS {
            println!("  {:>9} {words}", self.tally.0[*kind as usize]);
        }
        println!("{} failures", self.failures.len());
        for (seed, words) in &self.failures {
            println!("seed {seed}: {words}");
        }
    }
}
