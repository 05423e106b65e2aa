//! A descriptor that becomes readable when somebody wants to be noticed by a thread that waits in `poll(2)`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionbio};

/// A pipe, and not Linux's `eventfd`: the programs run on other systems too.
pub(crate) struct Wake {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Wake {
    /// Nobody has called yet.
    ///
    /// # Errors
    ///
    /// Where the system denies the descriptors.
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, writer) = rustix::pipe::pipe()?;
        for end in [&reader, &writer] {
            fcntl_setfd(end, FdFlags::CLOEXEC)?;
            ioctl_fionbio(end, true)?;
        }
        Ok(Self { reader, writer })
    }

    /// Makes it readable. A pipe that is full already says so.
    pub(crate) fn call(&self) {
        let _ = rustix::io::write(&self.writer, &[0]);
    }

    /// Takes note of all calls so far.
    pub(crate) fn answer(&self) {
        while rustix::io::read(&self.reader, &mut [0_u8; 64]).is_ok_and(|count| count > 0) {}
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
