//! The printer: a thread that writes to stdout, and that alone is held up by a reader that does not read;
//! beside it one that notices when the reader is gone.

mod reader;

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::system::threads;
use crate::terminal::input::Input;
use reader::OutputWatch;

/// How many texts may wait for a slow reader.
const WAITING: usize = 256;

/// Writes texts in their order. Dropped, it ends when it has written what waits, or with the program.
pub struct Printer {
    texts: Sender<Vec<u8>>,
    failure: Arc<Mutex<Option<io::Error>>>,
    ended: Receiver<()>,
    _reader: OutputWatch,
}

impl Printer {
    /// Starts the threads. The loop is told with [`Input::Printed`] when all that waited is written, or when
    /// writing has failed, and with [`Input::HungUp`] when nobody reads any more.
    ///
    /// # Errors
    ///
    /// Where the system denies a descriptor.
    pub fn start(loop_inputs: Sender<Input>) -> io::Result<Self> {
        let reader = OutputWatch::watch(loop_inputs.clone())?;
        let (texts, waiting) = bounded::<Vec<u8>>(WAITING);
        let (alive, ended) = bounded(0);
        let failure = Arc::new(Mutex::new(None));
        let its_failure = Arc::clone(&failure);
        threads::spawn("printer", move || {
            let _alive = alive;
            for text in &waiting {
                let written = io::stdout().write_all(&text).and_then(|()| io::stdout().flush());
                if let Err(error) = written {
                    *its_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    let _ = loop_inputs.send(Input::Printed);
                    return;
                }
                if waiting.is_empty() {
                    let _ = loop_inputs.send(Input::Printed);
                }
            }
        });
        Ok(Self {
            texts,
            failure,
            ended,
            _reader: reader,
        })
    }

    /// Whether one more text may wait. Never waits itself.
    #[must_use]
    pub fn has_room(&self) -> bool {
        !self.texts.is_full()
    }

    /// Writes this after what waits. Where there is no room, or nobody writes any more, it is dropped.
    pub fn print(&self, text: Vec<u8>) {
        let _ = self.texts.try_send(text);
    }

    /// Why nothing is written any more, once it is so.
    #[must_use]
    pub fn failure(&self) -> Option<io::Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits until all is written, for as long as the limit at most: a reader that does not read must not
    /// keep the program.
    pub fn finish(self, limit: Duration) {
        drop(self.texts);
        let _ = self.ended.recv_timeout(limit);
    }
}
