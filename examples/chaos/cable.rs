//! The cable between the boards: it can be told to fail in every way.

use std::time::Duration;

use crate::log::{log, now};
use crate::support::link::TcpRelay;

/// How one direction of the cable is.
#[derive(Clone, Copy, PartialEq)]
pub struct Way {
    pub kind: &'static str,
    /// The parts of 1 that are lost, and doubled.
    pub odds: [f64; 2],
    /// How many seconds late everything is, at least and at the most.
    pub late: [f64; 2],
    /// Bytes a second. What has no rate does not keep the order.
    pub rate: f64,
}

pub const PASS: Way = Way::new("pass", [0.0; 2], [0.0; 2], f64::INFINITY);
pub const DROP: Way = Way::new("drop", [1.0, 0.0], [0.0; 2], f64::INFINITY);
/// As where nobody listens.
pub const REJECT: Way = Way::new("reject", [1.0, 0.0], [0.0; 2], f64::INFINITY);

impl Way {
    pub const fn new(kind: &'static str, odds: [f64; 2], late: [f64; 2], rate: f64) -> Self {
        Self {
            kind,
            odds,
            late,
            rate,
        }
    }
}

/// What carries it: is told how it is, from board 1 to 2 and from 2 to 1, and whether it is frozen.
pub type Tell = Box<dyn Fn([Way; 2], bool)>;

/// The cable, and what it was last told.
pub struct FaultyCable {
    tell: Tell,
    ways: [Way; 2],
    pub frozen: bool,
    /// How often it was told something: who told it last.
    pub order: u64,
    /// When it was last told something, or went on.
    pub mended: Duration,
}

impl FaultyCable {
    pub fn new(tell: Tell) -> Self {
        log!("start", {"who": "cable", "run": 1});
        Self {
            tell,
            ways: [PASS; 2],
            frozen: false,
            order: 0,
            mended: now(),
        }
    }

    pub fn is_whole(&self) -> bool {
        self.ways == [PASS; 2]
    }

    /// From now on it is like this: from board 1 to 2, and from 2 to 1.
    pub fn set(&mut self, ways: [Way; 2]) {
        (self.ways, self.mended) = (ways, now());
        self.order += 1;
        log!("cable", {"way12": ways[0].kind, "way21": ways[1].kind});
        (self.tell)(self.ways, self.frozen);
    }

    /// As it should be.
    pub fn heal(&mut self) {
        if !self.is_whole() {
            self.set([PASS; 2]);
        }
    }

    /// Nothing moves, and nothing is lost, until it goes on.
    pub fn freeze(&mut self, frozen: bool) {
        if self.frozen != frozen {
            (self.frozen, self.mended) = (frozen, now());
            log!(if frozen { "stop" } else { "resume" }, {"who": "cable", "run": 1});
            (self.tell)(self.ways, self.frozen);
        }
    }
}

/// A TCP proxy in front of broker 1: it holds up bytes and loses none.
pub fn proxy(link: &TcpRelay, ways: [Way; 2], frozen: bool) {
    let [to_2, to_1] = ways.map(|way| match way.kind {
        "pass" if !frozen => Duration::ZERO,
        "slow" | "lossy" if !frozen => Duration::from_secs_f64(way.late[0].max(0.2)),
        _ => Duration::MAX,
    });
    let cut = ways.contains(&REJECT) && !frozen;
    // The bridge is on board 2: what it sends goes to the proxy's target.
    link.set((!cut).then_some([to_1, to_2]));
}
