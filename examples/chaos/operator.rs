//! The operator: presses the key of a sensor when the pane shows it, and waits to see what it has done.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::log::{log, name, now};
use crate::unit::Who;
use crate::world::RealWorld;

/// A running program has shown what a key did after this time, or it did something else.
const PATIENCE: Duration = Duration::from_secs(2);

struct Press {
    /// Of the program.
    run: u32,
    to: &'static str,
    when: Duration,
    seen: bool,
}

/// Only what a person could do: looks at the two monitors' screens, presses keys.
#[derive(Default)]
pub struct Operator {
    /// By sensor.
    last: BTreeMap<u8, Press>,
}

impl Operator {
    /// Is there a key whose effect may still come, in a program that still runs? Not for long: a key that met
    /// a program just as it learned more has had another effect than its operator expected.
    pub fn waits(&self, world: &RealWorld) -> bool {
        self.last.iter().any(|(sensor, press)| {
            let run = world.unit(Who::owner_of(*sensor)).run;
            !press.seen && press.run == run && press.when.max(world.mended()) + PATIENCE > now()
        })
    }

    /// Toggles a sensor if its pane shows it, and shows what the last key has done.
    pub fn press(&mut self, sensor: u8, world: &RealWorld) {
        let who = Who::owner_of(sensor);
        let unit = world.unit(who);
        let last = self.last.get(&sensor);
        if !unit.is_up() || last.is_some_and(|last| last.run == unit.run && !last.seen) {
            return;
        }
        let Some((shown, ..)) = unit.screen.rows.get(&sensor) else {
            return;
        };
        let press = Press {
            run: unit.run,
            to: if shown == "OK" { "KO" } else { "OK" },
            when: now(),
            seen: false,
        };
        log!("press", {"sensor": sensor, "who": name(who), "run": press.run, "shown": shown, "to": press.to});
        unit.press(&sensor.to_string());
        self.last.insert(sensor, press);
    }

    /// Acknowledges the alarms that a program's screen shows.
    pub fn acknowledge(who: Who, world: &RealWorld) {
        let unit = world.unit(who);
        let is_open = |alarm: &str| ["new alarm", "was KO"].contains(&alarm);
        let rows = unit.screen.rows.iter();
        let sensors: Vec<u8> = rows
            .filter(|(_, (_, _, alarm))| is_open(alarm))
            .map(|(sensor, _)| *sensor)
            .collect();
        if unit.is_up() && !sensors.is_empty() {
            log!("acknowledge", {"who": name(who), "run": unit.run, "sensors": sensors});
            unit.press("a");
        }
    }

    /// Notes what the keys have done.
    pub fn look(&mut self, world: &RealWorld) {
        for (sensor, press) in &mut self.last {
            let unit = world.unit(Who::owner_of(*sensor));
            let state = unit.screen.rows.get(sensor).filter(|_| unit.run == press.run);
            press.seen |= state.is_some_and(|(state, ..)| state == press.to);
        }
    }
}
