//! Ports that no other test takes; tests/scripts/lib/ports.sh claims them in the same way.

use std::fs::{File, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};

/// The first port for tests. All are below those that the system hands out by itself, so that no outgoing
/// connection takes a port while its broker is down.
const FIRST: u32 = 20_000;

/// How many ports each user has.
const PORTS: u32 = 1000;

/// A port of 127.0.0.1, held against other tests for as long as this value lives, whether something listens
/// on it or not.
pub struct Port {
    pub number: u16,
    _claim: File,
}

impl Port {
    /// One that nobody uses.
    pub fn claim() -> Self {
        // A folder for each user, since nobody can write to another's, and so ports of his own.
        let user = rustix::process::getuid().as_raw();
        let folder = std::env::temp_dir().join(format!("dualboard-test-ports-{user}"));
        std::fs::create_dir_all(&folder).expect("a folder for the claims");
        let first = FIRST + (user + user / 1000) % 10 * PORTS;
        (0..PORTS)
            .map(|step| first + std::process::id().wrapping_mul(37).wrapping_add(step) % PORTS)
            .find_map(|number| {
                let number = u16::try_from(number).expect("a port");
                let path = folder.join(number.to_string());
                let mut options = OpenOptions::new();
                let claim = options.create(true).write(true).truncate(false).open(path).ok()?;
                claim.try_lock().ok()?;
                TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
                Some(Self {
                    number,
                    _claim: claim,
                })
            })
            .unwrap_or_else(|| panic!("a free port from {first} to {}", first + PORTS - 1))
    }
}
