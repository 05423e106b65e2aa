//! Where a test takes part: in what is left open, in what a program is given, and in what it does.

use std::collections::VecDeque;
use std::rc::Rc;

use dualboard_core::machine::{Effect, Event};
use dualboard_core::names::Names;
use dualboard_core::owner::Memory;
use dualboard_core::sensor::{Card, SensorId};
use dualboard_core::time::Now;
use dualboard_core::wire::Topic;

use super::broker::PublishPacket;
use super::world::World;

/// What a test adds to the boards. As it stands: nothing, and everything is as quick as it can be.
pub trait Hooks: Sized {
    /// How long something takes, or when it happens: from `low` up to and without `high`.
    fn within(&mut self, low: u64, _high: u64) -> u64 {
        low
    }

    /// The numbers that a program draws at its start: of its life, and for its client id.
    fn numbers(&mut self, slot: usize) -> [u32; 2];

    /// What a program is told of names in the life with this number; `None`: what it was told before.
    fn names(&self, _life: u32) -> Option<Names> {
        None
    }

    /// Whether a write that was under way is found after a crash.
    fn keeps_write(&mut self) -> bool {
        false
    }

    /// Whether newer messages overtake an older retained copy while the bridge connects.
    fn overtakes(&mut self) -> bool {
        false
    }

    /// Whether the bridge does not connect while the wall clock is behind its last connect: Mosquitto 2.0.21.
    fn waits_for_clock(&mut self) -> bool {
        false
    }

    /// What a program reads from its clocks.
    fn clock(&self, now: Now) -> Now {
        now
    }

    /// What a program reads from its state file.
    fn memory(&self, _card: Option<Card>, read: Result<Memory, String>) -> Result<Memory, String> {
        read
    }

    /// Something comes due that was planned as [`super::world::Scheduled::Own`].
    fn due(_world: &mut World<Self>, _number: usize) {}

    /// A program has started, and has not handled anything yet.
    fn started(_world: &mut World<Self>, _slot: usize) {}

    /// A program has ended; its connection is still to be closed.
    fn ended(_world: &mut World<Self>, _slot: usize) {}

    /// A program's connection brings a message.
    fn arrives(_world: &mut World<Self>, _slot: usize, _packet: &PublishPacket) {}

    /// What a program is given in an event's place.
    fn incoming(_world: &mut World<Self>, _slot: usize, event: Event) -> VecDeque<Event> {
        VecDeque::from([event])
    }

    /// A program has handled an event, which may have been a key. What it asks for is still to be done.
    fn handled(_world: &mut World<Self>, _slot: usize, _key: Option<SensorId>) {}

    /// What is done in an effect's place, and what the program is told at once.
    fn outgoing(_world: &mut World<Self>, _slot: usize, effect: Effect) -> (Option<Effect>, Vec<Event>) {
        (Some(effect), Vec::new())
    }

    /// A program publishes. Gives whether that counts as the word of somebody else.
    fn publishes(_world: &mut World<Self>, _slot: usize, _topic: Topic, _payload: &[u8]) -> bool {
        false
    }

    /// A program begins to write its state file; `number` is that of the write.
    fn writes(_world: &mut World<Self>, _slot: usize, _number: u64) {}

    /// A program stops for another owner of its card; it is about to end.
    fn stops(_world: &mut World<Self>, _slot: usize, _effect: Effect) {}

    /// A broker takes in a publication: `pass_on` keeps it and sends it to everybody who listens.
    fn published(
        world: &mut World<Self>,
        _board: usize,
        _packet: &Rc<PublishPacket>,
        pass_on: impl FnOnce(&mut World<Self>),
    ) {
        pass_on(world);
    }
}
