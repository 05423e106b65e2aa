//! `--set` and `--toggle`: what a key does, without a terminal and with the same guarantee.
//!
//! There is one owner a card. Where one runs with this state folder, it is asked over its socket, as a screen
//! asks it. Where none runs, this process is the owner for as long as it takes. Either way the command has
//! one id: should the owner change meanwhile, it is done once all the same.

mod own;
mod report;
mod search;

use std::time::Duration;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, unbounded};
use jiff::tz::TimeZone;

use crate::attach::{self, NotAttached, REQUEST_LIVES};
use crate::chain::Connection;
use crate::command::{Answer, Changes, Command, Name};
use crate::log::Log;
use crate::programs::attached::AttachedScreen;
use crate::programs::runtime::{Stop, Wakeup};
use crate::programs::source::Source;
use crate::settings::{Level, MonitorOptions, SetRequest};
use crate::storage::lock::{Holder, Lock, ProcessState, RunMode, who_takes_over};
use crate::storage::state_file::StateFile;
use crate::system::clock::Clock;
use crate::system::random;
use crate::terminal::input::Input;
use crate::terminal::panic;
use crate::terminal::signals::{self, Signals};
use crate::text::words::{self, Times};
use crate::time::Mono;
use crate::ui::controls::Absence;
use crate::view::View;
use crate::wire::Topic;

/// Between two looks whether the owner that has the lock can be asked, or has let go of it.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How it ended.
struct Outcome {
    cause: Cause,
    /// Why it is not further, and what comes next, in words.
    why: String,
}

/// What ended it, or its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// All of it is confirmed.
    Confirmed,
    /// The time is over.
    Late,
    /// A signal or a panic: with this exit status.
    Ended(u8),
    /// The owner that was asked has ended.
    Lost,
    /// This process was the owner, and another one goes on.
    Replaced(Stop),
    /// It cannot come to anything in this way.
    Vain,
}

/// A command that is under way.
struct Job<'a> {
    options: &'a MonitorOptions,
    asked: &'a SetRequest,
    id: u64,
    by: Option<Name>,
    /// What is left to ask for: states in the place of the toggles that an owner has made.
    changes: Changes,
    clock: Clock,
    until: Mono,
    inputs: Receiver<Input>,
    this: Holder,
    /// Until this process is the owner itself, whose log it is from then on.
    log: Option<Log>,
    /// An owner with this state folder has been met.
    has_met_owner: bool,
    /// An owner may have it.
    is_given: bool,
    /// What an owner has said of it last.
    answer: Option<Answer>,
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
    let mut job = Job {
        options,
        asked,
        id: random::u64()?,
        by: Name::new(&this.to_string()),
        changes: asked.changes,
        until: clock.now().mono.after(asked.timeout),
        clock,
        inputs,
        this,
        log,
        has_met_owner: false,
        is_given: false,
        answer: None,
    };
    job.note(Level::Info, &words::asks(asked.changes));
    let outcome = job
        .apply(state_file)
        .inspect_err(|error| job.note(Level::Error, &format!("{error:#}")))?;
    job.report(&outcome)
}

impl Job<'_> {
    fn note(&mut self, level: Level, text: &str) {
        if let Some(log) = &mut self.log {
            log.line(self.clock.now().wall, level, text);
        }
    }

    /// Asks the owner of this state folder, whichever that is at the time, or is it.
    fn apply(&mut self, state_file: StateFile) -> Result<Outcome> {
        let (folder, card) = (&self.options.state_dir, self.options.card);
        let program = words::owner(card);
        loop {
            if let Some(taker) = who_takes_over(folder, card) {
                // It would end this process as well, if that had the lock.
                if let Some(cause) = self.pause() {
                    let why = format!("another {program} ({taker}) is taking over at this moment");
                    return Ok(Outcome { cause, why });
                }
                continue;
            }
            let holder = match Lock::try_take(folder, card, &self.this)? {
                Ok(lock) => return own::apply(self, state_file.locked(lock)),
                Err(holder) => holder,
            };
            let (cause, why) = match AttachedScreen::of(folder, card, self.by)? {
                Ok(mut owner) => {
                    if !std::mem::replace(&mut self.has_met_owner, true) {
                        self.note(Level::Info, &format!("{program} runs ({holder}): it is asked"));
                    }
                    let cause = self.follow(&mut owner)?;
                    let is_last = cause != Cause::Lost;
                    (is_last.then_some(cause), self.why(&owner, &holder))
                }
                Err(why) => {
                    let cause = if why.may_pass() {
                        self.pause()
                    } else {
                        Some(Cause::Vain)
                    };
                    (cause, self.why_not_asked(&holder, &why))
                }
            };
            if let Some(cause) = cause {
                return Ok(Outcome { cause, why });
            }
        }
    }

    /// Gives the command to an owner, and follows how far it gets.
    fn follow(&mut self, owner: &mut impl Source) -> Result<Cause> {
        // What the broker holds is read first. Where that takes too long, the state file has to do, as it
        // does for a key.
        let patience = self.until.since(self.clock.now().mono) / 2;
        let mut give = self.clock.now().mono.after(patience);
        let mut is_given = false;
        loop {
            self.hear(owner.answer(self.id));
            if self.answer.is_some_and(|answer| answer.is_final()) {
                return Ok(Cause::Confirmed);
            }
            let now = self.clock.now().mono;
            if self.is_over() {
                return Ok(Cause::Late);
            }
            if matches!(absence(owner), Some(Absence::Ended { .. })) {
                return Ok(Cause::Lost);
            }
            let waits = owner.answer(self.id).is_none();
            if waits && (now >= give || (!is_given && knows_all(&owner.view()))) {
                (is_given, self.is_given) = (true, true);
                // An owner that was stopped does nothing any more that was asked before that.
                give = now.after(REQUEST_LIVES);
                let (id, by, changes) = (Some(self.id), self.by, self.changes);
                if let Some(stop) = owner.command(Command { id, by, changes }) {
                    return Ok(Cause::Replaced(stop));
                }
                continue;
            }
            let next = if waits { give.min(self.until) } else { self.until };
            match owner.wait(&self.inputs, Some(self.clock.until(next))) {
                Wakeup::Taken => {}
                Wakeup::Other(input) => {
                    if let Some(cause) = exit(input) {
                        return Ok(cause);
                    }
                }
                Wakeup::Stop(stop) => return Ok(Cause::Replaced(stop)),
                Wakeup::Closed => anyhow::bail!(owner.why_closed()),
            }
        }
    }

    fn hear(&mut self, answer: Option<Answer>) {
        if let Some(answer) = answer {
            self.changes = attach::made(&self.changes, &answer);
            self.answer = Some(answer);
        }
    }

    fn is_over(&self) -> bool {
        self.clock.now().mono >= self.until
    }

    /// Waits a moment; gives what ends it meanwhile.
    fn pause(&self) -> Option<Cause> {
        if self.is_over() {
            return Some(Cause::Late);
        }
        self.inputs.recv_timeout(LOOK_AGAIN).ok().and_then(exit)
    }

    /// What an owner waits for.
    fn problems(&self, owner: &impl Source) -> String {
        let times = Times::new(TimeZone::system(), self.clock.now().wall);
        let problems = words::problems(&owner.view(), &owner.url(), &times).into_iter();
        let problems: Vec<String> = problems.map(|[full, ..]| full).collect();
        if problems.is_empty() {
            return "the other board does not have it yet".to_owned();
        }
        problems.join("; ")
    }

    /// Why the owner that was met has not confirmed it, and what comes next.
    fn why(&self, owner: &AttachedScreen, holder: &Holder) -> String {
        let program = words::owner(self.options.card);
        if holder.state() == ProcessState::Stopped {
            return format!("{program} is stopped ({holder}): {}", holder.advice_to_go_on());
        }
        if !self.is_given {
            return format!("{program} runs ({holder}), and was not asked yet");
        }
        if self.answer.is_none() || absence(owner) == Some(Absence::Silent) {
            return format!("{program} does not answer ({holder}): if it hangs, start one with --take-over");
        }
        let next = if holder.run_mode() == RunMode::Set {
            format!("it goes on when {program} runs")
        } else {
            format!("{program} goes on with it by itself ({holder})")
        };
        format!("{}; {next}", self.problems(owner))
    }

    /// Why the owner that has the lock was not asked, and what else can be done.
    fn why_not_asked(&self, holder: &Holder, why: &NotAttached) -> String {
        let (program, topic) = (
            words::owner(self.options.card),
            Topic::Set(self.options.card).name(""),
        );
        let next = match (holder.state(), holder.run_mode()) {
            (ProcessState::Stopped, _) => holder.advice_to_go_on(),
            (_, RunMode::Set) => "retry when that --set or --toggle has ended".to_owned(),
            _ => format!("publish on {topic} instead; if it hangs, start one with --take-over"),
        };
        format!("{program} runs ({holder}) and cannot be asked: {why}; {next}")
    }
}

/// Whether an owner knows all that can be known: its restore has ended, or there is no broker to ask.
fn knows_all(view: &View) -> bool {
    view.is_restored || matches!(view.links.connection, Connection::Down { .. })
}

/// Why an owner in another process does not speak, if so.
fn absence(owner: &impl Source) -> Option<Absence> {
    let (absence, _) = owner.elsewhere()?.absence?;
    Some(absence)
}

/// Whether an input ends it.
fn exit(input: Input) -> Option<Cause> {
    match input {
        Input::Terminate(signal) => Some(Cause::Ended(signals::exit_status(signal))),
        Input::Panicked => Some(Cause::Ended(panic::EXIT_STATUS)),
        _ => None,
    }
}
