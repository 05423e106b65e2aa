//! The program under test, and its loop's own word that it goes on.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use dualboard::system::process::Process;

use super::pty::{Pty, Start};

/// The example. `cargo test --test system` alone would not build it, and an old one would be tested.
pub fn probe() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--example", "terminal_probe"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        let status = build
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo");
        assert!(status.success(), "the example does not build");
        let test = std::env::current_exe().expect("the test's own path");
        let directory = test.parent().and_then(Path::parent).expect("target/…/deps");
        directory.join("examples/terminal_probe").display().to_string()
    })
}

/// The loop's own word that it goes on: a file that grows by a byte, 200 times a second.
pub struct BeatFile(PathBuf);

impl BeatFile {
    pub fn new(test: &str) -> Self {
        Self(std::env::temp_dir().join(format!("terminal_probe-{test}-{}", std::process::id())))
    }

    pub fn path(&self) -> &str {
        self.0.to_str().expect("a plain path")
    }

    pub fn count(&self) -> u64 {
        fs::metadata(&self.0).map_or(0, |file| file.len())
    }

    #[track_caller]
    pub fn wait_for(&self, beats: u64, pty: &Pty) {
        let goal = self.count() + beats;
        pty.wait_until("the loop to go on", || self.count() >= goal);
    }
}

impl Drop for BeatFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The process of the probe that counts in this file.
pub fn running(heartbeat: &str) -> Option<u32> {
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .find(|pid| {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let mut words = words.split(|&byte| byte == 0);
            words.next() == Some(probe().as_bytes()) && words.next() == Some(heartbeat.as_bytes())
        })
}

/// What the process does: `R` runs, `S` sleeps, `T` is stopped.
pub fn state(pid: u32) -> Option<char> {
    Process::of(i32::try_from(pid).ok()?)?.state
}

/// Waits for the first picture.
pub fn drawn(pty: &Pty) {
    pty.wait_for("the picture", |seen| {
        seen.shows("Sensor 1") && seen.screen().alternate_screen()
    });
}

/// The probe in a terminal of its own, drawn.
pub fn started() -> Pty {
    let pty = Start::program([probe()]).spawn();
    drawn(&pty);
    pty
}
