//! How a command ended: to whoever gave it, and to the log.

use std::io::{self, Write};

use anyhow::{Context, Result};

use super::{Cause, Job, PendingLog, SetOutcome, SetProgress, Short};
use crate::command::{Answer, Change};
use crate::programs::lines;
use crate::settings::Level;
use crate::storage::lock::who_takes_over;
use crate::terminal::signals;
use crate::text::words;

impl Job<'_> {
    /// A line a sensor on stdout; what is not as asked, in one line on stderr.
    pub(super) fn report(&self, outcome: &SetOutcome, pending_log: &mut PendingLog) -> Result<u8> {
        let (answer, why, status) = match outcome {
            SetOutcome::Final(answer) => {
                let why = self.not_as_asked(answer);
                let status = u8::from(why.is_some());
                (Some(answer), why, status)
            }
            SetOutcome::Short(short) => {
                let answer = match &short.reached {
                    SetProgress::Stages(answer) => Some(answer),
                    SetProgress::Nothing | SetProgress::Unknown => None,
                };
                let status = match short.cause {
                    Cause::Ended(status) => status,
                    Cause::Late | Cause::Vain => 1,
                };
                (answer, Some(self.short(short)), status)
            }
        };
        let mut out = io::stdout().lock();
        for (sensor, _) in self.asked.changes.iter() {
            if let Some((state, stage)) = answer.and_then(|answer| answer.get(sensor)) {
                pending_log.note(
                    Level::Info,
                    &format!("{sensor}  {} {}", state.word(), stage.word()),
                );
                writeln!(out, "{}", lines::with_stage(sensor, state, stage))
                    .context("cannot write to stdout")?;
            }
        }
        if let Some(why) = why {
            pending_log.note(Level::Warn, &why);
            let program = words::owner(self.options.card);
            // Not `eprintln!`: it panics where stderr is gone.
            let _ = writeln!(io::stderr(), "{program}: {why}");
        }
        Ok(status)
    }

    fn short(&self, Short { cause, reached, why }: &Short) -> String {
        let when = match cause {
            Cause::Late => format!(" within {} s", self.asked.timeout.as_secs_f64()),
            Cause::Ended(_) => format!(" before {}", self.who_ended_it(*cause)),
            Cause::Vain => String::new(),
        };
        match reached {
            SetProgress::Nothing => format!("not done{when}: {why}"),
            SetProgress::Unknown => format!("no answer{when}, the change may still happen: {why}"),
            SetProgress::Stages(answer) => {
                let sensors = self.asked.changes.iter().map(|(sensor, _)| sensor);
                let stages = sensors.filter_map(|sensor| Some((sensor, answer.get(sensor)?.1.word())));
                let stages: Vec<String> = stages
                    .map(|(sensor, stage)| format!("{sensor} {stage}"))
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

    fn not_as_asked(&self, answer: &Answer) -> Option<String> {
        let strange = |sensor, order| match (order, answer.get(sensor)) {
            (Change::Set(asked), Some((state, _))) if state != asked => Some(format!(
                "{sensor} is {} again: somebody has changed it since",
                state.word()
            )),
            _ => None,
        };
        let all: Vec<String> = self
            .asked
            .changes
            .iter()
            .filter_map(|(sensor, order)| strange(sensor, order))
            .collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}
