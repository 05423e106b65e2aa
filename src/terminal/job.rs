//! Job control: who has the terminal, and stopping the way a shell expects it.

use std::io::{self, Read as _};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use rustix::process::{self, Signal};
use rustix::termios;
use signal_hook::consts::SIGCONT;
use signal_hook::low_level;

/// Whether this process may change the terminal without being stopped for it.
pub(super) fn in_foreground(terminal: impl AsFd) -> bool {
    // Without job control (it is not our controlling terminal) nobody is in anybody's way.
    let Ok(group) = termios::tcgetpgrp(terminal) else {
        return true;
    };
    ProcessGroup::of(own_pid()).is_none_or(|own| own.group == group.as_raw_nonzero().get())
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
    let Some(own) = ProcessGroup::of(own_pid()) else {
        return true;
    };
    let mut ancestor = own.parent;
    while let Some(place) = ProcessGroup::of(ancestor) {
        if place.group != own.group {
            return place.session != own.session;
        }
        ancestor = place.parent;
    }
    true
}

fn own_pid() -> i32 {
    process::getpid().as_raw_nonzero().get()
}

/// Where a process stands among the others, in numbers of processes.
///
/// A number is 0 where the process that it means stands in a PID namespace outside of ours: that of a
/// container's first process, say, which nobody made the leader of its group. `rustix` takes that for
/// impossible, so it is not asked.
struct ProcessGroup {
    parent: i32,
    group: i32,
    session: i32,
}

#[cfg(target_os = "linux")]
impl ProcessGroup {
    fn of(pid: i32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // "pid (name) state parent group session …", and the name may hold anything.
        let (_, after_name) = stat.rsplit_once(')')?;
        let mut numbers = after_name
            .split_whitespace()
            .skip(1)
            .map_while(|word| word.parse().ok());
        Some(Self {
            parent: numbers.next()?,
            group: numbers.next()?,
            session: numbers.next()?,
        })
    }
}

#[cfg(not(target_os = "linux"))]
impl ProcessGroup {
    /// Of this process or its parent: whose child another one is, cannot be asked here.
    fn of(pid: i32) -> Option<Self> {
        let process = process::Pid::from_raw(pid)?;
        let parent = process::getppid().filter(|_| pid == own_pid());
        let number = |process: process::Pid| process.as_raw_nonzero().get();
        Some(Self {
            parent: parent.map_or(0, number),
            group: process::getpgid(Some(process)).map(number).ok()?,
            session: process::getsid(Some(process)).map(number).ok()?,
        })
    }
}
