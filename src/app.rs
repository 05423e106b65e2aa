//! The shell around the core: one loop, and the threads that feed it.

pub mod broker;
pub mod cli;
pub mod clock;
pub mod desk;
pub mod ending;
pub mod input;
pub mod journal;
pub mod keys;
pub mod lines;
pub mod lock;
pub mod log;
pub mod order;
pub mod painter;
pub mod plain_text;
mod printed;
pub mod printer;
pub mod run;
pub mod screen;
pub mod shell;
pub mod signals;
pub mod terminal;
pub mod threads;
pub mod view;
mod wake;
pub mod words;
mod zone;
