//! The other side of the pty: it reads, or does not, and remembers what came.

use std::fmt::Write as _;
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

pub(super) struct PtyPeer {
    seen: Mutex<PtyOutput>,
    pub(super) changed: Condvar,
    wake: OwnedFd,
    reading: AtomicBool,
    hung_up: AtomicBool,
}

/// All that the program has sent, as bytes and as a screen.
pub struct PtyOutput {
    pub bytes: Vec<u8>,
    parser: vt100::Parser,
}

impl PtyPeer {
    pub(super) fn new(size: (u16, u16)) -> Self {
        let (columns, rows) = parser_size(size);
        Self {
            seen: Mutex::new(PtyOutput {
                bytes: Vec::new(),
                parser: vt100::Parser::new(rows, columns, 0),
            }),
            changed: Condvar::new(),
            wake: eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC).expect("an eventfd"),
            reading: AtomicBool::new(true),
            hung_up: AtomicBool::new(false),
        }
    }

    /// The reader's thread, until [`PtyPeer::hang_up`].
    pub(super) fn read(&self, master: &OwnedFd) {
        let mut buffer = vec![0; 65536];
        while !self.hung_up.load(Ordering::SeqCst) {
            let wanted = if self.reading.load(Ordering::SeqCst) {
                PollFlags::IN
            } else {
                PollFlags::empty()
            };
            let mut fds = [
                PollFd::new(&self.wake, PollFlags::IN),
                PollFd::new(master, wanted),
            ];
            poll(&mut fds, None).expect("poll");
            if !fds[0].revents().is_empty() {
                let _ = rustix::io::read(&self.wake, &mut [0; 8]);
            } else if fds[1].revents().contains(PollFlags::IN) {
                // Held from before the read: nothing is between the terminal and what was seen, see
                // `has_more`.
                let mut seen = self.lock();
                let count = rustix::io::read(master, &mut buffer).unwrap_or(0);
                seen.bytes.extend_from_slice(&buffer[..count]);
                seen.parser.process(&buffer[..count]);
                self.changed.notify_all();
            }
        }
    }

    /// Also after a test has failed while it looked: what was seen is printed then.
    pub(super) fn lock(&self) -> MutexGuard<'_, PtyOutput> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something was written that will be read and is not yet seen. To be asked with the lock held.
    /// (Linux: a poll of the master takes over first what the kernel has still to hand on, `n_tty_poll`.)
    pub(super) fn has_more(&self, master: &OwnedFd) -> bool {
        let mut fds = [PollFd::new(master, PollFlags::IN)];
        self.reading.load(Ordering::SeqCst) && poll(&mut fds, Some(&Timespec::default())).expect("poll") > 0
    }

    pub(super) fn set_reading(&self, reading: bool) {
        self.set(&self.reading, reading);
    }

    pub(super) fn hang_up(&self) {
        self.set(&self.hung_up, true);
    }

    fn set(&self, flag: &AtomicBool, value: bool) {
        flag.store(value, Ordering::SeqCst);
        rustix::io::write(&self.wake, &1_u64.to_ne_bytes()).expect("an eventfd");
    }
}

impl PtyOutput {
    pub(super) fn set_size(&mut self, size: (u16, u16)) {
        let (columns, rows) = parser_size(size);
        self.parser.screen_mut().set_size(rows, columns);
    }

    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    pub fn text(&self) -> String {
        self.screen().contents()
    }

    pub fn shows(&self, text: &str) -> bool {
        self.text().contains(text)
    }
}

pub(super) fn describe(seen: &PtyOutput) -> String {
    let screen = seen.screen();
    let (rows, columns) = screen.size();
    let mut text = format!(
        "--- {columns}x{rows}, alternate screen: {}, cursor hidden: {}\n",
        screen.alternate_screen(),
        screen.hide_cursor()
    );
    for row in screen.rows(0, columns.get()) {
        let _ = writeln!(text, "|{row}");
    }
    let tail = &seen.bytes[seen.bytes.len().saturating_sub(300)..];
    let _ = write!(
        text,
        "--- last of {} bytes: {}",
        seen.bytes.len(),
        tail.escape_ascii()
    );
    text
}

/// Where the size is not told, the screen has one all the same.
fn parser_size((columns, rows): (u16, u16)) -> (NonZeroU16, NonZeroU16) {
    let sizes = NonZeroU16::new(columns).zip(NonZeroU16::new(rows));
    sizes
        .or(NonZeroU16::new(80).zip(NonZeroU16::new(24)))
        .expect("no zeros here")
}
