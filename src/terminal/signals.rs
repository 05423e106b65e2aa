//! Signals as messages.

use std::io;
use std::thread::JoinHandle;

use crossbeam_channel::Sender;
#[cfg(any(target_os = "linux", target_os = "android"))]
use rustix::process::Signal;
use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGSYS, SIGTERM, SIGTRAP, SIGTSTP,
    SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH, SIGXCPU, SIGXFSZ,
};
use signal_hook::iterator::{Handle, Signals as Iter};

use crate::system::process::{SignalMasks, own_pid};
use crate::system::threads;
use crate::terminal::input::Input;

/// The signals that would end a program at once if nobody listened, and end this one in order.
///
/// Not here are those after which a thread cannot go on (`SIGSEGV`, `SIGBUS`, `SIGFPE`, `SIGILL`), and
/// `SIGKILL`: they end the program at once, and the [guard](crate::terminal) gives the terminal back. So it
/// is after a real abort, which does not end with the handler of its signal. `SIGPIPE` is ignored by every
/// Rust program.
const ENDING: [i32; 12] = [
    SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGSYS, SIGTRAP, SIGIO,
];
/// The same, as far as only this system has them: a power failure, and the signals without a name.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn ending_here() -> impl Iterator<Item = i32> {
    let named = [Signal::POWER, Signal::STKFLT].map(Signal::as_raw);
    named.into_iter().chain(FIRST_WITHOUT_NAME..=64)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn ending_here() -> impl Iterator<Item = i32> {
    std::iter::empty()
}

/// The C library uses the two below.
const FIRST_WITHOUT_NAME: i32 = 34;

/// The signals that people and tools send by habit, and a file that reaches its largest size: they end
/// nothing. The write to such a file fails instead, and the program says so.
const HARMLESS: [i32; 3] = [SIGUSR1, SIGUSR2, SIGXFSZ];

/// A thread that sleeps until a signal arrives. Dropped, it ends; the signals then do nothing.
pub struct Signals {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Signals {
    /// From now on signals come as messages, also where they were ignored at the start (`nohup`).
    ///
    /// # Errors
    ///
    /// Where the system denies the handlers or the thread.
    pub fn listen(loop_inputs: Sender<Input>) -> io::Result<Self> {
        let screen = [SIGTSTP, SIGCONT, SIGWINCH].into_iter();
        Self::listen_to(wanted().chain(screen), loop_inputs)
    }

    /// Without a screen: the signals that end it or might, and of them none that the program was started to
    /// ignore: `nohup` means it.
    ///
    /// # Errors
    ///
    /// Where the system denies the handlers or the thread.
    pub fn listen_without_screen(loop_inputs: Sender<Input>) -> io::Result<Self> {
        let masks = SignalMasks::of(own_pid());
        let wanted = wanted().filter(|signal| !masks.is_some_and(|masks| masks.ignores(*signal)));
        Self::listen_to(wanted, loop_inputs)
    }

    fn listen_to(wanted: impl Iterator<Item = i32>, loop_inputs: Sender<Input>) -> io::Result<Self> {
        let mut signals = Iter::new(std::iter::empty::<i32>())?;
        let handle = signals.handle();
        for signal in wanted {
            let added = handle.add_signal(signal);
            // A C library may keep some of those without a name to itself.
            if signal < FIRST_WITHOUT_NAME {
                added?;
            }
        }
        let thread = threads::start("signals", move || {
            for signal in signals.forever() {
                let Some(input) = meaning(signal) else { continue };
                if loop_inputs.send(input).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self {
            handle,
            thread: Some(thread),
        })
    }
}

fn wanted() -> impl Iterator<Item = i32> {
    ENDING.into_iter().chain(ending_here()).chain(HARMLESS)
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn meaning(signal: i32) -> Option<Input> {
    Some(match signal {
        SIGTSTP => Input::Suspend,
        SIGCONT => Input::Continued,
        SIGWINCH => Input::Resized,
        SIGUSR1 => Input::ReopenLog,
        SIGUSR2 | SIGXFSZ => return None,
        exit => Input::Terminate(exit),
    })
}

/// The exit status of a program that a signal has ended, as shells count it.
#[must_use]
pub fn exit_status(signal: i32) -> u8 {
    u8::try_from(signal).map_or(u8::MAX, |number| number.saturating_add(128))
}

/// The exit status after a hang-up, whether SIGHUP or the terminal itself told of it.
#[must_use]
pub fn hang_up_status() -> u8 {
    exit_status(SIGHUP)
}
