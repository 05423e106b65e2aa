//! The command lines, and the environment variables of the same settings.
#![expect(
    clippy::doc_markdown,
    reason = "these doc comments are the help texts, read in a terminal"
)]
#![allow(rustdoc::broken_intra_doc_links, reason = "they show [:port] as it is typed")]

mod changes;
mod check;
mod environment;
mod logging;
mod names;
mod screen;
mod settings_files;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, ValueHint};

use crate::machine::Role;
use crate::names::Names;
use crate::sensor::Card;
use crate::settings::{
    BrokerAccess, BrokerUser, CheckOptions, ClientCertificate, LogSettings, MonitorOptions,
};
use check::{CheckArgs, CheckJsonArgs};
use environment::switch;
use screen::{AlarmArgs, ScreenArgs, ToggleModeArgs};
use settings_files::settings_dir;

use changes::SetArgs;
pub use changes::Unusable;
pub use environment::parse;
use logging::LogArgs;

const ENVIRONMENT: &str = "\
Environment:
  For an option without a value, set its variable to 1, true, yes or on, or to 0, false, no or off.
  An empty variable counts as not set. An option wins over its variable.
  The files /etc/dualboard/board.env and, over it, /etc/dualboard/PROGRAM.env may have such
  variables, one NAME=value per line; the environment wins over both. DUALBOARD_SETTINGS names
  another folder; if it is empty, there is none.";

const AFTER_MONITOR: &str = "\
Keys:
  the number of a sensor toggles it;  l locks and unlocks toggling;  a acknowledges alarms;
  s silences the bell;  t tests colours and bell;  p publishes the present state again;
  ? help, with every key;  q or Ctrl-C quits

Exit status: 0 after q, and when --set and --toggle are CONFIRMED; 1 when they are not in time,
and after an error; 2 for unusable arguments; 128+n after signal n.
Of --check: 0 nothing is wrong; 1 some warn; 2 some FAIL.";

/// The options of `card1_monitor`.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "card1_monitor",
    version,
    about = "Shows and toggles sensors 1-3 on board 1; no state is ever lost",
    after_help = AFTER_MONITOR,
    after_long_help = format!("Examples:
  card1_monitor                                     broker 1 on this machine
  card1_monitor --broker mqtts://board1 --ca-file ca.crt --username me --password-file ~/.board1
  card1_monitor --set 2=ko --toggle 3               for scripts; also while one runs
  card1_monitor --check                             what is wrong here, and what to do
  card1_monitor --service                           for systemd, as in data/dualboard-card1.service

{ENVIRONMENT}

{AFTER_MONITOR}")
)]
pub struct Card1 {
    /// Where broker 1 is: mqtt://host[:port], or mqtts://host[:port] for TLS
    #[arg(
        long,
        value_name = "URL",
        env = "DUALBOARD_BROKER",
        default_value = "mqtt://localhost:1883"
    )]
    broker: String,
    #[command(flatten)]
    own: Monitor,
    #[command(flatten)]
    access: Access,
}

/// The options of `card2_monitor`.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "card2_monitor",
    version,
    about = "Shows and toggles sensors 4-6 on board 2, and joins both cards; no state is ever lost",
    after_help = AFTER_MONITOR,
    after_long_help = format!("Examples:
  card2_monitor                                     broker 2 on this machine
  card2_monitor --broker mqtts://board2 --ca-file ca.crt --username me --password-file ~/.board2
  card2_monitor --set 5=ko --toggle 6               for scripts; also while one runs
  card2_monitor --check                             what is wrong here, and what to do
  card2_monitor --service                           for systemd, as in data/dualboard-card2.service

{ENVIRONMENT}

{AFTER_MONITOR}")
)]
pub struct Card2 {
    /// Where broker 2 is: mqtt://host[:port], or mqtts://host[:port] for TLS
    #[arg(
        long,
        value_name = "URL",
        env = "DUALBOARD_BROKER",
        default_value = "mqtt://localhost:1884"
    )]
    broker: String,
    #[command(flatten)]
    own: Monitor,
    #[command(flatten)]
    access: Access,
}

/// The options of `card2_global_display`.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "card2_global_display",
    version,
    about = "Shows all six sensors of both boards; changes none",
    after_help = "Exit status of --once: 0 all OK and live; 1 all OK, something held; 2 some KO;
3 something unknown, for any reason.
Exit status of --check: 0 nothing is wrong; 1 some warn; 2 some FAIL.",
    after_long_help = format!("\
Examples:
  card2_global_display                              the screen, from broker 2 on this machine
  card2_global_display --once                       six lines of text, and an exit status for monitoring
  card2_global_display --once --json | jq .sensor_4
  card2_global_display --check                      what is wrong here, and what to do
  card2_global_display | tee changes.txt            without a terminal: a line for each change
  card2_global_display --on-alarm 'mail -s \"$DUALBOARD_TEXT\" me'

{ENVIRONMENT}

Exit status of --once: 0 all OK and live; 1 all OK, something held; 2 some KO;
3 something unknown, for any reason; 2 also for unusable arguments, with nothing on stdout.
Exit status of --check: 0 nothing is wrong; 1 some warn; 2 some FAIL;
2 also for unusable arguments, with nothing on stdout.
Otherwise: 0 after q, 1 after an error, 2 for unusable arguments, 128+n after signal n.")
)]
pub struct Display {
    /// Where broker 2 is: mqtt://host[:port], or mqtts://host[:port] for TLS
    #[arg(
        long,
        value_name = "URL",
        env = "DUALBOARD_BROKER",
        default_value = "mqtt://localhost:1884"
    )]
    broker: String,
    /// Print the six sensors and end once it is known which are live: at the latest after --timeout, or 10 s
    /// after the broker has answered, whichever is sooner
    #[arg(long)]
    pub once: bool,
    /// Print JSON instead of text: one object with --once or --check, otherwise one line for each change
    #[arg(long, env = "DUALBOARD_JSON", value_parser = switch)]
    pub json: bool,
    /// Give up --once after this many seconds; below 5, live sensors may still be printed as HELD. --check
    /// listens for at most that long
    #[arg(long, value_name = "SECONDS", env = "DUALBOARD_TIMEOUT", default_value = "10", value_parser = seconds)]
    pub timeout: Duration,
    #[command(flatten)]
    check: CheckArgs,
    /// What concerns the screen
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// What alarms do
    #[command(flatten)]
    pub alarms: AlarmArgs,
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    logging: LogArgs,
}

/// What only the owner of a card has.
#[derive(Debug, Clone, Args)]
struct Monitor {
    /// The folder of the state file, and of the socket for other screens and --set [default:
    /// $STATE_DIRECTORY, or dualboard in $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, env = "DUALBOARD_STATE_DIR")]
    state_dir: Option<PathBuf>,
    /// Names for this card's sensors, each at most 24 columns wide; every screen shows them. The variable may
    /// name all six sensors, for both monitors
    #[arg(
        long,
        value_name = "N=NAME,...",
        value_hint = ValueHint::Other,
        env = "DUALBOARD_NAMES",
        value_parser = names::names
    )]
    names: Option<Names>,
    /// End the monitor of this card that already runs, here or on another machine, and go on in its place;
    /// has no effect with --set or --toggle
    #[arg(long, env = "DUALBOARD_TAKE_OVER", value_parser = switch)]
    take_over: bool,
    /// Run for a service manager such as systemd (Type=notify): no screen, no keys, events on stderr; other
    /// screens can show it. Has no effect with --set or --toggle
    #[arg(long, env = "DUALBOARD_SERVICE", value_parser = switch)]
    service: bool,
    #[command(flatten)]
    changes: SetArgs,
    #[command(flatten)]
    check: CheckArgs,
    #[command(flatten)]
    json: CheckJsonArgs,
    #[command(flatten)]
    logging: LogArgs,
    #[command(flatten)]
    screen: ScreenArgs,
    #[command(flatten)]
    alarms: AlarmArgs,
    #[command(flatten)]
    toggle_mode: ToggleModeArgs,
}

/// How the broker is entered.
#[derive(Debug, Clone, Args)]
struct Access {
    /// The user name for the broker; with --password-file
    #[arg(
        long,
        value_name = "NAME",
        env = "DUALBOARD_USERNAME",
        value_parser = user_name
    )]
    username: Option<String>,
    /// The file whose first line is the password; only its owner and its group may read it
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        env = "DUALBOARD_PASSWORD_FILE"
    )]
    password_file: Option<PathBuf>,
    /// For mqtts: the certificates to trust [default: the system's]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "DUALBOARD_CA_FILE")]
    ca_file: Option<PathBuf>,
    /// For mqtts: this program's own certificate, where the broker asks for one; with --key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "DUALBOARD_CERT")]
    cert: Option<PathBuf>,
    /// The key of that certificate; only its owner and its group may read it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "DUALBOARD_KEY")]
    key: Option<PathBuf>,
    /// Talk to a broker on another machine even without encryption or without a credential; the screen says
    /// so
    #[arg(long, env = "DUALBOARD_INSECURE", value_parser = switch)]
    insecure: bool,
}

/// The name is a level of the marker's topic.
fn user_name(text: &str) -> Result<String, &'static str> {
    let parts_topics = |c: char| matches!(c, '+' | '#' | '/') || c.is_control();
    if text.is_empty() || text.contains(parts_topics) {
        return Err(
            "a user name has at least one character, and none of + # / or control characters; give the broker's user another one",
        );
    }
    Ok(text.to_owned())
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| format!("`{text}` is not a number of seconds above 0; write for example 10"))
}

impl Card1 {
    /// What is to be checked instead of anything else, if that is asked for.
    #[must_use]
    pub fn check(&self) -> Option<CheckOptions> {
        self.own.check(Card::One, &self.access, &self.broker)
    }

    /// Whether it runs for a service manager.
    #[must_use]
    pub const fn is_service(&self) -> bool {
        self.own.is_service()
    }

    /// The options, completed from files and environment.
    ///
    /// # Errors
    /// Names the setting that cannot be used.
    pub fn options(self) -> Result<MonitorOptions> {
        self.own.options(Card::One, self.access.access(self.broker))
    }
}

impl Card2 {
    /// What is to be checked instead of anything else, if that is asked for.
    #[must_use]
    pub fn check(&self) -> Option<CheckOptions> {
        self.own.check(Card::Two, &self.access, &self.broker)
    }

    /// Whether it runs for a service manager.
    #[must_use]
    pub const fn is_service(&self) -> bool {
        self.own.is_service()
    }

    /// The options, completed from files and environment.
    ///
    /// # Errors
    /// Names the setting that cannot be used.
    pub fn options(self) -> Result<MonitorOptions> {
        self.own.options(Card::Two, self.access.access(self.broker))
    }
}

impl Display {
    /// What is to be checked instead of anything else, if that is asked for.
    #[must_use]
    pub fn check(&self) -> Option<CheckOptions> {
        self.check.check.then(|| CheckOptions {
            role: Role::Display,
            access: self.access(),
            state_dir: None,
            known_state_dirs: Vec::new(),
            settings_dir: settings_dir(),
            log_file: self.logging().file,
            json: self.json,
            timeout: self.timeout,
        })
    }

    /// Whether and what is written to a log.
    #[must_use]
    pub fn logging(&self) -> LogSettings {
        self.logging.clone().settings()
    }

    /// The display's broker.
    #[must_use]
    pub fn access(&self) -> BrokerAccess {
        self.access.clone().access(self.broker.clone())
    }
}

impl Monitor {
    const fn is_service(&self) -> bool {
        self.service && !self.changes.asks() && !self.check.check
    }

    fn check(&self, card: Card, access: &Access, url: &str) -> Option<CheckOptions> {
        let words = |error: anyhow::Error| format!("{error:#}");
        self.check.check.then(|| CheckOptions {
            role: Role::Monitor(card),
            access: access.clone().access(url.to_owned()),
            state_dir: Some(
                self.state_dir
                    .clone()
                    .map_or_else(|| default_state_dir().map_err(words), Ok),
            ),
            known_state_dirs: known_state_dirs()
                .into_iter()
                .flatten()
                .chain([PathBuf::from(INSTALLED_STATE_DIR)])
                .collect(),
            settings_dir: settings_dir(),
            log_file: self.logging.clone().settings().file,
            json: self.json.json,
            timeout: self.changes.timeout(),
        })
    }

    fn options(self, card: Card, access: BrokerAccess) -> Result<MonitorOptions> {
        let is_service = self.is_service();
        let asked = self.changes.asked(card)?;
        let names = match (&asked, self.names) {
            (Some(_), names) => names,
            (None, names) => Some(names.unwrap_or_default()),
        };
        Ok(MonitorOptions {
            card,
            access,
            names,
            state_dir: self.state_dir.map_or_else(default_state_dir, Ok)?,
            take_over: self.take_over,
            is_service,
            asked,
            logging: self.logging.settings(),
            screen: self.toggle_mode.settings(self.screen),
            on_alarm: self.alarms.command(),
        })
    }
}

impl Access {
    fn access(self, url: String) -> BrokerAccess {
        // Where mqtt:// was typed, what the settings say for TLS is for another broker.
        let is_tls = url.starts_with("mqtts://");
        BrokerAccess {
            url,
            user: self
                .username
                .zip(self.password_file)
                .map(|(name, password_file)| BrokerUser { name, password_file }),
            ca_file: self.ca_file.filter(|_| is_tls),
            certificate: self
                .cert
                .zip(self.key)
                .filter(|_| is_tls)
                .map(|(certificate, key)| ClientCertificate { certificate, key }),
            insecure: self.insecure,
        }
    }
}

/// Where an installed board has its state files.
const INSTALLED_STATE_DIR: &str = "/var/lib/dualboard";

/// Where a state file may be if nobody names a folder, the first one first: after the XDG base directory
/// specification; a service manager names its own folder.
fn known_state_dirs() -> [Option<PathBuf>; 3] {
    #[expect(
        clippy::disallowed_methods,
        reason = "the folders of the user and of the service manager"
    )]
    let folder = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|dir| dir.is_absolute())
    };
    [
        folder("STATE_DIRECTORY"),
        folder("XDG_STATE_HOME").map(|dir| dir.join("dualboard")),
        folder("HOME").map(|dir| dir.join(".local/state/dualboard")),
    ]
}

fn default_state_dir() -> Result<PathBuf> {
    let [manager, xdg, home] = known_state_dirs();
    manager.or(xdg).or(home)
        .context("no folder for the state file: neither STATE_DIRECTORY, XDG_STATE_HOME nor HOME is set; name one with --state-dir")
}
