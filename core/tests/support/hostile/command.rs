//! A command as somebody publishes it. No program of this project does.

use dualboard_core::command::{Change, Command};
use dualboard_core::sensor::PerSensor;
use serde_json::json;

/// The payload of a command.
pub fn payload(command: &Command) -> Vec<u8> {
    let changes = command.changes;
    let states = PerSensor::from_fn(|sensor| match changes.get(sensor)? {
        Change::Set(state) => Some(state),
        Change::Toggle => None,
    });
    let mut payload = json!(states);
    let toggled = changes.iter().filter(|(_, change)| *change == Change::Toggle);
    payload["toggle"] = toggled.map(|(sensor, _)| sensor.number()).collect();
    payload["id"] = json!(command.id);
    payload["by"] = json!(command.by);
    payload.to_string().into_bytes()
}
