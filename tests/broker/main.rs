//! The connection to a broker, against real Mosquittos and against one that misbehaves on purpose.

#[path = "../support/mod.rs"]
mod support;

mod close;
mod reasons;
mod session;
mod tls;
