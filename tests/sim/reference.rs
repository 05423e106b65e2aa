//! The naive reference: what operators did, in the order in which they did it, and which copies of it exist. It reads payloads as plain
//! JSON values and shares no code with the core.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A version as it stands in a payload.
pub type Triple = (u64, u64, u64);

/// What some bytes say of each sensor: version and state.
pub type Image = [Option<(Triple, bool)>; 6];

/// Reads an image from a payload; what has no version is no image of a toggle.
pub fn image_of(payload: &[u8]) -> Image {
    let mut image = [None; 6];
    let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(payload) else {
        return image;
    };
    for (place, slot) in image.iter_mut().enumerate() {
        let key = format!("sensor_{}", place + 1);
        let triple = object
            .get("versions")
            .and_then(|versions| versions.get(&key))
            .and_then(Value::as_array);
        let (Some(Value::Bool(state)), Some(triple)) = (object.get(&key), triple) else {
            continue;
        };
        let numbers: Vec<u64> = triple.iter().filter_map(Value::as_u64).collect();
        if let [incarnation, sequence, life] = numbers[..] {
            *slot = Some(((incarnation, sequence, life), *state));
        }
    }
    image
}

/// What a payload says without versions, as `mosquitto_sub` shows it.
pub fn states_of(payload: &[u8]) -> [Option<bool>; 6] {
    let value: Value = serde_json::from_slice(payload).unwrap_or_default();
    std::array::from_fn(|place| {
        value
            .get(format!("sensor_{}", place + 1))
            .and_then(Value::as_bool)
    })
}

/// A version that an owner made, and the key press it stands for; 0 is no press at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Made {
    pub state: bool,
    pub press: u64,
    /// In which memory it was pressed, and which that memory had met: see [`super::memories`].
    pub memory: usize,
    pub met: u128,
}

/// Everything that was ever pressed or said.
#[derive(Default)]
pub struct Ledger {
    made: BTreeMap<(usize, Triple), Made>,
    presses: u64,
    /// States that plain programs have said, by sensor.
    pub said: BTreeSet<(usize, bool)>,
    /// Which board has had which version of which sensor.
    pub had: BTreeSet<(usize, usize, Triple)>,
    /// Which broker has received which version on its owner's topic.
    pub received: BTreeSet<(usize, usize, Triple)>,
    /// The latest press of each sensor that was shown as SAVED and of which an image has existed ever since.
    pub floor: [Option<Made>; 6],
}

impl Ledger {
    pub fn find(&self, place: usize, triple: Triple) -> Option<Made> {
        self.made.get(&(place, triple)).copied()
    }

    /// The operator pressed a key, and this came of it.
    pub fn pressed(&mut self, place: usize, triple: Triple, made: Made) {
        self.presses += 1;
        let press = self.presses;
        self.made.insert((place, triple), Made { press, ..made });
    }

    /// An owner gave a new version to what it had.
    pub fn made(&mut self, place: usize, triple: Triple, made: Made) {
        self.made.insert((place, triple), made);
    }

    pub fn presses(&self) -> u64 {
        self.presses
    }

    /// The latest press in an image of a sensor.
    pub fn press(&self, place: usize, image: &Image) -> Option<Made> {
        image[place].and_then(|(triple, _)| self.find(place, triple))
    }
}
