//! The loop around the core: an event in, all effects carried out.

use dualboard_core::machine::{Effect, Event};
use dualboard_core::owner::Memory;
use dualboard_core::wire::{Topic, encode_memory};

use super::Hooks;
use super::broker::{PublishPacket, Queued};
use super::connections::{Parcel, UP};
use super::world::{Scheduled, World};

impl<H: Hooks> World<H> {
    /// The program handles an event; then everything that it asks for is done.
    pub fn feed(&mut self, slot: usize, event: Event) {
        let now = self.hooks.clock(self.now_at(self.programs[slot].board));
        let mut events = H::incoming(self, slot, event);
        while let Some(event) = events.pop_front() {
            let name = self.programs[slot].name;
            let Some(machine) = self.programs[slot].machine.as_mut() else {
                return;
            };
            let key = match event {
                Event::Toggle(sensor) => Some(sensor),
                _ => None,
            };
            let code = 100 + slot as u64;
            self.trace.note(self.now, code, bytes_of(&event), || {
                format!("{name:<6} <- {}", words_of(&event))
            });
            let effects = machine.handle(now, event);
            self.programs[slot].dozes = false;
            H::handled(self, slot, key);
            for effect in effects {
                let (effect, more) = H::outgoing(self, slot, effect);
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
            self.at(due, Scheduled::Tick(slot, self.programs[slot].life, due));
        }
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
                let foreign = H::publishes(self, slot, topic, &payload);
                if topic != Topic::Marker && !self.programs[slot].marked {
                    let words = format!("publishes {topic:?} before its marker has come back");
                    self.fail(slot, words);
                }
                let program = &mut self.programs[slot];
                let name = topic.name(&program.client_id);
                let packet = PublishPacket::new(&name, &payload, topic.qos(), topic.is_retained());
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
            stop @ (Effect::StopForTwin | Effect::StopTakenOver) => {
                let name = self.programs[slot].name;
                self.trace
                    .note(self.now, code, &[], || format!("{name} stops for a twin"));
                self.at(self.now + 1, Scheduled::End(slot, self.programs[slot].life));
                H::stops(self, slot, stop);
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
        self.writes += 1;
        program.disk.write(self.writes, &bytes, &program.client_id);
        let (name, life) = (program.name, program.life);
        self.trace.note(self.now, 250, &[], || format!("{name} writes"));
        H::writes(self, slot, self.writes);
        self.within(self.now + 1, self.now + self.sync, Scheduled::Synced(slot, life));
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

pub fn message(topic: String, payload: Vec<u8>, retained: bool) -> Event {
    Event::Message {
        topic,
        payload,
        retained,
    }
}
