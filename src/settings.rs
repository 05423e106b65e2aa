//! What a command line has decided: plain values, below everything that uses them.

pub mod secret_file;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::alarms::BellMode;
use crate::command::{Changes, Name};
use crate::machine::Role;
use crate::names::Names;
use crate::sensor::Card;

/// Which broker, and how it is entered. The files are read when the broker is needed: a screen of an owner
/// that runs needs none, and its user may not be allowed to read them.
#[derive(Debug, Clone)]
pub struct BrokerAccess {
    /// The broker's URL, as it was given.
    pub url: String,
    /// Under which name, if under any.
    pub user: Option<BrokerUser>,
    /// The certificates to trust.
    pub ca_file: Option<PathBuf>,
    /// What this program shows to a broker that asks for a certificate.
    pub certificate: Option<ClientCertificate>,
    /// Whether a broker beyond loopback may do without encryption or without a credential.
    pub insecure: bool,
}

impl BrokerAccess {
    /// User name and password, if there are any.
    ///
    /// # Errors
    /// Names the file, and what is wrong with it.
    pub fn credentials(&self) -> Result<Option<Credentials>> {
        let user = self.user.clone();
        user.map(|user| Credentials::read(user.name, user.password_file))
            .transpose()
    }

    /// Whether a broker can tell this program from a stranger.
    #[must_use]
    pub const fn has_credential(&self) -> bool {
        self.user.is_some() || self.certificate.is_some()
    }
}

/// A user of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerUser {
    /// The user's name.
    pub name: String,
    /// The file whose first line is the password.
    pub password_file: PathBuf,
}

/// A certificate of this program's own, and the key to it; both in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The file of the certificate; others that lead to its authority may follow in it.
    pub certificate: PathBuf,
    /// The file of the private key.
    pub key: PathBuf,
}

/// User name and password.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// Where it was read from, to be read again when it has changed.
    pub file: Option<PathBuf>,
}

impl Credentials {
    /// With the password in the file's first line.
    ///
    /// # Errors
    /// Names the file, and what is wrong with it.
    pub fn read(username: String, file: PathBuf) -> Result<Self> {
        let text = secret_file::read("password file", "--password-file", &file)?;
        let password = text.lines().next().unwrap_or_default();
        ensure!(
            !password.is_empty(),
            "the password file {} has an empty first line; write the password there",
            file.display()
        );
        Ok(Self {
            username,
            password: Secret(password.to_owned()),
            file: Some(file),
        })
    }
}

/// A password. It does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a monitor is started with.
#[derive(Debug, Clone)]
pub struct MonitorOptions {
    /// The card that it owns.
    pub card: Card,
    /// Its broker.
    pub access: BrokerAccess,
    /// The folder of its state file.
    pub state_dir: PathBuf,
    /// What the sensors are called; `None` if only a change is asked for, which leaves the names as they are.
    pub names: Option<Names>,
    /// Whether to end the monitor that runs already.
    pub take_over: bool,
    /// Whether it runs for a service manager: without a terminal, and stderr is its log.
    pub is_service: bool,
    /// What is to be done instead of showing a screen.
    pub asked: Option<SetRequest>,
    /// Whether and what is written to a log.
    pub logging: LogSettings,
    /// What concerns the screen.
    pub screen: ScreenSettings,
    /// What is run at each new alarm.
    pub on_alarm: Option<AlarmCommand>,
}

/// What `--check` looks at. What cannot be used is in words: it is one of the things that it says.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// Whose place it is seen from.
    pub role: Role,
    /// The broker, and how it is entered.
    pub access: BrokerAccess,
    /// The folder of a monitor's state file.
    pub state_dir: Option<std::result::Result<PathBuf, String>>,
    /// Where else such a file may be.
    pub known_state_dirs: Vec<PathBuf>,
    /// Where the settings of an installed board are.
    pub settings_dir: Option<PathBuf>,
    /// The log file, if one is written.
    pub log_file: Option<PathBuf>,
    /// Whether it is said in JSON.
    pub json: bool,
    /// How long to listen at the broker at most.
    pub timeout: Duration,
}

/// A command line for the shell, run at each new alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmCommand(pub String);

/// What the user wants of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScreenSettings {
    /// How an alarm rings the bell.
    pub bell: BellMode,
    /// Whether an alarm is a desktop notification, too.
    pub notify: Notify,
    /// No press toggles.
    pub read_only: bool,
    /// A click toggles as a press does.
    pub mouse: bool,
    /// Who looks at it, for what others are told.
    pub operator: Option<Name>,
}

/// Whether and how the terminal is told to show a desktop notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Notify {
    /// Send none
    Off,
    /// Choose the form by what the environment says of the terminal; send none if it is not known
    Auto,
    /// As iTerm2 and Warp understand it
    Osc9,
    /// As foot, Ghostty, rxvt-unicode and others understand it
    Osc777,
    /// As kitty understands it
    Osc99,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct SetRequest {
    /// For the own sensors.
    pub changes: Changes,
    /// How long it may take.
    pub timeout: Duration,
}

/// What is written to a log.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// Its file; `None` if nothing is written.
    pub file: Option<PathBuf>,
    /// This and all that is worse is written.
    pub level: Level,
}

/// What goes into the log: this and all that is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Level {
    /// Something is lost unless somebody acts
    Error,
    /// Something is not as it should be
    Warn,
    /// Events that an operator may want to read later
    Info,
    /// Also every message
    Debug,
}

impl Level {
    /// Its name.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_show_itself_to_who_prints_what_it_is_part_of() {
        let credentials = Credentials {
            username: "me".to_owned(),
            password: Secret("opensesame".to_owned()),
            file: None,
        };
        let printed = format!("{credentials:?} {credentials:#?}");
        assert!(
            printed.contains("me") && !printed.contains("opensesame"),
            "{printed}"
        );
    }
}
