//! The log: one line an event, in a file, and of a service on stderr. Never on the screen, never in the way.

mod file;
mod stderr;
mod writer;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, never};
use jiff::Timestamp;

use crate::settings::{Level, LogSettings};
use crate::system::threads;
use crate::text::plain_text::plain_text;
use crate::time::Wall;

pub use stderr::say;
pub use writer::LogWriter;

/// What became of the file: `Err` says in words why it cannot be written, `Ok` that it can be again.
pub type News = Result<(), String>;

/// How many lines may wait for a disk, or for who reads stderr.
const WAITING: usize = 1024;

/// How many are written at a time.
const BATCH: usize = 256;

/// How long an end of the program waits for the last lines of each output.
const PARTING: Duration = Duration::from_millis(500);

/// The way to the log. A disk that is slow or full costs lines, which are counted, and nothing else; so does
/// stderr that nobody reads.
#[derive(Debug)]
pub struct Log {
    program: &'static str,
    level: Level,
    outputs: Vec<Output>,
    news: Receiver<News>,
    is_on_stderr: bool,
}

/// A thread that writes lines.
#[derive(Debug)]
struct Output {
    form: Form,
    lines: Option<Sender<String>>,
    left_out: u64,
    ended: Receiver<()>,
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// With its time in UTC, its level and the program, so that several may write to one file.
    Dated,
    /// For the systemd journal, which has the time and the program already: the level as a number (syslog's,
    /// `sd-daemon(3)`), and the words.
    Journal,
}

impl Log {
    /// Opens the log file; `None` if none is wanted. `on_screen` says that there is a screen to tell what
    /// becomes of it.
    ///
    /// # Errors
    /// Names the file if it cannot be written.
    pub fn open(program: &'static str, settings: &LogSettings, on_screen: bool) -> Result<Option<Self>> {
        let Some(path) = &settings.file else {
            return Ok(None);
        };
        file::try_to_open(path)?;
        Ok(Some(
            Self::nowhere(program, settings.level).with_file(path, on_screen),
        ))
    }

    /// The log of a service: on stderr, and in a file if one is wanted. A file that cannot be written keeps
    /// no card out of service: as of a disk that is full, that is said on stderr and on the screens, and each
    /// line tries it again.
    #[must_use]
    pub fn of_service(program: &'static str, settings: &LogSettings) -> Self {
        let log = Self::on_stderr(program, settings.level);
        match &settings.file {
            Some(path) => log.with_file(path, true),
            None => log,
        }
    }

    fn on_stderr(program: &'static str, level: Level) -> Self {
        let mut log = Self::nowhere(program, level);
        log.outputs.push(stderr::output());
        log.is_on_stderr = true;
        log
    }

    fn nowhere(program: &'static str, level: Level) -> Self {
        Self {
            program,
            level,
            outputs: Vec::new(),
            news: never(),
            is_on_stderr: false,
        }
    }

    fn with_file(mut self, path: &Path, on_screen: bool) -> Self {
        let (output, news) = file::output(path, on_screen);
        self.outputs.push(output);
        self.news = news;
        self
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
        for output in &mut self.outputs {
            output.line(wall, level, self.program, text);
        }
    }

    /// Whether its lines are on stderr.
    #[must_use]
    pub const fn is_on_stderr(&self) -> bool {
        self.is_on_stderr
    }

    /// Makes the file anew if it has been moved away, without waiting for the next line: whoever rotates logs
    /// may look for it. Each line goes to the file that has the name then, in any case.
    pub fn reopen(&self) {
        for lines in self.outputs.iter().filter_map(|output| output.lines.as_ref()) {
            let _ = lines.try_send(String::new());
        }
    }

    /// What became of the file.
    #[must_use]
    pub const fn news(&self) -> &Receiver<News> {
        &self.news
    }
}

impl Output {
    /// Starts the thread, which hands lines to `write` as they come, up to [`BATCH`] of them at a time.
    fn start(thread: &'static str, form: Form, mut write: impl FnMut(&[String]) + Send + 'static) -> Self {
        let (lines, inbox) = bounded::<String>(WAITING);
        let (done, ended) = bounded(1);
        threads::spawn(thread, move || {
            while let Ok(first) = inbox.recv() {
                let more = inbox.try_iter().take(BATCH - 1);
                write(&std::iter::once(first).chain(more).collect::<Vec<_>>());
            }
            let _ = done.send(());
        });
        Self {
            form,
            lines: Some(lines),
            left_out: 0,
            ended,
        }
    }

    fn line(&mut self, wall: Wall, level: Level, program: &str, text: &str) {
        if self.left_out > 0 {
            let missing = format!("{} lines left out: nobody took them in time", self.left_out);
            if self.send(self.form.line(wall, Level::Warn, program, &missing)) {
                self.left_out = 0;
            }
        }
        if !self.send(self.form.line(wall, level, program, text)) {
            self.left_out += 1;
        }
    }

    fn send(&self, line: String) -> bool {
        let Some(lines) = &self.lines else { return true };
        !matches!(lines.try_send(line), Err(TrySendError::Full(_)))
    }
}

impl Drop for Output {
    /// What was said last is on its way; it gets a moment.
    fn drop(&mut self) {
        self.lines = None;
        let _ = self.ended.recv_timeout(PARTING);
    }
}

impl Form {
    fn line(self, wall: Wall, level: Level, program: &str, text: &str) -> String {
        let text = plain_text(text);
        match self {
            Self::Dated => {
                let time = Timestamp::from_second(wall.0);
                let time = time.map_or_else(|_| "?".to_owned(), |time| time.to_string());
                format!("{time} {:<5} {program}: {text}\n", level.word())
            }
            Self::Journal => format!("<{}>{text}\n", severity(level)),
        }
    }
}

/// The number that syslog has for it.
const fn severity(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_the_journal_has_its_severity_and_no_time() {
        let line = |level| Form::Journal.line(Wall(0), level, "card1_monitor", "a\nb");
        let levels = [Level::Error, Level::Warn, Level::Info, Level::Debug];
        assert_eq!(levels.map(line), ["<3>a b\n", "<4>a b\n", "<6>a b\n", "<7>a b\n"]);
        assert_eq!(
            Form::Dated.line(Wall(0), Level::Warn, "card1_monitor", "a\nb"),
            "1970-01-01T00:00:00Z warn  card1_monitor: a b\n"
        );
    }
}
