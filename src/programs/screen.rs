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
use crate::ui::controls::{self, Action, Controls, Extent};
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
                    if let Some(reason) = self.input(runtime, input)? {
                        return Ok(reason);
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
        let ring = self
            .alarms
            .look(now.wall, Observed::of(&runtime.machine().view()));
        if ring.is_some() && self.settings.bell {
            self.painter.ring();
        }
    }

    fn picture(&mut self, runtime: &Runtime) -> Picture {
        let now = runtime.clock().now();
        Picture {
            view: runtime.machine().view(),
            alarms: self.alarms.clone(),
            controls: self.controls.clone(),
            mouse: self.settings.mouse,
            url: runtime.url().to_string(),
            times: Times::new(self.zone.at(now.mono), now.wall),
            theme: self.theme,
        }
    }

    /// Takes in what came from the terminal or as a signal; gives the reason if that was to end.
    fn input(&mut self, runtime: &mut Runtime, input: Input) -> Result<Option<Reason>> {
        let status = match input {
            Input::Key(key) => {
                // Somebody is there, who may have mended what only a person can mend.
                runtime.retry();
                return Ok(self.key(runtime, key));
            }
            Input::Click(column, line) => return Ok(self.click(runtime, Position::new(column, line))),
            Input::Continued if self.terminal.enter().is_err() => signals::hang_up_status(),
            Input::Terminate(signal) => signals::exit_status(signal),
            Input::HungUp => signals::hang_up_status(),
            Input::Panicked => panic::EXIT_STATUS,
            Input::Resized | Input::Continued => {
                self.painter.redraw();
                return Ok(None);
            }
            Input::Suspend => {
                self.terminal.suspend().context("cannot stop for the shell")?;
                return Ok(None);
            }
            Input::ReopenLog => {
                runtime.reopen_log();
                return Ok(None);
            }
            Input::Printed => return Ok(None),
        };
        Ok(Some(Reason::Status(status)))
    }

    fn key(&mut self, runtime: &mut Runtime, key: KeyEvent) -> Option<Reason> {
        let extent = if controls::scrolls(key) {
            view::extent(&self.picture(runtime), self.terminal.size())
        } else {
            Extent::default()
        };
        let action = self.controls.key(runtime.clock().now().mono, key, extent)?;
        self.perform(runtime, action)
    }

    /// A click means what was drawn at its place.
    fn click(&mut self, runtime: &mut Runtime, at: Position) -> Option<Reason> {
        let shown = self.painter.shown().filter(|_| self.settings.mouse)?;
        let sensor = view::sensor_at(&shown, self.terminal.size(), at)?;
        let action = self.controls.press(runtime.clock().now().mono, sensor)?;
        self.perform(runtime, action)
    }

    /// Does what was asked for; gives the reason if that was to end.
    fn perform(&mut self, runtime: &mut Runtime, action: Action) -> Option<Reason> {
        let event = match action {
            Action::Quit => return Some(Reason::Status(0)),
            Action::Toggle(sensor) => Event::Toggle(sensor),
            Action::Publish => Event::Publish,
            Action::Acknowledge => {
                // An alarm that came after the last frame has been seen by nobody.
                if let Some(shown) = self.painter.shown() {
                    self.alarms.acknowledge(shown.alarms.seen());
                }
                return None;
            }
        };
        runtime.feed(event).map(Reason::Stop)
    }
}
