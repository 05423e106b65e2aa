//! How often and how long everything is measured.

use std::time::Duration;

/// For a full run (about 20 minutes) or a quick one.
pub struct Amounts {
    pub is_quick: bool,
    /// Keys of each kind, in each condition.
    pub keys: usize,
    /// The plain Python programs, which are slow, get one for so many of these.
    pub keys_for_python: usize,
    /// Starts of each program, in each way to end it.
    pub starts: usize,
    /// The same with a queue, which has to be made anew each time.
    pub queued_starts: usize,
    /// How many toggles are made meanwhile.
    pub queues: &'static [usize],
    /// Of each fault.
    pub faults: usize,
    /// Keys that are pressed as fast as they are read.
    pub burst: usize,
    /// How long messages come at full speed.
    pub flood: Duration,
    /// The same at a peer.
    pub peer_flood: Duration,
    /// How many displays, one after the other.
    pub displays: &'static [usize],
    /// How many screens of one owner.
    pub screens: &'static [usize],
    /// How many toggles are made in an outage.
    pub outages: &'static [usize],
    /// Keys for each step of growth.
    pub growth_keys: usize,
    /// How long everything rests.
    pub rest: Duration,
}

impl Amounts {
    pub fn full() -> Self {
        Self {
            is_quick: false,
            keys: 500,
            keys_for_python: 5,
            starts: 25,
            queued_starts: 3,
            queues: &[1, 1_000],
            faults: 3,
            burst: 10_000,
            flood: Duration::from_secs(60),
            peer_flood: Duration::from_secs(20),
            displays: &[1, 10, 100],
            screens: &[1, 5, 20],
            outages: &[1, 100, 1_000],
            growth_keys: 100,
            rest: Duration::from_secs(185),
        }
    }

    pub fn quick() -> Self {
        Self {
            is_quick: true,
            keys: 16,
            keys_for_python: 2,
            starts: 2,
            queued_starts: 1,
            queues: &[1, 20],
            faults: 1,
            burst: 500,
            flood: Duration::from_secs(1),
            peer_flood: Duration::from_secs(1),
            displays: &[1, 10],
            screens: &[1],
            outages: &[20],
            growth_keys: 16,
            rest: Duration::from_secs(6),
        }
    }
}
