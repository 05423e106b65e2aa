//! What the operator has set on this screen, and what a key means there.

use std::time::Duration;

use crate::machine::Role;
use crate::sensor::{Card, SensorId};
use crate::terminal::keys::{KeyCode, KeyEvent, KeyModifiers};
use crate::time::Mono;

/// How long the mark of a press that was taken stays.
const MARK: Duration = Duration::from_secs(1);

/// How long a test of colours and bell stays, unless a key ends it.
const TEST: Duration = Duration::from_secs(10);

/// How long it is said why a press was not taken.
const SAID: Duration = Duration::from_secs(5);

/// Whether the sensors can be toggled from this screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToggleMode {
    /// There is nothing to toggle here.
    None,
    /// A press toggles.
    Free,
    /// A press does nothing until `l` unlocks.
    Locked,
    /// A press does nothing.
    ReadOnly,
}

/// Why there is no program behind a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// It has ended.
    Ended {
        /// Whether this user may run it here: that takes the right to write in the state folder.
        may_run: bool,
    },
    /// It does not answer: it is stopped, or hangs.
    Silent,
}

/// What a key asks the loop to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// End.
    Quit,
    /// Toggle an own sensor.
    Toggle(SensorId),
    /// Publish the present state again.
    Publish,
    /// The operator has seen the alarms.
    Acknowledge,
    /// The operator has heard the bell.
    Silence,
    /// A test has begun: ring as for an alarm.
    Test,
    /// Go on as the owner in this process.
    Own,
}

/// How much of what can be scrolled is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Events that are on the screen.
    pub log_rows: usize,
    /// Of the oldest events so many fit on the screen.
    pub last_rows: usize,
    /// How many events there are.
    pub events: usize,
    /// The number of the newest one.
    pub newest: u64,
    /// Lines of the help that are on the screen.
    pub help_rows: usize,
    /// Lines of the help.
    pub help_lines: usize,
}

/// What the operator has set on this screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controls {
    role: Role,
    toggle_mode: ToggleMode,
    /// The first line of the help that is shown, where it lies over the screen.
    help: Option<usize>,
    /// The number of the topmost event that is shown, where the log does not follow the newest.
    log: Option<u64>,
    /// Until when a test of colours and bell lies over the screen, if one does.
    test: Option<Mono>,
    pressed: Option<(SensorId, Mono)>,
    said: Option<(String, Mono)>,
    /// Whose press was not taken, as long as that is said.
    refused: Option<SensorId>,
    /// Why there is no program behind this screen, if so.
    absence: Option<Absence>,
}

impl Controls {
    /// As it is at the start.
    #[must_use]
    pub const fn new(role: Role, read_only: bool) -> Self {
        let toggle_mode = match role {
            Role::Display => ToggleMode::None,
            Role::Monitor(_) if read_only => ToggleMode::ReadOnly,
            Role::Monitor(_) => ToggleMode::Free,
        };
        Self {
            role,
            toggle_mode,
            help: None,
            log: None,
            test: None,
            pressed: None,
            said: None,
            refused: None,
            absence: None,
        }
    }

    /// Why there is no program behind this screen, if so.
    pub fn set_absence(&mut self, absence: Option<Absence>) {
        if matches!(self.absence, Some(Absence::Ended { .. })) && absence.is_none() {
            // The next one has an event log of its own.
            self.log = None;
        }
        self.absence = absence;
    }

    /// Whether a press can have an effect on the program.
    #[must_use]
    pub const fn reaches_owner(&self) -> bool {
        self.absence.is_none()
    }

    /// Whether there is a key to go on as the owner in this process.
    #[must_use]
    pub const fn can_own(&self) -> bool {
        matches!(self.absence, Some(Absence::Ended { may_run: true }))
    }

    /// Whether the sensors can be toggled from here.
    #[must_use]
    pub const fn toggle_mode(&self) -> ToggleMode {
        self.toggle_mode
    }

    /// From which of its lines on the help is shown, if it is.
    #[must_use]
    pub const fn help(&self) -> Option<usize> {
        self.help
    }

    /// Whether a test of colours and bell lies over the screen.
    #[must_use]
    pub const fn is_test(&self) -> bool {
        self.test.is_some()
    }

    /// Ends the test.
    pub const fn end_test(&mut self) {
        self.test = None;
    }

    /// Says what became of a bell that was to be silenced.
    pub fn silenced(&mut self, now: Mono, was_ringing: bool) {
        let what = if was_ringing {
            "bell silenced until the next alarm; a acknowledges"
        } else {
            "no bell to silence"
        };
        self.say(now, what.to_owned());
    }

    /// The number of the topmost event that is shown; `None` follows the newest.
    #[must_use]
    pub const fn log(&self) -> Option<u64> {
        self.log
    }

    /// Whether this sensor's key has just been pressed and taken.
    #[must_use]
    pub fn is_pressed(&self, sensor: SensorId) -> bool {
        self.pressed.is_some_and(|(pressed, _)| pressed == sensor)
    }

    /// Why a press was not taken, for a while after it.
    #[must_use]
    pub fn said(&self) -> Option<&str> {
        self.said.as_ref().map(|(text, _)| text.as_str())
    }

    /// Whether it is being said that this sensor's press was not taken.
    #[must_use]
    pub fn is_refused(&self, sensor: SensorId) -> bool {
        self.said.is_some() && self.refused == Some(sensor)
    }

    /// When to call [`Self::forget`]: something is shown for a while only.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        let pressed = self.pressed.map(|(_, until)| until);
        let said = self.said.as_ref().map(|(_, until)| *until);
        [pressed, said, self.test].into_iter().flatten().min()
    }

    /// Takes away what has been shown long enough.
    pub fn forget(&mut self, now: Mono) {
        self.pressed = self.pressed.filter(|(_, until)| now < *until);
        self.said = self.said.take().filter(|(_, until)| now < *until);
        self.test = self.test.filter(|until| now < *until);
    }

    /// A key was pressed. The extent is needed for a key that [`scrolls`] only.
    pub fn key(&mut self, now: Mono, key: KeyEvent, extent: Extent) -> Option<Action> {
        self.said = None;
        if self.test.take().is_some() {
            // The test lies over the screen, so the key was meant to end it, and not for what is below.
            return None;
        }
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        // An Esc and a key that a slow link delivers together look like Alt with that key. Both are meant
        // then, but nothing is toggled that may have been meant otherwise.
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        if alt {
            self.help = None;
        }
        let held = KeyModifiers::SHIFT | KeyModifiers::ALT;
        match key.code {
            _ if key == control_c => return self.close_or_quit(),
            _ if !held.contains(key.modifiers) => {}
            KeyCode::Char('1'..='6') if alt => {}
            KeyCode::Char('q') => return self.close_or_quit(),
            KeyCode::Esc => self.help = None,
            KeyCode::Char('?') => self.help = if self.help.is_some() { None } else { Some(0) },
            KeyCode::Char('a') => return Some(Action::Acknowledge),
            KeyCode::Char('s') => return Some(Action::Silence),
            KeyCode::Char('t') => {
                self.test = Some(now.after(TEST));
                return Some(Action::Test);
            }
            KeyCode::Char('p') if self.role != Role::Display && self.reaches_owner() => {
                return Some(Action::Publish);
            }
            KeyCode::Char('o') if self.can_own() => return Some(Action::Own),
            KeyCode::Char('l') => self.lock(now),
            KeyCode::Char(digit @ '1'..='6') => {
                let sensor = digit.to_digit(10).and_then(|digit| u8::try_from(digit).ok());
                return self.press(now, sensor.and_then(SensorId::new)?);
            }
            code => self.scroll(code, extent),
        }
        None
    }

    /// A sensor's key was pressed, or the sensor was clicked.
    pub fn press(&mut self, now: Mono, sensor: SensorId) -> Option<Action> {
        // What was said of an earlier press is not of this one.
        self.said = None;
        if self.test.take().is_some() {
            return None;
        }
        let board = sensor.card().number();
        let why = match (self.role, self.toggle_mode) {
            (Role::Monitor(card), ToggleMode::Free) if card == sensor.card() => match self.absence {
                Some(Absence::Ended { may_run: true }) => {
                    format!("{sensor} not toggled: the owner has ended, o runs it here")
                }
                Some(Absence::Ended { may_run: false }) => {
                    format!("{sensor} not toggled: the owner has ended")
                }
                Some(Absence::Silent) => format!("{sensor} not toggled: the owner does not answer"),
                None => {
                    self.pressed = Some((sensor, now.after(MARK)));
                    return Some(Action::Toggle(sensor));
                }
            },
            (Role::Monitor(card), ToggleMode::Locked) if card == sensor.card() => {
                format!("locked, {sensor} not toggled: l unlocks")
            }
            (Role::Monitor(card), ToggleMode::ReadOnly) if card == sensor.card() => {
                format!("read-only, {sensor} not toggled")
            }
            (Role::Monitor(_), _) => format!("{sensor} is toggled on board {board}"),
            (Role::Display, _) => format!("{sensor} is toggled on board {board}, not here"),
        };
        self.say(now, why);
        self.refused = Some(sensor);
        None
    }

    fn say(&mut self, now: Mono, text: String) {
        self.said = Some((text, now.after(SAID)));
        self.refused = None;
    }

    fn lock(&mut self, now: Mono) {
        self.toggle_mode = match self.toggle_mode {
            ToggleMode::Free => ToggleMode::Locked,
            ToggleMode::Locked => ToggleMode::Free,
            ToggleMode::ReadOnly => {
                self.say(now, "started with --read-only: nothing unlocks it".to_owned());
                ToggleMode::ReadOnly
            }
            ToggleMode::None => ToggleMode::None,
        };
    }

    fn close_or_quit(&mut self) -> Option<Action> {
        match self.help.take() {
            Some(_) => None,
            None => Some(Action::Quit),
        }
    }

    /// The help if it is open, else the log.
    fn scroll(&mut self, code: KeyCode, extent: Extent) {
        let rows = if self.help.is_some() {
            extent.help_rows
        } else {
            extent.log_rows
        };
        let page = i64::try_from(rows.max(2)).unwrap_or(i64::MAX) - 1;
        let by = match code {
            KeyCode::Up => -1,
            KeyCode::Down => 1,
            KeyCode::PageUp => -page,
            KeyCode::PageDown => page,
            KeyCode::Home => i64::MIN / 4,
            KeyCode::End => i64::MAX / 4,
            _ => return,
        };
        let moved = |from: u64, most: usize| {
            let most = u64::try_from(most).unwrap_or(u64::MAX);
            from.saturating_add_signed(by).min(most)
        };
        if let Some(first) = self.help {
            let hidden = extent.help_lines.saturating_sub(extent.help_rows);
            self.help = usize::try_from(moved(first as u64, hidden)).ok();
            return;
        }
        // The newest is on top: to scroll down is to go back.
        let above = extent.newest.saturating_sub(self.log.unwrap_or(extent.newest));
        let above = moved(above, extent.events.saturating_sub(extent.last_rows));
        self.log = (above > 0).then(|| extent.newest - above);
    }
}

/// Whether a key moves the log, or the help over it.
#[must_use]
pub const fn scrolls(key: KeyEvent) -> bool {
    use KeyCode::{Down, End, Home, PageDown, PageUp, Up};
    matches!(key.code, Up | Down | PageUp | PageDown | Home | End)
}

/// The sensors that can be toggled from a program, by their keys.
#[must_use]
pub const fn toggle_keys(role: Role) -> Option<&'static str> {
    match role {
        Role::Monitor(Card::One) => Some("1 2 3"),
        Role::Monitor(Card::Two) => Some("4 5 6"),
        Role::Display => None,
    }
}

#[cfg(test)]
mod tests;
