//! Sensor states of two boards, each with its own broker, that no fault loses.
//!
//! The picture is in `docs/architecture.md`. The board logic is the crate `dualboard_core`, shown here under the names of
//! its modules. Around it, [`app`] is the thin shell: MQTT, terminal, files and clocks.

pub use dualboard_core::{
    chain, chronicle, command, global, machine, owner, pulse, reading, sensor, stage, time, version, watch,
    wire,
};

pub mod app;
