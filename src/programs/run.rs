//! The three programs, from their options to their exit status.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::attach::{NotAttached, Screens};
use crate::cli::{self, Card1, Card2, Display, Unusable};
use crate::log::{self, Log};
use crate::machine::Role;
use crate::mqtt::{self, BrokerUrl, Exposure};
use crate::programs::attached::AttachedScreen;
use crate::programs::check;
use crate::programs::exit::Reason;
use crate::programs::lines;
use crate::programs::printed;
use crate::programs::runtime::Runtime;
use crate::programs::screen;
use crate::programs::service;
use crate::programs::set;
use crate::sensor::Card;
use crate::settings::{BrokerAccess, Level, MonitorOptions};
use crate::storage::lock::{Holder, Lock, RunMode, wait_briefly};
use crate::storage::state_file::StateFile;
use crate::system::clock::Clock;
use crate::terminal::panic;
use crate::text::words;
use crate::time::Mono;
use crate::ui::view;

/// `card1_monitor`.
#[must_use]
pub fn card1_monitor() -> ExitCode {
    let (options, warnings) = cli::parse::<Card1>();
    let is_service = options.is_service();
    say_warnings(words::owner(Card::One), is_service, &warnings);
    if let Some(asked) = options.check() {
        return finish(words::owner(Card::One), false, check::run(&asked), check::FAILED);
    }
    let ended = options.options().and_then(|options| monitor(&options));
    finish(words::owner(Card::One), is_service, ended, STOPPED)
}

/// `card2_monitor`.
#[must_use]
pub fn card2_monitor() -> ExitCode {
    let (options, warnings) = cli::parse::<Card2>();
    let is_service = options.is_service();
    say_warnings(words::owner(Card::Two), is_service, &warnings);
    if let Some(asked) = options.check() {
        return finish(words::owner(Card::Two), false, check::run(&asked), check::FAILED);
    }
    let ended = options.options().and_then(|options| monitor(&options));
    finish(words::owner(Card::Two), is_service, ended, STOPPED)
}

/// `card2_global_display`.
#[must_use]
pub fn card2_global_display() -> ExitCode {
    let (options, warnings) = cli::parse::<Display>();
    say_warnings(words::program(Role::Display), false, &warnings);
    if let Some(asked) = options.check() {
        return finish(
            words::program(Role::Display),
            false,
            check::run(&asked),
            check::FAILED,
        );
    }
    // Monitoring takes 0 and 1 for "all OK": whatever keeps this from saying the states is "unknown".
    let stopped = if options.once { lines::UNKNOWN } else { STOPPED };
    finish(words::program(Role::Display), false, display(&options), stopped)
}

/// Says what is strange in the files of settings: before there is a screen, on stderr, which a service has
/// for its log.
fn say_warnings(program: &'static str, is_service: bool, warnings: &[String]) {
    for text in warnings {
        log::say(program, is_service, Level::Warn, text);
    }
}

/// The exit status of a program that something has stopped.
const STOPPED: u8 = 1;

/// The exit status, `stopped` for what stopped the program; for that, one line on stderr.
fn finish(program: &'static str, is_service: bool, ended: Result<u8>, stopped: u8) -> ExitCode {
    match ended {
        _ if panic::panicked() => ExitCode::from(panic::EXIT_STATUS),
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            log::say(program, is_service, Level::Error, &format!("{error:#}"));
            let unusable =
                error.is::<mqtt::BadUrl>() || error.is::<mqtt::NotPermitted>() || error.is::<Unusable>();
            ExitCode::from(if unusable { 2 } else { stopped })
        }
    }
}

fn monitor(options: &MonitorOptions) -> Result<u8> {
    // First, so that a mistyped address leaves no folder and no file behind.
    options.access.url.parse::<BrokerUrl>()?;
    // A screen of an owner that runs needs no broker. Without a state folder none runs, and one that is to be
    // taken over from must not end for nothing.
    if options.take_over || !options.state_dir.exists() {
        can_own(&options.access)?;
    }
    // Before anything that has an effect: whoever asks for a log wants to read there what was done. But a
    // screen of an owner that runs leaves the log to that one, which may be the only one who may write it.
    let may_attach = options.asked.is_none()
        && !options.is_service
        && !options.take_over
        && is_screen()
        && options.state_dir.exists();
    let mut log = if may_attach { None } else { open_log(options)? };
    let state_file = StateFile::open(&options.state_dir, options.card)?;
    if let Some(asked) = &options.asked {
        return set::run(options, asked, state_file, log);
    }
    let run_mode = if options.is_service {
        RunMode::Service
    } else if has_screen() {
        RunMode::Screen
    } else {
        RunMode::Lines
    };
    let has_screen = run_mode == RunMode::Screen;
    let this = Holder::this(run_mode, &options.access.url);
    let lock = loop {
        let mut owner = match own_or_attach(options, &this, has_screen)? {
            Ok(lock) => break lock,
            Err(owner) => owner,
        };
        let terminal = screen::open_terminal(options.screen)?;
        let on_alarm = options.on_alarm.as_ref();
        match screen::watch(&terminal, &mut owner, options.screen, on_alarm)? {
            Reason::Own => {}
            Reason::Status(status) => return Ok(status),
            Reason::Stop(_) => return Ok(STOPPED),
        }
    };
    if may_attach {
        log = open_log(options)?;
    }
    // Before anything is read, made or set aside.
    let exposure = can_own(&options.access)?;
    let mut state_file = state_file.locked(lock);
    // Before there is a screen: a file that cannot be read stops the program.
    let memory = state_file.load()?;
    let terminal = has_screen
        .then(|| screen::open_terminal(options.screen))
        .transpose()?;
    let screens = Screens::listen(
        &options.state_dir,
        options.card,
        this.place(),
        (&options.access.url, exposure),
    );
    let runtime = Runtime::monitor(options, (state_file, memory), options.take_over)?
        .logged(log)
        .on_screen(terminal.is_some())
        .shared(screens);
    let on_alarm = options.on_alarm.as_ref();
    let exit = match &terminal {
        Some(terminal) => screen::run(terminal, runtime, options.screen, on_alarm)?,
        None if options.is_service => service::run(runtime, on_alarm)?,
        None => printed::follow(runtime, false, on_alarm)?,
    };
    exit.of_monitor(options)
}

/// The log of an owner, or of `--set`.
fn open_log(options: &MonitorOptions) -> Result<Option<Log>> {
    let program = words::owner(options.card);
    if options.is_service {
        return Ok(Some(Log::of_service(program, &options.logging)));
    }
    Log::open(program, &options.logging, options.asked.is_none() && is_screen())
}

/// Whether the broker may be spoken to as the settings say; gives what the connection lacks.
fn can_own(access: &BrokerAccess) -> Result<Exposure> {
    let (_, exposure) = mqtt::permitted(access)?;
    access.credentials()?;
    Ok(exposure)
}

/// The card's lock; or a screen of who has it.
fn own_or_attach(
    options: &MonitorOptions,
    this: &Holder,
    has_screen: bool,
) -> Result<Result<Lock, AttachedScreen>> {
    let program = words::owner(options.card);
    let waits = |text: &str| log::say(program, options.is_service, Level::Info, text);
    let clock = Clock::start();
    loop {
        let taken = Lock::take(&options.state_dir, options.card, this, options.take_over, waits)?;
        let holder = match taken {
            Ok(lock) => return Ok(Ok(lock)),
            Err(holder) => holder,
        };
        let in_the_way = holder.in_the_way(program, this);
        ensure!(has_screen, in_the_way);
        match AttachedScreen::of(&options.state_dir, options.card, options.screen.operator)? {
            Ok(owner) => return Ok(Err(owner)),
            // It has just been started, or its folder was moved and is being made again; or it is ending.
            Err(NotAttached::Nobody(_)) if clock.now().mono < Mono::ZERO.after(BEGIN) => {
                wait_briefly();
            }
            Err(why) => bail!("{in_the_way}; a screen of it cannot be shown: {why}"),
        }
    }
}

/// How long an owner that holds its lock may take until it listens.
const BEGIN: Duration = Duration::from_secs(2);

fn display(options: &Display) -> Result<u8> {
    let on_screen = !options.once && !options.json && is_screen();
    // First: an address that cannot be used leaves no log behind, and no unreadable file hides it.
    let access = options.access();
    mqtt::permitted(&access)?;
    let log = Log::open(words::program(Role::Display), &options.logging(), on_screen)?;
    let settings = options.screen.settings();
    let terminal = (!options.once && !options.json && has_screen())
        .then(|| screen::open_terminal(settings))
        .transpose()?;
    let runtime = Runtime::display(&access)?
        .logged(log)
        .on_screen(terminal.is_some());
    if options.once {
        return printed::once(runtime, options);
    }
    let on_alarm = options.alarms.clone().command();
    let exit = match &terminal {
        Some(terminal) => screen::run(terminal, runtime, settings, on_alarm.as_ref())?,
        None => printed::follow(runtime, options.json, on_alarm.as_ref())?,
    };
    Ok(exit.status())
}

/// Whether stdout is a terminal that can do more than lines.
fn is_screen() -> bool {
    io::stdout().is_terminal() && !view::is_dumb()
}

/// The same; says so of a terminal that cannot.
fn has_screen() -> bool {
    let screen = is_screen();
    if !screen && io::stdout().is_terminal() {
        let _ = writeln!(
            io::stderr(),
            "TERM says that this terminal shows lines only: there are no keys; Ctrl-C ends"
        );
    }
    screen
}
