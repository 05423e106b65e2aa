//! The sensors without a screen: plain lines, or JSON, for pipes, scripts and monitoring.

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::machine::{Freshness, Role};
use crate::names::SensorName;
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
    name: Option<SensorName>,
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
        name: view.names.get(sensor).copied(),
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

/// A sensor's line. Its name comes last: whoever reads the state takes the first word for one that stands
/// behind the number, and a name may have such a word in it.
fn text(sensor: SensorId, said: &Said, times: &Times) -> String {
    let state = words::state(said.state);
    let beside = match said.beside {
        None => String::new(),
        Some(Note::Stage(stage)) => stage.word().to_owned(),
        Some(Note::Live) => "LIVE".to_owned(),
        // That it was not heard live in the moment in which it was asked for says nothing of the time before.
        Some(Note::Held(None)) => "HELD, not heard live".to_owned(),
        Some(Note::Held(Some(since))) => format!("HELD since {}", times.at(since)),
    };
    let name = said.name.map(|name| format!("({})", name.as_str()));
    let line = format!(
        "Sensor {}  {state:<7}  {beside}  {}",
        sensor.number(),
        name.unwrap_or_default()
    );
    line.trim_end().to_owned()
}

/// All sensors as one JSON object: the plain keys, and beside them which card is live, since when one is
/// held, and what the sensors are called.
fn object(view: &View) -> Value {
    let mut object = Map::new();
    for sensor in SensorId::ALL {
        let state = view.state(sensor).map(bool::from);
        object.insert(key(sensor), json!(state));
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
    let names: Map<String, Value> = view
        .names
        .iter()
        .map(|(sensor, name)| (key(sensor), json!(name.as_str())))
        .collect();
    if !names.is_empty() {
        object.insert("names".to_owned(), Value::Object(names));
    }
    Value::Object(object)
}

fn key(sensor: SensorId) -> String {
    format!("sensor_{}", sensor.number())
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
