//! `--set` and `--toggle`: what a key does, without a terminal and with the same guarantee.
//!
//! There is one owner a card. Where none runs on this board, this process is the owner for as long as it
//! takes; where one runs, it is asked through its broker. Either way the command has one id: should the owner
//! change meanwhile, it is done once all the same.

mod ask;
mod own;
mod report;
mod running;
mod why;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, unbounded};

use crate::command::{Answer, Command, Name};
use crate::log::Log;
use crate::settings::{Level, MonitorOptions, SetRequest};
use crate::storage::lock::{Holder, Lock, RunMode};
use crate::storage::state_file::StateFile;
use crate::system::clock::Clock;
use crate::system::random;
use crate::terminal::input::Input;
use crate::terminal::panic;
use crate::terminal::signals::{self, Signals};
use crate::text::words;
use crate::time::Mono;

use ask::{CommandClient, Search};
use running::RunningMonitor;

/// How it ended.
enum SetOutcome {
    /// The owner has answered for the last time.
    Final(Answer),
    /// Before that.
    Short(Short),
}

/// An end before all of it was confirmed.
struct Short {
    cause: Cause,
    reached: SetProgress,
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
enum SetProgress {
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
    asked: &'a SetRequest,
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
pub fn run(
    options: &MonitorOptions,
    asked: &SetRequest,
    state_file: StateFile,
    log: Option<Log>,
) -> Result<u8> {
    let (sender, inputs) = unbounded();
    panic::install_hook(None, sender.clone());
    let _signals = Signals::listen(sender).context("cannot listen to signals")?;
    let clock = Clock::start();
    let this = Holder::this(RunMode::Set, &options.access.url);
    let job = Job {
        options,
        asked,
        command: Command {
            id: Some(random::u64()?),
            by: Name::new(&this.to_string()),
            changes: asked.changes,
        },
        by: clock.now().mono.after(asked.timeout),
        clock,
        inputs,
        this,
    };
    let mut pending_log = PendingLog { log, clock };
    pending_log.note(Level::Info, &words::asks(asked.changes));
    let outcome = job
        .apply(state_file, &mut pending_log)
        .inspect_err(|error| pending_log.note(Level::Error, &format!("{error:#}")))?;
    job.report(&outcome, &mut pending_log)
}

/// The log file until this process is the owner itself, whose log it is from then on.
struct PendingLog {
    log: Option<Log>,
    clock: Clock,
}

impl PendingLog {
    fn note(&mut self, level: Level, text: &str) {
        if let Some(log) = &mut self.log {
            log.line(self.clock.now().wall, level, text);
        }
    }
}

impl Job<'_> {
    fn apply(&self, state_file: StateFile, pending_log: &mut PendingLog) -> Result<SetOutcome> {
        let program = words::owner(self.options.card);
        let mut client = CommandClient::start(self)?;
        let mut told = false;
        loop {
            let runs = match Lock::try_take(&self.options.state_dir, self.options.card, &self.this)? {
                // The owner that was asked has ended meanwhile, and what it did is in the file.
                Ok(lock) if told => {
                    drop(client);
                    return self.own(state_file.locked(lock), pending_log);
                }
                Ok(lock) => match client.search(self) {
                    Search::Nobody => {
                        drop(client);
                        return self.own(state_file.locked(lock), pending_log);
                    }
                    // The lock stays this process's until it ends: a monitor started here meanwhile would be
                    // a second owner.
                    Search::Somebody => RunningMonitor::Elsewhere,
                    Search::Across => return Ok(client.vain(self, &RunningMonitor::Elsewhere)),
                    Search::Ended(outcome) => return Ok(outcome),
                },
                Err(holder) => {
                    let state = holder.state();
                    RunningMonitor::Here(holder, state)
                }
            };
            if !std::mem::replace(&mut told, true) {
                pending_log.note(Level::Info, &format!("{program} runs ({runs}): it is asked"));
            }
            loop {
                if let Some(outcome) = client.ask(self, &runs) {
                    return Ok(outcome);
                }
                // What runs here may end, and is looked for again. From what runs elsewhere no file says what
                // it has done.
                if matches!(runs, RunningMonitor::Here(..)) {
                    break;
                }
            }
        }
    }

    /// The state file is read while the log is still at hand: one that cannot be read stops this, and the log
    /// says so.
    fn own(&self, mut state_file: StateFile, pending_log: &mut PendingLog) -> Result<SetOutcome> {
        let memory = state_file.load()?;
        own::apply(self, (state_file, memory), pending_log.log.take())
    }

    fn is_over(&self) -> bool {
        self.clock.now().mono >= self.by
    }

    /// Whether an input ends it.
    fn exit(input: Input) -> Option<Cause> {
        match input {
            Input::Terminate(signal) => Some(Cause::Ended(signals::exit_status(signal))),
            Input::Panicked => Some(Cause::Ended(panic::EXIT_STATUS)),
            _ => None,
        }
    }
}
