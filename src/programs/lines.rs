//! The sensors without a screen: plain lines, or JSON, for pipes, scripts and monitoring.

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::machine::{Freshness, Role};
use crate::sensor::{Card, SensorId, State};
use crate::text::words::{self, Times};
use crate::time::Wall;
use crate::view::View;

/// Writes what has changed since the last time.
#[derive(Debug)]
pub struct Lines {
    json: bool,
    said: Vec<(SensorId, Said)>,
}

/// What is said of a sensor.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    state: Option<State>,
    beside: Option<Note>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Note {
    Stage(crate::stage::Stage),
    Live,
    /// Since when, if that is known.
    Held(Option<Wall>),
}

impl Lines {
    /// Nothing has been said yet.
    #[must_use]
    pub const fn new(json: bool) -> Self {
        Self {
            json,
            said: Vec::new(),
        }
    }

    /// Writes a line for each sensor that has changed, or, as JSON, one line if any has.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&mut self, view: &View, times: &Times, out: &mut impl Write) -> io::Result<()> {
        let now: Vec<(SensorId, Said)> = SensorId::ALL.map(|sensor| (sensor, said(view, sensor))).to_vec();
        let changed = now
            .iter()
            .enumerate()
            .filter(|(place, said)| self.said.get(*place) != Some(said))
            .map(|(_, said)| said);
        if self.json {
            if changed.count() > 0 {
                writeln!(out, "{}", object(view))?;
            }
        } else {
            for (sensor, said) in changed {
                writeln!(out, "{}", text(*sensor, said, times))?;
            }
        }
        self.said = now;
        out.flush()
    }
}

fn said(view: &View, sensor: SensorId) -> Said {
    let card = sensor.card();
    let seen = view.sensors[sensor];
    let beside = seen.map(|seen| match (seen.stage, view.freshness[card]) {
        (Some(stage), _) => Note::Stage(stage),
        (None, Freshness::Live) => Note::Live,
        (None, Freshness::Held { .. }) => Note::Held(view.held_since(card)),
    });
    Said {
        state: view.state(sensor),
        beside,
    }
}

/// A sensor's line, with how far its state has got.
#[must_use]
pub fn with_stage(sensor: SensorId, state: State, stage: crate::stage::Stage) -> String {
    format!(
        "Sensor {}  {:<7}  {}",
        sensor.number(),
        state.word(),
        stage.word()
    )
}

fn text(sensor: SensorId, said: &Said, times: &Times) -> String {
    let name = format!("Sensor {}", sensor.number());
    let state = words::state(said.state);
    match said.beside {
        None => format!("{name}  {state}"),
        Some(Note::Stage(stage)) => format!("{name}  {state:<7}  {}", stage.word()),
        Some(Note::Live) => format!("{name}  {state:<7}  LIVE"),
        // That it was not heard live in the moment in which it was asked for says nothing of the time before.
        Some(Note::Held(None)) => format!("{name}  {state:<7}  HELD, not heard live"),
        Some(Note::Held(Some(since))) => format!("{name}  {state:<7}  HELD since {}", times.at(since)),
    }
}

/// All sensors as one JSON object: the plain keys, and beside them which card is live, and since when one is
/// held.
fn object(view: &View) -> Value {
    let mut object = Map::new();
    for sensor in SensorId::ALL {
        let state = view.state(sensor).map(bool::from);
        object.insert(format!("sensor_{}", sensor.number()), json!(state));
    }
    let (mut live, mut held) = (Map::new(), Map::new());
    for card in Card::ALL {
        let name = format!("card{}", card.number());
        match view.freshness[card] {
            Freshness::Live => live.insert(name, json!(true)),
            Freshness::Held { .. } => {
                held.insert(name.clone(), json!(view.held_since(card).and_then(iso)));
                live.insert(name, json!(false))
            }
        };
    }
    object.insert("live".to_owned(), Value::Object(live));
    if !held.is_empty() {
        object.insert("held_since".to_owned(), Value::Object(held));
    }
    Value::Object(object)
}

fn iso(wall: Wall) -> Option<String> {
    Timestamp::from_second(wall.0)
        .ok()
        .map(|moment| moment.to_string())
}

/// Whether `--once` has its answer: all that the broker knows has come, and it is known what is live.
#[must_use]
pub fn is_answered(view: &View) -> bool {
    view.is_restored && view.freshness.iter().all(|fresh| fresh.is_live())
}

/// The exit status of `--once` for whatever keeps it from knowing, or saying, the states.
pub const UNKNOWN: u8 = 3;

/// The exit status of `--once`, as monitoring plug-ins have it.
#[must_use]
pub fn verdict(view: &View) -> u8 {
    let states = SensorId::ALL.map(|sensor| view.state(sensor));
    let live = is_answered(view);
    debug_assert!(view.role == Role::Display);
    if !view.is_restored || states.contains(&None) {
        UNKNOWN
    } else if states.contains(&Some(State::Ko)) {
        2
    } else {
        u8::from(!live)
    }
}
