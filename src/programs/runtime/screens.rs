//! What the screens of an owner in other processes are shown, and what they ask of it.

use crossbeam_channel::Receiver;

use super::{Runtime, Stop};
use crate::attach::{Asked, FromScreen, REQUEST_LIVES, Reply, Request, Screens};
use crate::command::{Answer, Changes, Command};
use crate::machine::{Event, Machine};

/// The screens, and what they wait for.
pub(super) struct OtherScreens {
    screens: Screens,
    /// What was done for them and has not come to its end.
    followed: Vec<Followed>,
}

/// A change that a screen has asked for.
struct Followed {
    screen: u64,
    request: u64,
    told: Option<Answer>,
    /// It is on disk. Without that word a screen asks the next owner.
    is_done: bool,
}

impl Followed {
    /// Tells the screen what is new; gives whether more is to come.
    fn tell(&mut self, machine: &Machine, screens: &Screens) -> bool {
        let answer = machine.answer(self.request);
        if let Some(answer) = answer.filter(|answer| self.told != Some(*answer)) {
            self.told = Some(answer);
            screens.reply(self.screen, Reply::Changed(answer));
        }
        if machine.is_on_disk() && !std::mem::replace(&mut self.is_done, true) {
            screens.reply(self.screen, Reply::Done(self.request));
        }
        !self.is_done || answer.is_some_and(|answer| !answer.is_final())
    }
}

impl OtherScreens {
    pub(super) const fn new(screens: Screens) -> Self {
        Self {
            screens,
            followed: Vec::new(),
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
    pub(super) fn show(&mut self, machine: &Machine) {
        self.screens.show(|| machine.view());
        let screens = &self.screens;
        self.followed
            .retain_mut(|followed| followed.tell(machine, screens));
    }
}

impl Runtime {
    /// Takes in what a screen in another process says; gives whether this program is to end.
    pub(super) fn heard(&mut self, word: FromScreen) -> Option<Stop> {
        let FromScreen::Request(screen, request) = word else {
            return self.show_again();
        };
        // It has waited while this process was stopped.
        let is_late = self.clock.since_boot().saturating_sub(request.made) > REQUEST_LIVES;
        let stop = match request.what {
            // The next owner is asked.
            Asked::Change(_) | Asked::Acknowledge(_) if self.machine.is_leaving() => return None,
            Asked::Change(_) | Asked::Publish if is_late => None,
            Asked::Change(changes) => return self.change(screen, request, changes),
            Asked::Acknowledge(alarms) => {
                self.follow(screen, request.id);
                let by = request.by;
                return self.feed(Event::Acknowledge { alarms, by });
            }
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

    /// That it is done is said when what it did is on disk.
    fn follow(&mut self, screen: u64, request: u64) {
        if let Some(screens) = &mut self.screens {
            screens.followed.push(Followed {
                screen,
                request,
                told: None,
                is_done: false,
            });
        }
    }

    /// As a command: asked again, it is done once.
    fn change(&mut self, screen: u64, Request { id, by, .. }: Request, changes: Changes) -> Option<Stop> {
        self.follow(screen, id);
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
