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

/// What a payload calls each sensor.
pub type NamesSaid = [Option<String>; 6];

pub fn names_in(payload: &[u8]) -> NamesSaid {
    let report: Value = serde_json::from_slice(payload).unwrap_or_default();
    std::array::from_fn(|place| {
        let name = report.get("names")?.get(format!("sensor_{}", place + 1))?;
        name.as_str().map(str::to_owned)
    })
}

/// What a payload says without versions, as `mosquitto_sub` shows it.
pub fn states_of(payload: &[u8]) -> [Option<bool>; 6] {
    let value: Value = serde_json::from_slice(payload).unwrap_or_default();
    std::array::from_fn(|place| value.get(format!("sensor_{}", place + 1))?.as_bool())
}
