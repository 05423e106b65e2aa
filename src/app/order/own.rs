//! No monitor runs on this board: this process owns the card until the toggle is confirmed.

use anyhow::Result;
use jiff::tz::TimeZone;

use super::{Job, Outcome};
use crate::app::ending::stopped;
use crate::app::journal::Journal;
use crate::app::log::Log;
use crate::app::shell::{Happening, Shell};
use crate::app::words::{self, Times};
use crate::chain::Connection;
use crate::machine::Event;

pub(super) fn carry_out(job: &Job<'_>, journal: Journal, log: Option<Log>) -> Result<Outcome> {
    let mut shell = Shell::monitor(job.options.card, &job.options.entrance, journal, false)?.logged(log);
    let ended = follow(job, &mut shell);
    shell.leave();
    ended
}

fn follow(job: &Job<'_>, shell: &mut Shell) -> Result<Outcome> {
    let id = job.command.id.unwrap_or_default();
    // What the broker holds is read first. Where that takes too long, the state file has to do, as it does for a key.
    let patience = job.by.since(job.clock.now().mono) / 2;
    let at_the_latest = job.clock.now().mono.after(patience);
    let mut given = false;
    loop {
        if !given && (is_time(shell) || job.clock.now().mono >= at_the_latest) {
            given = true;
            shell.feed(Event::Command(Box::new(job.command)));
        }
        let answer = shell.machine().answer(id);
        if let Some(answer) = answer.filter(crate::command::Answer::is_final) {
            return Ok(Outcome::Final(answer));
        }
        if job.is_over() {
            return Ok(Outcome::Late(answer, why(job, shell)));
        }
        let next = if given { job.by } else { at_the_latest };
        match shell.wait(&job.inputs, Some(job.clock.until(next))) {
            Happening::Taken => {}
            Happening::Other(input) => {
                if let Some(outcome) = Job::ending(input) {
                    return Ok(outcome);
                }
            }
            Happening::Stop(stop) => {
                return stopped(stop, job.options.card, &job.options.entrance.url, "KEPT");
            }
            Happening::Closed => anyhow::bail!("a thread of this program has ended; start it again"),
        }
    }
}

/// Whether all that can be known is known: the gate has closed, or there is no broker to ask.
fn is_time(shell: &Shell) -> bool {
    let machine = shell.machine();
    let away = matches!(&machine.chain().connection, Connection::Down { .. });
    machine.is_restored() || away
}

fn why(job: &Job<'_>, shell: &Shell) -> String {
    let machine = shell.machine();
    let times = Times::new(TimeZone::system(), job.clock.now().wall);
    let mut why = words::troubles(machine, &shell.url().to_string(), &times);
    if why.is_empty() {
        why.push("the other board has not shown it yet".to_owned());
    }
    let next = if machine.disk_failure().is_some() {
        "mend that, and ask again".to_owned()
    } else {
        format!(
            "it is in the state file in {}, and goes on when {} runs",
            job.options.state_dir.display(),
            words::owner(job.options.card)
        )
    };
    format!("{}; {next}", why.join("; "))
}
