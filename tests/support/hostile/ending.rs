//! The attacker is silent, everything works, the other owner is honest: the good state must be on the own topic again.

use std::time::Duration;

use dualboard::machine::Role;
use dualboard::reading::{Snapshot, Versions};
use dualboard::sensor::{Card, SensorSet};
use dualboard::version::Life;
use dualboard::wire::{Heartbeat, Topic, encode_heartbeat, encode_report};

use super::steps::{Said, Step, Words};
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
            if let Some(claim) = self.claim.take() {
                self.say(Topic::Claim(card), claim, false);
            }
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
        self.watch
            .good_state_is_held(&self.machine, self.holds.as_deref());
    }

    /// The other board shows what the broker holds.
    fn honest_echo(&mut self, card: Card) {
        let topic = match card {
            Card::One => Topic::All,
            Card::Two => Topic::Board1All,
        };
        let truth = Words {
            said: [Said::AsShown; 6],
            after: SensorSet::EMPTY,
        };
        let report = self.report(&truth);
        if report.iter().next().is_some() {
            self.say(topic, encode_report(&report, topic.carries()), false);
        }
    }

    fn honest_heartbeat(&mut self, card: Card) {
        let held = self.own_topic().zip(self.holds.as_deref());
        let heard = held.map_or_else(Versions::default, |(topic, payload)| {
            super::watch::report_of(topic, payload).map_or_else(Versions::default, |report| report.versions())
        });
        let beat = Heartbeat {
            life: Life(0x7777),
            uptime: self.now.mono.since(BEGIN.mono),
            has: heard,
            heard,
            refused: Snapshot::default(),
            other_live: true,
            other_plain: false,
        };
        self.say(Topic::Alive(card), encode_heartbeat(&beat), false);
    }
}
