//! Proof of life: something that arrives live and in step.

use core::time::Duration;

use crate::time::{Mono, Now, Wall};
use crate::version::RunId;

/// How often an owner publishes its heartbeat.
pub const INTERVAL: Duration = Duration::from_secs(2);

/// How long a proof of life holds. With the interval above, four heartbeats may be lost; the promise is HELD
/// within 15 s.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// How far the time between two arrivals may differ from the time between their sendings. Two that were sent
/// closer together than this cannot be told from a burst; less than [`INTERVAL`], so that two in a row can.
const STEP: Duration = Duration::from_millis(1_500);

/// Whether a source is alive, judged by what arrives from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pulse {
    /// What the next heartbeat is held against.
    anchor: Option<Beat>,
    proof: Option<Now>,
    gone: bool,
    /// When time was found to have passed since the last proof that the monotonic clock did not count.
    lapsed: Option<Mono>,
    /// When it was first said to be gone since it was last alive.
    ended: Option<Now>,
    /// When it was last said to be gone: of a life that had not proved that it lives, too.
    last_word: Option<Mono>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Beat {
    life: RunId,
    sent: Duration,
    arrived: Mono,
}

impl Pulse {
    /// A heartbeat arrived, sent when its sender had been up for `uptime`. It proves life if it is in step
    /// with an earlier one of the same life. The first of a life proves nothing: it may have been under way
    /// for long. Gives whether it is a proof.
    pub fn beat(&mut self, now: Now, life: RunId, uptime: Duration) -> bool {
        let in_step = match self.anchor {
            Some(anchor) if anchor.life == life => {
                let between = uptime.checked_sub(anchor.sent);
                if between.is_some_and(|between| between <= STEP) {
                    return false;
                }
                let apart = now.mono.since(anchor.arrived);
                between.is_some_and(|between| apart.abs_diff(between) <= STEP)
            }
            Some(_) | None => false,
        };
        self.anchor = Some(Beat {
            life,
            sent: uptime,
            arrived: now.mono,
        });
        if in_step {
            self.prove(now);
        }
        in_step
    }

    /// Something arrived that its source has just sent.
    pub fn prove(&mut self, now: Now) {
        self.proof = Some(now);
        self.gone = false;
        self.lapsed = None;
    }

    /// Time has passed that the monotonic clock did not count: what was proved before it proves nothing now.
    pub fn lapse(&mut self, now: Mono) {
        self.lapsed = Some(now);
        self.anchor = None;
    }

    /// The source said, or its broker did, that it is gone.
    pub fn end(&mut self, now: Now) {
        if !self.gone {
            self.ended = Some(now);
        }
        self.gone = true;
        self.last_word = Some(now.mono);
    }

    /// Whether the source is alive, as far as can be known now.
    #[must_use]
    pub fn is_live(&self, now: Mono) -> bool {
        !self.gone && self.lapsed.is_none() && self.proof.is_some_and(|proof| now < proof.mono.after(TIMEOUT))
    }

    /// Whether the source said, or its broker did, that it is gone, and nothing has proved the contrary
    /// since.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        self.gone
    }

    /// Whether something has arrived since it was last alive, that proves nothing by itself: the first
    /// heartbeat after a start, say.
    #[must_use]
    pub fn is_heard_again(&self, now: Mono) -> bool {
        let lost = match (self.last_word.filter(|_| self.gone).or(self.lapsed), self.proof) {
            (Some(lost), _) => lost,
            (None, Some(proof)) => proof.mono.after(TIMEOUT),
            (None, None) => Mono::ZERO,
        };
        self.anchor
            .is_some_and(|beat| lost < beat.arrived && now < beat.arrived.after(TIMEOUT))
            && !self.is_live(now)
    }

    /// When something last arrived that was held against what came before.
    #[must_use]
    pub fn heard(&self) -> Option<Mono> {
        self.anchor.map(|beat| beat.arrived)
    }

    /// When it will no longer count that something has arrived.
    #[must_use]
    pub fn forgotten(&self) -> Option<Mono> {
        self.anchor.map(|beat| beat.arrived.after(TIMEOUT))
    }

    /// When the last proof will cease to hold: the moment to look again.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        if self.gone || self.lapsed.is_some() {
            return None;
        }
        self.proof.map(|proof| proof.mono.after(TIMEOUT))
    }

    /// Since when it is not live: when it was last known to be alive, or when it said that it ends. A broker
    /// says so as well, but of a connection that was cut only after its keep-alive: where a proof has been
    /// missing by then, the last one counts.
    #[must_use]
    pub fn lost_at(&self) -> Option<Wall> {
        let ended = self.ended.filter(|_| self.gone);
        match (ended, self.proof) {
            (Some(ended), Some(proof)) if ended.mono.since(proof.mono) > INTERVAL + STEP => Some(proof.wall),
            (Some(ended), _) => Some(ended.wall),
            (None, proof) => proof.map(|proof| proof.wall),
        }
    }

    /// Which life of the source was heard last.
    #[must_use]
    pub fn life(&self) -> Option<RunId> {
        self.anchor.map(|beat| beat.life)
    }
}
