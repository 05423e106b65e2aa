//! `--set` and `--toggle`.

use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueHint};

use super::seconds;
use crate::command::{Change, Changes};
use crate::sensor::{Card, SensorId, State};
use crate::settings::SetRequest;

const HEADING: &str = "Without a terminal";

/// What a monitor can be asked to do without a terminal.
#[derive(Debug, Clone, Args)]
pub(super) struct SetArgs {
    /// Set sensor N, and end when that is CONFIRMED; may be given several times. The monitor that runs with
    /// the same --state-dir does it, or this process if none runs
    #[arg(long, help_heading = HEADING, value_name = "N=ok|ko", value_hint = ValueHint::Other, value_parser = action)]
    set: Vec<(u8, State)>,
    /// Toggle sensor N, in the same way; may be given several times
    #[arg(long, help_heading = HEADING, value_name = "N", value_hint = ValueHint::Other)]
    toggle: Vec<u8>,
    /// Give up --set and --toggle after this many seconds, and say how far they have got; --check listens for
    /// so long at most
    #[arg(long, help_heading = HEADING, value_name = "SECONDS", env = "DUALBOARD_TIMEOUT", default_value = "10", value_parser = seconds)]
    timeout: Duration,
}

/// Arguments that are understood and cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

impl SetArgs {
    /// Whether anything is asked for.
    pub(super) const fn asks(&self) -> bool {
        !self.set.is_empty() || !self.toggle.is_empty()
    }

    /// How long it may take.
    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What is asked for; `None` if nothing is.
    pub(super) fn asked(self, card: Card) -> Result<Option<SetRequest>, Unusable> {
        let set = self
            .set
            .into_iter()
            .map(|(number, state)| ("--set", number, Change::Set(state)));
        let toggle = self
            .toggle
            .into_iter()
            .map(|number| ("--toggle", number, Change::Toggle));
        let mut changes = Changes::default();
        for (option, number, order) in set.chain(toggle) {
            let [first, .., last] = card.sensors().map(SensorId::number);
            let sensor = SensorId::new(number)
                .filter(|sensor| sensor.card() == card)
                .ok_or_else(|| {
                    Unusable(format!(
                        "{option}: sensor {number} is not on card {}; give one from {first} to {last}",
                        card.number()
                    ))
                })?;
            if changes.get(sensor).is_some() {
                return Err(Unusable(format!(
                    "{option}: {sensor} is asked for twice; give it once"
                )));
            }
            changes.put(sensor, Some(order));
        }
        let timeout = self.timeout;
        Ok((!changes.sensors().is_empty()).then_some(SetRequest { changes, timeout }))
    }
}

fn action(text: &str) -> Result<(u8, State), String> {
    let state = |word: &str| {
        [State::Ok, State::Ko]
            .into_iter()
            .find(|state| word.eq_ignore_ascii_case(state.word()))
    };
    text.split_once('=')
        .and_then(|(number, word)| Some((number.parse().ok()?, state(word)?)))
        .ok_or_else(|| format!("`{text}` is not a sensor and its state; write for example 2=ko"))
}
