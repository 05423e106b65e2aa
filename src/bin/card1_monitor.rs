//! The monitor of board 1: owns sensors 1-3.

use std::process::ExitCode;

fn main() -> ExitCode {
    dualboard::programs::run::card1_monitor()
}
