//! Who reads stdout, watched: that nobody does any more is known at once, and not with the next line, which
//! may be hours away.

use std::io;
use std::sync::Arc;

use crossbeam_channel::Sender;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::system::threads;
use crate::system::wake::Wake;
use crate::terminal::input::Input;

/// The thread that watches, asleep in `poll(2)`. Dropped, it ends.
pub(super) struct OutputWatch {
    wake: Arc<Wake>,
}

impl OutputWatch {
    /// From now on [`Input::HungUp`] comes, once, when nobody can read stdout any more: the other end of the
    /// pipe is closed, the terminal gone.
    ///
    /// # Errors
    ///
    /// Where the system denies a descriptor.
    pub(super) fn watch(loop_inputs: Sender<Input>) -> io::Result<Self> {
        let wake = Arc::new(Wake::new()?);
        let its_wake = Arc::clone(&wake);
        threads::spawn("reader", move || {
            if is_left(&its_wake) {
                let _ = loop_inputs.send(Input::HungUp);
            }
        });
        Ok(Self { wake })
    }
}

impl Drop for OutputWatch {
    fn drop(&mut self) {
        self.wake.call();
    }
}

/// Waits until nobody reads any more; `false` if somebody calls before.
fn is_left(wake: &Wake) -> bool {
    let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    let mut fds = [
        // Asked for nothing: a pipe that has room and a file, which always has, must not end the wait.
        PollFd::from_borrowed_fd(rustix::stdio::stdout(), PollFlags::empty()),
        PollFd::new(wake, PollFlags::IN),
    ];
    loop {
        match poll(&mut fds, None) {
            Err(Errno::INTR) => {}
            // It cannot be watched: the next line will tell.
            Err(_) => return false,
            Ok(_) if !fds[1].revents().is_empty() => return false,
            Ok(_) if fds[0].revents().intersects(gone) => return true,
            Ok(_) => {}
        }
    }
}
