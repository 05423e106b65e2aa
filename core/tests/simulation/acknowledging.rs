//! Operators acknowledge alarms, on any screen: what is acknowledged once is acknowledged everywhere and for
//! good, and nothing else is.

use std::collections::BTreeSet;

use dualboard_core::acknowledged::Acknowledged;
use dualboard_core::command::Name;
use dualboard_core::machine::Event;
use dualboard_core::sensor::SensorId;
use dualboard_core::stage::Stage;
use dualboard_core::version::Dot;
use serde_json::Value;

use super::boards::broker::PublishPacket;
use super::boards::world::{BOARD1, BOARD2};
use super::kinds::Kind;
use super::run::{Simulation, TWIN};

/// The alarm of a sensor.
pub type AlarmOf = (SensorId, Dot);

/// What is known of acknowledgements besides what the programs say.
#[derive(Default)]
pub struct Acknowledgements {
    /// What operators have acknowledged.
    made: BTreeSet<AlarmOf>,
    /// What each owner has had, by card; a twin counts as the owner.
    had: BTreeSet<(usize, AlarmOf)>,
    /// What each broker has received on the topic of its own card.
    received: BTreeSet<(usize, AlarmOf)>,
    /// Of which an image was left at the end of the last fault.
    expected: BTreeSet<AlarmOf>,
}

/// Of one program, since its start.
#[derive(Default)]
pub struct ShownAlarms {
    known: Acknowledged,
    acknowledged: BTreeSet<AlarmOf>,
    saved: BTreeSet<AlarmOf>,
}

/// Bytes as plain JSON.
fn read(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).unwrap_or_default()
}

/// Whether it is said that an alarm is acknowledged.
fn says(report: &Value, (sensor, alarm): AlarmOf) -> bool {
    let key = format!("sensor_{}", sensor.number());
    let Some(numbers) = report["acknowledged"][key]["up_to"].as_array() else {
        return false;
    };
    numbers.chunks(2).any(|dot| {
        let [n, era] = [0, 1].map(|place| dot.get(place).and_then(Value::as_u64));
        era == Some(u64::from(alarm.era.0)) && n >= Some(alarm.n)
    })
}

fn is_of(alarm: Dot, acknowledged: Dot) -> bool {
    alarm.era == acknowledged.era && alarm.n <= acknowledged.n
}

impl Simulation {
    /// An operator acknowledges all that is on a screen.
    pub fn press_acknowledge(&mut self, slot: usize) {
        let program = &self.programs[slot];
        let Some(machine) = program
            .machine
            .as_ref()
            .filter(|_| !program.stopped && !program.dozes)
        else {
            return;
        };
        let alarms = machine.view().open_alarms();
        if alarms.iter().next().is_none() {
            return;
        }
        self.hooks.tally.count(Kind::Acknowledged);
        self.hooks.acknowledgements.made.extend(alarms.iter());
        let by = Name::new("operator");
        self.feed(slot, Event::Acknowledge { alarms, by });
    }

    /// Looks at the alarms on a program's screen after it has handled an event.
    pub fn observe_alarms(&mut self, slot: usize) {
        let program = &self.programs[slot];
        let Some(machine) = &program.machine else { return };
        let known = *machine.known_acknowledged();
        let news = known != self.hooks.records[slot].alarms.known;
        self.hooks.records[slot].alarms.known = known;
        if let (Some(card), true) = (program.card(), news) {
            let all = &mut self.hooks.acknowledgements;
            let has = all
                .made
                .iter()
                .filter(|(sensor, alarm)| known.covers(*sensor, *alarm));
            let has: Vec<_> = has.map(|alarm| (card as usize, *alarm)).collect();
            all.had.extend(has);
        }
        for sensor in SensorId::ALL {
            let machine = self.programs[slot].machine.as_ref().expect("it runs");
            let Some(ko) = machine.alarm(sensor) else { continue };
            let alarm = (sensor, ko.dot);
            let shown = &mut self.hooks.records[slot].alarms;
            let Some((_, stage)) = machine.acknowledgement(sensor, ko.dot) else {
                if shown.acknowledged.contains(&alarm) {
                    self.fail(slot, format!("takes back that {alarm:?} is acknowledged"));
                }
                continue;
            };
            if shown.acknowledged.insert(alarm) {
                let made = &self.hooks.acknowledgements.made;
                if !made.iter().any(|(of, by)| *of == sensor && is_of(ko.dot, *by)) {
                    self.fail(
                        slot,
                        format!("says that {alarm:?} is acknowledged, and nobody has done it"),
                    );
                }
            }
            if stage >= Some(Stage::Saved) {
                self.check_saved(slot, alarm, stage);
            }
        }
    }

    fn check_saved(&mut self, slot: usize, alarm: AlarmOf, stage: Option<Stage>) {
        let Some(card) = self.programs[slot].card() else {
            return;
        };
        if !self.hooks.records[slot].alarms.saved.insert(alarm) {
            return;
        }
        let file = self.programs[slot].disk.durable.as_ref();
        if !file.is_some_and(|file| says(&read(&file.bytes), alarm)) {
            self.fail(
                slot,
                format!("calls it saved that {alarm:?} is acknowledged; its file does not say so"),
            );
        }
        let is_later = |(_, (of, by)): &(usize, AlarmOf)| *of == alarm.0 && is_of(alarm.1, *by);
        let all = &self.hooks.acknowledgements;
        let board = self.programs[slot].board;
        if !all.received.iter().any(|at| at.0 == board && is_later(at)) {
            self.fail(
                slot,
                format!("calls it saved that {alarm:?} is acknowledged; no broker has heard of it"),
            );
        }
        let other = card.other() as usize;
        let all = &self.hooks.acknowledgements;
        if stage == Some(Stage::Confirmed) && !all.had.iter().any(|at| at.0 == other && is_later(at)) {
            self.fail(
                slot,
                format!("calls it confirmed that {alarm:?} is acknowledged; nobody else knows"),
            );
        }
    }

    /// A broker has taken in a message.
    pub fn record_acknowledged(&mut self, board: usize, packet: &PublishPacket) {
        let own = ["sensors/card1", "sensors/card2"][board];
        if &*packet.topic == own && !self.hooks.acknowledgements.made.is_empty() {
            let all = &mut self.hooks.acknowledgements;
            let report = read(&packet.payload);
            let said = all.made.iter().filter(|alarm| says(&report, **alarm));
            let said: Vec<_> = said.map(|alarm| (board, *alarm)).collect();
            all.received.extend(said);
        }
    }

    /// The last fault is over: of which acknowledgements is an image left?
    pub fn expect_acknowledged(&mut self) {
        let programs = &self.programs[..TWIN];
        let machines = programs.iter().filter_map(|program| program.machine.as_ref());
        let machines: Vec<_> = machines.map(|machine| *machine.known_acknowledged()).collect();
        let files = programs
            .iter()
            .filter_map(|program| program.disk.durable.as_ref());
        let files = files.map(|file| &*file.bytes);
        let stores = [BOARD1, BOARD2].map(|board| self.brokers[board].image_store());
        let kept = stores.iter().flat_map(|store| store.retained.values());
        let kept: Vec<_> = kept
            .map(|packet| &*packet.payload)
            .chain(files)
            .map(read)
            .collect();
        let left = self.hooks.acknowledgements.made.iter().copied().filter(|alarm| {
            machines.iter().any(|known| known.covers(alarm.0, alarm.1))
                || kept.iter().any(|report| says(report, *alarm))
        });
        self.hooks.acknowledgements.expected = left.collect();
    }

    /// Whether the programs do not agree on a sensor's alarm, in words.
    pub fn disagreement_on_alarm(&self, sensor: SensorId, owner: usize) -> Option<String> {
        let owner = self.programs[owner].machine.as_ref()?;
        let alarm = owner.alarm(sensor)?;
        let expected = &self.hooks.acknowledgements.expected;
        let expected = expected
            .iter()
            .any(|(of, by)| *of == sensor && is_of(alarm.dot, *by));
        let acknowledged = owner.acknowledgement(sensor, alarm.dot).is_some();
        if expected && !acknowledged {
            return Some(format!("the acknowledgement of {sensor} is lost"));
        }
        for program in &self.programs[..TWIN] {
            let Some(machine) = &program.machine else { continue };
            let name = program.name;
            let there = machine.alarm(sensor).map(|ko| ko.dot);
            if there != Some(alarm.dot) {
                return Some(format!(
                    "{name} shows another alarm of {sensor} than its owner: {there:?}"
                ));
            }
            match machine.acknowledgement(sensor, alarm.dot) {
                None if acknowledged => {
                    return Some(format!("{name} does not know that {sensor} is acknowledged"));
                }
                Some(_) if !acknowledged => {
                    return Some(format!("the owner of {sensor} does not know what {name} does"));
                }
                Some((_, stage)) if stage != Some(Stage::Confirmed) => {
                    return Some(format!("{name} calls it {stage:?} that {sensor} is acknowledged"));
                }
                _ => {}
            }
        }
        None
    }
}
