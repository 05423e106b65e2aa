//! The programs: the loop around the core, and what a command line can ask of it.

mod attached;
mod check;
pub mod exit;
pub mod lines;
mod on_alarm;
mod printed;
pub mod printer;
pub mod run;
pub mod runtime;
pub mod screen;
mod service;
pub mod set;
pub mod source;
