//! The three programs, from their options to their exit status.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use crossbeam_channel::{Receiver, Sender, unbounded};
use jiff::tz::TimeZone;

use super::broker::BrokerUrl;
use super::cli::{Card1, Card2, Display, MonitorOptions};
use super::input::Input;
use super::journal::Journal;
use super::keys::{KeyCode, KeyEvent, KeyModifiers, Keys};
use super::lock::Lock;
use super::painter::Painter;
use super::printed;
use super::shell::{Happening, Shell, Stop};
use super::signals::{self, Signals};
use super::terminal::{Terminal, panic};
use super::view::{self, Look, Picture};
use super::words::{self, Times};
use crate::machine::{Event, Role};
use crate::sensor::SensorId;

/// `card1_monitor`.
#[must_use]
pub fn card1_monitor() -> ExitCode {
    let options = Card1::parse();
    finish(
        "card1_monitor",
        options.options().and_then(|options| monitor(&options)),
    )
}

/// `card2_monitor`.
#[must_use]
pub fn card2_monitor() -> ExitCode {
    let options = Card2::parse();
    finish(
        "card2_monitor",
        options.options().and_then(|options| monitor(&options)),
    )
}

/// `card2_global_display`.
#[must_use]
pub fn card2_global_display() -> ExitCode {
    finish("card2_global_display", display(&Display::parse()))
}

/// The exit status; for what stopped the program, one line on stderr.
fn finish(program: &str, ended: Result<u8>) -> ExitCode {
    match ended {
        _ if panic::panicked() => ExitCode::from(panic::EXIT_STATUS),
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            // Not `eprintln!`: it panics where stderr is gone.
            let _ = writeln!(io::stderr(), "{program}: {error:#}");
            let unusable = error.downcast_ref::<super::broker::BadUrl>().is_some();
            ExitCode::from(if unusable { 2 } else { 1 })
        }
    }
}

fn monitor(options: &MonitorOptions) -> Result<u8> {
    // First, so that a mistyped address leaves no folder behind.
    options.entrance.url.parse::<BrokerUrl>()?;
    let journal = Journal::open(&options.state_dir, options.card)?;
    let _lock = Lock::take(&options.state_dir, options.card, options.take_over)?;
    let shell = Shell::monitor(options.card, &options.entrance, journal, options.take_over)?;
    if io::stdout().is_terminal() {
        on_screen(shell)
    } else {
        printed::follow(shell, false)
    }
}

fn display(options: &Display) -> Result<u8> {
    let shell = Shell::display(&options.entrance()?)?;
    if options.once {
        printed::once(shell, options)
    } else if io::stdout().is_terminal() && !options.json {
        on_screen(shell)
    } else {
        printed::follow(shell, options.json)
    }
}

/// With a screen and keys.
fn on_screen(mut shell: Shell) -> Result<u8> {
    let terminal = Terminal::open().context("cannot use this terminal; without one, redirect the output")?;
    let (sender, inputs) = unbounded();
    panic::install_hook(Some(&terminal), sender.clone());
    let _signals = Signals::listen(sender.clone()).context("cannot listen to signals")?;
    // The screen ends here, and with it the painter and the keys: the terminal is given back first, since what is still being sent
    // may take 2 s.
    let ended = Screen::open(&terminal, sender).and_then(|mut screen| screen.run(&mut shell, &inputs));
    terminal.restore();
    shell.leave();
    ended
}

struct Screen<'a> {
    terminal: &'a Terminal,
    _keys: Keys,
    painter: Painter<Picture>,
    zone: TimeZone,
    look: Look,
    help: bool,
}

impl<'a> Screen<'a> {
    fn open(terminal: &'a Terminal, inputs: Sender<Input>) -> Result<Self> {
        terminal
            .enter()
            .context("cannot take the screen of this terminal")?;
        Ok(Self {
            terminal,
            _keys: Keys::listen(terminal, inputs).context("cannot read the keys of this terminal")?,
            painter: Painter::start(terminal, view::draw).context("cannot start to draw")?,
            zone: TimeZone::system(),
            look: Look::from_environment(),
            help: false,
        })
    }

    fn run(&mut self, shell: &mut Shell, inputs: &Receiver<Input>) -> Result<u8> {
        loop {
            self.painter.show(self.picture(shell));
            match shell.wait(inputs, None) {
                Happening::Taken => {}
                Happening::Other(input) => {
                    if let Some(status) = self.input(shell, input)? {
                        return Ok(status);
                    }
                }
                Happening::Stop(stop) => return stopped(stop, shell),
                Happening::Closed => bail!("a thread of this program has ended; start it again"),
            }
        }
    }

    fn picture(&self, shell: &Shell) -> Picture {
        Picture {
            machine: shell.machine().clone(),
            url: shell.url().to_string(),
            times: Times::new(self.zone.clone(), shell.clock().now().wall),
            look: self.look,
            help: self.help,
        }
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Result<Option<u8>> {
        match input {
            Input::Key(key) => return Ok(self.key(shell, key)),
            Input::Resized => self.painter.redraw(),
            Input::Suspend => self.terminal.suspend().context("cannot stop for the shell")?,
            Input::Continued => {
                if self.terminal.enter().is_err() {
                    return Ok(Some(signals::hang_up_status()));
                }
                self.painter.redraw();
            }
            Input::Terminate(signal) => return Ok(Some(signals::exit_status(signal))),
            Input::HungUp => return Ok(Some(signals::hang_up_status())),
            Input::Panicked => return Ok(Some(panic::EXIT_STATUS)),
            Input::Printed => {}
        }
        Ok(None)
    }

    fn key(&mut self, shell: &mut Shell, key: KeyEvent) -> Option<u8> {
        let quits = match key.code {
            KeyCode::Char('c') if key.modifiers == KeyModifiers::CONTROL => true,
            KeyCode::Char('q') => true,
            KeyCode::Esc => {
                self.help = false;
                false
            }
            KeyCode::Char('?') => {
                self.help = !self.help;
                false
            }
            KeyCode::Char('p') => {
                shell.feed(Event::Publish);
                false
            }
            KeyCode::Char(digit) => {
                if let Some(sensor) = own_sensor(shell.machine().role(), digit) {
                    shell.feed(Event::Toggle(sensor));
                }
                false
            }
            _ => false,
        };
        if quits && self.help {
            self.help = false;
            return None;
        }
        quits.then_some(0)
    }
}

/// The sensor that a key toggles: the one with this number, on the own card.
fn own_sensor(role: Role, key: char) -> Option<SensorId> {
    let sensor = SensorId::new(u8::try_from(key.to_digit(10)?).ok()?)?;
    (role == Role::Monitor(sensor.card())).then_some(sensor)
}

pub(super) fn stopped<T>(stop: Stop, shell: &Shell) -> Result<T> {
    let (program, url) = (words::program(shell.machine().role()), shell.url());
    match stop {
        Stop::Twin => bail!(
            "another {program} is connected to {url} and goes on; end it there with q, or start this one with --take-over to go on in its place"
        ),
        Stop::TakenOver => bail!(
            "another {program} has taken over at {url}; to take it back, start this one with --take-over"
        ),
    }
}
