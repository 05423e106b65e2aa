//! What a payload says, read as plain JSON: no code is shared with the core.

use serde_json::Value;

/// The first two numbers of a version in a payload, which name one press: number and era. What it has seen
/// besides is the core's own business.
pub type DotNumbers = (u64, u64);

/// What some bytes say of each sensor: dot and state.
pub type Image = [Option<(DotNumbers, bool)>; 6];

/// Reads an image from a payload; what has no version is no image of a toggle.
pub fn image_of(payload: &[u8]) -> Image {
    image_in(&serde_json::from_slice(payload).unwrap_or_default())
}

/// The image in a heartbeat: what its owner has heard and not taken.
pub fn quarantined_in(payload: &[u8]) -> Image {
    // Hardly any has one, and there are more heartbeats than all else.
    let word = b"\"quarantined\"";
    if !payload.windows(word.len()).any(|part| part == word) {
        return [None; 6];
    }
    let heartbeat: Value = serde_json::from_slice(payload).unwrap_or_default();
    image_in(&heartbeat["quarantined"])
}

const KEYS: [&str; 6] = [
    "sensor_1", "sensor_2", "sensor_3", "sensor_4", "sensor_5", "sensor_6",
];

fn image_in(report: &Value) -> Image {
    KEYS.map(|key| {
        let version = report.get("versions")?.get(key)?;
        let dot = (version.get(0)?.as_u64()?, version.get(1)?.as_u64()?);
        Some((dot, report.get(key)?.as_bool()?))
    })
}

/// What a payload calls each sensor.
pub type NamesSaid = [Option<String>; 6];

pub fn names_in(payload: &[u8]) -> NamesSaid {
    let report: Value = serde_json::from_slice(payload).unwrap_or_default();
    KEYS.map(|key| report.get("names")?.get(key)?.as_str().map(str::to_owned))
}

/// What a payload says without versions, as `mosquitto_sub` shows it.
pub fn states_of(payload: &[u8]) -> [Option<bool>; 6] {
    let value: Value = serde_json::from_slice(payload).unwrap_or_default();
    KEYS.map(|key| value.get(key)?.as_bool())
}
