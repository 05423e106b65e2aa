//! The shell around the core: one loop, and the threads that feed it.

pub mod broker;
