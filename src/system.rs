//! What every room needs of the machine: its clocks, threads that wait for each other, and what it says of
//! processes.

pub mod clock;
pub mod process;
pub mod threads;
pub(crate) mod wake;
