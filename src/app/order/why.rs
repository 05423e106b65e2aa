//! Why a monitor that was asked has not confirmed, and what to do: in words that are true for where it runs.

use std::fmt;
use std::time::Duration;

use super::ask::{Asker, Place};
use super::{Cause, Job, Outcome};
use crate::app::lock::{Doing, Holder, Way};
use crate::app::words;
use crate::sensor::Card;

/// The monitor that is asked.
pub(super) enum Runs {
    /// With the same state folder; and what it did when its lock was met.
    Here(Holder, Doing),
    /// With another one, or on another machine: no lock tells of it, its heartbeats do.
    Elsewhere,
}

/// It could not be found out in time whether somebody owns the card.
pub(super) fn no_time(card: Card, look: Duration) -> String {
    format!(
        "only after {} s without its heartbeat is it known that no {} runs elsewhere; nothing was done, allow more with --timeout",
        look.as_secs(),
        words::owner(card)
    )
}

impl Asker {
    /// Nobody at this broker can do it.
    pub(super) fn vain(&self, job: &Job<'_>, runs: &Runs) -> Outcome {
        self.short(Cause::Vain, self.across(job, runs))
    }

    /// The time is over.
    pub(super) fn why(&self, job: &Job<'_>, runs: &Runs) -> String {
        let program = words::owner(job.options.card);
        match self.state() {
            (Some(trouble), None) if self.is_unasked() => {
                format!("{trouble}; {program} runs ({runs}): {}", runs.other_way())
            }
            (Some(trouble), None) => {
                format!("{trouble}; {program} runs ({runs}) and may still do it: look there")
            }
            (None, None) => match (runs, self.place(job.clock.now().mono)) {
                (_, Place::Across) => self.across(job, runs),
                (Runs::Here(holder, then), place) => self.silent(program, holder, *then, place),
                (Runs::Elsewhere, Place::Silent) => format!(
                    "{program} was heard ({runs}), and is not any more: if it has ended, it does it when it is back; look there"
                ),
                (Runs::Elsewhere, _) => {
                    format!("{program} runs and does not answer ({runs}): it may still do it; look there")
                }
            },
            (_, Some(_)) => self.left(job, runs),
        }
    }

    /// What becomes of it without this process.
    pub(super) fn left(&self, job: &Job<'_>, runs: &Runs) -> String {
        let program = words::owner(job.options.card);
        if self.state().1.is_some() {
            self.goes_on(job, runs)
        } else if self.is_unasked() {
            format!("{program} runs ({runs}), and was not asked yet")
        } else {
            format!("{program} runs ({runs}) and may still do it: look there")
        }
    }

    /// It has answered, and not for the last time.
    fn goes_on(&self, job: &Job<'_>, runs: &Runs) -> String {
        let program = words::owner(job.options.card);
        let silent = self.place(job.clock.now().mono) == Place::Silent;
        match runs {
            Runs::Here(holder, _) if holder.doing() == Doing::Stopped => {
                format!("{program} is stopped ({holder}): {}", holder.advice_to_go_on())
            }
            Runs::Elsewhere if silent => {
                format!("{program} was heard ({runs}), and is not any more: look there before you ask again")
            }
            _ => format!("{program} goes on with it by itself ({runs}), and says there what it waits for"),
        }
    }

    fn across(&self, job: &Job<'_>, runs: &Runs) -> String {
        let card = job.options.card;
        let broker = match runs {
            Runs::Here(holder, _) => holder.broker().map(str::to_owned),
            Runs::Elsewhere => None,
        };
        format!(
            "{}; ask again with --broker {}",
            words::across(card, &self.url()),
            broker.unwrap_or_else(|| format!("and the address of broker {}", card.number()))
        )
    }

    /// It runs on this machine, and nothing comes from it.
    fn silent(&self, program: &str, holder: &Holder, then: Doing, place: Place) -> String {
        let next = holder.advice_to_go_on();
        match (holder.doing(), place, holder.broker()) {
            (Doing::Stopped, ..) => format!("{program} is stopped ({holder}): {next}, and it does it"),
            (Doing::Elsewhere, ..) if then != Doing::Elsewhere => format!(
                "{program} has just ended ({holder}): the one that runs next may still do it; look at the sensor before you ask again"
            ),
            (Doing::Elsewhere, ..) => format!(
                "{program} does not answer, and is no process of this machine or container ({holder}): look where it runs"
            ),
            (Doing::Runs, ..) if holder.way() == Way::Order => format!(
                "another {program} --set or --toggle has the card at this moment ({holder}): it, or the monitor that runs next, may still do it; look at the sensor before you ask again"
            ),
            (Doing::Runs, Place::Silent, Some(broker)) if broker != self.url() => format!(
                "{program} runs ({holder}) with --broker {broker}, and is not heard at {}: ask again with --broker {broker}",
                self.url()
            ),
            (Doing::Runs, Place::Silent | Place::Unknown, _) => format!(
                "{program} runs and does not answer ({holder}): it may still do it; look there; if it hangs, start one with --take-over"
            ),
            (Doing::Runs, ..) => {
                format!("{program} runs and does not answer ({holder}): it may still do it; look there")
            }
        }
    }
}

impl Runs {
    /// How it can be done where the broker is away.
    fn other_way(&self) -> &'static str {
        match self {
            Self::Here(holder, _) if holder.way() == Way::Screen => "press the key there",
            _ => "ask again when the broker is back",
        }
    }
}

impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(holder, _) => holder.fmt(f),
            Self::Elsewhere => f.write_str("with another state folder or on another machine"),
        }
    }
}
