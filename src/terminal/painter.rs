//! The painter: a thread that shows the newest picture, and that alone is held up by a terminal that does not
//! read.
//!
//! ```text
//!   loop --show(picture)--> [one slot] --draw--> lines, cells that changed --write_frame--> terminal
//! ```
//!
//! Pictures that come while a frame is being written replace each other in the slot. So memory stays flat,
//! and what is drawn when the terminal reads again is the state of that moment.

mod ansi_writer;
mod frame_diff;
mod scroll;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use ratatui::layout::Size;
use ratatui::text::Line;

use crate::system::threads;
use crate::terminal::{Terminal, Tty};

pub use frame_diff::FrameDiff;

const BELL: u8 = 0x07;

/// Draws pictures of type `T`. Dropped, it ends at once, in the middle of a frame if need be.
pub struct Painter<T> {
    slot: Arc<Latest<T>>,
    /// The newest picture: the same once more wakes nobody.
    newest: Option<Arc<T>>,
    tty: Arc<Tty>,
    thread: Option<JoinHandle<()>>,
}

struct Latest<T> {
    actions: Mutex<Actions<T>>,
    changed: Condvar,
    /// The last picture that the terminal has taken in full.
    shown: Mutex<Option<Arc<T>>>,
    /// Outside of the lock, for the middle of a frame.
    stop: AtomicBool,
}

struct Actions<T> {
    picture: Option<Arc<T>>,
    afresh: bool,
    bell: bool,
    /// The newest only: a terminal that does not read gets no heap of them later.
    notification: Option<Vec<u8>>,
}

impl<T: PartialEq + Send + Sync + 'static> Painter<T> {
    /// Starts the thread. `draw` is a function of the picture alone; it is never called while a lock is held.
    ///
    /// # Errors
    ///
    /// Where the system denies the thread.
    pub fn start(terminal: &Terminal, draw: fn(&T, Size) -> Vec<Line<'static>>) -> io::Result<Self> {
        let slot = Arc::new(Latest {
            actions: Mutex::new(Actions {
                picture: None,
                afresh: true,
                bell: false,
                notification: None,
            }),
            changed: Condvar::new(),
            shown: Mutex::new(None),
            stop: AtomicBool::new(false),
        });
        let tty = Arc::clone(terminal.tty());
        let (its_slot, its_tty) = (Arc::clone(&slot), Arc::clone(&tty));
        let thread = threads::start("painter", move || paint(&its_slot, &its_tty, draw))?;
        Ok(Self {
            slot,
            newest: None,
            tty,
            thread: Some(thread),
        })
    }

    /// Shows this picture as soon as the terminal takes it, unless a newer one comes first. Never waits.
    pub fn show(&mut self, picture: T) {
        if self.newest.as_deref() == Some(&picture) {
            return;
        }
        let picture = Arc::new(picture);
        self.newest = Some(Arc::clone(&picture));
        self.slot.lock().picture = Some(picture);
        self.slot.changed.notify_one();
    }

    /// The last picture that the terminal has taken in full: what whoever presses a key now has seen.
    #[must_use]
    pub fn shown(&self) -> Option<Arc<T>> {
        lock(&self.slot.shown).clone()
    }

    /// Rings the terminal's bell with the next frame: once, however often it is asked for until then.
    pub fn ring(&self) {
        self.slot.lock().bell = true;
        self.slot.changed.notify_one();
    }

    /// Writes these bytes with the next frame: what makes the terminal show a notification. Newer ones
    /// replace those that have not been written yet.
    pub fn notify(&self, bytes: Vec<u8>) {
        self.slot.lock().notification = Some(bytes);
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
            let _actions = self.slot.lock();
            self.slot.stop.store(true, Ordering::SeqCst);
        }
        self.slot.changed.notify_one();
        self.tty.interrupt();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl<T> Latest<T> {
    fn lock(&self) -> MutexGuard<'_, Actions<T>> {
        lock(&self.actions)
    }

    /// Waits for a picture, or for something else to write; `None` is the end.
    fn wait(&self, have_picture: bool) -> Option<Actions<T>> {
        let mut actions = self.lock();
        loop {
            if self.stop.load(Ordering::SeqCst) {
                return None;
            }
            let is_asked = actions.afresh || actions.bell || actions.notification.is_some();
            if actions.picture.is_some() || (is_asked && have_picture) {
                return Some(Actions {
                    picture: actions.picture.take(),
                    afresh: std::mem::take(&mut actions.afresh),
                    bell: std::mem::take(&mut actions.bell),
                    notification: actions.notification.take(),
                });
            }
            actions = self.changed.wait(actions).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn paint<T>(slot: &Latest<T>, tty: &Tty, draw: fn(&T, Size) -> Vec<Line<'static>>) {
    let mut frame_diff = FrameDiff::new(tty.size());
    let mut current = None;
    let mut last: io::Result<()> = Ok(());
    while let Some(actions) = slot.wait(current.is_some()) {
        let afresh = actions.afresh;
        current = actions.picture.or(current);
        let Some(picture) = &current else { continue };
        match &last {
            // An interrupted frame leaves the screen other than it is believed to be.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => frame_diff.distrust(tty.size()),
            // The terminal is gone: nothing to draw on, unless somebody knows better.
            Err(_) if !afresh => continue,
            _ if afresh => frame_diff.distrust(tty.size()),
            _ => {}
        }
        let mut bytes = frame_diff.frame(|size| draw(picture, size));
        if actions.bell {
            bytes.push(BELL);
        }
        bytes.extend(actions.notification.unwrap_or_default());
        last = tty.write_frame(&bytes, &slot.stop, &slot.shown, Some(Arc::clone(picture)));
    }
}
