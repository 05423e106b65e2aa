//! The attacker is silent, everything works, the other owner is honest: the good state must be on the own
//! topic again.

use std::time::Duration;

use dualboard_core::acknowledged::Acknowledged;
use dualboard_core::machine::Role;
use dualboard_core::reading::Snapshot;
use dualboard_core::sensor::{Card, PerSensor};
use dualboard_core::version::{Era, RunId};
use dualboard_core::wire::{Heartbeat, Topic, encode_heartbeat, encode_report};

use super::steps::{Claim, Step, Words};
use super::trial::{BEGIN, Trial};

/// How many rounds of answers it may take until nothing more happens.
const ROUNDS: usize = 24;

/// So many rounds in a row without anything but heartbeats are rest.
const REST: usize = 3;

impl Trial {
    /// Plays on until nothing more happens, and looks at what the broker holds.
    pub fn end(&mut self) {
        self.watch.memory_is_bounded(&self.machine);
        let Role::Monitor(card) = self.role else { return };
        if self.watch.leaving {
            return;
        }
        self.connect();
        self.take(Step::MarkerBack);
        let mut quiet = 0;
        for _ in 0..ROUNDS {
            self.restless = false;
            self.take(Step::Wait(Duration::from_secs(5)));
            self.honest_heartbeat(card.other());
            self.honest_echo(card);
            self.save(None);
            while !self.flying.is_empty() {
                self.answer(true);
                self.save(None);
            }
            self.take(Step::Echo(false));
            quiet = if self.restless { 0 } else { quiet + 1 };
            if quiet == REST {
                break;
            }
        }
        while !self.flying.is_empty() {
            self.answer(true);
            self.save(None);
        }
        assert!(self.machine.is_settled(), "never at rest");
        self.watch.good_state_is_held(&self.machine, &self.holds);
    }

    /// The other board shows what the broker holds.
    fn honest_echo(&mut self, card: Card) {
        let report = self.report(&Words([Claim::AsShown; 6]));
        if report.iter().next().is_some() {
            let topic = Topic::ReadBack(card);
            self.say(topic, encode_report(&report, topic.carries()), false);
        }
    }

    fn honest_heartbeat(&mut self, card: Card) {
        let held = |topic: Topic| {
            let report = super::watch::report_of(topic, self.holds.get(&topic)?);
            Some(report?.versions())
        };
        let heard = held(Topic::Card(card.other())).unwrap_or_default();
        let beat = Heartbeat {
            life: RunId(0x7777),
            uptime: self.now.mono.since(BEGIN.mono),
            era: Era(0x7777),
            run_era: None,
            takes_over: false,
            has: heard,
            heard,
            joined: held(Topic::All),
            heard_names: None,
            joined_names: None,
            quarantined: Snapshot::default(),
            quarantined_ko: PerSensor::default(),
            acknowledged: Acknowledged::default(),
            other_live: true,
            other_plain: false,
        };
        self.say(Topic::Alive(card), encode_heartbeat(&beat), false);
    }
}
