//! The JSON of an owner's claim to its card.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::Malformed;
use super::body::{parse, to_json};
use crate::version::Life;

/// Which program is a card's owner under its client id, and whose claims it replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Which life of the program it is.
    pub life: Life,
    /// One more than in the claim that it found when it started; 0 if there was none.
    pub turn: u32,
    /// Whose claims lay there before this one.
    pub over: Replaced,
    /// Whether it was started to take over from whoever runs.
    pub takes_over: bool,
}

impl Claim {
    /// Whether its program goes on, of two that live. Of those started to take over the last one does, and before all others; of the others
    /// the first one. This is an order, so of any number exactly one goes on.
    #[must_use]
    pub fn outranks(&self, other: &Self) -> bool {
        self.rank() > other.rank()
    }

    fn rank(&self) -> (bool, i64, Reverse<u32>) {
        let turn = i64::from(self.turn);
        (
            self.takes_over,
            if self.takes_over { turn } else { -turn },
            Reverse(self.life.0),
        )
    }
}

/// Lives whose claims were replaced one after the other, the latest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replaced([Option<Life>; Self::KEPT]);

impl Replaced {
    /// How many are told: so many programs may take the connection from each other at one moment.
    pub const KEPT: usize = 8;

    /// Whether a claim of this life was replaced.
    #[must_use]
    pub fn contains(&self, life: Life) -> bool {
        self.0.contains(&Some(life))
    }

    /// Whether there was none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == [None; Self::KEPT]
    }

    /// What a claim of this life replaces that is put in the place of another one.
    #[must_use]
    pub fn by(life: Life, there: &Claim) -> Self {
        let before = there.over.0.into_iter().flatten();
        [there.life]
            .into_iter()
            .chain(before.filter(|before| *before != life && *before != there.life))
            .collect()
    }
}

impl FromIterator<Life> for Replaced {
    fn from_iter<I: IntoIterator<Item = Life>>(lives: I) -> Self {
        let mut replaced = Self::default();
        for (place, life) in replaced.0.iter_mut().zip(lives) {
            *place = Some(life);
        }
        replaced
    }
}

#[derive(Serialize, Deserialize)]
struct ClaimBody {
    life: u32,
    #[serde(default)]
    turn: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    over: Vec<u32>,
    #[serde(default)]
    takes_over: bool,
}

/// Reads a claim.
pub(super) fn decode(payload: &[u8]) -> Result<Claim, Malformed> {
    let body: ClaimBody = parse(payload)?;
    Ok(Claim {
        life: Life(body.life),
        turn: body.turn,
        over: body.over.into_iter().map(Life).collect(),
        takes_over: body.takes_over,
    })
}

/// The payload of a claim.
#[must_use]
pub fn encode_claim(claim: &Claim) -> Vec<u8> {
    to_json(&ClaimBody {
        life: claim.life.0,
        turn: claim.turn,
        over: claim.over.0.iter().flatten().map(|life| life.0).collect(),
        takes_over: claim.takes_over,
    })
}
