//! The terminal as a device: its descriptors, its modes, and writing to it without ever waiting for ever.
//!
//! Nobody may be caught in a `write(2)` to a terminal that has stopped reading. `O_NONBLOCK` would do, but it
//! belongs to the open file, which is shared with the shell and whatever it starts next. So the terminal is
//! opened a second time.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste};
use crossterm::queue;
use crossterm::style::{Attribute, Print, SetAttribute};
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use ratatui::layout::Size;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{self, OptionalActions, QueueSelector, Termios};

use super::guard::Guard;
use super::job;
use crate::system::wake::Wake;

/// Switches off what a crashed program may have left on: reports of mouse, focus, size and colours, keys as
/// Windows sends them, application mode of arrow keys and number pad, modifyOtherKeys, the kitty keyboard
/// protocol. crossterm has commands for the mouse and the focus; of the kitty protocol's flags it can only
/// take back the last ones, and nobody knows how often a program has set them.
const MODES_OFF: &str = "\x1b[?9;1000;1001;1002;1003;1004;1005;1006;1015;1016;2031;2048;9001l\
    \x1b[?1l\x1b>\x1b[>4m\x1b[=0u";
/// Presses of buttons, with places in decimal numbers: only where the user asked for it, since the terminal's
/// own selection of text then needs Shift. crossterm's `EnableMouseCapture` asks for each move as well.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
/// How long a terminal that does not read may hold up those who leave it.
const PATIENCE: Duration = Duration::from_millis(200);
/// What to draw for where the size is not known: a serial line reports 0x0.
const UNKNOWN_SIZE: Size = Size {
    width: 80,
    height: 24,
};

/// What the lock guards. It is held for system calls that cannot wait, never while waiting.
struct Modes {
    /// The modes to go back to; `Some` while the screen is ours.
    before: Option<Termios>,
    /// Counts the entries: a frame that was begun before a suspension must not be ended after it.
    entries: u64,
    /// `None` where the system has no process to spare: the terminal can then be left only in order.
    guard: Option<Guard>,
}

/// The terminal of this process.
pub(crate) struct Tty {
    output: OwnedFd,
    input: OwnedFd,
    screen: Mutex<Modes>,
    mouse: bool,
    /// Readable when whoever waits for the terminal to read has to look up.
    interrupt: Wake,
}

impl Tty {
    /// Opens the terminal of stdout for drawing; keys come from stdin, or if that is no terminal, from the
    /// controlling one.
    pub(super) fn open(mouse: bool) -> io::Result<Self> {
        let stdout = rustix::stdio::stdout();
        if !termios::isatty(stdout) {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "stdout is no terminal",
            ));
        }
        let output = reopen(stdout)?;
        let input = if termios::isatty(rustix::stdio::stdin()) {
            reopen(rustix::stdio::stdin())?
        } else {
            open(c"/dev/tty").or_else(|_| reopen(stdout))?
        };
        let interrupt = Wake::new()?;
        let screen = Modes {
            before: None,
            entries: 0,
            guard: Guard::start(&input, &leave(mouse)).ok(),
        };
        Ok(Self {
            output,
            input,
            screen: Mutex::new(screen),
            mouse,
            interrupt,
        })
    }

    pub(crate) fn input(&self) -> &OwnedFd {
        &self.input
    }

    pub(crate) fn output(&self) -> &OwnedFd {
        &self.output
    }

    /// The size of the window, never with a zero in it.
    pub(crate) fn size(&self) -> Size {
        match termios::tcgetwinsize(&self.output) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size::new(size.ws_col, size.ws_row),
            _ => UNKNOWN_SIZE,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Modes> {
        // Nothing that runs under the lock can panic; and who comes here from a panic hook must get on in any
        // case.
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the screen, or takes it again: after a stop from outside nobody knows what the shell has done to
    /// the modes.
    pub(super) fn enter(&self) -> io::Result<()> {
        let mut screen = self.lock();
        // In the background this stops the process group (SIGTTOU) until `fg`, which is what a shell expects.
        let now = termios::tcgetattr(&self.input)?;
        let before = screen.before.clone().unwrap_or_else(|| now.clone());
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(&self.input, OptionalActions::Now, &raw)?;
        if screen.before.is_none() {
            // Keys typed before this were not meant for this screen, and may be the rest of a sequence that
            // the shell began to read.
            let _ = termios::tcflush(&self.input, QueueSelector::IFlush);
        }
        if let Some(guard) = &mut screen.guard {
            guard.taken(&before);
        }
        screen.before = Some(before);
        screen.entries += 1;
        // A terminal that does not read now gets its sequences late or never: no reason not to run.
        let _ = write_within(&self.output, &enter(self.mouse), PATIENCE);
        Ok(())
    }

    /// Gives the screen back, if it is taken. Waits for a terminal that does not read, but not long.
    pub(super) fn restore(&self) {
        let mut screen = self.lock();
        let Some(before) = screen.before.take() else {
            return;
        };
        self.interrupt();
        let leave = leave(self.mouse);
        if write_within(&self.output, &leave, PATIENCE).is_err() {
            // It has stopped reading. What waits in its queue is an old picture: make room for the way back,
            // so that the terminal is right when it reads again.
            let _ = termios::tcflush(&self.output, QueueSelector::OFlush);
            let _ = write_within(&self.output, &leave, PATIENCE);
        }
        // `Now`: to drain first (`Drain`, `Flush`) would wait for a reader. Keys typed ahead are the shell's,
        // so they stay. In the background the modes are the shell's already, and the attempt would stop us.
        if job::in_foreground(&self.input) {
            let _ = termios::tcsetattr(&self.input, OptionalActions::Now, &before);
        }
        if let Some(guard) = &mut screen.guard {
            guard.given_back();
        }
    }

    /// Makes whoever waits in [`Self::write_frame`] look up.
    pub(crate) fn interrupt(&self) {
        self.interrupt.call();
    }

    /// Writes one frame, as long as the terminal takes to read it. `shown` becomes `new` with its last bytes:
    /// whoever has seen them finds the new one there. Gives up with `Interrupted` when the screen is given
    /// back meanwhile (or is not ours to begin with), or `stop` is set and [`Self::interrupt`] was called.
    pub(crate) fn write_frame<V>(
        &self,
        frame: &[u8],
        stop: &AtomicBool,
        shown: &Mutex<V>,
        new: V,
    ) -> io::Result<()> {
        let entry = self.lock().entries;
        let mut rest = frame;
        loop {
            let written = {
                let screen = self.lock();
                if screen.before.is_none() || screen.entries != entry || stop.load(Ordering::SeqCst) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
                let written = match rest {
                    [] => Ok(0),
                    rest => rustix::io::write(&self.output, rest),
                };
                if written == Ok(rest.len()) {
                    *shown = new;
                    return Ok(());
                }
                written
            };
            match written {
                Ok(count) => rest = &rest[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.wait_until_it_reads()?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn wait_until_it_reads(&self) -> io::Result<()> {
        let mut fds = [
            PollFd::new(&self.output, PollFlags::OUT),
            PollFd::new(&self.interrupt, PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        self.interrupt.answer();
        Ok(())
    }

    /// Writes a message for people, best effort: to a terminal without waiting long, to anything else as it
    /// comes.
    pub(super) fn tell(&self, message: &str) {
        if termios::isatty(rustix::stdio::stderr()) {
            let _ = write_within(&self.output, message.as_bytes(), PATIENCE);
        } else {
            let _ = io::Write::write_all(&mut io::stderr(), message.as_bytes());
        }
    }
}

/// The way to a screen of its own, without a cursor. A terminal that takes one of [`MODES_OFF`] for a text
/// attribute gets its attributes reset. At last, marks around pasted text: a paste into the wrong pane must
/// not toggle sensors.
fn enter(mouse: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory does not fail.
    let _ = queue!(
        bytes,
        EnterAlternateScreen,
        Hide,
        Print(MODES_OFF),
        SetAttribute(Attribute::Reset),
        EnableBracketedPaste,
        Print(if mouse { MOUSE_ON } else { "" }),
    );
    bytes
}

/// The way back. The screen is cleared first for terminals that have no alternate one.
fn leave(mouse: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    if mouse {
        let _ = queue!(bytes, DisableMouseCapture);
    }
    let _ = queue!(
        bytes,
        DisableBracketedPaste,
        SetAttribute(Attribute::Reset),
        Clear(ClearType::All),
        MoveTo(0, 0),
        LeaveAlternateScreen,
        Show,
    );
    bytes
}

/// Opens again, on its own account, the terminal that a descriptor is open on.
fn reopen(terminal: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let by_name = termios::ttyname(terminal, Vec::new()).map_err(io::Error::from);
    // After `su` the device belongs to another user, and in a container it may have no name; the controlling
    // terminal may always be opened by its own.
    by_name
        .and_then(|name| open(&name))
        .or_else(|error| open(c"/dev/tty").map_err(|_| error))
}

fn open(path: &CStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bound on waiting for a device, no decision of the core"
)]
fn write_within(fd: impl AsFd, bytes: &[u8], patience: Duration) -> io::Result<()> {
    let deadline = Instant::now() + patience;
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(&fd, rest) {
            Ok(count) => rest = &rest[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                let left = Timespec::try_from(left).unwrap_or_default();
                let _ = poll(&mut [PollFd::new(&fd, PollFlags::OUT)], Some(&left));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
