//! What every room needs of the machine: its clocks, and threads that wait for each other.

pub mod clock;
pub mod threads;
pub(crate) mod wake;
