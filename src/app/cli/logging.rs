//! `--log-file` and `--log-level`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

/// What goes into the log file: this and all that is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Level {
    /// What loses something, if nobody mends it
    Error,
    /// What is not as it should be
    Warn,
    /// What an operator wants to read later
    Info,
    /// Every message as well
    Debug,
}

impl Level {
    /// Its name in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// What is written to a log.
#[derive(Debug, Clone, Args)]
pub struct Logging {
    /// Write what happens to this file as well, with times in UTC; it may be moved away while the program
    /// runs
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "DUALBOARD_LOG_FILE")]
    pub log_file: Option<PathBuf>,
    /// What --log-file gets: this and all that is worse
    #[arg(
        long,
        value_name = "LEVEL",
        env = "DUALBOARD_LOG_LEVEL",
        value_enum,
        default_value = "info"
    )]
    pub log_level: Level,
}
