//! What others ask of this owner: done once, after the restore, and answered until the other board has shown
//! it.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::command::{Answer, Changes, Command, Done, Name};
use crate::owner::Memory;
use crate::sensor::{Card, PerSensor, SensorId, SensorSet, State};
use crate::stage::Stage;

/// How many commands are answered at a time: all that are known not to be done again. Who asks again is
/// answered again.
const FOLLOWED: usize = Done::KEPT;

/// The commands of which something is left to do or to say.
#[derive(Debug, Clone, Default)]
pub(super) struct CommandInbox {
    /// Came before the restore had ended: what they come to, one after the other.
    waiting: Option<Waiting>,
    /// Not to be done again. They go to disk together with what they did, and before anybody is told of it.
    done: Done,
    followed: VecDeque<Followed>,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    changes: Changes,
    by: Option<Name>,
    ids: Done,
}

#[derive(Debug, Clone, Copy)]
struct Followed {
    id: u64,
    sensors: SensorSet,
    told: Option<Answer>,
}

impl CommandInbox {
    pub(super) fn remembering(memory: Option<&Memory>) -> Self {
        Self {
            done: memory.map(|memory| memory.done).unwrap_or_default(),
            ..Self::default()
        }
    }

    pub(super) const fn done(&self) -> Done {
        self.done
    }

    /// Whether it is to be done, by this card's owner. It is answered in any case.
    pub(super) fn takes(&mut self, command: &Command, card: Card) -> bool {
        let mut sensors = command.changes.iter().map(|(sensor, _)| sensor);
        if sensors.any(|sensor| sensor.card() != card) {
            return false;
        }
        let Some(id) = command.id else { return true };
        let known = self.knows(id);
        self.follow(id, command.changes.sensors());
        !known
    }

    fn knows(&self, id: u64) -> bool {
        let waits = |waiting: &Waiting| waiting.ids.contains(id);
        self.done.contains(id) || self.waiting.as_ref().is_some_and(waits)
    }

    /// It will be done once the restore has ended.
    pub(super) fn wait(&mut self, command: &Command) {
        let waiting = self.waiting.get_or_insert(Waiting {
            changes: Changes::default(),
            by: command.by,
            ids: Done::default(),
        });
        waiting.changes = waiting.changes.then(&command.changes);
        waiting.by = command.by;
        if let Some(id) = command.id {
            waiting.ids.insert(id);
        }
    }

    /// From now on, or once more, it is told how far this command has got.
    fn follow(&mut self, id: u64, sensors: SensorSet) {
        self.followed.retain(|followed| followed.id != id);
        if self.followed.len() == FOLLOWED {
            self.followed.pop_front();
        }
        self.followed.push_back(Followed {
            id,
            sensors,
            told: None,
        });
    }

    /// What has waited is done now: who asked last, and for what.
    pub(super) fn take_waiting(&mut self) -> Option<(Option<Name>, Changes)> {
        let Waiting { changes, by, ids } = self.waiting.take()?;
        for id in ids.iter() {
            self.done.insert(id);
        }
        Some((by, changes))
    }

    /// It has been done.
    pub(super) fn did(&mut self, command: &Command) {
        if let Some(id) = command.id {
            self.done.insert(id);
        }
    }

    /// How far a command has got; `None` if it is not known, or waits. `kept` are those that the state file
    /// knows to be done: until then one may be done again. `reached` is what each own sensor has reached.
    pub(super) fn answer(&self, id: u64, kept: &Done, reached: &OwnStates) -> Option<Answer> {
        let followed = self.followed.iter().find(|followed| followed.id == id)?;
        let waits = |waiting: &Waiting| waiting.ids.contains(id);
        if self.waiting.as_ref().is_some_and(waits) {
            return None;
        }
        let kept = kept.contains(id);
        let told = |sensor: SensorId| {
            let (state, stage) = reached[sensor].filter(|_| followed.sensors.contains(sensor))?;
            Some((state, if kept { stage } else { Stage::Sending }))
        };
        Some(Answer {
            id,
            reached: PerSensor::from_fn(told),
        })
    }

    /// Whether there may be something to tell.
    pub(super) fn is_followed(&self) -> bool {
        !self.followed.is_empty()
    }

    /// What is new for those who gave commands, until there is nothing more to come.
    pub(super) fn news(&mut self, kept: &Done, reached: &OwnStates) -> Vec<Answer> {
        let mut news = Vec::new();
        for place in 0..self.followed.len() {
            let Followed { id, told, .. } = self.followed[place];
            if told.is_some_and(|told| told.is_final()) {
                continue;
            }
            let answer = self.answer(id, kept, reached);
            if let Some(answer) = answer.filter(|answer| told != Some(*answer)) {
                self.followed[place].told = Some(answer);
                news.push(answer);
            }
        }
        news
    }
}

/// The state and the stage of each own sensor.
pub(super) type OwnStates = PerSensor<Option<(State, Stage)>>;
