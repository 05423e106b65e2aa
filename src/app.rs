//! The shell around the core: one loop, and the threads that feed it.

pub mod broker;
pub mod cli;
pub mod clock;
pub mod controls;
pub mod exit;
pub mod input;
pub mod keys;
pub mod lines;
pub mod lock;
pub mod log;
pub mod painter;
pub mod plain_text;
mod printed;
pub mod printer;
pub mod run;
pub mod runtime;
pub mod screen;
pub mod set;
pub mod settings;
pub mod signals;
pub mod state_file;
pub mod terminal;
pub mod threads;
pub mod view;
mod wake;
pub mod words;
mod zone;
