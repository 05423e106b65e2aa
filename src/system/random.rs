//! The only source of randomness: the system's. Runs, clients and commands are told apart by what is drawn
//! here, and pauses fall out of step by it.

use anyhow::{Context, Result};

const WITHOUT: &str =
    "the system gives no random number; without one a version cannot be told from a forgotten one";

/// A number that nobody else has drawn.
///
/// # Errors
/// If the system has none to give.
pub fn u32() -> Result<u32> {
    getrandom::u32().context(WITHOUT)
}

/// The same, with more room.
///
/// # Errors
/// As [`u32()`].
pub fn u64() -> Result<u64> {
    getrandom::u64().context(WITHOUT)
}
