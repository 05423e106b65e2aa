//! Ports that no other test takes; tests/scripts/lib/ports.sh claims them in the same way.

use std::fs::{File, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};

/// Below those that the system hands out by itself, so that no outgoing connection takes a port while its
/// broker is down.
const RANGE: std::ops::Range<u16> = 20_000..30_000;

/// A port of 127.0.0.1, held against other tests for as long as this value lives, whether something listens
/// on it or not.
pub struct Port {
    pub number: u16,
    _claim: File,
}

impl Port {
    /// One that nobody uses.
    pub fn claim() -> Self {
        // A folder for each user: what another one made cannot be written to.
        let user = rustix::process::getuid().as_raw();
        let folder = std::env::temp_dir().join(format!("dualboard-test-ports-{user}"));
        std::fs::create_dir_all(&folder).expect("a folder for the claims");
        let first = u16::try_from(std::process::id() * 37 % 10_000).expect("below 10,000");
        (0..10_000)
            .map(|step| RANGE.start + (first + step) % 10_000)
            .find_map(|number| {
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
            .expect("a free port between 20000 and 30000")
    }
}
