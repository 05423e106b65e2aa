//! Job control: who has the terminal, and stopping the way a shell expects it.

use std::fs;
use std::io::{self, Read as _};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use rustix::process::{self, Pid, Signal};
use rustix::termios;
use signal_hook::consts::SIGCONT;
use signal_hook::low_level;

/// Whether this process may change the terminal without being stopped for it.
pub(super) fn in_foreground(terminal: impl AsFd) -> bool {
    // Without job control (it is not our controlling terminal) nobody is in anybody's way.
    termios::tcgetpgrp(terminal).map_or(true, |group| group == process::getpgrp())
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

/// No ancestor in this session stands outside of our process group: nobody there would notice that we have stopped. The kernel
/// ignores SIGTSTP in such a group; we catch SIGTSTP and stop by SIGSTOP, and that would be for ever.
pub(super) fn is_orphaned() -> bool {
    let (group, session) = (process::getpgrp(), process::getsid(None).ok());
    let mut ancestor = process::getppid();
    while let Some(pid) = ancestor {
        let Ok(its_group) = process::getpgid(Some(pid)) else {
            return true;
        };
        if its_group != group {
            return process::getsid(Some(pid)).ok() != session;
        }
        ancestor = parent_of(pid);
    }
    true
}

fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // "pid (name) state parent …", and the name may hold anything.
    let (_, after_name) = stat.rsplit_once(')')?;
    Pid::from_raw(after_name.split_whitespace().nth(1)?.parse().ok()?)
}
