//! `--log-file` and `--log-level`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::settings::{Level, LogSettings};

/// What is written to a log.
#[derive(Debug, Clone, Args)]
pub(super) struct LogArgs {
    /// Also write events to this file, with times in UTC; it may be moved away while the program runs
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "DUALBOARD_LOG_FILE")]
    log_file: Option<PathBuf>,
    /// The least severe level written to --log-file, and to stderr with --service
    #[arg(
        long,
        value_name = "LEVEL",
        env = "DUALBOARD_LOG_LEVEL",
        value_enum,
        default_value = "info"
    )]
    log_level: Level,
}

impl LogArgs {
    pub(super) fn settings(self) -> LogSettings {
        LogSettings {
            file: self.log_file,
            level: self.log_level,
        }
    }
}
