//! What was drawn, put in words with what the machine shows.

use dualboard_core::global::Shown;
use dualboard_core::machine::Machine;
use dualboard_core::reading::Reading;
use dualboard_core::sensor::SensorId;
use dualboard_core::version::{Dot, Era, Seen, Version};
use dualboard_core::wire::{Entry, Report};

use super::steps::{Claim, Drawn, Words};
use super::trial::Trial;

impl Trial {
    /// What was drawn, put in words with what the machine shows.
    pub(super) fn report(&self, words: &Words) -> Report {
        let mut report = Report::default();
        for (sensor, said) in SensorId::ALL.into_iter().zip(&words.0) {
            let shown = reading(&self.machine, sensor);
            let entry = match *said {
                Claim::Nothing => None,
                Claim::AsShown => shown.map(Entry::Reading),
                Claim::Plain(state) => Some(Entry::Plain(state)),
                Claim::Reading(state, drawn) => Some(Entry::Reading(Reading {
                    state,
                    version: version(drawn, shown.map(|shown| shown.version)),
                    changed: None,
                    ko: None,
                })),
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
        Some(Shown::Unversioned(_)) | None => None,
    }
}

fn version(drawn: Drawn, shown: Option<Version>) -> Version {
    let nothing = Version {
        dot: Dot {
            n: Dot::INITIAL,
            era: Era(1),
        },
        seen: Seen::default(),
    };
    let shown = shown.unwrap_or(nothing);
    let plus = |dot: Dot, more: i8| Dot {
        n: dot.n.saturating_add_signed(more.into()).min(Dot::MAX),
        ..dot
    };
    match drawn {
        Drawn::Absolute(version) => version,
        Drawn::Relative(more) => Version {
            dot: plus(shown.dot, more),
            ..shown
        },
        Drawn::After(dot, more) => Version {
            dot,
            seen: shown.seen.with(plus(shown.dot, more)).without(dot.era),
        },
    }
}
