//! The whole system in virtual time, with everything going wrong that may: see `docs/reliability.md`.
//!
//! `SIM_SEED=123 cargo test --no-default-features --test simulation -- one_seed --nocapture` replays one run and prints it.
//! `SIM_SEEDS=100000` sets how many are run, `SIM_FIRST` where they begin.

mod sim {
    pub mod agreement;
    pub mod assertions;
    pub mod bridge;
    pub mod broker;
    pub mod disk;
    pub mod faults;
    pub mod harm;
    pub mod kinds;
    pub mod memories;
    pub mod net;
    pub mod operator;
    pub mod planted;
    pub mod program;
    pub mod reference;
    pub mod rng;
    pub mod shell;
    pub mod trace;
    pub mod world;
}

use sim::kinds::{KINDS, Tally};
use sim::planted::{PLANTINGS, Planted};
use sim::world::{Outcome, World};

#[expect(
    clippy::disallowed_methods,
    reason = "the seeds to run are the runner's setting, not the core's"
)]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn run(seed: u64) -> Outcome {
    World::new(seed, Planted::default(), false).run()
}

/// Prints the run, and the line that repeats it.
fn report(seed: u64) -> String {
    let outcome = World::new(seed, Planted::default(), true).run();
    for line in &outcome.lines {
        println!("{line}");
    }
    let words = outcome.failure.unwrap_or_else(|| "nothing wrong".to_owned());
    format!(
        "seed {seed}: {words}\nSIM_SEED={seed} cargo test --no-default-features --test simulation -- one_seed --nocapture"
    )
}

#[test]
fn one_seed() {
    let seed = setting("SIM_SEED").unwrap_or(1);
    if let (Some(words), _) = (run(seed).failure, setting("SIM_SEED").map(report)) {
        panic!("{words}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run_twice() {
    for seed in 0..20 {
        assert_eq!(run(seed).hash, run(seed).hash, "seed {seed}");
    }
}

#[test]
fn many_seeds() {
    let (first, count) = (
        setting("SIM_FIRST").unwrap_or(0),
        setting("SIM_SEEDS").unwrap_or(2_500),
    );
    let (mut tally, mut simulated, mut presses, mut steps) = (Tally::default(), 0, 0, 0);
    let (mut agreements, mut unordered) = (Vec::new(), 0);
    let mut failures = Vec::new();
    for seed in first..first + count {
        let outcome = run(seed);
        tally.add(&outcome.tally);
        simulated += outcome.simulated;
        presses += outcome.presses;
        unordered += u64::from(outcome.unordered);
        steps += outcome.steps;
        agreements.push(outcome.agreement);
        if let Some(words) = outcome.failure {
            failures.push((seed, words));
            if failures.len() >= usize::try_from(setting("SIM_FAILURES").unwrap_or(1)).expect("few") {
                break;
            }
        }
    }
    agreements.sort_unstable();
    let at = |percent: usize| agreements[(agreements.len() - 1) * percent / 100];
    println!(
        "{} seeds from {first}, {} faults, {presses} key presses, {steps} steps",
        agreements.len(),
        tally.total()
    );
    println!("{} hours of simulated time", simulated / 3_600_000);
    println!("{unordered} runs with two readings of lost memories that nobody can put in order");
    println!(
        "agreement after the last fault: median {} ms, 99 % {} ms, worst {} ms",
        at(50),
        at(99),
        at(100)
    );
    for (kind, words) in KINDS {
        println!("  {:>9} {words}", tally.0[*kind as usize]);
    }
    for (seed, words) in &failures {
        println!("seed {seed}: {words}");
    }
    if let Some((seed, _)) = failures.first() {
        panic!("{}", report(*seed));
    }
}

/// A rule is broken on purpose, one at a time: some seed must find it out.
#[test]
fn planted_faults_are_caught() {
    let limit = setting("SIM_PLANTED").unwrap_or(3_000);
    let mut survivors = Vec::new();
    for (planting, words) in PLANTINGS {
        let planted = Planted::with(*planting);
        let caught = (0..limit).find_map(|seed| {
            let outcome = World::new(seed, planted.clone(), false).run();
            outcome.failure.map(|failure| (seed + 1, failure))
        });
        match caught {
            Some((seeds, failure)) => println!("{seeds:>6} seeds: {words}\n               {failure}"),
            None => survivors.push(words),
        }
    }
    assert!(survivors.is_empty(), "not caught in {limit} seeds: {survivors:?}");
}
