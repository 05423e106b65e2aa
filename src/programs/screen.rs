//! A program with a screen and keys.

use anyhow::{Context, Result, bail};
use crossbeam_channel::{Receiver, Sender, unbounded};
use ratatui::layout::Position;

use crate::alarms::{Alarms, Observed};
use crate::machine::Event;
use crate::programs::exit::{Exit, Reason};
use crate::programs::runtime::{Runtime, Wakeup};
use crate::settings::ScreenSettings;
use crate::terminal::input::Input;
use crate::terminal::keys::{KeyEvent, Keys};
use crate::terminal::painter::Painter;
use crate::terminal::signals::{self, Signals};
use crate::terminal::{Terminal, panic};
use crate::text::words::Times;
use crate::text::zone::Zone;
use crate::ui::controls::{Action, Controls};
use crate::ui::view::{self, Picture, Theme};

/// Opens the terminal; to be called before the first connection.
///
/// # Errors
/// Says what to do without a terminal.
pub fn open_terminal(settings: ScreenSettings) -> Result<Terminal> {
    Terminal::open_with(settings.mouse).context("cannot use this terminal; without one, redirect the output")
}

/// Runs a program until its user, a signal or another owner ends it.
///
/// # Errors
/// Names what the terminal cannot do.
pub fn run(terminal: &Terminal, mut runtime: Runtime, settings: ScreenSettings) -> Result<Exit> {
    let (sender, inputs) = unbounded();
    panic::install_hook(Some(terminal), sender.clone());
    let _signals = Signals::listen(sender.clone()).context("cannot listen to signals")?;
    // The screen ends here, and with it the painter and the keys: the terminal is given back first, since
    // what is still being sent may take 2 s.
    let ended = Screen::open(terminal, settings, &runtime, sender)
        .and_then(|mut screen| screen.run(&mut runtime, &inputs));
    terminal.restore();
    let left = runtime.leave();
    Ok(Exit {
        reason: ended?,
        unsaved: left.unsaved,
        warnings: left.warnings,
    })
}

struct Screen<'a> {
    terminal: &'a Terminal,
    settings: ScreenSettings,
    _keys: Keys,
    painter: Painter<Picture>,
    zone: Zone,
    theme: Theme,
    alarms: Alarms,
    controls: Controls,
}

impl<'a> Screen<'a> {
    fn open(
        terminal: &'a Terminal,
        settings: ScreenSettings,
        runtime: &Runtime,
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
            theme: Theme::from_environment(),
            alarms: Alarms::default(),
            controls: Controls::new(runtime.machine().role(), settings.read_only),
        })
    }

    fn run(&mut self, runtime: &mut Runtime, inputs: &Receiver<Input>) -> Result<Reason> {
        loop {
            self.look(runtime);
            let picture = self.picture(runtime);
            self.painter.show(picture);
            let clock = runtime.clock();
            let limit = self.controls.deadline().map(|deadline| clock.until(deadline));
            match runtime.wait(inputs, limit) {
                Wakeup::Taken => {}
                Wakeup::Other(input) => {
                    if let Some(status) = self.input(runtime, input)? {
                        return Ok(Reason::Status(status));
                    }
                }
                Wakeup::Stop(stop) => return Ok(Reason::Stop(stop)),
                Wakeup::Closed => bail!("a thread of this program has ended; start it again"),
            }
        }
    }

    /// Takes note of what is new, and rings where that is called for.
    fn look(&mut self, runtime: &Runtime) {
        let now = runtime.clock().now();
        self.controls.forget(now.mono);
        let ring = self.alarms.look(now.wall, Observed::of(runtime.machine()));
        if ring.is_some() && self.settings.bell {
            self.painter.ring();
        }
    }

    fn picture(&mut self, runtime: &Runtime) -> Picture {
        let now = runtime.clock().now();
        Picture {
            machine: runtime.machine().clone(),
            alarms: self.alarms.clone(),
            controls: self.controls.clone(),
            mouse: self.settings.mouse,
            url: runtime.url().to_string(),
            times: Times::new(self.zone.at(now.mono), now.wall),
            theme: self.theme,
        }
    }

    fn input(&mut self, runtime: &mut Runtime, input: Input) -> Result<Option<u8>> {
        match input {
            Input::Key(key) => {
                // Somebody is there, who may have mended what only a person can mend.
                runtime.retry();
                return Ok(self.key(runtime, key));
            }
            Input::Click(column, line) => self.click(runtime, Position::new(column, line)),
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
            Input::ReopenLog => runtime.reopen_log(),
            Input::Printed => {}
        }
        Ok(None)
    }

    fn key(&mut self, runtime: &mut Runtime, key: KeyEvent) -> Option<u8> {
        let extent = view::extent(&self.picture(runtime), self.terminal.size());
        let action = self.controls.key(runtime.clock().now().mono, key, extent)?;
        self.grant(runtime, action)
    }

    fn click(&mut self, runtime: &mut Runtime, at: Position) {
        if !self.settings.mouse {
            return;
        }
        let sensor = view::sensor_at(&self.picture(runtime), self.terminal.size(), at);
        let now = runtime.clock().now().mono;
        if let Some(action) = sensor.and_then(|sensor| self.controls.press(now, sensor)) {
            self.grant(runtime, action);
        }
    }

    /// Does what was asked for; gives the exit status if that was to end.
    fn grant(&mut self, runtime: &mut Runtime, action: Action) -> Option<u8> {
        match action {
            Action::Quit => return Some(0),
            Action::Toggle(sensor) => drop(runtime.feed(Event::Toggle(sensor))),
            Action::Publish => drop(runtime.feed(Event::Publish)),
            Action::Acknowledge => self.alarms.acknowledge(),
        }
        None
    }
}
