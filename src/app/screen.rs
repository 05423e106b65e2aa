//! A program with a screen and keys.

use anyhow::{Context, Result, bail};
use crossbeam_channel::{Receiver, Sender, unbounded};
use ratatui::layout::Position;

use super::desk::{Desk, Wish};
use super::ending::{Ending, Reason};
use super::input::Input;
use super::keys::{KeyEvent, Keys};
use super::painter::Painter;
use super::shell::{Happening, Shell};
use super::signals::{self, Signals};
use super::terminal::{Terminal, panic};
use super::view::{self, Look, Picture};
use super::words::Times;
use super::zone::Zone;
use crate::machine::Event;
use crate::watch::{Seen, Watch};

/// What the user wants of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// An alarm rings the bell.
    pub bell: bool,
    /// No press toggles.
    pub read_only: bool,
    /// A click toggles as a press does.
    pub mouse: bool,
}

/// Opens the terminal; to be called before the first connection.
///
/// # Errors
/// Says what to do without a terminal.
pub fn open_terminal(settings: Settings) -> Result<Terminal> {
    Terminal::open_with(settings.mouse).context("cannot use this terminal; without one, redirect the output")
}

/// Runs a program until its user, a signal or another owner ends it.
///
/// # Errors
/// Names what the terminal cannot do.
pub fn run(terminal: &Terminal, mut shell: Shell, settings: Settings) -> Result<Ending> {
    let (sender, inputs) = unbounded();
    panic::install_hook(Some(terminal), sender.clone());
    let _signals = Signals::listen(sender.clone()).context("cannot listen to signals")?;
    // The screen ends here, and with it the painter and the keys: the terminal is given back first, since
    // what is still being sent may take 2 s.
    let ended = Screen::open(terminal, settings, &shell, sender)
        .and_then(|mut screen| screen.run(&mut shell, &inputs));
    terminal.restore();
    let left = shell.leave();
    Ok(Ending {
        reason: ended?,
        unsaved: left.unsaved,
        warnings: left.warnings,
    })
}

struct Screen<'a> {
    terminal: &'a Terminal,
    settings: Settings,
    _keys: Keys,
    painter: Painter<Picture>,
    zone: Zone,
    look: Look,
    watch: Watch,
    desk: Desk,
}

impl<'a> Screen<'a> {
    fn open(
        terminal: &'a Terminal,
        settings: Settings,
        shell: &Shell,
        inputs: Sender<Input>,
    ) -> Result<Self> {
        terminal
            .enter()
            .context("cannot take the screen of this terminal")?;
        Ok(Self {
            terminal,
            settings,
            _keys: Keys::listen(terminal, inputs).context("cannot read the keys of this terminal")?,
            painter: Painter::start(terminal, view::draw).context("cannot start to draw")?,
            zone: Zone::of_machine(),
            look: Look::from_environment(),
            watch: Watch::default(),
            desk: Desk::new(shell.machine().role(), settings.read_only),
        })
    }

    fn run(&mut self, shell: &mut Shell, inputs: &Receiver<Input>) -> Result<Reason> {
        loop {
            self.look(shell);
            let picture = self.picture(shell);
            self.painter.show(picture);
            let clock = shell.clock();
            let limit = self.desk.deadline().map(|deadline| clock.until(deadline));
            match shell.wait(inputs, limit) {
                Happening::Taken => {}
                Happening::Other(input) => {
                    if let Some(status) = self.input(shell, input)? {
                        return Ok(Reason::Status(status));
                    }
                }
                Happening::Stop(stop) => return Ok(Reason::Stop(stop)),
                Happening::Closed => bail!("a thread of this program has ended; start it again"),
            }
        }
    }

    /// Takes note of what is new, and rings where that is called for.
    fn look(&mut self, shell: &Shell) {
        let now = shell.clock().now();
        self.desk.forget(now.mono);
        let ring = self.watch.look(now.wall, Seen::of(shell.machine()));
        if ring.is_some() && self.settings.bell {
            self.painter.ring();
        }
    }

    fn picture(&mut self, shell: &Shell) -> Picture {
        let now = shell.clock().now();
        Picture {
            machine: shell.machine().clone(),
            watch: self.watch.clone(),
            desk: self.desk.clone(),
            mouse: self.settings.mouse,
            url: shell.url().to_string(),
            times: Times::new(self.zone.at(now.mono), now.wall),
            look: self.look,
        }
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Result<Option<u8>> {
        match input {
            Input::Key(key) => {
                // Somebody is there, who may have mended what only a person can mend.
                shell.retry();
                return Ok(self.key(shell, key));
            }
            Input::Click(column, line) => self.click(shell, Position::new(column, line)),
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
            Input::ReopenLog => shell.reopen_log(),
            Input::Printed => {}
        }
        Ok(None)
    }

    fn key(&mut self, shell: &mut Shell, key: KeyEvent) -> Option<u8> {
        let extent = view::extent(&self.picture(shell), self.terminal.size());
        let wish = self.desk.key(shell.clock().now().mono, key, extent)?;
        self.grant(shell, wish)
    }

    fn click(&mut self, shell: &mut Shell, at: Position) {
        if !self.settings.mouse {
            return;
        }
        let sensor = view::sensor_at(&self.picture(shell), self.terminal.size(), at);
        let now = shell.clock().now().mono;
        if let Some(wish) = sensor.and_then(|sensor| self.desk.press(now, sensor)) {
            self.grant(shell, wish);
        }
    }

    /// Does what was asked for; gives the exit status if that was to end.
    fn grant(&mut self, shell: &mut Shell, wish: Wish) -> Option<u8> {
        match wish {
            Wish::Quit => return Some(0),
            Wish::Toggle(sensor) => drop(shell.feed(Event::Toggle(sensor))),
            Wish::Publish => drop(shell.feed(Event::Publish)),
            Wish::Acknowledge => self.watch.acknowledge(),
        }
        None
    }
}
