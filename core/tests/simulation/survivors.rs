//! Of which presses an image is left, and what has destroyed the last one of the others.

use std::rc::Rc;

use super::boards::broker::VirtualBroker;
use super::boards::payload::Image;
use super::boards::world::BOARD1;
use super::reference::Made;
use super::run::{Simulation, TWIN};

/// Presses of each sensor.
pub type Presses = [Vec<Made>; 6];

/// The latest press among these.
pub fn latest(presses: impl IntoIterator<Item = Made>) -> Option<Made> {
    presses.into_iter().max_by_key(|made| made.press)
}

fn press_of(made: Option<Made>) -> Option<u64> {
    made.map(|made| made.press)
}

impl Simulation {
    /// The presses of each sensor of which an image exists anywhere.
    pub fn survivors(&self) -> Presses {
        let taken = self.acknowledged();
        let all = self.programs.iter().zip(&self.hooks.records);
        let running = all.filter(|(program, _)| program.machine.is_some());
        let files = self.programs[..TWIN].iter();
        let files = files.filter_map(|program| program.disk.durable.as_ref());
        let clients = running.clone().map(|(program, _)| &program.client_id);
        let clients = clients.chain(files.clone().map(|file| &file.client));
        let clients = clients.map(Rc::clone).collect();
        let stores = self.brokers.iter().map(VirtualBroker::image_store);
        let first = self.brokers[BOARD1].image_store();
        let stores = stores.flat_map(|store| store.images(&clients, &taken));
        let views = running.map(|(_, record)| &record.view);
        let images: Vec<&Image> = stores.chain(files.map(|file| &file.image)).chain(views).collect();
        // The join at broker 1 is output of card 2, and no image: a card 2 that knows nothing overwrites it,
        // and does not read it back.
        let join = first.retained.get("sensors/all");
        let is_join = |image: &Image| join.is_some_and(|join| std::ptr::eq(image, &raw const join.image));
        std::array::from_fn(|place| {
            let counting = images.iter().filter(|image| !is_join(image));
            counting
                .filter_map(|image| self.hooks.ledger.press(place, image))
                .collect()
        })
    }

    /// A fault was done: what had been saved, and of which the last image is gone, is lost by no fault of
    /// ours.
    pub fn lower_floor(&mut self) {
        let survivors = self.survivors();
        for (floor, survivor) in self.hooks.ledger.floor.iter_mut().zip(survivors) {
            let latest = latest(survivor);
            if press_of(latest) < press_of(*floor) {
                *floor = latest;
            }
        }
    }

    /// Somebody else's message has come to lie where an image was, perhaps long after it was published, and
    /// at the other board: whose image was the last one is lost by that.
    pub fn overwritten(&mut self, before: &Presses) {
        let after = self.survivors();
        let floors = self.hooks.ledger.floor.iter_mut().zip(&mut self.hooks.expected);
        for ((floor, expected), (before, after)) in floors.zip(before.iter().zip(&after)) {
            let had = |presses: &[Made], press| presses.iter().any(|made| made.press == press);
            expected.retain(|made| had(after, made.press) || !had(before, made.press));
            let (was, left) = (latest(before.iter().copied()), latest(after.iter().copied()));
            if press_of(was) >= press_of(*floor) && press_of(left) < press_of(*floor) {
                *floor = left;
            }
        }
    }
}
