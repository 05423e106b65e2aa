//! The loop around the core: an event in, all effects carried out.

use std::collections::VecDeque;

use dualboard_core::global::Shown;
use dualboard_core::machine::{Effect, Event, Machine};
use dualboard_core::owner::Memory;
use dualboard_core::sensor::Card;
use dualboard_core::time::Now;
use dualboard_core::wire::{Topic, encode_memory};

use super::broker::{Packet, Queued};
use super::net::{Parcel, UP};
use super::planted::message;
use super::program::Program;
use super::world::{Action, TWIN, World};

impl World {
    /// The program handles an event; then everything that it asks for is done.
    pub fn feed(&mut self, slot: usize, event: Event) {
        let now = self.planted.now(self.now_at(self.programs[slot].board));
        if self.planted.forgets(&self.programs[slot], &event) {
            self.start_anew(slot, now);
        }
        let mut events = VecDeque::from(self.planted.incoming(&self.programs[slot], self.now, event));
        while let Some(event) = events.pop_front() {
            let name = self.programs[slot].name;
            let Some(machine) = self.programs[slot].machine.as_mut() else {
                return;
            };
            let toggled = match event {
                Event::Toggle(sensor) => Some(sensor),
                _ => None,
            };
            let code = 100 + slot as u64;
            self.trace.note(self.now, code, bytes_of(&event), || {
                format!("{name:<6} <- {}", words_of(&event))
            });
            let effects = machine.handle(now, event);
            self.programs[slot].dozes = false;
            let commanded = self.newly_done(slot);
            self.observe(slot, toggled, &commanded);
            for effect in effects {
                let (effect, more) = self.planted.outgoing(&self.programs[slot], effect);
                events.extend(more);
                if let Some(effect) = effect {
                    self.carry_out(slot, effect);
                }
            }
        }
        let Some(machine) = self.programs[slot].machine.as_ref() else {
            return;
        };
        let Some(deadline) = machine.deadline(now.mono) else {
            return;
        };
        if deadline <= now.mono {
            self.fail(slot, "asks to be called at a moment that is over: it would spin");
        }
        let wait = deadline.since(now.mono).as_millis();
        let due = self.now + u64::try_from(wait).expect("a near deadline").max(1);
        if self.programs[slot].due != Some(due) {
            self.programs[slot].due = Some(due);
            self.at(due, Action::Tick(slot, self.programs[slot].life, due));
        }
    }

    /// What a planted fault does: the program forgets, and does not know that it did.
    fn start_anew(&mut self, slot: usize, now: Now) {
        let program = &mut self.programs[slot];
        let setup = program.setup(now, Err(String::new()));
        let mut machine = Machine::new(setup);
        for effect in machine.handle(now, Event::Connected) {
            if let Effect::Publish { topic, payload, .. } = effect {
                let topic = topic.name(&program.client_id);
                let _ = machine.handle(now, message(topic, payload, false));
            }
        }
        program.machine = Some(machine);
    }

    fn carry_out(&mut self, slot: usize, effect: Effect) {
        let code = 200 + slot as u64;
        match effect {
            Effect::Publish {
                ticket,
                topic,
                payload,
            } => {
                let name = self.programs[slot].name;
                self.trace.note(self.now, code, &payload, || {
                    format!("{name:<6} -> {topic:?} {}", String::from_utf8_lossy(&payload))
                });
                self.count_publication(slot, topic);
                if matches!(topic, Topic::Answer(_)) {
                    self.check_answer(slot, &payload);
                }
                if topic != Topic::Marker && !self.programs[slot].marked {
                    let words = format!("publishes {topic:?} before its marker has come back");
                    self.fail(slot, words);
                }
                let program = &mut self.programs[slot];
                let name = topic.name(&program.client_id);
                let packet = Packet::new(&name, &payload, topic.qos(), topic.is_retained());
                // A plain program's word is later than what it lies over, also where the join carries it.
                let foreign = program.relays_a_word(topic);
                let packet = if foreign {
                    packet.by_somebody_else()
                } else {
                    packet
                };
                let (Some(id), true) = (program.conn, program.granted) else {
                    return;
                };
                self.ids += 1;
                let queued = Queued::new(self.ids, &packet, false);
                if topic.qos() > 0 {
                    program.flying.push((ticket, queued.clone()));
                    let flying = program.flying.iter().map(|(_, flying)| &flying.packet);
                    let reports = flying.filter(|flying| flying.retain && flying.topic == packet.topic);
                    let reports = reports.count();
                    // One from before the connection was lost may be repeated beside it.
                    if reports > 2 {
                        self.fail(slot, format!("has {reports} reports in flight"));
                    }
                }
                self.send(id, UP, Parcel::Publish(queued));
            }
            Effect::Save(memory) => self.save(slot, &memory),
            Effect::StopForTwin | Effect::StopTakenOver => {
                let name = self.programs[slot].name;
                self.trace
                    .note(self.now, code, &[], || format!("{name} stops for a twin"));
                self.stops_for_twin(slot);
                self.at(self.now + 1, Action::End(slot, self.programs[slot].life));
                // What ends after the last fault is started again: nobody else would do it.
                if slot != TWIN && (self.rng.chance(50) || self.healed.is_some()) {
                    self.within(self.now + 1_000, self.now + 20_000, Action::Start(slot));
                }
            }
        }
    }

    fn save(&mut self, slot: usize, memory: &Memory) {
        let program = &mut self.programs[slot];
        if program.disk.writing.is_some() {
            self.fail(slot, "asks for two writes at a time");
            return;
        }
        let bytes = encode_memory(memory);
        program
            .disk
            .write(&bytes, &program.client_id, program.memory, &program.done);
        let (name, life) = (program.name, program.life);
        self.trace.note(self.now, 250, &[], || format!("{name} writes"));
        self.within(self.now + 1, self.now + self.sync, Action::Synced(slot, life));
    }
}

fn bytes_of(event: &Event) -> &[u8] {
    match event {
        Event::Message { payload, .. } => payload,
        _ => &[],
    }
}

fn words_of(event: &Event) -> String {
    match event {
        Event::Message {
            topic,
            payload,
            retained,
        } => {
            let kept = if *retained { " (retained)" } else { "" };
            format!("{topic}{kept} {}", String::from_utf8_lossy(payload))
        }
        other => format!("{other:?}"),
    }
}

impl Program {
    /// Whether a report on this topic says something without a version.
    fn relays_a_word(&self, topic: Topic) -> bool {
        let word = |machine: &Machine, sensor| matches!(machine.shown(sensor), Some(Shown::Unversioned(_)));
        let mut sensors = Card::One.sensors().into_iter();
        let machine = self.machine.as_ref().filter(|_| topic == Topic::All);
        machine.is_some_and(|machine| sensors.any(|sensor| word(machine, sensor)))
    }
}
