//! The programs without a screen: a line for each change, or one answer.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use crossbeam_channel::unbounded;
use jiff::tz::TimeZone;

use crate::chain::Connection;
use crate::cli::Display;
use crate::programs::exit::{Exit, Reason};
use crate::programs::lines::{self, Lines};
use crate::programs::on_alarm::AlarmWatch;
use crate::programs::printer::Printer;
use crate::programs::runtime::{Runtime, Wakeup};
use crate::pulse;
use crate::settings::AlarmCommand;
use crate::terminal::input::Input;
use crate::terminal::panic;
use crate::terminal::signals::{self, Signals};
use crate::text::words::Times;
use crate::text::zone::Zone;

/// How long a reader may take for the last lines at the end.
const LAST_LINES: Duration = Duration::from_secs(1);

/// A line a change, until a signal or another owner.
pub(super) fn follow(mut runtime: Runtime, json: bool, on_alarm: Option<&AlarmCommand>) -> Result<Exit> {
    let (sender, inputs) = unbounded();
    panic::install_hook(None, sender.clone());
    let _signals = Signals::listen_without_screen(sender.clone()).context("cannot listen to signals")?;
    // Asked while it is there: one that has hung up is no terminal any more.
    let on_terminal = io::stdout().is_terminal();
    let mut watch = AlarmWatch::start(on_alarm, sender.clone())?;
    let printer = Printer::start(sender).context("cannot watch who reads stdout")?;
    let mut lines = Lines::new(json);
    let mut zone = Zone::of_machine();
    let reason = loop {
        if let Some(stop) = watch.as_mut().and_then(|watch| watch.look(&mut runtime)) {
            break Ok(Reason::Stop(stop));
        }
        // While a reader does not read, what is due is what has changed by the time it does.
        if runtime.machine().is_restored() && printer.has_room() {
            let now = runtime.clock().now();
            let times = Times::new(zone.at(now.mono), now.wall);
            let mut text = Vec::new();
            lines.write(&runtime.machine().view(), &times, &mut text)?;
            if !text.is_empty() {
                printer.print(text);
            }
        }
        match runtime.wait(&inputs, None) {
            Wakeup::Other(Input::Terminate(signal)) => {
                break Ok(Reason::Status(signals::exit_status(signal)));
            }
            Wakeup::Other(Input::Panicked) => break Ok(Reason::Status(panic::EXIT_STATUS)),
            Wakeup::Other(Input::HungUp) if on_terminal => {
                break Ok(Reason::Status(signals::hang_up_status()));
            }
            // Whoever read this has had enough.
            Wakeup::Other(Input::HungUp) => break Ok(Reason::Status(0)),
            Wakeup::Other(Input::Printed) => match printer.failure() {
                None => {}
                Some(error) if error.kind() == io::ErrorKind::BrokenPipe => break Ok(Reason::Status(0)),
                Some(error) => break Err(error).context("cannot write to stdout"),
            },
            Wakeup::Other(Input::ReopenLog) => runtime.reopen_log(),
            Wakeup::Taken | Wakeup::Other(_) => {}
            Wakeup::Stop(stop) => break Ok(Reason::Stop(stop)),
            Wakeup::Closed => break ended(),
        }
    };
    drop(watch);
    let left = runtime.leave();
    printer.finish(LAST_LINES);
    Ok(Exit {
        reason: reason?,
        unsaved: left.unsaved,
        warnings: left.warnings,
    })
}

/// `--once`: prints what is known as soon as it is known what is live, or the time is over.
pub(super) fn once(mut runtime: Runtime, options: &Display) -> Result<u8> {
    let (sender, inputs) = unbounded();
    panic::install_hook(None, sender.clone());
    let _signals = Signals::listen_without_screen(sender).context("cannot listen to signals")?;
    let clock = runtime.clock();
    let mut by = clock.now().mono.after(options.timeout);
    let mut restored = false;
    while !lines::is_answered(&runtime.machine().view()) && clock.now().mono < by {
        match runtime.wait(&inputs, Some(clock.until(by))) {
            Wakeup::Other(Input::Terminate(signal)) => return Ok(signals::exit_status(signal)),
            Wakeup::Other(Input::Panicked) => return Ok(panic::EXIT_STATUS),
            Wakeup::Closed => return ended(),
            Wakeup::Taken | Wakeup::Other(_) | Wakeup::Stop(_) => {}
        }
        if runtime.machine().is_restored() && !restored {
            restored = true;
            // Whoever is alive has said so twice by then, also if one of its heartbeats was lost.
            by = by.min(clock.now().mono.after(pulse::TIMEOUT));
        }
    }
    if !runtime.machine().is_restored() {
        let seconds = options.timeout.as_secs_f64();
        let why = match &runtime.machine().chain().connection {
            Connection::Down { why, .. } => why.as_str(),
            Connection::Trying => "the first attempt to connect has not ended",
            Connection::Up { .. } => {
                "it accepts the connection, but what is published on sensors/marker/… does not come back"
            }
        };
        let _ = writeln!(
            io::stderr(),
            "card2_global_display: no answer from {} within {seconds} s: {why}; is the broker running, and is it the right address?",
            runtime.url()
        );
    }
    let view = runtime.machine().view();
    let times = Times::new(TimeZone::system(), clock.now().wall);
    Lines::new(options.json)
        .write(&view, &times, &mut io::stdout().lock())
        .context("cannot write to stdout")?;
    let verdict = lines::verdict(&view);
    runtime.leave();
    Ok(verdict)
}

pub(super) fn ended<T>() -> Result<T> {
    bail!("a thread of this program has ended; start it again")
}
