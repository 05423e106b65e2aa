//! The monitor of board 2: owns sensors 4-6, and joins both cards.

use std::process::ExitCode;

fn main() -> ExitCode {
    dualboard::programs::run::card2_monitor()
}
