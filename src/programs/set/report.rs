//! How a command ended: to whoever gave it, and to the log.

use std::io::{self, Write};

use anyhow::{Context, Result};

use super::{Cause, Job, Outcome};
use crate::command::Change;
use crate::programs::lines;
use crate::settings::Level;
use crate::storage::lock::who_takes_over;
use crate::terminal::signals;
use crate::text::words;

impl Job<'_> {
    /// A line a sensor on stdout; what is not as asked, in one line on stderr. Gives the exit status.
    pub(super) fn report(&mut self, outcome: &Outcome) -> Result<u8> {
        let (why, status) = match outcome.cause {
            Cause::Confirmed => {
                let why = self.not_as_asked();
                let status = u8::from(why.is_some());
                (why, status)
            }
            Cause::Ended(status) => (Some(self.short(outcome)), status),
            _ => (Some(self.short(outcome)), 1),
        };
        let mut out = io::stdout().lock();
        for (sensor, (state, stage)) in self.answer.iter().flat_map(|answer| answer.reached.iter()) {
            let text = format!("{sensor}  {} {}", state.word(), stage.word());
            if let Some(log) = &mut self.log {
                log.line(self.clock.now().wall, Level::Info, &text);
            }
            writeln!(out, "{}", lines::with_stage(sensor, state, stage)).context("cannot write to stdout")?;
        }
        if let Some(why) = why {
            self.note(Level::Warn, &why);
            let program = words::owner(self.options.card);
            // Not `eprintln!`: it panics where stderr is gone.
            let _ = writeln!(io::stderr(), "{program}: {why}");
        }
        Ok(status)
    }

    fn short(&self, Outcome { cause, why }: &Outcome) -> String {
        let when = match cause {
            Cause::Late => format!(" within {} s", self.asked.timeout.as_secs_f64()),
            Cause::Ended(_) => format!(" before {}", self.who_ended_it(*cause)),
            _ => String::new(),
        };
        match &self.answer {
            None if self.is_given => format!("no answer{when}, the change may still happen: {why}"),
            None => format!("not done{when}: {why}"),
            Some(answer) => {
                let stages = answer.reached.iter();
                let stages: Vec<String> = stages
                    .map(|(sensor, (_, stage))| format!("{sensor} {}", stage.word()))
                    .collect();
                format!("not confirmed{when} ({}): {why}", stages.join(", "))
            }
        }
    }

    fn who_ended_it(&self, cause: Cause) -> String {
        let told_to_end = cause == Cause::Ended(signals::exit_status(signal_hook::consts::SIGTERM));
        let taker = told_to_end
            .then(|| who_takes_over(&self.options.state_dir, self.options.card))
            .flatten();
        match taker {
            Some(taker) => format!("another {} ({taker}) took over", words::owner(self.options.card)),
            None => "a signal ended this".to_owned(),
        }
    }

    fn not_as_asked(&self) -> Option<String> {
        let answer = self.answer?;
        let strange = |(sensor, change)| match (change, answer.get(sensor)) {
            (Change::Set(asked), Some((state, _))) if state != asked => Some(format!(
                "{sensor} is {} again: somebody has changed it since",
                state.word()
            )),
            _ => None,
        };
        let all: Vec<String> = self.asked.changes.iter().filter_map(strange).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}
