//! What a service manager such as systemd is told: `sd_notify(3)`.
//!
//! By hand, since the crate `sd-notify` waits where the manager does not read, and knows no abstract names.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::system::process::own_pid;
use crate::time::Mono;

/// A longer status is cut off: of more than 4096 bytes the manager takes nothing.
const LONGEST_STATUS: usize = 400;

/// The way to the service manager that has started this program. Where there is none, nobody is told.
pub struct ServiceManager {
    socket: Option<(UnixDatagram, SocketAddr)>,
    status: String,
    /// What it has not been told yet, the latest for each name.
    unsaid: BTreeMap<&'static str, String>,
    watchdog: Option<Watchdog>,
}

/// The manager starts the program again where it is not told for too long that the main loop turns.
struct Watchdog {
    limit: Duration,
    last: Mono,
}

impl ServiceManager {
    /// The one that the environment names.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is how a service manager says where it is"
    )]
    pub fn of_environment(now: Mono) -> Self {
        let text = |name| std::env::var(name).ok();
        let is_for_this = text("WATCHDOG_PID").is_none_or(|pid| pid == own_pid().to_string());
        let limit = text("WATCHDOG_USEC").and_then(|limit| limit.parse().ok());
        let limit = limit.filter(|limit| is_for_this && *limit > 0);
        Self {
            socket: std::env::var_os("NOTIFY_SOCKET").and_then(|name| {
                let socket = UnixDatagram::unbound().ok()?;
                socket.set_nonblocking(true).ok()?;
                Some((socket, address(&name)?))
            }),
            status: String::new(),
            unsaid: BTreeMap::new(),
            watchdog: limit.map(|limit| Watchdog {
                limit: Duration::from_micros(limit),
                last: now,
            }),
        }
    }

    /// The program does what it is there for.
    pub fn ready(&mut self) {
        self.unsaid.insert("READY", "1".to_owned());
    }

    /// The program is about to end.
    pub fn stopping(&mut self) {
        self.unsaid.insert("STOPPING", "1".to_owned());
    }

    /// How it is, in one line of plain text; told only when it changes.
    pub fn status(&mut self, status: &str) {
        let status: String = status.chars().take(LONGEST_STATUS).collect();
        if self.status != status {
            self.unsaid.insert("STATUS", status.clone());
            self.status = status;
        }
    }

    /// The main loop turns. It is told at each turn after a third of the limit, so that a loop that has other
    /// things to do in the meantime is not woken for it.
    pub fn turns(&mut self, now: Mono) {
        if let Some(watchdog) = &mut self.watchdog
            && now >= watchdog.last.after(watchdog.limit / 3)
        {
            watchdog.last = now;
            self.unsaid.insert("WATCHDOG", "1".to_owned());
        }
    }

    /// When the loop has to turn at the latest: at half of the limit.
    #[must_use]
    pub fn due(&self) -> Option<Mono> {
        let watchdog = self.watchdog.as_ref()?;
        Some(watchdog.last.after(watchdog.limit / 2))
    }

    /// Tells what there is to tell. Never waits: what the manager does not take now it is told the next time.
    pub fn tell(&mut self) {
        let Some((socket, address)) = &self.socket else {
            return;
        };
        if self.unsaid.is_empty() {
            return;
        }
        let lines: Vec<String> = self
            .unsaid
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if socket.send_to_addr(lines.join("\n").as_bytes(), address).is_ok() {
            self.unsaid.clear();
        }
    }
}

/// A name that begins with `@` is one of Linux's abstract names, and no path.
#[cfg(target_os = "linux")]
fn address(name: &OsStr) -> Option<SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::ffi::OsStrExt as _;

    match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name).ok(),
        None => SocketAddr::from_pathname(name).ok(),
    }
}

#[cfg(not(target_os = "linux"))]
fn address(_: &OsStr) -> Option<SocketAddr> {
    None
}
