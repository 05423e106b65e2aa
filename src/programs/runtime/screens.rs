//! What the screens of an owner in other processes are shown, and what they ask of it.

use std::time::Duration;

use crossbeam_channel::Receiver;

use super::{Runtime, Stop};
use crate::attach::{Asked, FromScreen, REQUEST_LIVES, Reply, Request, Screens};
use crate::command::{Answer, Changes, Command};
use crate::machine::{Event, Machine};

/// The screens, and what they wait for.
pub(super) struct OtherScreens {
    screens: Screens,
    /// What was done for them and has not come to its end.
    unfinished: Vec<Unfinished>,
}

/// A change that a screen has asked for.
struct Unfinished {
    screen: u64,
    request: u64,
    /// When it was made, in time since the machine's start.
    made: Duration,
    told: Option<Answer>,
    /// It is on disk, or too old for a next owner to be asked. Without that word a screen asks it.
    is_done: bool,
}

impl Unfinished {
    /// Tells the screen what is new; gives whether more is to come.
    fn tell(&mut self, machine: &Machine, screens: &Screens, since_boot: Duration) -> bool {
        let answer = machine.answer(self.request);
        if let Some(answer) = answer.filter(|answer| self.told != Some(*answer)) {
            self.told = Some(answer);
            screens.reply(self.screen, Reply::Changed(answer));
        }
        // A disk that takes nothing must not keep the screen waiting for what nobody expects any more.
        let is_over = machine.is_on_disk() || is_late(self.made, since_boot);
        if is_over && !std::mem::replace(&mut self.is_done, true) {
            screens.reply(self.screen, Reply::Done(self.request));
        }
        !self.is_done || answer.is_some_and(|answer| !answer.is_final())
    }
}

impl OtherScreens {
    pub(super) const fn new(screens: Screens) -> Self {
        Self {
            screens,
            unfinished: Vec::new(),
        }
    }

    pub(super) const fn requests(&self) -> &Receiver<FromScreen> {
        self.screens.requests()
    }

    /// Listens again where its socket is gone; `owned` says that the state folder is surely this owner's.
    pub(super) fn stay_in_place(&mut self, owned: bool) {
        self.screens.stay_in_place(owned);
    }

    /// Shows what there is to see, and says what has become of the changes.
    pub(super) fn show(&mut self, machine: &Machine, since_boot: Duration) {
        self.screens.show(|| machine.view());
        let screens = &self.screens;
        self.unfinished
            .retain_mut(|unfinished| unfinished.tell(machine, screens, since_boot));
    }
}

impl Runtime {
    /// Takes in what a screen in another process says; gives whether this program is to end.
    pub(super) fn heard(&mut self, word: FromScreen) -> Option<Stop> {
        let FromScreen::Request(screen, request) = word else {
            return self.show_again();
        };
        // It has waited while this process was stopped.
        let is_late = is_late(request.made, self.clock.since_boot());
        let stop = match request.what {
            // The next owner is asked.
            Asked::Change(_) | Asked::Acknowledge(_) if self.machine.is_leaving() => return None,
            Asked::Change(_) | Asked::Publish if is_late => None,
            Asked::Change(changes) => return self.change(screen, request, changes),
            // Nothing is lost by an owner that ends now: others may have it, or the alarm is open again.
            Asked::Acknowledge(alarms) => self.feed(Event::Acknowledge {
                alarms,
                by: request.by,
            }),
            Asked::Publish => self.feed(Event::Publish),
            Asked::View => self.show_again(),
            Asked::Retry => {
                self.retry();
                None
            }
            Asked::Answer => None,
        };
        if let Some(screens) = &self.screens {
            screens.screens.reply(screen, Reply::Done(request.id));
        }
        stop
    }

    /// As a command: asked again, it is done once. That it is done is said when it is on disk.
    fn change(&mut self, screen: u64, request: Request, changes: Changes) -> Option<Stop> {
        let Request { id, by, made, .. } = request;
        if let Some(screens) = &mut self.screens {
            screens.unfinished.push(Unfinished {
                screen,
                request: id,
                made,
                told: None,
                is_done: false,
            });
        }
        let id = Some(id);
        self.feed(Event::Command(Box::new(Command { id, by, changes })))
    }

    /// Shows all that there is, as it is at this moment: this process may have been stopped.
    fn show_again(&mut self) -> Option<Stop> {
        if let Some(screens) = &mut self.screens {
            screens.screens.show_again();
        }
        self.feed(Event::Tick)
    }
}

/// Whether nobody expects any more that a request is carried out.
fn is_late(made: Duration, since_boot: Duration) -> bool {
    since_boot.saturating_sub(made) > REQUEST_LIVES
}
