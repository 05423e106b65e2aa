//! The log file: one line an event, with its time in UTC and the program, so that several may write to one
//! file. Never on the screen, never in the way.

mod file;
mod writer;

use anyhow::Result;
use crossbeam_channel::{Receiver, Sender, TrySendError};
use jiff::Timestamp;

use crate::settings::{Level, LogSettings};
use crate::text::plain_text::plain_text;
use crate::time::Wall;

pub use writer::LogWriter;

/// What became of the file: `Err` says in words why it cannot be written, `Ok` that it can be again.
pub type News = Result<(), String>;

/// The way to the log file. A disk that is slow or full costs lines, which are counted, and nothing else.
#[derive(Debug)]
pub struct FileLog {
    program: &'static str,
    level: Level,
    lines: Option<Sender<String>>,
    left_out: u64,
    news: Receiver<News>,
    ended: Receiver<()>,
}

impl FileLog {
    /// Opens the log; `None` if none is wanted. `on_screen` says that there is a screen to tell what becomes
    /// of it.
    ///
    /// # Errors
    /// Names the file if it cannot be written.
    pub fn open(program: &'static str, settings: &LogSettings, on_screen: bool) -> Result<Option<Self>> {
        let Some(path) = &settings.file else {
            return Ok(None);
        };
        let (lines, news, ended) = file::writer(path, on_screen)?;
        Ok(Some(Self {
            program,
            level: settings.level,
            lines: Some(lines),
            left_out: 0,
            news,
            ended,
        }))
    }

    /// Whether anybody wants to know.
    #[must_use]
    pub fn takes(&self, level: Level) -> bool {
        level <= self.level
    }

    /// Writes a line. Nothing in the text can move a cursor, hide, or begin another line.
    pub fn line(&mut self, wall: Wall, level: Level, text: &str) {
        if !self.takes(level) {
            return;
        }
        if self.left_out > 0 {
            let missing = format!("{} lines left out: the disk was too slow", self.left_out);
            if self.send(wall, Level::Warn, &missing) {
                self.left_out = 0;
            }
        }
        if !self.send(wall, level, text) {
            self.left_out += 1;
        }
    }

    fn send(&self, wall: Wall, level: Level, text: &str) -> bool {
        let time = Timestamp::from_second(wall.0).map_or_else(|_| "?".to_owned(), |time| time.to_string());
        let line = format!(
            "{time} {:<5} {}: {}\n",
            level.word(),
            self.program,
            plain_text(text)
        );
        let Some(lines) = &self.lines else { return true };
        !matches!(lines.try_send(line), Err(TrySendError::Full(_)))
    }

    /// Makes the file anew if it has been moved away, without waiting for the next line: whoever rotates logs
    /// may look for it. Each line goes to the file that has the name then, in any case.
    pub fn reopen(&self) {
        if let Some(lines) = &self.lines {
            let _ = lines.try_send(String::new());
        }
    }

    /// What became of the file.
    #[must_use]
    pub const fn news(&self) -> &Receiver<News> {
        &self.news
    }
}

impl Drop for FileLog {
    /// What was said last is on its way to the disk; it gets a moment.
    fn drop(&mut self) {
        self.lines = None;
        let _ = self.ended.recv_timeout(file::PARTING);
    }
}
