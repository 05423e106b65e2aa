//! What every folder needs of the machine: its clocks, its random numbers, threads that wait for each other,
//! what it says of processes, and its service manager.

pub mod clock;
pub mod operator;
pub mod process;
pub mod random;
pub mod service_manager;
pub mod threads;
pub(crate) mod wake;
