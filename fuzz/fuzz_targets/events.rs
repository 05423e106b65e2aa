//! Any sequence of what an attacker, a network, a disk and an operator may do: the rules hold after every
//! step.
#![no_main]

#[path = "../../core/tests/support/hostile/mod.rs"]
mod hostile;

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::events(data));
