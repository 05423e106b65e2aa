//! Sensor states of two boards, each with its own broker, that no fault loses.
//!
//! The picture is in `docs/architecture.md`. The board logic is the crate `dualboard_core`, shown here under
//! the names of its modules. Around it is the thin shell, in folders by what they are about; each imports
//! only from those below it:
//!
//! - [`programs`]: the loop around the core, and what a command line can ask of it
//! - [`attach`]: the owner of a card and its screens in other processes
//! - [`ui`]: what a screen looks like, and what its keys do
//! - [`log`], [`storage`], [`mqtt`], [`terminal`]: the log file, the state file, the broker, the terminal
//! - [`cli`]: command lines; [`settings`]: what they have decided
//! - [`text`]: what is said to people; [`system`]: clocks and threads

pub use dualboard_core::{
    acknowledged, alarms, chain, command, event_log, global, lack, machine, names, owner, plain, pulse,
    reading, sensor, stage, time, version, view, wire,
};

pub mod attach;
pub mod cli;
pub mod log;
pub mod mqtt;
pub mod programs;
pub mod settings;
pub mod storage;
pub mod system;
pub mod terminal;
pub mod text;
pub mod ui;
