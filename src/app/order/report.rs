//! How a command ended: to whoever gave it, and to the log.

use std::io::{self, Write};

use anyhow::{Context, Result};

use super::{Diary, Job, Outcome};
use crate::app::cli::Level;
use crate::app::{lines, words};
use crate::command::{Answer, Order};

impl Job<'_> {
    /// A line a sensor on stdout; what is not as asked, in one line on stderr.
    pub(super) fn report(&self, outcome: &Outcome, diary: &mut Diary) -> Result<u8> {
        let (answer, why) = match outcome {
            Outcome::Ended(status) => return Ok(*status),
            Outcome::Final(answer) => (Some(answer), self.not_as_asked(answer)),
            Outcome::Late(answer, why) => (answer.as_ref(), Some(self.late(answer.as_ref(), why))),
        };
        let mut out = io::stdout().lock();
        for (sensor, _) in self.asked.orders.iter() {
            if let Some((state, stage)) = answer.and_then(|answer| answer.get(sensor)) {
                diary.note(
                    Level::Info,
                    &format!("{sensor}  {} {}", state.word(), stage.word()),
                );
                writeln!(out, "{}", lines::with_stage(sensor, state, stage))
                    .context("cannot write to stdout")?;
            }
        }
        if let Some(why) = why {
            diary.note(Level::Warn, &why);
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
