//! What the programs decide: events in, effects out. No clock, no I/O, no thread.
//!
//! The crate is `no_std`: a call of `std::fs`, `std::net`, `std::thread` or `Instant::now` does not compile
//! here. The rules are in `docs/architecture.md`.
//!
//! - [`sensor`], [`version`], [`reading`], [`time`]: what is known of a sensor, and which of two readings is
//!   the newer one
//! - [`owner`]: the only writer of one card's sensors; [`global`]: everybody else's view of them
//! - [`acknowledged`]: which alarms somebody has acknowledged
//! - [`pulse`], [`chain`]: proof of life, and which link is broken; [`stage`]: how far a toggle has got
//! - [`names`]: what people call the sensors; [`plain`]: which characters show
//! - [`lack`]: what a broker keeps from a program
//! - [`command`]: what somebody without a terminal asks of an owner
//! - [`machine`]: one program, `handle(now, event) -> effects`; [`event_log`]: its last events
//! - [`view`]: what there is to see of a program, as one plain value
//! - [`alarms`]: alarms and what is new, for one screen
//! - [`wire`]: topics and bytes to and from messages
#![no_std]

extern crate alloc;

pub mod acknowledged;
pub mod alarms;
pub mod chain;
pub mod command;
pub mod event_log;
pub mod global;
pub mod lack;
pub mod machine;
pub mod names;
pub mod owner;
pub mod plain;
pub mod pulse;
pub mod reading;
pub mod sensor;
pub mod stage;
pub mod time;
pub mod version;
pub mod view;
pub mod wire;
