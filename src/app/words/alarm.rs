//! What is said of alarms.

use super::{Times, state};
use crate::machine::{Freshness, Machine};
use crate::sensor::State;
use crate::watch::{Alarm, Subject, Watch};

/// The newest alarm that nobody has acknowledged, and how many more there are: the full text, then shorter ones. Nothing if there is none.
#[must_use]
pub fn alarms(machine: &Machine, watch: &Watch, times: &Times) -> Vec<String> {
    let alarms: Vec<_> = watch.alarms().copied().collect();
    let Some(newest) = alarms.first() else {
        return Vec::new();
    };
    let state_of = |sensor| machine.shown(sensor).map(|shown| shown.state());
    let live = |card| machine.freshness(card) == Freshness::Live;
    let (what, now, told) = match newest.subject {
        Subject::Ko(sensor) => {
            let now = Some(state_of(sensor))
                .filter(|now| *now != Some(State::Ko))
                .map(state);
            (format!("{sensor} KO"), now, 1)
        }
        Subject::Lost(card) => {
            let both = Alarm {
                subject: Subject::Lost(card.other()),
                ..*newest
            };
            let now = live(card).then_some("LIVE");
            if alarms.contains(&both) && live(card) == live(card.other()) {
                ("boards 1 and 2 HELD".to_owned(), now, 2)
            } else {
                (format!("board {} HELD", card.number()), now, 1)
            }
        }
        Subject::KoAtStart(sensors) => {
            let numbers: Vec<_> = sensors.iter().map(|sensor| sensor.number().to_string()).collect();
            let many = if numbers.len() > 1 { "s" } else { "" };
            (
                format!("KO at start: sensor{many} {}", numbers.join(", ")),
                None,
                1,
            )
        }
    };
    let at = match newest.subject {
        Subject::KoAtStart(_) => String::new(),
        Subject::Ko(_) | Subject::Lost(_) => format!(" {}", times.at(newest.raised)),
    };
    let now = now.map(|now| format!(", now {now}")).unwrap_or_default();
    let more = watch.raised().saturating_sub(told);
    let (long, short) = match more {
        0 => (String::new(), String::new()),
        more => (format!(", and {more} more"), format!(" +{more}")),
    };
    vec![
        format!("{what}{at}{now}{long}"),
        format!("{what}{at}{now}{short}"),
        format!("{what}{now}{short}"),
        format!("{what}{short}"),
    ]
}
