//! Entering the screen and, whatever happens, leaving the terminal as it was.
//!
//! A [`Terminal`] is a handle: copies of it go to the panic hook, the key thread and the painter. Its modes
//! and its screen change under one lock, together; so two threads may restore at once, and neither goes on
//! before it is done.

mod guard;
pub mod input;
mod job;
pub mod keys;
pub mod notification;
pub mod painter;
pub mod panic;
pub mod signals;
mod tty;

use std::io;
use std::sync::Arc;

use ratatui::layout::Size;

pub(crate) use tty::Tty;

/// The terminal that stdout is connected to.
#[derive(Clone)]
pub struct Terminal {
    tty: Arc<Tty>,
}

impl Terminal {
    /// Finds the terminal and changes nothing. A process that gives the terminal back if this one is killed
    /// is started here, and ends with the last copy of this handle. Open the terminal before the first
    /// connection, which that process would keep open.
    ///
    /// # Errors
    ///
    /// Where stdout is no terminal (`Unsupported`), or one that we may not open.
    pub fn open() -> io::Result<Self> {
        Self::open_with(false)
    }

    /// The same; `mouse` says whether clicks are wanted, from [`Self::enter`] to [`Self::restore`].
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn open_with(mouse: bool) -> io::Result<Self> {
        Ok(Self {
            tty: Arc::new(Tty::open(mouse)?),
        })
    }

    /// Takes the screen: raw mode, alternate screen, no cursor. Called again, it sets all of that again, as
    /// is needed after [`Input::Continued`](crate::terminal::input::Input::Continued); what to restore stays
    /// what it was before the first call.
    ///
    /// # Errors
    ///
    /// Where the terminal is gone.
    pub fn enter(&self) -> io::Result<()> {
        self.tty.enter()
    }

    /// Gives the screen back as it was. Any thread may call it at any time, as often as it likes; it does not
    /// panic, and a terminal that is dead or does not read holds it up for less than half a second.
    pub fn restore(&self) {
        self.tty.restore();
    }

    /// Gives the screen and the shell back, as on Ctrl-Z; returns when the process has been continued, and
    /// then [`Input::Continued`](crate::terminal::input::Input::Continued) is on its way. Does nothing where
    /// no shell could continue us.
    ///
    /// # Errors
    ///
    /// Where the process could not be stopped; the screen is then ours again.
    pub fn suspend(&self) -> io::Result<()> {
        if job::is_orphaned() {
            return Ok(());
        }
        self.restore();
        job::stop_until_continued().or_else(|error| {
            self.enter()?;
            Err(error)
        })
    }

    /// The size of the window; 80x24 where the terminal does not know.
    #[must_use]
    pub fn size(&self) -> Size {
        self.tty.size()
    }

    pub(crate) fn tty(&self) -> &Arc<Tty> {
        &self.tty
    }
}
