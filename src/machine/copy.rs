//! What board 1 knows of board 2's sensors, in a place of its own at broker 1.
//!
//! When broker 2 comes back with an older store, its bridge puts the older `sensors/all` in the place of the one that broker 1 has kept, and
//! that may have been the last copy of card 2's sensors. Here nobody writes but `card1_monitor`, and never less than what it found.

use super::hearing::Arrival;
use super::{Effect, Machine, Role};
use crate::sensor::{Card, SensorId};
use crate::wire::{self, Entry, Report, Topic};

/// What is known of the copy at the broker.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kept {
    /// What was put there last on this connection, or was found there and is known.
    given: Report,
    /// What was seen to lie there last on this connection.
    lies: Report,
}

impl Machine {
    /// The copy arrived, or what broker 2 had of it when the bridge came up: memory for its writer, and news for the owner of what it speaks of if that has lost its own.
    pub(super) fn copy_heard(&mut self, arrival: Arrival, report: &Report) {
        if arrival.topic == Topic::Copy {
            self.kept.lies = *report;
        }
        for (sensor, entry) in report.iter() {
            match entry {
                Entry::Reading(reading) if self.role == Role::Monitor(sensor.card()) => {
                    self.own_reading(arrival, sensor, reading);
                }
                Entry::Reading(reading) => self.recall(arrival, sensor, reading),
                Entry::Plain(_) => {}
            }
        }
        if arrival.topic == Topic::Board2Copy && !same(report, &self.known_of_card_2()) {
            // Older than what is known, and it lies there still.
            self.copy_is_wrong();
        }
    }

    /// What belongs there.
    fn known_of_card_2(&self) -> Report {
        Report::of(&self.global.best().of(Card::Two))
    }

    /// Something else lies there, or at broker 2, or nothing that can be read.
    pub(super) fn copy_is_wrong(&mut self) {
        self.kept.lies = Report::default();
    }

    /// What is known of card 2 is put there if it is news, and with a heartbeat if something else lies there: two that contradict each
    /// other do not flood the broker.
    pub(super) fn send_copy(&mut self, with_heartbeat: bool, effects: &mut Vec<Effect>) {
        if self.role != Role::Monitor(Card::One) {
            return;
        }
        let known = self.known_of_card_2();
        let lies = same(&known, &self.kept.lies);
        let news = !same(&known, &self.kept.given);
        self.kept.given = known;
        if lies || !(news || with_heartbeat) {
            return;
        }
        effects.push(Effect::Publish {
            ticket: self.outbox.ticket(),
            topic: Topic::Copy,
            payload: wire::encode_report(&known, Topic::Copy.carries()),
        });
    }
}

/// Times of change are for people, and the wire does not carry all of them.
fn same(a: &Report, b: &Report) -> bool {
    let said = |report: &Report, sensor: SensorId| match report.get(sensor) {
        Some(Entry::Reading(reading)) => Some((reading.version, reading.state)),
        Some(Entry::Plain(_)) | None => None,
    };
    SensorId::ALL
        .into_iter()
        .all(|sensor| said(a, sensor) == said(b, sensor))
}
