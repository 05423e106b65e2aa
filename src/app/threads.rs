//! Threads with a name, so that a list of them, a debugger and a panic message say which one it is.

/// Starts a thread.
///
/// # Panics
/// If the system has no more threads to give: the program cannot go on without it.
pub fn spawn(name: &'static str, body: impl FnOnce() + Send + 'static) {
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(body);
    if let Err(error) = started {
        panic!("cannot start the thread `{name}`: {error}");
    }
}
