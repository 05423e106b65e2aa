//! Lets real faults loose on both boards: real brokers, the real programs in terminals, an operator who
//! presses keys. `dev/chaos.sh` builds and starts it.
//!
//! It writes down what it does and sees (`log.rs`), prints one line a round, and judges nothing: that is done
//! by the checker in `tests/chaos`, which shares no code with it.

mod cable;
mod campaign;
mod chance;
mod faults;
mod log;
mod observer;
mod operator;
mod packets;
#[allow(dead_code, reason = "the simulation uses more of it")]
#[path = "../../core/tests/simulation/rng.rs"]
mod rng;
mod screen;
mod storage;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../tests/support"]
mod support {
    pub mod link;
    pub mod mosquitto;
    pub mod port;
    pub mod pty;
    pub mod bench {
        pub mod told;
    }
}
mod unit;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// What `dev/chaos.sh` says.
#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    faults: usize,
    /// An empty folder, for the log and all files of the boards
    #[arg(long)]
    keep: PathBuf,
    /// The library of tests/chaos/durable.c
    #[arg(long)]
    durable: PathBuf,
    /// The library that fakes clocks
    #[arg(long)]
    faketime: Option<PathBuf>,
    /// Both boards on this host, the cable a TCP proxy
    #[arg(long)]
    proxy: bool,
    /// The broker
    #[arg(long)]
    mosquitto: String,
    /// What it calls its version, such as 2.0.11
    #[arg(long)]
    version: String,
}

/// All that it starts ends with it, however it ends.
fn main() -> ExitCode {
    let given = Arguments::parse();
    let mut campaign = campaign::Campaign::new(world::RealWorld::new(&given), given.seed);
    ExitCode::from(u8::from(!campaign.run(given.faults)))
}
