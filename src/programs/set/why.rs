//! Why a monitor that was asked has not confirmed, and what to do: in words that are true for where it runs.

use super::ask::{CommandClient, OwnerLocation};
use super::running::RunningMonitor;
use super::{Cause, Job, SetOutcome};
use crate::storage::lock::{Holder, ProcessState, RunMode};
use crate::text::words;

impl CommandClient {
    /// Nobody at this broker can do it.
    pub(super) fn vain(&self, job: &Job<'_>, runs: &RunningMonitor) -> SetOutcome {
        self.short(Cause::Vain, self.across(job, runs))
    }

    /// The time is over.
    pub(super) fn why(&self, job: &Job<'_>, runs: &RunningMonitor) -> String {
        let program = words::owner(job.options.card);
        match self.state() {
            (Some(problem), None) if self.is_unasked() => {
                format!("{problem}; {program} runs ({runs}): {}", runs.other_way())
            }
            (Some(problem), None) => {
                format!("{problem}; {program} runs ({runs}) and may still make the change: check it there")
            }
            (None, None) => match (runs, self.place(job.clock.now().mono)) {
                (_, OwnerLocation::Across) => self.across(job, runs),
                (RunningMonitor::Here(holder, then), place) => self.silent(program, holder, *then, place),
                (RunningMonitor::Elsewhere, OwnerLocation::Silent) => format!(
                    "{program} was heard ({runs}) and is silent now: if it has ended, it makes the change when it is back; check it there"
                ),
                (RunningMonitor::Elsewhere, _) => {
                    format!(
                        "{program} runs and does not answer ({runs}): it may still make the change; check it there"
                    )
                }
            },
            (_, Some(_)) => self.left(job, runs),
        }
    }

    /// What becomes of it without this process.
    pub(super) fn left(&self, job: &Job<'_>, runs: &RunningMonitor) -> String {
        let program = words::owner(job.options.card);
        if self.state().1.is_some() {
            self.goes_on(job, runs)
        } else if self.is_unasked() {
            format!("{program} runs ({runs}), and was not asked yet")
        } else {
            format!("{program} runs ({runs}) and may still make the change: check it there")
        }
    }

    /// It has answered, and not for the last time.
    fn goes_on(&self, job: &Job<'_>, runs: &RunningMonitor) -> String {
        let program = words::owner(job.options.card);
        let silent = self.place(job.clock.now().mono) == OwnerLocation::Silent;
        match runs {
            RunningMonitor::Here(holder, _) if holder.state() == ProcessState::Stopped => {
                format!("{program} is stopped ({holder}): {}", holder.advice_to_go_on())
            }
            RunningMonitor::Elsewhere if silent => {
                format!("{program} was heard ({runs}) and is silent now: check it there before you retry")
            }
            _ => format!("{program} goes on with it by itself ({runs}), and shows there what it waits for"),
        }
    }

    fn across(&self, job: &Job<'_>, runs: &RunningMonitor) -> String {
        let card = job.options.card;
        let broker = match runs {
            RunningMonitor::Here(holder, _) => holder.broker().map(str::to_owned),
            RunningMonitor::Elsewhere => None,
        };
        format!(
            "{}; retry with --broker {}",
            words::across(card, &self.url()),
            broker.unwrap_or_else(|| format!("and the address of broker {}", card.number()))
        )
    }

    /// It runs on this machine, and nothing comes from it.
    fn silent(&self, program: &str, holder: &Holder, then: ProcessState, place: OwnerLocation) -> String {
        let next = holder.advice_to_go_on();
        match (holder.state(), place, holder.broker()) {
            (ProcessState::Stopped, ..) => {
                format!("{program} is stopped ({holder}): {next}, and it makes the change")
            }
            (ProcessState::Elsewhere, ..) if then != ProcessState::Elsewhere => format!(
                "{program} has just ended ({holder}): the one that runs next may still make the change; check the sensor before you retry"
            ),
            (ProcessState::Elsewhere, ..) => format!(
                "{program} does not answer, and is not a process of this machine or container ({holder}): check it where it runs"
            ),
            (ProcessState::Runs, ..) if holder.run_mode() == RunMode::Set => format!(
                "another {program} --set or --toggle has the card at this moment ({holder}): it, or the monitor that runs next, may still make the change; check the sensor before you retry"
            ),
            (ProcessState::Runs, OwnerLocation::Silent, Some(broker)) if broker != self.url() => {
                format!(
                    "{program} runs ({holder}) with --broker {broker}, and is not heard at {}: retry with --broker {broker}",
                    self.url()
                )
            }
            (ProcessState::Runs, OwnerLocation::Silent | OwnerLocation::Unknown, _) => format!(
                "{program} runs and does not answer ({holder}): it may still make the change; check it there; if it hangs, start one with --take-over"
            ),
            (ProcessState::Runs, ..) => {
                format!(
                    "{program} runs and does not answer ({holder}): it may still make the change; check it there"
                )
            }
        }
    }
}
