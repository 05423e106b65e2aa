//! What must hold whatever comes in. The property tests, the replay of the corpus and the fuzzer all use it.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    clippy::large_enum_variant,
    clippy::needless_pass_by_value,
    clippy::large_types_passed_by_value,
    clippy::option_option,
    reason = "drawn, taken and thrown away"
)]

pub mod command;
pub mod decoding;
mod ending;
mod outgoing;
pub mod steps;
pub mod trial;
pub mod watch;
pub mod words;

/// Drives a machine with the events that these bytes stand for.
pub fn events(data: &[u8]) {
    let mut bytes = arbitrary::Unstructured::new(data);
    if let Ok(start) = steps::start(&mut bytes) {
        let mut trial = trial::Trial::new(start);
        for _ in 0..steps::MOST {
            match steps::step(&mut bytes) {
                Ok(step) if !bytes.is_empty() => trial.take(step),
                _ => break,
            }
        }
        trial.end();
    }
}
