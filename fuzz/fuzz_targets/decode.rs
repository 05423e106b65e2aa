//! Any topic, any bytes: decoding answers, and what it accepts means what the bytes say.
#![no_main]

#[path = "../../core/tests/support/hostile/mod.rs"]
mod hostile;

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::decoding::check(data));
