//! `--take-over` on one board: one program at a time ends the one that runs, and goes on in its place.
//!
//! Who takes over holds a second lock while it does, with its name in it. So of two that take over at one
//! moment the one knows of the other; and the program that is told to end knows by whom.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Holder, Lock, ProcessState, locked, name, wait_briefly};
use crate::sensor::Card;
use crate::system::clock::Clock;
use crate::text::words;
use crate::time::Mono;

/// How long the monitor that is told to end may take. It needs 2 s at most to finish what it is sending.
const END: Duration = Duration::from_secs(5);

/// How long one that has just been started may take until it listens to signals.
const BEGIN: Duration = Duration::from_secs(2);

/// The one that takes over.
struct Taker(File);

impl Taker {
    fn claim(folder: &Path, card: Card, this: &Holder) -> Result<Self> {
        match locked(&place(folder, card), this)? {
            Ok(file) => Ok(Self(file)),
            Err(other) => bail!(
                "another {} ({other}) is taking over at this moment, and this one ends; to go on in its place, start with --take-over again",
                words::owner(card)
            ),
        }
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        // A name that stays says nothing wrong: by then it is the owner's own, or nobody's.
        let _ = self.0.set_len(0);
    }
}

fn place(folder: &Path, card: Card) -> PathBuf {
    folder.join(format!("{}.taker", name(card)))
}

/// Who is taking over from this process.
#[must_use]
pub fn who_takes_over(folder: &Path, card: Card) -> Option<Holder> {
    let mut file = File::open(place(folder, card)).ok()?;
    let taker = Holder::read(&mut file);
    let own = taker.process() == Some(rustix::process::getpid());
    (!own && taker.state() != ProcessState::Elsewhere).then_some(taker)
}

/// Ends whoever holds the lock, and takes it.
pub(super) fn take_over(folder: &Path, card: Card, this: &Holder) -> Result<Lock> {
    let _taker = Taker::claim(folder, card, this)?;
    let clock = Clock::start();
    let mut told: Option<(Holder, Mono)> = None;
    loop {
        let holder = match Lock::try_take(folder, card, this)? {
            Ok(lock) => return Ok(lock),
            Err(holder) => holder,
        };
        match &told {
            Some((ending, by)) if ending.is(&holder) => {
                if clock.now().mono >= *by {
                    bail!(
                        "the monitor that runs ({holder}) was told to end and has not within {} s: it hangs; end it by kill -9 {}, then start again",
                        END.as_secs(),
                        holder.process().map_or(0, |pid| pid.as_raw_nonzero().get())
                    );
                }
                wait_briefly();
            }
            // Also where somebody else was quicker: that is the one to end now.
            _ => {
                end(&holder, clock)?;
                told = Some((holder, clock.now().mono.after(END)));
            }
        }
    }
}

fn end(holder: &Holder, clock: Clock) -> Result<()> {
    anyhow::ensure!(
        holder.process().is_some(),
        "the lock does not say which process holds it; end that monitor by hand, then start again"
    );
    anyhow::ensure!(
        holder.state() != ProcessState::Elsewhere,
        "the monitor that runs ({holder}) is not a process of this machine or container; end it where it runs, then start again"
    );
    let begun = clock.now().mono.after(BEGIN);
    while !holder.hears() && clock.now().mono < begun {
        wait_briefly();
    }
    holder.tell_to_end().with_context(|| {
        format!("cannot end the monitor that runs ({holder}); end it by hand, then start again")
    })
}
