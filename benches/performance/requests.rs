//! `mosquitto_rr --latency`, where it is there.

use std::process::Command;
use std::time::Duration;

use crate::relay::{Relay, port_of};
use crate::support::bench::Node::Broker1;
use crate::times::NamedDurations;

pub const NAME: &str = "`mosquitto_rr --latency`, over the bare relay and back";

/// Whether the installed version has the option. Its help does not say so.
pub fn can_measure() -> bool {
    let tried = Command::new("mosquitto_rr").arg("--latency").output();
    tried.is_ok_and(|output| {
        let said = [output.stdout, output.stderr].concat();
        !String::from_utf8_lossy(&said).contains("nknown option")
    })
}

/// So many requests, one after the other.
pub fn measure(relay: &Relay, requests: usize, times: &mut NamedDurations) {
    let port = port_of(&relay.brokers.url(Broker1));
    for number in 0..requests {
        let payload = format!(r#"{{"sensor_1":true,"request":{number}}}"#);
        let output = Command::new("mosquitto_rr")
            .args(["-p", &port, "--nodelay", "-q", "2", "-R", "-W", "10", "--latency"])
            .args(["-t", "sensors/card1", "-e", "sensors/all", "-m", &payload])
            .output()
            .expect("mosquitto_rr");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let latency = said
            .lines()
            .find_map(|line| line.strip_prefix("Latency: ").and_then(parsed));
        times.add(NAME, latency.unwrap_or_else(|| panic!("no latency in: {said}")));
    }
}

/// As it prints it: `1.2ms`, `800.0µs`, `900ns` or, without a unit, seconds.
fn parsed(text: &str) -> Option<Duration> {
    let units = [("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9), ("", 1.0)];
    let (number, unit) = units
        .into_iter()
        .find_map(|(unit, size)| Some((text.trim().strip_suffix(unit)?, size)))?;
    Some(Duration::from_secs_f64(number.parse::<f64>().ok()? * unit))
}
