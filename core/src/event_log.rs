//! The last events: who, what, when. Bounded.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::chain::Link;
use crate::command::{Changes, Name};
use crate::lack::Lack;
use crate::sensor::{Card, SensorId, SensorSet, State};
use crate::stage::Stage;
use crate::time::{Mono, Wall};
use crate::wire::{Malformed, Topic};

/// How many events are kept. An hour of busy toggling, and a few tens of kilobytes.
pub const KEPT: usize = 200;

/// Something worth telling the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// The operator toggled an own sensor.
    Toggled {
        /// Which.
        sensor: SensorId,
        /// From; `None` is UNKNOWN.
        from: Option<State>,
        /// To.
        to: State,
        /// How far it has got, and how long that took.
        reached: (Stage, Duration),
        /// The same sensor was toggled again before this was confirmed: what it had reached is not followed
        /// any more.
        replaced: bool,
    },
    /// A sensor changed by what was heard.
    Changed {
        /// Which.
        sensor: SensorId,
        /// From; `None` is UNKNOWN.
        from: Option<State>,
        /// To.
        to: State,
    },
    /// The first restore has ended.
    Restored {
        /// How many of the own (on the display: of all) sensors were found in some memory.
        found: usize,
        /// Out of how many.
        of: usize,
    },
    /// The state file was missing or could not be believed; in words.
    MemoryLost(String),
    /// The state file could not be written; in words.
    NotSaved(String),
    /// The state file can be written again.
    SavedAgain,
    /// The log file could not be written; in words.
    NotLogged(String),
    /// The log file can be written again.
    LoggedAgain,
    /// The command that is run at each alarm has failed; in words.
    AlarmCommandFailed(String),
    /// An own reading was recovered from a copy that turned up after the start.
    Recovered(SensorId),
    /// A link of the chain came up.
    Up(Link),
    /// A link of the chain broke; in words, where there are any.
    Down(Link, String),
    /// The other card's sensors are live again.
    Live(Card),
    /// The other card's sensors are held, because of this link.
    Held(Card, Link),
    /// A payload could not be read.
    Malformed(Topic, Malformed),
    /// A plain program spoke for a card whose owner is live.
    Impostor(Card),
    /// Another owner of this card is there, and is the one to end.
    Twin,
    /// The broker keeps something from this program.
    Lacks(Lack),
    /// The broker lets this display look and not publish on this topic.
    MayNotPublish(Topic),
    /// Somebody asked for states without a key.
    Commanded {
        /// Who, if it was said.
        by: Option<Name>,
        /// For what.
        changes: Changes,
    },
    /// Somebody has acknowledged the alarms of these sensors.
    Acknowledged {
        /// Who, if it was said.
        by: Option<Name>,
        /// Of which sensors.
        sensors: SensorSet,
    },
    /// A command that the broker had kept: it was for whoever was there when it was given.
    RetainedCommand(Topic),
    /// The operator asked to publish the present state again.
    PublishedAgain,
}

/// A fact, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// By this machine's wall clock.
    pub wall: Wall,
    /// What.
    pub fact: Fact,
    /// How often in a row.
    pub times: u32,
}

/// The last [`KEPT`] facts, the newest last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EventLog {
    entries: VecDeque<LogEntry>,
    /// Counts all that was ever noted, so that a reader can tell what is new.
    noted: u64,
    /// Toggles that are not confirmed yet, one a sensor: the count at their entry, and their moment. What was
    /// toggled stands, if under another version.
    #[serde(skip)]
    open: Vec<(u64, SensorId, Mono)>,
}

impl EventLog {
    /// Notes a fact. The same fact many times in a row is one entry: bad payloads come in floods.
    pub fn note(&mut self, wall: Wall, fact: Fact) {
        if let Some(last) = self.entries.back_mut().filter(|last| last.fact == fact) {
            last.times = last.times.saturating_add(1);
            last.wall = wall;
            return;
        }
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.noted += 1;
        self.entries.push_back(LogEntry { wall, fact, times: 1 });
    }

    /// Notes a toggle, whose stages will be followed. Those of an earlier one of the same sensor that is
    /// still on its way will not: what is on its way now is this one.
    pub fn note_toggle(
        &mut self,
        (mono, wall): (Mono, Wall),
        sensor: SensorId,
        (from, to): (Option<State>, State),
    ) {
        self.note(
            wall,
            Fact::Toggled {
                sensor,
                from,
                to,
                reached: (Stage::Sending, Duration::ZERO),
                replaced: false,
            },
        );
        let Self { entries, noted, open } = self;
        open.retain(|(at, other, _)| {
            let is_other = *other != sensor;
            if let (false, Some(Fact::Toggled { replaced, .. })) = (is_other, fact_at(entries, *noted, *at)) {
                *replaced = true;
            }
            is_other
        });
        open.push((*noted, sensor, mono));
    }

    /// Whether there are toggles whose stages are to be followed.
    #[must_use]
    pub fn follows(&self) -> bool {
        !self.open.is_empty()
    }

    /// Brings the stages of the toggles up to date.
    pub fn follow(&mut self, now: Mono, stage: impl Fn(SensorId) -> Option<Stage>) {
        let Self { entries, noted, open } = self;
        open.retain(|(at, sensor, since)| {
            let Some(Fact::Toggled { reached, .. }) = fact_at(entries, *noted, *at) else {
                return false;
            };
            let Some(stage) = stage(*sensor) else { return false };
            if stage != reached.0 {
                *reached = (stage, now.since(*since));
            }
            stage != Stage::Confirmed
        });
    }

    /// This log and another one as one, each in its own order, and between the two by time.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let mut other_entries = other.entries.iter().peekable();
        let mut entries = VecDeque::new();
        for entry in &self.entries {
            while let Some(earlier) = other_entries.next_if(|next| next.wall.0 < entry.wall.0) {
                entries.push_back(earlier.clone());
            }
            entries.push_back(entry.clone());
        }
        entries.extend(other_entries.cloned());
        entries.drain(..entries.len().saturating_sub(KEPT));
        Self {
            entries,
            noted: self.noted + other.noted,
            open: Vec::new(),
        }
    }

    /// The facts, the newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &LogEntry> {
        self.entries.iter().rev()
    }

    /// How many facts there have ever been, repetitions not counted.
    #[must_use]
    pub const fn noted(&self) -> u64 {
        self.noted
    }

    /// What there is to say to somebody who knows this log as it was earlier: its entries from the first on
    /// that is new or has changed.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let known = (self.before() + 1..)
            .zip(&self.entries)
            .take_while(|(count, entry)| earlier.entry_at(*count) == Some(entry))
            .count();
        Self {
            entries: self.entries.range(known..).cloned().collect(),
            noted: self.noted,
            open: Vec::new(),
        }
    }

    /// The whole log, of which this is what [`Self::since`] has given.
    #[must_use]
    pub fn after(self, earlier: &Self) -> Self {
        let before = self.before();
        // What lies between, nobody has.
        let known = if before > earlier.noted {
            0
        } else {
            usize::try_from(before.saturating_sub(earlier.before())).unwrap_or(0)
        };
        let mut entries: VecDeque<_> = earlier.entries.iter().take(known).cloned().collect();
        entries.extend(self.entries);
        entries.drain(..entries.len().saturating_sub(KEPT));
        Self { entries, ..self }
    }

    /// The count before the oldest entry that is kept.
    fn before(&self) -> u64 {
        self.noted.saturating_sub(self.entries.len() as u64)
    }

    fn entry_at(&self, count: u64) -> Option<&LogEntry> {
        let place = count.checked_sub(self.before() + 1)?;
        self.entries.get(usize::try_from(place).ok()?)
    }
}

/// The fact at which the count was `at`, if it is still kept.
fn fact_at(entries: &mut VecDeque<LogEntry>, noted: u64, at: u64) -> Option<&mut Fact> {
    let first = noted - entries.len() as u64 + 1;
    let place = usize::try_from(at.checked_sub(first)?).ok()?;
    entries.get_mut(place).map(|entry| &mut entry.fact)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log that becomes what it is as logs do: facts, repeated or not, and toggles whose stages come later.
    fn logs() -> impl Iterator<Item = EventLog> {
        let mut log = EventLog::default();
        let mut drawn = 1_u32;
        (0..).map(move |moment: u32| {
            drawn = drawn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (mono, wall) = (Mono::ZERO, Wall(i64::from(moment / 3)));
            let sensor = SensorId::ALL[(drawn >> 16) as usize % 3];
            match drawn >> 29 {
                0 => log.note(wall, Fact::PublishedAgain),
                1 => log.note(wall, Fact::NotSaved(alloc::format!("reason {}", drawn % 7))),
                2..=4 => log.note_toggle((mono, wall), sensor, (None, State::Ko)),
                5 => log.follow(mono, |_| Some(Stage::Saved)),
                _ => log.follow(mono, |_| Some(Stage::Confirmed)),
            }
            log.clone()
        })
    }

    /// As it comes from another process.
    fn seen(log: &EventLog) -> EventLog {
        EventLog {
            open: Vec::new(),
            ..log.clone()
        }
    }

    #[test]
    fn what_is_new_in_a_log_makes_the_log_again_of_any_earlier_one() {
        let logs: Vec<_> = logs().take(700).collect();
        let (mut least, mut most) = (usize::MAX, 0);
        for (place, log) in logs.iter().enumerate() {
            for ago in [0, 1, 2, 5, 40, 300, place] {
                let earlier = place.checked_sub(ago).map(|place| seen(&logs[place]));
                let Some(earlier) = earlier else { continue };
                let new = log.since(&earlier);
                assert_eq!(new.clone().after(&earlier), seen(log), "{ago} before {place}");
                if ago == 1 && place > 600 {
                    least = least.min(new.entries.len());
                    most = most.max(new.entries.len());
                }
            }
            assert_eq!(log.since(&EventLog::default()), seen(log), "all of it is new");
        }
        assert!(least == 0 && most < 20, "{least} to {most} entries");
    }

    #[test]
    fn where_something_is_missing_between_only_what_is_new_is_kept() {
        let logs: Vec<_> = logs().take(700).collect();
        let new = logs[600].since(&logs[590]);
        let joined = new.clone().after(&logs[3]);
        assert_eq!(joined, new);
    }
}
