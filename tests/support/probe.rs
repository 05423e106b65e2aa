//! The program under test, and its loop's own word that it goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::pty::Pty;

/// The example. `cargo test --test terminal_shell` alone would not build it, and an old one would be tested.
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

/// The loop's own word that it goes on: a file in which it counts, 200 times a second.
pub struct Heartbeat(PathBuf);

impl Heartbeat {
    pub fn new(test: &str) -> Self {
        Self(std::env::temp_dir().join(format!("terminal_probe-{test}-{}", std::process::id())))
    }

    pub fn path(&self) -> &str {
        self.0.to_str().expect("a plain path")
    }

    pub fn count(&self) -> u64 {
        fs::read_to_string(&self.0)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    }

    #[track_caller]
    pub fn wait_for(&self, beats: u64, pty: &Pty) {
        let goal = self.count() + beats;
        pty.wait_until("the loop to go on", || self.count() >= goal);
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
