//! What the tests of the programs and the benchmarks stand on: brokers, terminals, links and ports of their
//! own.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod bad_payloads;
pub mod bench;
pub mod certificate;
pub mod clean_screen;
pub mod figures;
pub mod link;
pub mod mosquitto;
pub mod observer;
pub mod port;
pub mod probe;
pub mod pty;
pub mod python;
pub mod scripted_broker;
