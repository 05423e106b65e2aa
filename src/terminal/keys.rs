//! Keys, and the end of the terminal that they come from.
//!
//! A dead terminal is readable for ever: its end of file comes at once, again and again. So bytes are read
//! here only after `poll(2)` has said that there are some, and never from a terminal that has hung up; this
//! thread is then the one who tells.

mod decode;

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Sender;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

pub use decode::{KeyCode, KeyEvent, KeyModifiers};

use crate::system::clock::Clock;
use crate::system::threads;
use crate::system::wake::Wake;
use crate::terminal::input::Input;
use crate::terminal::{Terminal, Tty};
use crate::time::Mono;
use decode::{Decoder, Typed};

/// An ESC that nothing follows for this long is the Esc key. Over a slower link an arrow key closes the help
/// first, and then still works as an arrow key.
const ESCAPE_PATIENCE: Duration = Duration::from_millis(50);

/// The thread that reads keys. Dropped, it ends.
pub struct Keys {
    wake: Arc<Wake>,
    thread: Option<JoinHandle<()>>,
}

impl Keys {
    /// Reads keys from now on. After [`Input::HungUp`] nothing more comes.
    ///
    /// # Errors
    ///
    /// Where the system denies a descriptor or the thread.
    pub fn listen(terminal: &Terminal, loop_inputs: Sender<Input>) -> io::Result<Self> {
        let wake = Arc::new(Wake::new()?);
        let reader = KeyReader {
            tty: Arc::clone(terminal.tty()),
            wake: Arc::clone(&wake),
            decoder: Decoder::default(),
            clock: Clock::start(),
            last_read: Mono::default(),
            loop_inputs,
        };
        let thread = threads::start("keys", move || reader.run())?;
        Ok(Self {
            wake,
            thread: Some(thread),
        })
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.wake.call();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct KeyReader {
    tty: Arc<Tty>,
    wake: Arc<Wake>,
    decoder: Decoder,
    clock: Clock,
    last_read: Mono,
    loop_inputs: Sender<Input>,
}

/// What `poll(2)` has found.
enum Readiness {
    Bytes,
    Silence,
    HangUp,
    WakeUp,
}

impl KeyReader {
    fn run(mut self) {
        loop {
            let keys = match self.wait() {
                Readiness::Bytes => self.read(),
                Readiness::Silence => self.decoder.silence().into_iter().collect(),
                Readiness::WakeUp => return,
                Readiness::HangUp => {
                    let _ = self.loop_inputs.send(Input::HungUp);
                    return;
                }
            };
            for key in keys {
                if self.loop_inputs.send(meaning(key)).is_err() {
                    return;
                }
            }
        }
    }

    fn wait(&self) -> Readiness {
        let patience = self.decoder.awaits_silence().then_some(ESCAPE_PATIENCE);
        let patience = patience.and_then(|time| Timespec::try_from(time).ok());
        let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        let mut fds = [
            PollFd::new(self.tty.input(), PollFlags::IN),
            // Asked for nothing, it still reports a hang-up, should it be another terminal than the input.
            PollFd::new(self.tty.output(), PollFlags::empty()),
            PollFd::new(&*self.wake, PollFlags::IN),
        ];
        loop {
            match poll(&mut fds, patience.as_ref()) {
                Err(Errno::INTR) => {}
                Err(_) => return Readiness::HangUp,
                Ok(_) if !fds[2].revents().is_empty() => return Readiness::WakeUp,
                Ok(_) if fds[..2].iter().any(|fd| fd.revents().intersects(gone)) => return Readiness::HangUp,
                Ok(0) => return Readiness::Silence,
                Ok(_) => return Readiness::Bytes,
            }
        }
    }

    /// Reads what is there. Nothing or an error is no news: had the terminal hung up, the next `poll` says
    /// so, and an end of file without a hang-up is a Ctrl-D from the moment before the terminal was raw.
    fn read(&mut self) -> Vec<Typed> {
        let mut bytes = [0_u8; 1024];
        match rustix::io::read(self.tty.input(), &mut bytes) {
            Ok(count) => {
                let now = self.clock.now().mono;
                let pause = now.since(std::mem::replace(&mut self.last_read, now));
                self.decoder.feed(pause, &bytes[..count])
            }
            Err(_) => Vec::new(),
        }
    }
}

fn meaning(typed: Typed) -> Input {
    match typed {
        Typed::Key(key) if key == KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL) => Input::Suspend,
        Typed::Key(key) => Input::Key(key),
        Typed::Click(column, line) => Input::Click(column, line),
    }
}
