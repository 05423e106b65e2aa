//! What was drawn, put in words with what the machine shows.

use dualboard::global::Shown;
use dualboard::machine::Machine;
use dualboard::reading::Reading;
use dualboard::sensor::SensorId;
use dualboard::version::{Life, Version};
use dualboard::wire::{Entry, Report};

use super::steps::{Drawn, Said, Words};
use super::trial::{LIFE, Trial};

impl Trial {
    /// What was drawn, put in words with what the machine shows.
    pub(super) fn report(&self, words: &Words) -> Report {
        let mut report = Report::default();
        for (sensor, said) in SensorId::ALL.into_iter().zip(&words.said) {
            let shown = reading(&self.machine, sensor);
            let entry = match *said {
                Said::Nothing => None,
                Said::AsShown => shown.map(Entry::Reading),
                Said::Plain(state) => Some(Entry::Plain(state)),
                Said::Reading(state, drawn) => {
                    let mut version = version(drawn, shown.map(|shown| shown.version));
                    if words.after.contains(sensor) {
                        version.after = LIFE.era();
                    }
                    Some(Entry::Reading(Reading {
                        state,
                        version,
                        changed: None,
                    }))
                }
            };
            if let Some(entry) = entry {
                report.put(sensor, entry);
            }
        }
        report
    }
}

/// The reading that is shown, if it is one.
pub fn reading(machine: &Machine, sensor: SensorId) -> Option<Reading> {
    match machine.shown(sensor) {
        Some(Shown::Reading(reading)) => Some(reading),
        Some(Shown::Word(_)) | None => None,
    }
}

fn version(drawn: Drawn, shown: Option<Version>) -> Version {
    match drawn {
        Drawn::Absolute(version) => version,
        Drawn::Relative(incarnation, sequence, life) => {
            let from = shown.unwrap_or(Version::initial(LIFE));
            let plus = |value: u64, more: i8| value.saturating_add_signed(more.into()).min(Version::MAX);
            Version {
                incarnation: plus(from.incarnation, incarnation),
                sequence: plus(from.sequence, sequence),
                life: Life(from.life.0.saturating_add_signed(life.into())),
                after: from.after,
            }
        }
    }
}
