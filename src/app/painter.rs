//! The painter: a thread that shows the newest picture, and that alone is held up by a terminal that does not
//! read.
//!
//! ```text
//!   loop --show(picture)--> [one slot] --draw--> cells that changed --write_frame--> terminal
//! ```
//!
//! Pictures that come while a frame is being written replace each other in the slot. So memory stays flat,
//! and what is drawn when the terminal reads again is the state of that moment.

mod canvas;
mod pen;
mod scroll;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use ratatui::Frame;

use crate::app::terminal::{Terminal, Tty};
use crate::app::threads;
use canvas::Canvas;

const BELL: u8 = 0x07;

/// Draws pictures of type `T`. Dropped, it ends at once, in the middle of a frame if need be.
pub struct Painter<T> {
    slot: Arc<Slot<T>>,
    tty: Arc<Tty>,
    thread: Option<JoinHandle<()>>,
}

struct Slot<T> {
    wishes: Mutex<Wishes<T>>,
    changed: Condvar,
    /// Outside of the lock, for the middle of a frame.
    stop: AtomicBool,
}

struct Wishes<T> {
    picture: Option<T>,
    afresh: bool,
    bell: bool,
}

impl<T: Send + 'static> Painter<T> {
    /// Starts the thread. `draw` is a function of the picture alone; it is never called while a lock is held.
    ///
    /// # Errors
    ///
    /// Where the system denies the thread.
    pub fn start(terminal: &Terminal, draw: fn(&T, &mut Frame<'_>)) -> io::Result<Self> {
        let slot = Arc::new(Slot {
            wishes: Mutex::new(Wishes {
                picture: None,
                afresh: true,
                bell: false,
            }),
            changed: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        let tty = Arc::clone(terminal.tty());
        let (its_slot, its_tty) = (Arc::clone(&slot), Arc::clone(&tty));
        let thread = threads::start("painter", move || paint(&its_slot, &its_tty, draw))?;
        Ok(Self {
            slot,
            tty,
            thread: Some(thread),
        })
    }

    /// Shows this picture as soon as the terminal takes it, unless a newer one comes first. Never waits.
    pub fn show(&self, picture: T) {
        self.slot.lock().picture = Some(picture);
        self.slot.changed.notify_one();
    }

    /// Rings the terminal's bell with the next frame: once, however often it is asked for until then.
    pub fn ring(&self) {
        self.slot.lock().bell = true;
        self.slot.changed.notify_one();
    }

    /// Clears the screen and draws the newest picture in full: after a change of size, or when others have
    /// written to the terminal.
    pub fn redraw(&self) {
        self.slot.lock().afresh = true;
        self.slot.changed.notify_one();
    }
}

impl<T> Drop for Painter<T> {
    fn drop(&mut self) {
        {
            // Under the lock: the thread must not read `stop` before this and go to sleep after it.
            let _wishes = self.slot.lock();
            self.slot.stop.store(true, Ordering::SeqCst);
        }
        self.slot.changed.notify_one();
        self.tty.interrupt();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, Wishes<T>> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a picture, or the wish to draw afresh or to ring; `None` is the end.
    fn wait(&self, have_picture: bool) -> Option<Wishes<T>> {
        let mut wishes = self.lock();
        loop {
            if self.stop.load(Ordering::SeqCst) {
                return None;
            }
            if wishes.picture.is_some() || ((wishes.afresh || wishes.bell) && have_picture) {
                return Some(Wishes {
                    picture: wishes.picture.take(),
                    afresh: std::mem::take(&mut wishes.afresh),
                    bell: std::mem::take(&mut wishes.bell),
                });
            }
            wishes = self.changed.wait(wishes).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn paint<T>(slot: &Slot<T>, tty: &Tty, draw: fn(&T, &mut Frame<'_>)) {
    let mut canvas = Canvas::new(tty.size());
    let mut current = None;
    let mut last: io::Result<()> = Ok(());
    while let Some(wishes) = slot.wait(current.is_some()) {
        let afresh = wishes.afresh;
        current = wishes.picture.or(current);
        let Some(picture) = &current else { continue };
        match &last {
            // An interrupted frame leaves the screen other than it is believed to be.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => canvas.distrust(tty.size()),
            // The terminal is gone: nothing to draw on, unless somebody knows better.
            Err(_) if !afresh => continue,
            _ if afresh => canvas.distrust(tty.size()),
            _ => {}
        }
        let mut bytes = canvas.frame(|frame| draw(picture, frame));
        if wishes.bell {
            bytes.push(BELL);
        }
        last = tty.write_frame(&bytes, &slot.stop);
    }
}
