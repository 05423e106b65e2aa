//! Kinds of faults, and how many there were of each.

use std::collections::BTreeMap;

macro_rules! kinds {
    ($($kind:ident $words:literal,)*) => {
        /// Kinds of faults, to count and to print.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Kind { $($kind),* }
        pub const KINDS: &[(Kind, &str)] = &[$((Kind::$kind, $words)),*];
    };
}

kinds! {
    Killed "program killed",
    Left "program ended and started again",
    BrokerKilled "broker killed, unsaved tail lost",
    BrokerStopped "broker stopped and started again",
    PowerCut "board without power",
    Refused "link refused",
    Frozen "link frozen both ways",
    OneWay "link frozen one way",
    Slow "link slow",
    Dropped "local connection dropped",
    Stopped "program stopped (SIGSTOP)",
    Wiped "state file wiped",
    Torn "state file torn",
    Full "disk full for a while",
    StoreWiped "broker's store wiped",
    StoreOld "broker killed, its store an older one",
    Clock "wall clock set",
    Twin "twin started with a blank folder",
    TwinCopied "twin started with a copy of the owner's state file",
    TakesOver "of these, to take over",
    TwinPressed "key pressed on a twin",
    ReadOnly "disk read-only for a whole life",
    Acknowledged "alarms acknowledged",
    Commanded "command with an id",
    Repeated "command sent again",
    Asleep "machine asleep",
    Paused "virtual machine paused",
    Garbage "bad payload",
    Replay "old message replayed",
    Meddler "plain word in an owner's place",
    Plain "plain program under the plain client id",
    Replaced "board replaced: state file and broker's store blank",
    AllKilled "all programs killed",
    Overtaken "older retained copy overtaken on the bridge",
    ClockBehind "bridge does not connect: wall clock behind",
}

/// What follows from others, and is not drawn.
pub const FOLLOW: &[Kind] = &[
    Kind::Acknowledged,
    Kind::TakesOver,
    Kind::TwinPressed,
    Kind::Repeated,
    Kind::Overtaken,
    Kind::ClockBehind,
];

#[derive(Default)]
pub struct Tally(pub BTreeMap<Kind, u64>);

impl Tally {
    pub fn count(&mut self, kind: Kind) {
        *self.0.entry(kind).or_default() += 1;
    }

    pub fn add(&mut self, other: &Self) {
        for (kind, many) in &other.0 {
            *self.0.entry(*kind).or_default() += many;
        }
    }

    /// How many faults: that somebody acknowledges alarms is none.
    pub fn total(&self) -> u64 {
        let faults = self.0.iter().filter(|(kind, _)| **kind != Kind::Acknowledged);
        faults.map(|(_, many)| many).sum()
    }
}
