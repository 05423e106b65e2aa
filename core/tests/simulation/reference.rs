//! The naive reference: what operators did, in the order in which they did it, and which copies of it
//! exist. It reads payloads as plain JSON values and shares no code with the core.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The first two numbers of a version in a payload, which name one press: number and era. What it has seen
/// besides is the core's own business.
pub type Dot = (u64, u64);

/// What some bytes say of each sensor: dot and state.
pub type Image = [Option<(Dot, bool)>; 6];

/// Reads an image from a payload; what has no version is no image of a toggle.
pub fn image_of(payload: &[u8]) -> Image {
    image_in(&serde_json::from_slice(payload).unwrap_or_default())
}

/// The image in a heartbeat: what its owner has heard and not taken.
pub fn quarantined_in(payload: &[u8]) -> Image {
    let heartbeat: Value = serde_json::from_slice(payload).unwrap_or_default();
    image_in(&heartbeat["quarantined"])
}

fn image_in(report: &Value) -> Image {
    std::array::from_fn(|place| {
        let key = format!("sensor_{}", place + 1);
        let version = report.get("versions")?.get(&key)?;
        let dot = (version.get(0)?.as_u64()?, version.get(1)?.as_u64()?);
        Some((dot, report.get(&key)?.as_bool()?))
    })
}

/// What a payload says without versions, as `mosquitto_sub` shows it.
pub fn states_of(payload: &[u8]) -> [Option<bool>; 6] {
    let value: Value = serde_json::from_slice(payload).unwrap_or_default();
    std::array::from_fn(|place| value.get(format!("sensor_{}", place + 1))?.as_bool())
}

/// A dot that an owner made, and the key press it stands for; 0 is no press at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Made {
    pub state: bool,
    pub press: u64,
    /// In which memory it was pressed, and which that memory had met: see [`super::memories`].
    pub memory: usize,
    pub met: u128,
    /// The latest press that another owner of the card showed at that moment.
    pub rival: u64,
}

/// Everything that was ever pressed or said.
#[derive(Default)]
pub struct Ledger {
    made: BTreeMap<(usize, Dot, bool), Made>,
    presses: u64,
    /// States that plain programs have said, by sensor.
    pub said: BTreeSet<(usize, bool)>,
    /// Which board has had which dot of which sensor.
    pub had: BTreeSet<(usize, usize, Dot)>,
    /// Which broker has received which dot on its owner's topic.
    pub received: BTreeSet<(usize, usize, Dot)>,
    /// The latest press of each sensor that was shown as SAVED and of which an image has existed ever since.
    pub floor: [Option<Made>; 6],
}

impl Ledger {
    pub fn find(&self, place: usize, dot: Dot, state: bool) -> Option<Made> {
        self.made.get(&(place, dot, state)).copied()
    }

    /// The operator pressed a key, and this came of it.
    pub fn pressed(&mut self, place: usize, dot: Dot, made: Made) {
        self.presses += 1;
        let press = self.presses;
        self.made(place, dot, Made { press, ..made });
    }

    /// An owner gave a new dot to what it had.
    pub fn made(&mut self, place: usize, dot: Dot, made: Made) {
        self.made.insert((place, dot, made.state), made);
    }

    pub fn presses(&self) -> u64 {
        self.presses
    }

    /// The latest press in an image of a sensor.
    pub fn press(&self, place: usize, image: &Image) -> Option<Made> {
        image[place].and_then(|(dot, state)| self.find(place, dot, state))
    }
}
