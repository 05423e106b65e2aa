//! A monitor without a terminal that a service manager runs: it says what happens on stderr, and the manager
//! how it is.

use anyhow::{Context, Result};
use crossbeam_channel::unbounded;

use crate::programs::exit::{Exit, Reason};
use crate::programs::on_alarm::AlarmWatch;
use crate::programs::printed::ended;
use crate::programs::runtime::{Runtime, Wakeup};
use crate::settings::AlarmCommand;
use crate::system::service_manager::ServiceManager;
use crate::terminal::input::Input;
use crate::terminal::panic;
use crate::terminal::signals::{self, Signals};
use crate::text::words;

/// Runs until a signal or another owner ends it.
///
/// It is ready from the start, and does not wait for its broker: its state file has been read and its screens
/// can attach. A board whose broker is away would otherwise never have booted. The status says the rest.
pub(super) fn run(mut runtime: Runtime, on_alarm: Option<&AlarmCommand>) -> Result<Exit> {
    let (sender, inputs) = unbounded();
    panic::install_hook(None, sender.clone());
    let _signals = Signals::listen_without_screen(sender.clone()).context("cannot listen to signals")?;
    let mut watch = AlarmWatch::start(on_alarm, sender)?;
    let clock = runtime.clock();
    let mut manager = ServiceManager::of_environment(clock.now().mono);
    manager.ready();
    let mut url = runtime.url().to_string();
    if let Some(lacks) = runtime.exposure().words() {
        url = format!("{url} ({lacks})");
    }
    let reason = loop {
        if let Some(stop) = watch.as_mut().and_then(|watch| watch.look(&mut runtime)) {
            break Ok(Reason::Stop(stop));
        }
        manager.status(&words::status(&runtime.machine().view(), &url));
        manager.turns(clock.now().mono);
        manager.tell();
        let limit = manager.due().map(|moment| clock.until(moment));
        match runtime.wait(&inputs, limit) {
            Wakeup::Other(Input::Terminate(signal)) => {
                break Ok(Reason::Status(signals::exit_status(signal)));
            }
            Wakeup::Other(Input::Panicked) => break Ok(Reason::Status(panic::EXIT_STATUS)),
            Wakeup::Other(Input::ReopenLog) => runtime.reopen_log(),
            Wakeup::Taken | Wakeup::Other(_) => {}
            Wakeup::Stop(stop) => break Ok(Reason::Stop(stop)),
            Wakeup::Closed => break ended(),
        }
    };
    manager.stopping();
    manager.tell();
    drop(watch);
    let left = runtime.leave();
    Ok(Exit {
        reason: reason?,
        unsaved: left.unsaved,
        warnings: left.warnings,
    })
}
