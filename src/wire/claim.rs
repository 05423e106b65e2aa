//! The JSON of an owner's claim to its card.

use serde::{Deserialize, Serialize};

use super::Malformed;
use super::body::{parse, to_json};
use crate::version::Life;

/// Which program is a card's owner under its client id, and whose claim it replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Which life of the program it is.
    pub life: Life,
    /// Whose claim it found when it started.
    pub met: Option<Life>,
    /// Whose claim lay there before this one.
    pub over: Option<Life>,
    /// Whether it was started to take over from whoever runs.
    pub takes_over: bool,
}

#[derive(Serialize, Deserialize)]
struct ClaimBody {
    life: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    met: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    over: Option<u32>,
    #[serde(default)]
    takes_over: bool,
}

/// Reads a claim.
pub(super) fn decode(payload: &[u8]) -> Result<Claim, Malformed> {
    let body: ClaimBody = parse(payload)?;
    Ok(Claim {
        life: Life(body.life),
        met: body.met.map(Life),
        over: body.over.map(Life),
        takes_over: body.takes_over,
    })
}

/// The payload of a claim.
#[must_use]
pub fn encode_claim(claim: &Claim) -> Vec<u8> {
    to_json(&ClaimBody {
        life: claim.life.0,
        met: claim.met.map(|life| life.0),
        over: claim.over.map(|life| life.0),
        takes_over: claim.takes_over,
    })
}
