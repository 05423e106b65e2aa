//! What a screen shows and asks: the program in its own process, or an owner in another one.

use std::time::Duration;

use crossbeam_channel::Receiver;

use crate::command::{Answer, Command, Name};
use crate::machine::Event;
use crate::mqtt::Exposure;
use crate::programs::runtime::{Runtime, Stop, Wakeup};
use crate::sensor::{PerSensor, SensorId};
use crate::system::clock::Clock;
use crate::terminal::input::Input;
use crate::ui::view::Elsewhere;
use crate::version::Dot;
use crate::view::View;

/// Why a program cannot go on without one of its threads.
pub(super) const THREAD_ENDED: &str = "a thread of this program has ended; start it again";

/// What is behind a screen.
pub trait Source {
    /// What there is to see now.
    fn view(&self) -> View;

    /// The broker's address, as people write it.
    fn url(&self) -> String;

    /// What the connection to the broker lacks.
    fn exposure(&self) -> Exposure;

    /// The clocks of this process.
    fn clock(&self) -> Clock;

    /// Where the program runs, if that is another process.
    fn elsewhere(&self) -> Option<&Elsewhere>;

    /// Waits until something has happened, takes it in, and says what a screen has to take care of.
    fn wait(&mut self, inputs: &Receiver<Input>, limit: Option<Duration>) -> Wakeup<Input>;

    /// Why nothing more can happen, when [`Self::wait`] says so; in words.
    fn why_closed(&self) -> String {
        THREAD_ENDED.to_owned()
    }

    /// Whether there is more to take in by now: what is seen at this moment is soon out of date.
    fn has_more(&self) -> bool;

    /// Toggles an own sensor.
    fn toggle(&mut self, sensor: SensorId) -> Option<Stop>;

    /// Takes note that the operator has seen these alarms.
    fn acknowledge(&mut self, alarms: PerSensor<Option<Dot>>, by: Option<Name>) -> Option<Stop>;
    /// Carries out a command, unless that was done before.
    fn command(&mut self, command: Command) -> Option<Stop>;

    /// How far the command with this id has got, by its owner's word; `None` before that.
    fn answer(&self, id: u64) -> Option<Answer>;

    /// Publishes the present state again.
    fn publish(&mut self) -> Option<Stop>;

    /// Somebody is there: what only a person can mend may have been mended.
    fn retry(&mut self);

    /// Notes in the event log that the command that is run at alarms has failed; in words.
    fn alarm_command_failed(&mut self, why: String) -> Option<Stop>;

    /// Makes the log file anew if it has been moved away.
    fn reopen_log(&self);
}

impl Source for Runtime {
    fn view(&self) -> View {
        self.machine().view()
    }

    fn url(&self) -> String {
        Self::url(self).to_string()
    }

    fn exposure(&self) -> Exposure {
        Self::exposure(self)
    }

    fn clock(&self) -> Clock {
        Self::clock(self)
    }

    fn elsewhere(&self) -> Option<&Elsewhere> {
        None
    }

    fn wait(&mut self, inputs: &Receiver<Input>, limit: Option<Duration>) -> Wakeup<Input> {
        Self::wait(self, inputs, limit)
    }

    fn has_more(&self) -> bool {
        Self::has_more(self)
    }

    fn toggle(&mut self, sensor: SensorId) -> Option<Stop> {
        self.feed(Event::Toggle(sensor))
    }

    fn acknowledge(&mut self, alarms: PerSensor<Option<Dot>>, by: Option<Name>) -> Option<Stop> {
        self.feed(Event::Acknowledge { alarms, by })
    }

    fn command(&mut self, command: Command) -> Option<Stop> {
        self.feed(Event::Command(Box::new(command)))
    }

    fn answer(&self, id: u64) -> Option<Answer> {
        self.machine().answer(id)
    }

    fn publish(&mut self) -> Option<Stop> {
        self.feed(Event::Publish)
    }

    fn retry(&mut self) {
        Self::retry(self);
    }

    fn alarm_command_failed(&mut self, why: String) -> Option<Stop> {
        self.feed(Event::AlarmCommandFailed(why))
    }

    fn reopen_log(&self) {
        Self::reopen_log(self);
    }
}
