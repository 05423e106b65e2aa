//! Two boards in virtual time: their brokers with sessions, queues and stores, the bridge of
//! `mosquitto_bridge.conf`, the programs with their disks, and the connections between all of them.
//!
//! Nothing in here is left to chance, and nothing goes wrong by itself. [`Hooks`] decide how long things take
//! and look at what happens: the simulation draws delays and faults and judges every step, [`steady`] is for
//! tests that say themselves what happens.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod board;
pub mod bridge;
pub mod broker;
pub mod cable;
pub mod connections;
pub mod disk;
pub mod hooks;
pub mod payload;
pub mod program;
pub mod runtime;
pub mod steady;
pub mod trace;
pub mod world;

pub use hooks::Hooks;
