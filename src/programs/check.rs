//! `--check`: what is wrong on this board, seen from the place of one program, and what to do about it.
//!
//! Nothing live is disturbed: the check has a client id of its own, and a session that ends with it; it
//! publishes nothing but a marker to itself; it takes no lock, and what it writes into the state folder is a
//! file of its own, gone at once. A broker that gives each user one connection cuts off another screen of the
//! same user for a moment, which nobody can see before; an owner is spared that.

mod bridge;
mod bridge_file;
mod broker;
mod clock;
mod listen;
mod report;
mod rights;
mod storage;

use std::io::{self, Write as _};

use anyhow::{Context, Result};

use crate::machine::Role;
use crate::mqtt;
use crate::settings::CheckOptions;
use crate::storage::lock::{Holder, who_owns};
use crate::text::words;
use report::CheckReport;

pub use report::FAILED;

/// Checks, and gives the exit status.
///
/// # Errors
/// The address cannot be used, or not without `--insecure`, or stdout cannot be written.
pub fn run(options: &CheckOptions) -> Result<u8> {
    // First: an unusable argument prints nothing.
    let (url, exposure) = mqtt::permitted(&options.access)?;
    let mut report = CheckReport::new(words::program(options.role), options.json, io::stdout());
    let log_before = storage::log_size(options);
    let reached = broker::connect(options, &url, exposure, &mut report);
    let heard = match reached {
        Some(mut reached) => {
            let heard = listen::listen(&mut reached, options);
            rights::check(reached, &heard, options, &mut report);
            heard
        }
        None => listen::Evidence::none(options.role),
    };
    bridge::check(&heard, options, &mut report);
    storage::check(options, log_before, &mut report);
    clock::check(options, &mut report);
    broker::version(&heard, &mut report);
    let status = report.finish().context("cannot write to stdout")?;
    io::stdout().flush().context("cannot write to stdout")?;
    Ok(status)
}

/// Who runs as the owner of the card whose monitor this is, with the same state folder.
fn owner_here(options: &CheckOptions) -> Option<Holder> {
    let Role::Monitor(card) = options.role else {
        return None;
    };
    who_owns(options.state_dir.as_ref()?.as_ref().ok()?, card)
}
