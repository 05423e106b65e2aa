//! The card that this program owns: its readings, and how far they have got.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::commands::{CommandInbox, OwnStates};
use super::disk::Disk;
use crate::acknowledged::Acknowledged;
use crate::command::{Answer, Change, Changes, Command, Name};
use crate::event_log::{EventLog, Fact};
use crate::owner::{Memory, Owner};
use crate::reading::{Reading, Snapshot, Versions};
use crate::sensor::{Card, PerSensor, SensorId, SensorSet, State};
use crate::stage::{Progress, Stage};
use crate::time::{Mono, Now};
use crate::version::{Era, RunId};
use crate::wire::Heartbeat;

/// An owner with its memory: what it has, has saved and has been asked for.
#[derive(Debug, Clone)]
pub(super) struct OwnCard {
    owner: Owner,
    progress: Progress,
    disk: Disk,
    commands: CommandInbox,
}

impl OwnCard {
    /// With what the state file holds.
    pub(super) fn new(card: Card, life: RunId, memory: Option<&Memory>) -> Self {
        let durable = memory.map(|memory| memory.readings.versions());
        Self {
            owner: Owner::new(card, life, memory),
            progress: Progress {
                durable: durable.unwrap_or_default(),
                ..Progress::default()
            },
            disk: Disk::holding(memory),
            commands: CommandInbox::remembering(memory),
        }
    }

    pub(super) const fn card(&self) -> Card {
        self.owner.card()
    }

    pub(super) const fn readings(&self) -> &Snapshot {
        self.owner.readings()
    }

    pub(super) fn eras(&self) -> (Era, Option<Era>) {
        self.owner.eras()
    }

    // What changes it.

    pub(super) fn toggle(&mut self, now: Now, sensor: SensorId, log: &mut EventLog) {
        if let Some(change) = self.owner.toggle(sensor, now.wall) {
            log.note_toggle((now.mono, now.wall), sensor, change);
        }
    }

    /// Hears a copy of a reading; gives whether it is taken. After the last one of a message comes
    /// [`OwnCard::all_heard`].
    pub(super) fn hear(&mut self, sensor: SensorId, reading: Reading) -> bool {
        self.owner.hear(sensor, reading)
    }

    pub(super) fn all_heard(&mut self) {
        self.owner.settle();
    }

    pub(super) fn outrun(&mut self, acknowledged: &Acknowledged) {
        self.owner.outrun(acknowledged);
    }

    /// All copies in reach have been heard, and these words of plain programs.
    pub(super) fn restored(&mut self, plain: PerSensor<Option<State>>) {
        self.owner.restored(|sensor| plain[sensor]);
    }

    /// Asked on the command line: done as a key is, at once.
    pub(super) fn local_command(&mut self, now: Now, command: &Command, restored: bool, log: &mut EventLog) {
        if self.commands.takes(command, self.card()) {
            self.carry_out(now, command.by, command.changes, restored, log);
            self.commands.did(command);
        }
    }

    /// Asked by a message, before all that the broker had is known: done afterwards.
    pub(super) fn early_command(&mut self, command: &Command) {
        if self.commands.takes(command, self.card()) {
            self.commands.wait(command);
        }
    }

    /// What has waited is done now.
    pub(super) fn carry_out_waiting(&mut self, now: Now, log: &mut EventLog) {
        if let Some((by, changes)) = self.commands.take_waiting() {
            self.carry_out(now, by, changes, true, log);
        }
    }

    fn carry_out(
        &mut self,
        now: Now,
        by: Option<Name>,
        changes: Changes,
        restored: bool,
        log: &mut EventLog,
    ) {
        log.note(now.wall, Fact::Commanded { by, changes });
        for (sensor, order) in changes.iter() {
            let change = match order {
                Change::Toggle => self.owner.toggle(sensor, now.wall),
                // What is provisional may be overruled by what turns up: there the operator's word is news,
                // also where it is the same.
                Change::Set(state) if restored && self.is_set(sensor, state) => None,
                Change::Set(state) => self.owner.set(sensor, state, now.wall),
            };
            if let Some(change) = change {
                log.note_toggle((now.mono, now.wall), sensor, change);
            }
        }
    }

    /// Whether an operator has set this state before.
    fn is_set(&self, sensor: SensorId, state: State) -> bool {
        let reading = self.readings().get(sensor);
        reading.is_some_and(|reading| reading.state == state) && self.owner.stands(sensor)
    }

    // The state file.

    /// What the state file should hold now, if it is to be written. Where there was no file, nothing is
    /// written before there is a reading of this card (from a copy or from the operator), or the restore has
    /// ended.
    pub(super) fn save(
        &mut self,
        now: Mono,
        client: u32,
        others: &Snapshot,
        acknowledged: &Acknowledged,
        restored: bool,
    ) -> Option<Box<Memory>> {
        self.disk.end_pause(now);
        if !restored && self.disk.holds().is_none() && self.readings().is_empty() {
            return None;
        }
        let mut readings = *others;
        for (sensor, reading) in self.readings().iter() {
            readings.set(sensor, reading);
        }
        let memory = Memory {
            readings,
            client: Some(client),
            done: self.commands.done(),
            acknowledged: *acknowledged,
            ..self.owner.memory()
        };
        self.disk.offer(now, &memory).then(|| Box::new(memory))
    }

    /// The write has ended well.
    pub(super) fn saved(&mut self) -> Option<Fact> {
        if let Some(memory) = self.disk.saved() {
            self.progress.durable = memory.readings.versions();
            self.owner.reserved(&memory);
        }
        self.disk.works_again().then_some(Fact::SavedAgain)
    }

    /// The write has failed.
    pub(super) fn not_saved(&mut self, now: Mono, why: String) -> Option<Fact> {
        self.disk.not_saved(now, why)
    }

    /// Nothing is on disk any more.
    pub(super) fn file_gone(&mut self, why: String) -> Option<Fact> {
        self.progress.durable = Versions::default();
        self.disk.file_gone(why)
    }

    /// Looks for a write that is not answered.
    pub(super) fn overdue(&mut self, now: Mono) -> Option<Fact> {
        self.disk.overdue(now)
    }

    pub(super) const fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Whether others may hear of the readings. What a command did is on disk first, unless the disk fails:
    /// a later life must not do it again on top of what somebody has heard of it. That is once a command, not
    /// once a key.
    pub(super) fn may_be_told(&self) -> bool {
        self.commands.done() == self.disk.done() || self.disk.failure().is_some()
    }

    // How far it has got.

    /// The broker has completed the handshake for these.
    pub(super) const fn delivered(&mut self, versions: &Versions) {
        self.progress.delivered = *versions;
    }

    /// The other owner says what it has.
    pub(super) fn confirmed_by(&mut self, heartbeat: &Heartbeat) {
        for sensor in self.card().sensors() {
            let version = self.readings().version(sensor);
            if heartbeat.has.dot(sensor) == version.map(|version| version.dot) {
                self.progress.confirmed.set(sensor, version);
            }
        }
    }

    pub(super) fn stage(&self, sensor: SensorId) -> Option<Stage> {
        let version = self.readings().version(sensor)?;
        Some(self.progress.stage(sensor, version))
    }

    /// Whether the broker has these sensors as they are.
    pub(super) fn is_delivered(&self, sensors: SensorSet) -> bool {
        let delivered = |sensor| self.progress.delivered.get(sensor) == self.readings().version(sensor);
        sensors.iter().all(delivered)
    }

    /// How far a command has got.
    pub(super) fn answer(&self, id: u64) -> Option<Answer> {
        self.commands.answer(id, &self.disk.done(), &self.reached())
    }

    /// What is new for those who gave commands.
    pub(super) fn answers(&mut self) -> Vec<Answer> {
        if !self.commands.is_followed() {
            return Vec::new();
        }
        let reached = self.reached();
        self.commands.news(&self.disk.done(), &reached)
    }

    fn reached(&self) -> OwnStates {
        PerSensor::from_fn(|sensor| Some((self.readings().get(sensor)?.state, self.stage(sensor)?)))
    }
}
