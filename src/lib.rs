//! Sensor states of two boards, each with its own broker, that no fault loses.
//!
//! The picture is in `docs/architecture.md`. The board logic is the crate `dualboard_core`, shown here under the names of
//! its modules. Around it, [`app`] is the thin shell: MQTT, terminal, files and clocks.

pub use dualboard_core::{
    alarms, chain, command, event_log, global, lack, machine, owner, pulse, reading, sensor, stage, time,
    version, wire,
};

pub mod app;
