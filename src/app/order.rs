//! `--set` and `--toggle`: what a key does, without a terminal and with the same guarantee.
//!
//! There is one owner a card. Where none runs on this board, this process is the owner for as long as it
//! takes; where one runs, it is asked through its broker. Either way the command has one id: should the owner
//! change meanwhile, it is done once all the same.

mod ask;
mod own;
mod report;
mod why;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, unbounded};

use super::cli::{Asked, Level, MonitorOptions};
use super::clock::Clock;
use super::input::Input;
use super::journal::Journal;
use super::lock::{Holder, Lock, Way};
use super::log::Log;
use super::shell::random;
use super::signals::{self, Signals};
use super::terminal::panic;
use super::words;
use crate::command::{Answer, Command, Name};
use crate::time::Mono;

use ask::{Asker, Look};
use why::Runs;

/// How it ended.
enum Outcome {
    /// The owner has answered for the last time.
    Final(Answer),
    /// Before that.
    Short(Short),
}

/// An end before all of it was confirmed.
struct Short {
    cause: Cause,
    reached: Reached,
    /// Why it is not further, and what comes next, in words.
    why: String,
}

/// What ended it before it was confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The time is over.
    Late,
    /// A signal or a panic: with this exit status.
    Ended(u8),
    /// It cannot come to anything in this way.
    Vain,
}

/// How far it has got.
enum Reached {
    /// It was not done, and will not be.
    Nothing,
    /// Somebody was asked, who may do it yet.
    Unknown,
    /// So far.
    Stages(Answer),
}

/// What does not change while a command is under way.
struct Job<'a> {
    options: &'a MonitorOptions,
    asked: &'a Asked,
    command: Command,
    clock: Clock,
    by: Mono,
    inputs: Receiver<Input>,
    this: Holder,
}

/// Does what is asked, and gives the exit status.
///
/// # Errors
/// Names the setting that can never work.
pub fn run(options: &MonitorOptions, asked: &Asked, journal: Journal, log: Option<Log>) -> Result<u8> {
    let (sender, inputs) = unbounded();
    panic::install_hook(None, sender.clone());
    let _signals = Signals::listen(sender).context("cannot listen to signals")?;
    let clock = Clock::start();
    let this = Holder::this(Way::Order, &options.entrance.url);
    let job = Job {
        options,
        asked,
        command: Command {
            id: Some(u64::from(random()?) << 32 | u64::from(random()?)),
            by: Name::new(&this.to_string()),
            orders: asked.orders,
        },
        by: clock.now().mono.after(asked.timeout),
        clock,
        inputs,
        this,
    };
    let mut diary = Diary { log, clock };
    diary.note(Level::Info, &words::asks(asked.orders));
    let outcome = job
        .carry_out(journal, &mut diary)
        .inspect_err(|error| diary.note(Level::Error, &format!("{error:#}")))?;
    job.report(&outcome, &mut diary)
}

/// The log file until this process is the owner itself, whose log it is from then on.
struct Diary {
    log: Option<Log>,
    clock: Clock,
}

impl Diary {
    fn note(&mut self, level: Level, text: &str) {
        if let Some(log) = &mut self.log {
            log.line(self.clock.now().wall, level, text);
        }
    }
}

impl Job<'_> {
    fn carry_out(&self, journal: Journal, diary: &mut Diary) -> Result<Outcome> {
        let program = words::owner(self.options.card);
        let mut asker = Asker::start(self)?;
        let mut told = false;
        loop {
            let runs = match Lock::try_take(&self.options.state_dir, self.options.card, &self.this)? {
                // The owner that was asked has ended meanwhile, and what it did is in the file.
                Ok(lock) if told => {
                    drop(asker);
                    return self.own(journal.locked(lock), diary);
                }
                Ok(lock) => match asker.look(self) {
                    Look::Nobody => {
                        drop(asker);
                        return self.own(journal.locked(lock), diary);
                    }
                    // The lock stays this process's until it ends: a monitor started here meanwhile would be
                    // a second owner.
                    Look::Somebody => Runs::Elsewhere,
                    Look::Across => return Ok(asker.vain(self, &Runs::Elsewhere)),
                    Look::Ended(outcome) => return Ok(outcome),
                },
                Err(holder) => {
                    let doing = holder.doing();
                    Runs::Here(holder, doing)
                }
            };
            if !std::mem::replace(&mut told, true) {
                diary.note(Level::Info, &format!("{program} runs ({runs}): it is asked"));
            }
            loop {
                if let Some(outcome) = asker.ask(self, &runs) {
                    return Ok(outcome);
                }
                // What runs here may end, and is looked for again. From what runs elsewhere no file says what
                // it has done.
                if matches!(runs, Runs::Here(..)) {
                    break;
                }
            }
        }
    }

    /// The state file is read while the log is still at hand: one that cannot be read stops this, and the log
    /// says so.
    fn own(&self, mut journal: Journal, diary: &mut Diary) -> Result<Outcome> {
        let memory = journal.load()?;
        own::carry_out(self, (journal, memory), diary.log.take())
    }

    fn is_over(&self) -> bool {
        self.clock.now().mono >= self.by
    }

    /// Whether an input ends it.
    fn ending(input: Input) -> Option<Cause> {
        match input {
            Input::Terminate(signal) => Some(Cause::Ended(signals::exit_status(signal))),
            Input::Panicked => Some(Cause::Ended(panic::EXIT_STATUS)),
            _ => None,
        }
    }
}
