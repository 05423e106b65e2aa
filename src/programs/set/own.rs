//! No monitor runs with this state folder: this process owns the card until the toggle is confirmed.

use anyhow::Result;

use super::{Cause, Job, Outcome, search};
use crate::attach::Screens;
use crate::mqtt;
use crate::programs::runtime::{Left, Runtime, Stop};
use crate::storage::state_file::StateFile;
use crate::text::words;

/// Does it, under the card's lock.
pub(super) fn apply(job: &mut Job<'_>, mut state_file: StateFile) -> Result<Outcome> {
    let (folder, card, access) = (&job.options.state_dir, job.options.card, &job.options.access);
    let (url, exposure) = mqtt::permitted(access)?;
    // An owner that has just ended here was the only one.
    if !job.has_met_owner
        && let Some(outcome) = search::elsewhere(job, &url)?
    {
        return Ok(outcome);
    }
    // While the log is still at hand: a file that cannot be read stops this, and the log says so.
    let memory = state_file.load()?;
    let mut runtime = Runtime::monitor(job.options, (state_file, memory), false)?
        .logged(job.log.take())
        .on_screen(false);
    // For those who ask at the same time. Where that cannot be, they wait until this one has ended.
    if let Ok(screens) = Screens::listen(folder, card, job.this.place(), (&access.url, exposure)) {
        runtime = runtime.shared(Ok(screens));
    }
    let followed = job.follow(&mut runtime);
    let problems = job.problems(&runtime);
    // What was under way is finished before anything is said of it.
    let left = runtime.leave();
    job.hear(left.machine.answer(job.id));
    let cause = match followed? {
        _ if job.answer.is_some_and(|answer| answer.is_final()) => Cause::Confirmed,
        cause => cause,
    };
    let why = match cause {
        Cause::Replaced(stop) => goes_on(job, stop),
        _ => problems,
    };
    let why = why_no_further(job, &left, why);
    Ok(Outcome { cause, why })
}

fn why_no_further(job: &Job<'_>, left: &Left, why: String) -> String {
    let program = words::owner(job.options.card);
    let next = match (left.machine.answer(job.id), &left.unsaved) {
        (None, _) if job.is_given => {
            "the one that was asked has ended: check the sensor before you retry".to_owned()
        }
        (None, _) => "nothing was done".to_owned(),
        (Some(_), None) => format!(
            "the change is in the state file in {}, and goes on when {program} runs",
            job.options.state_dir.display()
        ),
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
    let unsaved = left.unsaved.as_ref().filter(|unsaved| !why.contains(*unsaved));
    let unsaved = unsaved.map(|unsaved| format!("not saved: {unsaved}"));
    let parts: Vec<String> = [Some(why), unsaved, Some(next)].into_iter().flatten().collect();
    parts.join("; ")
}

/// That another owner has the card, which this process did not know when it began.
fn goes_on(job: &Job<'_>, stop: Stop) -> String {
    let (card, url) = (job.options.card, &job.options.access.url);
    match stop {
        Stop::Twin | Stop::TakenOver => format!(
            "another {} is connected to {url} and goes on, with another state folder or on another machine",
            words::owner(card)
        ),
        Stop::Across => words::across(card, url),
    }
}
