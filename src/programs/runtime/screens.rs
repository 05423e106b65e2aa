//! What the screens of an owner in other processes are shown, and what they ask of it.

use crossbeam_channel::Receiver;

use super::{Runtime, Stop};
use crate::attach::{Asked, FromScreen, REQUEST_LIVES, Reply, Request, Screens};
use crate::command::{Change, Changes, Command};
use crate::machine::{Event, Machine};
use crate::sensor::SensorId;

/// The screens, and what they wait for.
pub(super) struct OtherScreens {
    screens: Screens,
    /// What was done for them and is not on disk yet, by screen and request. Without an answer they ask the
    /// next owner.
    unanswered: Vec<(u64, u64)>,
}

impl OtherScreens {
    pub(super) const fn new(screens: Screens) -> Self {
        Self {
            screens,
            unanswered: Vec::new(),
        }
    }

    pub(super) const fn requests(&self) -> &Receiver<FromScreen> {
        self.screens.requests()
    }

    /// Listens again where its socket is gone; `owned` says that the state folder is surely this owner's.
    pub(super) fn stay_in_place(&mut self, owned: bool) {
        self.screens.stay_in_place(owned);
    }

    /// Shows what there is to see, and answers what is on disk by now.
    pub(super) fn show(&mut self, machine: &Machine) {
        self.screens.show(|| machine.view());
        if machine.is_on_disk() {
            for (screen, request) in self.unanswered.drain(..) {
                self.screens.reply(screen, Reply::Done(request));
            }
        }
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
            Asked::Toggle(_) | Asked::Set(..) | Asked::Acknowledge(_) if self.machine.is_leaving() => {
                return None;
            }
            Asked::Toggle(_) | Asked::Set(..) | Asked::Publish if is_late => None,
            Asked::Toggle(sensor) => return self.change(screen, request, (sensor, Change::Toggle)),
            Asked::Set(sensor, state) => return self.change(screen, request, (sensor, Change::Set(state))),
            Asked::Acknowledge(alarms) => {
                self.unanswered_yet(screen, request);
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
        self.reply(screen, Reply::Done(request.id));
        stop
    }

    /// As a command: asked again, it is done once.
    fn change(
        &mut self,
        screen: u64,
        request: Request,
        (sensor, change): (SensorId, Change),
    ) -> Option<Stop> {
        let mut changes = Changes::default();
        changes.put(sensor, Some(change));
        let (id, by) = (Some(request.id), request.by);
        self.unanswered_yet(screen, request);
        let stop = self.feed(Event::Command(Box::new(Command { id, by, changes })));
        if let Some(state) = self.machine.shown(sensor).map(|shown| shown.state()) {
            self.reply(screen, Reply::Toggled(request.id, state));
        }
        stop
    }

    /// That it is done is said when what it did is on disk.
    fn unanswered_yet(&mut self, screen: u64, request: Request) {
        if let Some(screens) = &mut self.screens {
            screens.unanswered.push((screen, request.id));
        }
    }

    fn reply(&self, screen: u64, reply: Reply) {
        if let Some(screens) = &self.screens {
            screens.screens.reply(screen, reply);
        }
    }

    /// Shows all that there is, as it is at this moment: this process may have been stopped.
    fn show_again(&mut self) -> Option<Stop> {
        if let Some(screens) = &mut self.screens {
            screens.screens.show_again();
        }
        self.feed(Event::Tick)
    }
}
