//! What operators do: keys, and commands with ids, as somebody publishes them: done once, also where they are
//! sent again.

use dualboard_core::machine::Event;
use dualboard_core::sensor::SensorId;
use serde_json::{Value, json};

use super::boards::broker::PublishPacket;
use super::kinds::Kind;
use super::run::{Simulation, TWIN};

impl Simulation {
    /// Somebody presses a key on a card, whatever else is going on; where two owners run, on either of them.
    pub fn press(&mut self, sensor: SensorId) {
        let twin = &self.programs[TWIN];
        let there = twin.machine.is_some() && twin.card() == Some(sensor.card());
        let twin = there && self.hooks.rng.chance(50);
        let slot = if twin { TWIN } else { sensor.card() as usize };
        let program = &self.programs[slot];
        if program.machine.is_some() && !program.stopped && !program.dozes {
            if slot == TWIN {
                self.hooks.tally.count(Kind::TwinPressed);
            }
            self.feed(slot, Event::Toggle(sensor));
        }
    }

    /// Somebody asks the owner of a card to toggle a sensor.
    pub fn command(&mut self, sensor: SensorId, id: u64) {
        let board = sensor.card() as usize;
        if !self.brokers[board].up || self.boards[board].asleep.is_some() {
            return;
        }
        let topic = format!("sensors/card{}/set", board + 1);
        let payload = json!({ "toggle": [sensor.number()], "id": id }).to_string();
        self.publish_at(
            board,
            &PublishPacket::new(&topic, payload.as_bytes(), 2, false),
            None,
        );
    }

    /// A program is given one: it is to be done unless it has been, as far as the program can remember.
    pub fn asked(&mut self, slot: usize, packet: &PublishPacket) {
        let Some(card) = self.programs[slot]
            .card()
            .filter(|_| packet.topic.ends_with("/set"))
        else {
            return;
        };
        let record = &mut self.hooks.records[slot];
        let command: Value = serde_json::from_slice(&packet.payload).unwrap_or_default();
        let number = u8::try_from(command["toggle"][0].as_u64().unwrap_or(0)).unwrap_or(0);
        let (Some(sensor), Some(id)) = (SensorId::new(number), command["id"].as_u64()) else {
            return;
        };
        let own = card == sensor.card();
        if own && !record.done.contains(&id) && !record.asked.contains(&(id, sensor)) {
            record.asked.push((id, sensor));
        }
    }

    /// The sensors that commands have toggled in this step: what was asked and is answered now.
    pub fn newly_done(&mut self, slot: usize) -> Vec<SensorId> {
        let record = &mut self.hooks.records[slot];
        let Some(machine) = &self.programs[slot].machine else {
            return Vec::new();
        };
        let answered = |(id, _): &mut (u64, SensorId)| machine.answer(*id).is_some();
        let done: Vec<_> = record.asked.extract_if(.., answered).collect();
        record.done.extend(done.iter().map(|(id, _)| *id));
        done.into_iter().map(|(_, sensor)| sensor).collect()
    }

    /// An owner says how far it has got: what it calls saved is in its file, together with the command's id.
    pub fn check_answer(&mut self, slot: usize, payload: &[u8]) {
        let answer: Value = serde_json::from_slice(payload).unwrap_or_default();
        let (program, id) = (&self.programs[slot], answer["id"].as_u64().unwrap_or_default());
        let stages = answer["stages"].as_object();
        let saved = stages.is_some_and(|stages| stages.values().all(|stage| stage != "SENDING"));
        let file = program.disk.durable.as_ref();
        let file = file.and_then(|file| self.hooks.files.get(&file.number));
        let kept = file.is_some_and(|(_, done)| done.contains(&id));
        if !self.hooks.records[slot].done.contains(&id) {
            self.fail(slot, format!("answers command {id}, which it has not done"));
        } else if saved && !kept {
            let words = format!("calls command {id} saved, and its file does not know it");
            self.fail(slot, words);
        }
    }
}
