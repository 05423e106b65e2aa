//! How a program ended, and what is said of it once its terminal is given back.

use anyhow::{Result, bail};

use crate::log;
use crate::programs::runtime::Stop;
use crate::sensor::Card;
use crate::settings::{Level, MonitorOptions};
use crate::storage::lock::who_takes_over;
use crate::terminal::signals;
use crate::text::words;

/// What ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Its user or a signal: with this exit status.
    Status(u8),
    /// Another owner of its card.
    Stop(Stop),
    /// The user of a screen whose owner has ended: this process is to be the owner.
    Own,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// What ended it.
    pub reason: Reason,
    /// Why not all that it knew is on its disk; in words.
    pub unsaved: Option<String>,
    /// What its screen could not say of the state file.
    pub warnings: Vec<String>,
}

impl Exit {
    /// Says on stderr by whom a monitor was ended, and what of its states is not on disk; gives the exit
    /// status.
    ///
    /// # Errors
    /// Names the other owner in whose favour it ended, and what to do.
    pub fn of_monitor(&self, options: &MonitorOptions) -> Result<u8> {
        let program = words::owner(options.card);
        let say = |level, text: &str| log::say(program, options.is_service, level, text);
        for warning in &self.warnings {
            say(Level::Warn, warning);
        }
        let status = match self.reason {
            Reason::Status(status) => status,
            Reason::Own => 0,
            Reason::Stop(stop) => return stopped(stop, options.card, &options.access.url, &self.kept()),
        };
        let told_to_end = status == signals::exit_status(signal_hook::consts::SIGTERM);
        let taker = told_to_end
            .then(|| who_takes_over(&options.state_dir, options.card))
            .flatten();
        let level = if self.unsaved.is_some() {
            Level::Error
        } else {
            Level::Info
        };
        match taker {
            Some(taker) => say(
                level,
                &format!(
                    "ended by --take-over: another {program} ({taker}) goes on in its place; {}",
                    self.kept()
                ),
            ),
            None if self.unsaved.is_some() => say(level, &self.kept()),
            None => {}
        }
        Ok(status)
    }

    /// The exit status of a program that owns no card.
    #[must_use]
    pub const fn status(&self) -> u8 {
        match self.reason {
            Reason::Status(status) => status,
            Reason::Own => 0,
            Reason::Stop(_) => 1,
        }
    }

    fn kept(&self) -> String {
        match &self.unsaved {
            None => "no state was lost".to_owned(),
            Some(why) => format!(
                "the last toggle is not in the state file: {why}; check whether the other screens show it"
            ),
        }
    }
}

/// The end of an owner in whose place another one is.
///
/// # Errors
/// Always: it says where that one is, and what to do.
fn stopped<T>(stop: Stop, card: Card, url: &str, kept: &str) -> Result<T> {
    let program = words::owner(card);
    match stop {
        Stop::Twin => bail!(
            "another {program} is connected to {url} and goes on, with another state folder or on another machine; {kept}; end it there, or start this one with --take-over to go on in its place"
        ),
        Stop::TakenOver => bail!(
            "another {program} has taken over at {url}, with another state folder or on another machine; {kept}; to take it back, start this one with --take-over"
        ),
        Stop::Across => bail!(
            "{}; {kept}; start this one with --broker and the address of broker {}",
            words::across(card, url),
            card.number()
        ),
    }
}
