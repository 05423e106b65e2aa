//! The display: shows all six sensors, changes none.

use std::process::ExitCode;

fn main() -> ExitCode {
    dualboard::app::run::card2_global_display()
}
