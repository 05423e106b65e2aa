//! Signals as messages.

use std::io;
use std::thread::JoinHandle;

use crossbeam_channel::Sender;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::{Handle, Signals as Iter};

use crate::app::input::Input;
use crate::app::threads;

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
        Self::listen_to(
            &[SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH],
            loop_inputs,
        )
    }

    /// Without a screen: the ending signals alone, and of them none that the program was started to ignore: `nohup` means it.
    ///
    /// # Errors
    ///
    /// Where the system denies the handlers or the thread.
    pub fn listen_without_screen(loop_inputs: Sender<Input>) -> io::Result<Self> {
        let ignored = ignored();
        let signals: Vec<i32> = [SIGTERM, SIGHUP, SIGINT, SIGQUIT]
            .into_iter()
            .filter(|signal| ignored & (1 << (signal - 1)) == 0)
            .collect();
        Self::listen_to(&signals, loop_inputs)
    }

    fn listen_to(signals: &[i32], loop_inputs: Sender<Input>) -> io::Result<Self> {
        let mut signals = Iter::new(signals)?;
        let handle = signals.handle();
        let thread = threads::start("signals", move || {
            for signal in signals.forever() {
                if loop_inputs.send(meaning(signal)).is_err() {
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

impl Drop for Signals {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The signals that this process ignores, a bit each; none where the system does not tell.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}

fn meaning(signal: i32) -> Input {
    match signal {
        SIGTSTP => Input::Suspend,
        SIGCONT => Input::Continued,
        SIGWINCH => Input::Resized,
        ending => Input::Terminate(ending),
    }
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
