//! What others ask of this owner: done once, after the start gate, and answered until the other board has
//! shown it.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::{Effect, Gate, Machine};
use crate::chronicle::Fact;
use crate::command::{Answer, Command, Done, Name, Order, Orders};
use crate::owner::Memory;
use crate::sensor::{PerSensor, SensorId, SensorSet, State};
use crate::stage::Stage;
use crate::time::Now;
use crate::wire::{self, Topic};

/// How many commands are answered at a time: all that are known not to be done again. Who asks again is
/// answered again.
const FOLLOWED: usize = Done::KEPT;

/// The commands of which something is left to do or to say.
#[derive(Debug, Clone, Default)]
pub(super) struct Desk {
    /// Came before the gate closed: what they come to, one after the other.
    waiting: Option<Waiting>,
    /// Not to be done again. They go to disk together with what they did, and before anybody is told of it.
    done: Done,
    followed: VecDeque<Followed>,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    orders: Orders,
    by: Option<Name>,
    ids: Done,
}

#[derive(Debug, Clone, Copy)]
struct Followed {
    id: u64,
    sensors: SensorSet,
    told: Option<Answer>,
}

impl Desk {
    pub(super) fn remembering(memory: Option<&Memory>) -> Self {
        Self {
            done: memory.map(|memory| memory.done).unwrap_or_default(),
            ..Self::default()
        }
    }

    pub(super) const fn done(&self) -> Done {
        self.done
    }

    fn knows(&self, id: u64) -> bool {
        let waits = |waiting: &Waiting| waiting.ids.contains(id);
        self.done.contains(id) || self.waiting.as_ref().is_some_and(waits)
    }

    fn wait(&mut self, command: &Command) {
        let waiting = self.waiting.get_or_insert(Waiting {
            orders: Orders::default(),
            by: command.by,
            ids: Done::default(),
        });
        waiting.orders = waiting.orders.then(&command.orders);
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
}

impl Machine {
    /// Somebody asks for something by a message: it is done after the gate.
    pub(super) fn asked(&mut self, now: Now, command: &Command) {
        if self.takes(command) {
            if self.gate == Gate::Open {
                self.obey(now, command);
            } else {
                self.desk.wait(command);
            }
        }
    }

    /// The operator asks for something on the command line: it is done as a key is, at once.
    pub(super) fn told(&mut self, now: Now, command: &Command) {
        if self.takes(command) {
            self.obey(now, command);
        }
    }

    /// Whether it is to be done. It is answered in any case.
    fn takes(&mut self, command: &Command) -> bool {
        let Some(card) = self.owner.as_ref().map(crate::owner::Owner::card) else {
            return false;
        };
        let own = command.orders.iter().all(|(sensor, _)| sensor.card() == card);
        if self.leaving || !own {
            return false;
        }
        let Some(id) = command.id else { return true };
        let known = self.desk.knows(id);
        self.desk.follow(id, command.orders.sensors());
        !known
    }

    /// The gate has closed: what came before is done now.
    pub(super) fn obey_waiting(&mut self, now: Now) {
        let Some(Waiting { orders, by, ids }) = self.desk.waiting.take() else {
            return;
        };
        self.carry_out(now, by, orders);
        for id in ids.iter() {
            self.desk.done.insert(id);
        }
    }

    fn obey(&mut self, now: Now, command: &Command) {
        self.carry_out(now, command.by, command.orders);
        if let Some(id) = command.id {
            self.desk.done.insert(id);
        }
    }

    fn carry_out(&mut self, now: Now, by: Option<Name>, orders: Orders) {
        let Some(owner) = &mut self.owner else { return };
        self.chronicle.note(now.wall, Fact::Commanded { by, orders });
        for (sensor, order) in orders.iter() {
            let before = owner.readings().get(sensor).map(|reading| reading.state);
            let state = match order {
                Order::Set(state) => state,
                Order::Toggle => before.map_or(State::Ok, State::toggled),
            };
            // What is provisional may be overruled by what turns up: there the operator's word is news, also
            // where it is the same.
            if self.restored && before == Some(state) && owner.stands(sensor) {
                continue;
            }
            if let Some(change) = owner.set(sensor, state, now.wall) {
                self.chronicle.note_toggle((now.mono, now.wall), sensor, change);
            }
        }
    }

    /// How far a command has got; `None` if it is not known, or waits for the gate.
    #[must_use]
    pub fn answer(&self, id: u64) -> Option<Answer> {
        let followed = self.desk.followed.iter().find(|followed| followed.id == id)?;
        let waits = |waiting: &Waiting| waiting.ids.contains(id);
        if self.desk.waiting.as_ref().is_some_and(waits) {
            return None;
        }
        // Until the file knows that it was done, it may be done again.
        let kept = self.disk.done().contains(id);
        let reached = |sensor: SensorId| {
            let state = self.shown(sensor)?.state();
            let stage = self.stage(sensor).filter(|_| followed.sensors.contains(sensor))?;
            Some((state, if kept { stage } else { Stage::Sending }))
        };
        Some(Answer {
            id,
            reached: PerSensor::from_fn(reached),
        })
    }

    /// Tells each command's giver what is new, until there is nothing more to come.
    pub(super) fn send_answers(&mut self, effects: &mut Vec<Effect>) {
        let Some(card) = self.owner.as_ref().map(crate::owner::Owner::card) else {
            return;
        };
        for place in 0..self.desk.followed.len() {
            let Followed { id, told, .. } = self.desk.followed[place];
            if told.is_some_and(|told| told.is_final()) {
                continue;
            }
            let Some(answer) = self.answer(id).filter(|answer| told != Some(*answer)) else {
                continue;
            };
            self.desk.followed[place].told = Some(answer);
            effects.push(
                self.outbox
                    .publish(Topic::Answer(card), wire::encode_answer(&answer)),
            );
        }
    }
}
