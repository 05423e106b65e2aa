//! What every folder needs of the machine: its clocks, its random numbers, threads that wait for each other,
//! and what it says of processes.

pub mod clock;
pub mod process;
pub mod random;
pub mod threads;
pub(crate) mod wake;
