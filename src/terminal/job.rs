//! Job control: who has the terminal, and stopping the way a shell expects it.

use std::io::{self, Read as _};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use rustix::process::{self, Signal};
use rustix::termios;
use signal_hook::consts::SIGCONT;
use signal_hook::low_level;

use crate::system::process::{Process, own_pid};

/// Whether this process may change the terminal without being stopped for it.
pub(super) fn in_foreground(terminal: impl AsFd) -> bool {
    // Without job control (it is not our controlling terminal) nobody is in anybody's way.
    let Ok(group) = termios::tcgetpgrp(terminal) else {
        return true;
    };
    Process::of(own_pid()).is_none_or(|own| own.group == group.as_raw_nonzero().get())
}

/// Stops the process group, wrapper scripts included, and returns when it has been continued.
pub(super) fn stop_until_continued() -> io::Result<()> {
    let (mut continued, wake) = UnixStream::pair()?;
    let hook = low_level::pipe::register(SIGCONT, wake)?;
    // The call returns before the stop has reached this thread: only SIGCONT tells that it is over.
    let outcome = process::kill_current_process_group(Signal::STOP)
        .map_err(io::Error::from)
        .and_then(|()| continued.read_exact(&mut [0]));
    low_level::unregister(hook);
    outcome
}

/// No ancestor in this session stands outside of our process group: nobody there would notice that we have
/// stopped. The kernel ignores SIGTSTP in such a group; we catch SIGTSTP and stop by SIGSTOP, and that would
/// be for ever.
pub(super) fn is_orphaned() -> bool {
    let Some(own) = Process::of(own_pid()) else {
        return true;
    };
    let mut ancestor = own.parent;
    while let Some(process) = Process::of(ancestor) {
        if process.group != own.group {
            return process.session != own.session;
        }
        ancestor = process.parent;
    }
    true
}
