//! `--set` and `--toggle`: what a key does, without a terminal and with the same guarantee.
//!
//! There is one owner a card. Where none runs on this board, this process is the owner for as long as it takes; where one runs, it is asked
//! through its broker. Either way the command has one id: should the owner change meanwhile, it is done once all the same.

mod ask;
mod own;

use std::io::{self, Write};

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, unbounded};

use super::cli::{Asked, MonitorOptions};
use super::clock::Clock;
use super::input::Input;
use super::journal::Journal;
use super::lock::{Holder, Lock};
use super::shell::random;
use super::signals::{self, Signals};
use super::terminal::panic;
use super::{lines, words};
use crate::command::{Answer, Command, Name, Order};
use crate::time::Mono;

use ask::Asker;

/// How it ended.
enum Outcome {
    /// The owner has answered for the last time.
    Final(Answer),
    /// The time is over. Why it is not further, and what comes next, in words.
    Late(Option<Answer>, String),
    /// With this exit status.
    Ended(u8),
}

/// What does not change while a command is under way.
struct Job<'a> {
    options: &'a MonitorOptions,
    asked: &'a Asked,
    command: Command,
    clock: Clock,
    by: Mono,
    inputs: Receiver<Input>,
}

/// Does what is asked, and gives the exit status.
///
/// # Errors
/// Names the setting that can never work.
pub fn run(options: &MonitorOptions, asked: &Asked, journal: Journal) -> Result<u8> {
    let (sender, inputs) = unbounded();
    panic::install_hook(None, sender.clone());
    let _signals = Signals::listen(sender).context("cannot listen to signals")?;
    let clock = Clock::start();
    let job = Job {
        options,
        asked,
        command: Command {
            id: Some(u64::from(random()?) << 32 | u64::from(random()?)),
            by: Name::new(&Holder::this().to_string()),
            orders: asked.orders,
        },
        by: clock.now().mono.after(asked.timeout),
        clock,
        inputs,
    };
    let outcome = job.carry_out(journal)?;
    job.report(&outcome)
}

impl Job<'_> {
    fn carry_out(&self, journal: Journal) -> Result<Outcome> {
        let mut asker: Option<Asker> = None;
        loop {
            match Lock::try_take(&self.options.state_dir, self.options.card)? {
                Ok(_lock) => {
                    // The owner that was asked has ended meanwhile, and what it did is in the file.
                    drop(asker);
                    return own::carry_out(self, journal);
                }
                Err(holder) => {
                    let asker = match &mut asker {
                        Some(asker) => asker,
                        None => asker.insert(Asker::start(self)?),
                    };
                    if let Some(outcome) = asker.ask(self, &holder) {
                        return Ok(outcome);
                    }
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        self.clock.now().mono >= self.by
    }

    /// The exit status that an input asks for.
    fn ending(input: Input) -> Option<Outcome> {
        match input {
            Input::Terminate(signal) => Some(Outcome::Ended(signals::exit_status(signal))),
            Input::Panicked => Some(Outcome::Ended(panic::EXIT_STATUS)),
            _ => None,
        }
    }

    /// A line a sensor on stdout; what is not as asked, in one line on stderr.
    fn report(&self, outcome: &Outcome) -> Result<u8> {
        let (answer, why) = match outcome {
            Outcome::Ended(status) => return Ok(*status),
            Outcome::Final(answer) => (Some(answer), self.not_as_asked(answer)),
            Outcome::Late(answer, why) => (answer.as_ref(), Some(self.late(answer.as_ref(), why))),
        };
        let mut out = io::stdout().lock();
        for (sensor, _) in self.asked.orders.iter() {
            if let Some((state, stage)) = answer.and_then(|answer| answer.get(sensor)) {
                writeln!(out, "{}", lines::with_stage(sensor, state, stage))
                    .context("cannot write to stdout")?;
            }
        }
        if let Some(why) = why {
            let program = words::owner(self.options.card);
            // Not `eprintln!`: it panics where stderr is gone.
            let _ = writeln!(io::stderr(), "{program}: {why}");
            return Ok(1);
        }
        Ok(0)
    }

    fn late(&self, answer: Option<&Answer>, why: &str) -> String {
        let seconds = self.asked.timeout.as_secs_f64();
        let reached: Vec<String> = answer
            .into_iter()
            .flat_map(|answer| {
                let sensors = self.asked.orders.iter().map(|(sensor, _)| sensor);
                sensors.filter_map(|sensor| Some(format!("{sensor} {}", answer.get(sensor)?.1.word())))
            })
            .collect();
        if reached.is_empty() {
            format!("not done within {seconds} s: {why}")
        } else {
            format!("not confirmed within {seconds} s ({}): {why}", reached.join(", "))
        }
    }

    fn not_as_asked(&self, answer: &Answer) -> Option<String> {
        let strange = |sensor, order| match (order, answer.get(sensor)) {
            _ if answer.refused.contains(sensor) => Some(format!(
                "{sensor} not changed: somebody has published the highest version there is"
            )),
            (Order::Set(asked), Some((state, _))) if state != asked => Some(format!(
                "{sensor} is {} again: somebody has changed it since",
                state.word()
            )),
            _ => None,
        };
        let all: Vec<String> = self
            .asked
            .orders
            .iter()
            .filter_map(|(sensor, order)| strange(sensor, order))
            .collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}
