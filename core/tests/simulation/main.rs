//! The whole system in virtual time, with everything going wrong that may: see `docs/reliability.md`.
//!
//! `SIM_SEED=123 cargo test -p dualboard-core --test simulation -- one_seed --nocapture` replays one
//! run and prints it. `SIM_SEEDS=100000` sets how many are run, `SIM_FIRST` where they begin, `SIM_THREADS`
//! on how many cores, `SIM_FAILURES` how many may fail on each before it ends. `dev/simulate.sh` does
//! it in an optimised build.

mod acknowledging;
mod agreement;
mod assertions;
#[path = "../support/boards/mod.rs"]
mod boards;
mod faults;
mod kinds;
mod memories;
mod operator;
mod plan;
mod planted;
mod reference;
mod rng;
mod run;
mod survivors;
mod totals;
mod twins;

use std::sync::atomic::{AtomicUsize, Ordering};

use planted::{PLANTINGS, Planted, Planting};
use run::{RunResult, Simulation};
use totals::Totals;

#[expect(
    clippy::disallowed_methods,
    reason = "the seeds to run are the runner's setting, not the core's"
)]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn run(seed: u64) -> RunResult {
    Simulation::seeded(seed, Planted::default(), false).run()
}

/// Prints the run, and the line that repeats it.
fn report(seed: u64) -> String {
    let outcome = Simulation::seeded(seed, Planted::default(), true).run();
    for line in &outcome.lines {
        println!("{line}");
    }
    let words = outcome.failure.unwrap_or_else(|| "nothing wrong".to_owned());
    format!(
        "seed {seed}: {words}\nSIM_SEED={seed} cargo test -p dualboard-core --test simulation -- one_seed --nocapture"
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

/// Runs these seeds, until some have failed.
fn run_all(seeds: impl Iterator<Item = u64>) -> Totals {
    let most = setting("SIM_FAILURES").unwrap_or(1);
    let mut totals = Totals::default();
    for (seed, done) in seeds.zip(1_u64..) {
        let outcome = run(seed);
        if let Some(words) = &outcome.failure {
            println!("failed: seed {seed}: {words}");
        }
        totals.count(seed, outcome);
        if totals.failures.len() as u64 >= most {
            break;
        }
        if done.is_multiple_of(10_000) {
            println!("{done} runs on this core, up to seed {seed}");
        }
    }
    totals
}

/// Does this on as many threads as there are cores, or as are asked for; each is told its number, and how
/// many there are.
fn on_each_core<T: Send>(work: impl Fn(u64, u64) -> T + Sync) -> impl Iterator<Item = T> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let threads = setting("SIM_THREADS").unwrap_or(cores).clamp(1, 64);
    let results: Vec<T> = std::thread::scope(|scope| {
        let work = &work;
        let runs: Vec<_> = (0..threads)
            .map(|own| scope.spawn(move || work(own, threads)))
            .collect();
        runs.into_iter()
            .map(|run| run.join().expect("a run does not panic"))
            .collect()
    });
    results.into_iter()
}

#[test]
fn many_seeds() {
    let first = setting("SIM_FIRST").unwrap_or(0);
    let end = first + setting("SIM_SEEDS").unwrap_or(2_500);
    let mut totals = Totals::default();
    on_each_core(|own, threads| run_all((first..end).filter(|seed| seed % threads == own)))
        .for_each(|part| totals.add(part));
    totals.print(first);
    if let Some((seed, _)) = totals.failures.first() {
        panic!("{}", report(*seed));
    }
}

/// A rule is broken on purpose, one at a time: some seed must find it out.
#[test]
fn planted_faults_are_caught() {
    let limit = setting("SIM_PLANTED").unwrap_or(5_000);
    let next = AtomicUsize::new(0);
    let catch = |planting: Planting| {
        let planted = Planted::with(planting);
        // What fails without it as well is not caught, but a fault of the core.
        (0..limit).find_map(|seed| {
            let failure = Simulation::seeded(seed, planted.clone(), false).run().failure?;
            run(seed).failure.is_none().then_some((seed + 1, failure))
        })
    };
    let mut survivors = Vec::new();
    on_each_core(|_, _| {
        let mut uncaught = Vec::new();
        while let Some((planting, words)) = PLANTINGS.get(next.fetch_add(1, Ordering::Relaxed)) {
            match catch(*planting) {
                Some((seeds, failure)) => println!("{seeds:>6} seeds: {words}\n               {failure}"),
                None => uncaught.push(*words),
            }
        }
        uncaught
    })
    .for_each(|uncaught| survivors.extend(uncaught));
    assert!(survivors.is_empty(), "not caught in {limit} seeds: {survivors:?}");
}
