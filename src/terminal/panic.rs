//! Panics: the terminal first, then the message, then an end with a status that says so.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::Sender;

use super::Terminal;
use crate::terminal::input::Input;

/// The exit status of a program in which some thread has panicked, as `std` has it for the main thread.
pub const EXIT_STATUS: u8 = 101;

static PANICKED: AtomicBool = AtomicBool::new(false);

/// Whether some thread has panicked: then the exit status is [`EXIT_STATUS`], whatever else ended the
/// program.
#[must_use]
pub fn panicked() -> bool {
    PANICKED.load(Ordering::SeqCst)
}

/// From now on a panic in any thread restores the terminal and then prints its message. In the main thread,
/// which is the one that calls this, it goes on as usual and ends the program; from any other thread the main
/// loop is told, to finish and end.
pub fn install_hook(terminal: Option<&Terminal>, loop_inputs: Sender<Input>) {
    let terminal = terminal.cloned();
    let main_thread = thread::current().id();
    panic::set_hook(Box::new(move |info| {
        PANICKED.store(true, Ordering::SeqCst);
        match &terminal {
            Some(terminal) => {
                terminal.restore();
                terminal.tty().tell(&message(info));
            }
            // `eprint!` would panic where stderr is closed.
            None => drop(io::stderr().write_all(message(info).as_bytes())),
        }
        if thread::current().id() != main_thread {
            // No receiver: the loop is over, and `panicked` still tells.
            let _ = loop_inputs.send(Input::Panicked);
        }
    }));
}

fn message(info: &PanicHookInfo<'_>) -> String {
    let thread = thread::current();
    let mut text = format!("thread '{}' {info}\n", thread.name().unwrap_or("unnamed"));
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        let _ = writeln!(text, "{backtrace}");
    }
    text
}
