//! Threads with a name, so that a list of them, a debugger and a panic message say which one it is. Every
//! thread of the programs that is not the MQTT library's own begins here; what a panic in one does is then
//! the same for all ([`panic`](crate::terminal::panic)).

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread that somebody may wait for.
///
/// # Errors
/// Where the system has no more threads to give.
#[expect(clippy::disallowed_methods, reason = "the one place where threads begin")]
pub fn start(name: &'static str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(body)
}

/// Starts a thread that nobody waits for.
///
/// # Panics
/// If the system has no more threads to give: the program cannot go on without it.
pub fn spawn(name: &'static str, body: impl FnOnce() + Send + 'static) {
    if let Err(error) = start(name, body) {
        panic!("cannot start the thread `{name}`: {error}");
    }
}
