//! The display: shows all six sensors, changes none.

use std::process::ExitCode;

fn main() -> ExitCode {
    dualboard::programs::run::card2_global_display()
}
