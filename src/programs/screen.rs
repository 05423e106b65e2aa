//! A program with a screen and keys.

use anyhow::{Context, Result, bail};
use crossbeam_channel::{Receiver, Sender, unbounded};
use ratatui::layout::Position;

use crate::alarms::{Alarms, Bell, Observed};
use crate::programs::exit::{Exit, Reason};
use crate::programs::on_alarm::OnAlarm;
use crate::programs::runtime::{Runtime, Stop, Wakeup};
use crate::programs::source::Source;
use crate::settings::{AlarmCommand, ScreenSettings};
use crate::terminal::input::Input;
use crate::terminal::keys::{KeyEvent, Keys};
use crate::terminal::notification::Notifications;
use crate::terminal::painter::Painter;
use crate::terminal::signals::{self, Signals};
use crate::terminal::{Terminal, panic};
use crate::text::words::{self, Times};
use crate::text::zone::Zone;
use crate::ui::controls::{self, Action, Controls, Extent};
use crate::ui::view::{self, Picture, Theme};
use crate::view::View;

/// In a flood of messages each one is looked at, and so many make one picture.
const MOST_UNPAINTED: u32 = 64;

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
pub fn run(
    terminal: &Terminal,
    mut runtime: Runtime,
    settings: ScreenSettings,
    on_alarm: Option<&AlarmCommand>,
) -> Result<Exit> {
    // The terminal is given back first, since what is still being sent may take 2 s.
    let ended = watch(terminal, &mut runtime, settings, on_alarm);
    let left = runtime.leave();
    Ok(Exit {
        reason: ended?,
        unsaved: left.unsaved,
        warnings: left.warnings,
    })
}

/// Shows a program until its user, a signal or the program itself ends that, and gives the terminal back.
///
/// # Errors
/// Names what the terminal cannot do.
pub fn watch(
    terminal: &Terminal,
    source: &mut impl Source,
    settings: ScreenSettings,
    on_alarm: Option<&AlarmCommand>,
) -> Result<Reason> {
    let (sender, inputs) = unbounded();
    panic::install_hook(Some(terminal), sender.clone());
    let _signals = Signals::listen(sender.clone()).context("cannot listen to signals")?;
    let on_alarm = on_alarm
        .map(|command| OnAlarm::start(command, sender.clone()))
        .transpose()?;
    // The screen ends here, and with it the painter and the keys.
    let ended = Screen::open(terminal, (settings, on_alarm), source, sender)
        .and_then(|mut screen| screen.run(source, &inputs));
    terminal.restore();
    ended
}

struct Screen<'a> {
    terminal: &'a Terminal,
    settings: ScreenSettings,
    _keys: Keys,
    painter: Painter<Picture>,
    zone: Zone,
    theme: Theme,
    alarms: Alarms,
    bell: Bell,
    notifications: Notifications,
    on_alarm: Option<OnAlarm>,
    controls: Controls,
}

impl<'a> Screen<'a> {
    fn open(
        terminal: &'a Terminal,
        (settings, on_alarm): (ScreenSettings, Option<OnAlarm>),
        source: &impl Source,
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
            bell: Bell::new(settings.bell),
            notifications: Notifications::from_environment(settings.notify),
            on_alarm,
            controls: Controls::new(source.view().role, settings.read_only),
        })
    }

    fn run(&mut self, source: &mut impl Source, inputs: &Receiver<Input>) -> Result<Reason> {
        let mut unpainted = 0;
        loop {
            let view = source.view();
            self.look(source, &view);
            unpainted += 1;
            if unpainted == MOST_UNPAINTED || !source.has_more() {
                let picture = self.picture(source, view);
                self.painter.show(picture);
                unpainted = 0;
            }
            let clock = source.clock();
            let deadlines = [self.controls.deadline(), self.bell.deadline()];
            let next = deadlines.into_iter().flatten().min();
            let limit = next.map(|deadline| clock.until(deadline));
            match source.wait(inputs, limit) {
                Wakeup::Taken => {}
                Wakeup::Other(input) => {
                    if let Some(reason) = self.input(source, input)? {
                        return Ok(reason);
                    }
                }
                Wakeup::Stop(stop) => return Ok(Reason::Stop(stop)),
                Wakeup::Closed => bail!(source.why_closed()),
            }
        }
    }

    /// Takes note of what is new, and makes it heard where that is called for.
    fn look(&mut self, source: &impl Source, view: &View) {
        let now = source.clock().now();
        self.controls.forget(now.mono);
        let absence = source.elsewhere().and_then(|elsewhere| elsewhere.absence);
        self.controls.set_absence(absence.map(|(absence, _)| absence));
        let before = self.alarms.seen();
        let new = self.alarms.look(now.wall, Observed::of(view));
        let any_open = self.alarms.raised() > 0;
        if self.bell.look(now.mono, new, any_open).is_some() {
            self.painter.ring();
        }
        if self.alarms.raised_after(before).next().is_none() {
            return;
        }
        // What is shown as a test must not be taken for what is so, nor the other way round.
        self.controls.end_test();
        let times = Times::new(self.zone.at(now.mono), now.wall);
        if let Some(on_alarm) = &self.on_alarm {
            on_alarm.run(self.alarms.raised_after(before), view.role, &times);
        }
        if let Some(text) = words::alarms(view, &self.alarms, &times).first() {
            self.notify(view, text);
        }
    }

    /// Makes the terminal show a notification, if one is wanted.
    fn notify(&self, view: &View, text: &str) {
        if let Notifications::By(notifier) = self.notifications {
            self.painter
                .notify(notifier.bytes(words::program(view.role), text));
        }
    }

    fn picture(&mut self, source: &impl Source, view: View) -> Picture {
        let now = source.clock().now();
        Picture {
            view,
            elsewhere: source.elsewhere().cloned(),
            alarms: self.alarms.clone(),
            controls: self.controls.clone(),
            mouse: self.settings.mouse,
            bell: self.bell.mode(),
            notifications: self.notifications,
            url: source.url(),
            exposure: source.exposure(),
            times: Times::new(self.zone.at(now.mono), now.wall),
            theme: self.theme,
        }
    }

    /// Takes in what came from the terminal or as a signal; gives the reason if that was to end.
    fn input(&mut self, source: &mut impl Source, input: Input) -> Result<Option<Reason>> {
        let status = match input {
            Input::Key(key) => {
                // Somebody is there, who may have mended what only a person can mend.
                source.retry();
                return Ok(self.key(source, key));
            }
            Input::Click(column, line) => return Ok(self.click(source, Position::new(column, line))),
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
                source.reopen_log();
                return Ok(None);
            }
            Input::AlarmCommand => return Ok(self.alarm_command_failed(source).map(Reason::Stop)),
            Input::Printed => return Ok(None),
        };
        Ok(Some(Reason::Status(status)))
    }

    /// Says what has become of commands that were run at alarms.
    fn alarm_command_failed(&self, source: &mut impl Source) -> Option<Stop> {
        let failures = self.on_alarm.iter().flat_map(OnAlarm::failures);
        let stops = failures.map(|failure| source.alarm_command_failed(failure));
        stops.fold(None, Option::or)
    }

    fn key(&mut self, source: &mut impl Source, key: KeyEvent) -> Option<Reason> {
        let extent = if controls::scrolls(key) {
            view::extent(&self.picture(source, source.view()), self.terminal.size())
        } else {
            Extent::default()
        };
        let action = self.controls.key(source.clock().now().mono, key, extent)?;
        self.perform(source, action)
    }

    /// A click means what was drawn at its place.
    fn click(&mut self, source: &mut impl Source, at: Position) -> Option<Reason> {
        let shown = self.painter.shown().filter(|_| self.settings.mouse)?;
        let sensor = view::sensor_at(&shown, self.terminal.size(), at)?;
        let action = self.controls.press(source.clock().now().mono, sensor)?;
        self.perform(source, action)
    }

    /// Does what was asked for; gives the reason if that was to end.
    fn perform(&mut self, source: &mut impl Source, action: Action) -> Option<Reason> {
        let stop = match action {
            Action::Quit => return Some(Reason::Status(0)),
            Action::Own => return Some(Reason::Own),
            Action::Toggle(sensor) => source.toggle(sensor),
            Action::Publish => source.publish(),
            Action::Acknowledge => {
                // An alarm that came after the last frame has been seen by nobody.
                let shown = self.painter.shown()?;
                self.alarms.acknowledge(shown.alarms.seen());
                let alarms = shown.view.open_alarms();
                alarms.iter().next()?;
                source.acknowledge(alarms, self.settings.operator)
            }
            Action::Silence => {
                let was_ringing = self.bell.silence();
                self.controls.silenced(source.clock().now().mono, was_ringing);
                return None;
            }
            Action::Test => {
                if self.bell.test().is_some() {
                    self.painter.ring();
                }
                self.notify(&source.view(), "TEST, no alarm");
                return None;
            }
        };
        stop.map(Reason::Stop)
    }
}
