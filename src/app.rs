//! The shell around the core: one loop, and the threads that feed it.

pub mod broker;
pub mod input;
pub mod keys;
pub mod painter;
pub mod plain_text;
pub mod signals;
pub mod terminal;
