//! What many runs came to together.

use super::kinds::{KINDS, Tally};
use super::run::RunResult;

#[derive(Default)]
pub struct Totals {
    tally: Tally,
    simulated: u64,
    presses: u64,
    steps: u64,
    /// What happened in all runs, as one number: a core that behaves in any other way has another one.
    hash: u64,
    /// Runs in which two readings met that nobody can put in order.
    unordered: u64,
    /// How long it took until all agreed, one for each run.
    agreements: Vec<u64>,
    /// Seeds, and what was wrong.
    pub failures: Vec<(u64, String)>,
}

impl Totals {
    pub fn count(&mut self, seed: u64, outcome: RunResult) {
        self.add(Self {
            tally: outcome.tally,
            simulated: outcome.simulated,
            presses: outcome.presses,
            steps: outcome.steps,
            hash: outcome.hash,
            unordered: u64::from(outcome.unordered),
            agreements: vec![outcome.agreement],
            failures: outcome.failure.map(|words| (seed, words)).into_iter().collect(),
        });
    }

    pub fn add(&mut self, other: Self) {
        self.tally.add(&other.tally);
        self.simulated += other.simulated;
        self.presses += other.presses;
        self.steps += other.steps;
        self.hash = self.hash.wrapping_add(other.hash);
        self.unordered += other.unordered;
        self.agreements.extend(other.agreements);
        self.failures.extend(other.failures);
        self.failures.sort_unstable();
    }

    pub fn print(&mut self, first: u64) {
        let (runs, faults) = (self.agreements.len(), self.tally.total());
        let (presses, steps, unordered) = (self.presses, self.steps, self.unordered);
        println!("{runs} seeds from {first}, {faults} faults, {presses} key presses, {steps} steps");
        println!("{} hours of simulated time", self.simulated / 3_600_000);
        println!("{:016x} is the sum of what happened", self.hash);
        println!("{unordered} runs with two readings that nobody can put in order");
        self.agreements.sort_unstable();
        let at = |percent: usize| self.agreements[(runs - 1) * percent / 100];
        let [median, most, worst] = [50, 99, 100].map(at);
        println!("agreement after the last fault: median {median} ms, 99 % {most} ms, worst {worst} ms");
        for (kind, words) in KINDS {
            println!("  {:>9} {words}", self.tally.0.get(kind).unwrap_or(&0));
        }
        println!("{} failures", self.failures.len());
        for (seed, words) in &self.failures {
            println!("seed {seed}: {words}");
        }
    }
}
