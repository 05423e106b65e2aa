//! What operators do: keys, and commands with ids, as `cardN_monitor --toggle` sends them: done once, also
//! where they are sent again.

use dualboard_core::machine::Event;
use dualboard_core::sensor::SensorId;
use serde_json::{Value, json};

use super::broker::Packet;
use super::kinds::Kind;
use super::world::{TWIN, World};

impl World {
    /// Somebody presses a key on a card, whatever else is going on; where two owners run, on either of them.
    pub fn press(&mut self, sensor: SensorId) {
        let twin = &self.programs[TWIN];
        let there = twin.machine.is_some() && twin.card() == Some(sensor.card());
        let twin = there && self.rng.chance(50);
        let slot = if twin { TWIN } else { sensor.card() as usize };
        let program = &self.programs[slot];
        if program.machine.is_some() && !program.stopped && !program.dozes {
            if slot == TWIN {
                self.tally.count(Kind::TwinPressed);
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
        self.publish_at(board, &Packet::new(&topic, payload.as_bytes(), 2, false), None);
    }

    /// A program is given one: it is to be done unless it has been, as far as the program can remember.
    pub fn asked(&mut self, slot: usize, packet: &Packet) {
        let program = &mut self.programs[slot];
        let command: Value = serde_json::from_slice(&packet.payload).unwrap_or_default();
        let number = u8::try_from(command["toggle"][0].as_u64().unwrap_or(0)).unwrap_or(0);
        let (Some(sensor), Some(id)) = (SensorId::new(number), command["id"].as_u64()) else {
            return;
        };
        let own = packet.topic.ends_with("/set") && program.card() == Some(sensor.card());
        if own && !program.done.contains(&id) && !program.asked.contains(&(id, sensor)) {
            program.asked.push((id, sensor));
        }
    }

    /// The sensors that commands have toggled in this step: what was asked and is answered now.
    pub fn newly_done(&mut self, slot: usize) -> Vec<SensorId> {
        let program = &mut self.programs[slot];
        let Some(machine) = &program.machine else {
            return Vec::new();
        };
        let answered = |(id, _): &mut (u64, SensorId)| machine.answer(*id).is_some();
        let done: Vec<_> = program.asked.extract_if(.., answered).collect();
        program.done.extend(done.iter().map(|(id, _)| *id));
        done.into_iter().map(|(_, sensor)| sensor).collect()
    }

    /// An owner says how far it has got: what it calls saved is in its file, together with the command's id.
    pub fn check_answer(&mut self, slot: usize, payload: &[u8]) {
        let answer: Value = serde_json::from_slice(payload).unwrap_or_default();
        let (program, id) = (&self.programs[slot], answer["id"].as_u64().unwrap_or_default());
        let stages = answer["stages"].as_object();
        let saved = stages.is_some_and(|stages| stages.values().all(|stage| stage != "SENDING"));
        let file = program.disk.durable.as_ref();
        let kept = file.is_some_and(|file| file.done.contains(&id));
        if !program.done.contains(&id) {
            self.fail(slot, format!("answers command {id}, which it has not done"));
        } else if saved && !kept {
            let words = format!("calls command {id} saved, and its file does not know it");
            self.fail(slot, words);
        }
    }
}
