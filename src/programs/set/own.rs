//! No monitor runs on this board: this process owns the card until the toggle is confirmed.

use std::result::Result as Read;

use anyhow::Result;
use jiff::tz::TimeZone;

use super::{Cause, Job, SetOutcome, SetProgress, Short};
use crate::chain::Connection;
use crate::log::Log;
use crate::machine::Event;
use crate::owner::Memory;
use crate::programs::runtime::{Left, Runtime, Stop, Wakeup};
use crate::storage::state_file::StateFile;
use crate::text::words::{self, Times};

pub(super) fn apply(
    job: &Job<'_>,
    file: (StateFile, Read<Memory, String>),
    log: Option<Log>,
) -> Result<SetOutcome> {
    let mut runtime = Runtime::monitor(job.options, file, false)?.logged(log);
    let followed = follow(job, &mut runtime);
    // What was under way is finished before anything is said of it.
    let left = runtime.leave();
    let Some((cause, why)) = followed? else {
        return Ok(left.machine.answer(id(job)).map_or_else(
            || short(job, Cause::Vain, String::new(), &left),
            SetOutcome::Final,
        ));
    };
    Ok(short(job, cause, why, &left))
}

fn id(job: &Job<'_>) -> u64 {
    job.command.id.unwrap_or_default()
}

fn short(job: &Job<'_>, cause: Cause, why: String, left: &Left) -> SetOutcome {
    let answer = left.machine.answer(id(job));
    if let Some(answer) = answer.filter(crate::command::Answer::is_final) {
        return SetOutcome::Final(answer);
    }
    let program = words::owner(job.options.card);
    let folder = job.options.state_dir.display();
    let next = match (answer, &left.unsaved) {
        (None, _) => "nothing was done".to_owned(),
        (Some(_), None) => {
            format!("the change is in the state file in {folder}, and goes on when {program} runs")
        }
        (Some(_), Some(_)) if left.machine.is_delivered(job.asked.changes.sensors()) => {
            format!(
                "at the broker, not in the state file: fix the disk, then start {program}, which restores it from the broker"
            )
        }
        (Some(_), Some(_)) if left.machine.is_restored() => {
            format!(
                "not in the state file, possibly at the broker: fix the disk, check what {program} shows, then retry"
            )
        }
        (Some(_), Some(_)) => {
            "neither at the broker nor in the state file: fix the disk, then retry".to_owned()
        }
    };
    let reached = answer.map_or(SetProgress::Nothing, SetProgress::Stages);
    let unsaved = left.unsaved.as_ref().filter(|unsaved| !why.contains(*unsaved));
    let unsaved = unsaved.map(|unsaved| format!("not saved: {unsaved}"));
    let parts = [Some(why), unsaved, Some(next)].into_iter().flatten();
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    SetOutcome::Short(Short {
        cause,
        reached,
        why: parts.join("; "),
    })
}

/// `None`: all of it is confirmed. Otherwise what ended it before, and why it was not further then.
fn follow(job: &Job<'_>, runtime: &mut Runtime) -> Result<Option<(Cause, String)>> {
    // What the broker holds is read first. Where that takes too long, the state file has to do, as it does
    // for a key.
    let patience = job.by.since(job.clock.now().mono) / 2;
    let at_the_latest = job.clock.now().mono.after(patience);
    let mut given = false;
    loop {
        if !given && (is_time(runtime) || job.clock.now().mono >= at_the_latest) {
            given = true;
            runtime.feed(Event::Command(Box::new(job.command)));
        }
        let answer = runtime.machine().answer(id(job));
        if answer.is_some_and(|answer| answer.is_final()) {
            return Ok(None);
        }
        if job.is_over() {
            return Ok(Some((Cause::Late, why(job, runtime))));
        }
        let next = if given { job.by } else { at_the_latest };
        match runtime.wait(&job.inputs, Some(job.clock.until(next))) {
            Wakeup::Taken => {}
            Wakeup::Other(input) => {
                if let Some(cause) = Job::exit(input) {
                    return Ok(Some((cause, problems(job, runtime).join("; "))));
                }
            }
            Wakeup::Stop(stop) => {
                return Ok(Some((Cause::Vain, goes_on(stop, job))));
            }
            Wakeup::Closed => anyhow::bail!("a thread of this program has ended; start it again"),
        }
    }
}

/// That another owner has the card, which this process did not know when it began.
fn goes_on(stop: Stop, job: &Job<'_>) -> String {
    let (program, url) = (words::owner(job.options.card), &job.options.access.url);
    match stop {
        Stop::Twin | Stop::TakenOver => format!(
            "another {program} is connected to {url} and goes on, with another state folder or on another machine"
        ),
        Stop::Across => words::across(job.options.card, url),
    }
}

/// Whether all that can be known is known: the restore has ended, or there is no broker to ask.
fn is_time(runtime: &Runtime) -> bool {
    let machine = runtime.machine();
    let away = matches!(&machine.chain().connection, Connection::Down { .. });
    machine.is_restored() || away
}

fn problems(job: &Job<'_>, runtime: &Runtime) -> Vec<String> {
    let times = Times::new(TimeZone::system(), job.clock.now().wall);
    let all = words::problems(&runtime.machine().view(), &runtime.url().to_string(), &times).into_iter();
    all.map(|[full, ..]| full).collect()
}

fn why(job: &Job<'_>, runtime: &Runtime) -> String {
    let why = problems(job, runtime);
    if why.is_empty() {
        return "the other board does not have it yet".to_owned();
    }
    why.join("; ")
}
