//! What a check says of the disk and of the clock.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{NOBODY, check, command, run};
use crate::support::bench::Node::{Card1, Display};

#[test]
fn a_state_folder_in_memory_is_a_failure_and_one_that_is_missing_is_not_made() {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a disk in memory");
    let missing = folder.path().join("state");
    let said = check(Card1, NOBODY, &["--state-dir", &missing.display().to_string()]);
    said.assert("disk", "/dev/shm", "FAIL", "tmpfs");
    said.assert("state folder", "state", "skipped", "not there yet");
    assert!(!missing.exists(), "a check makes no folder");
}

#[test]
fn a_damaged_state_file_another_one_and_a_log_that_cannot_be_are_said() {
    let home = tempfile::tempdir().expect("a folder");
    let usual = home.path().join(".local/state/dualboard");
    fs::create_dir_all(&usual).expect("a folder");
    fs::write(usual.join("card1.state"), "junk").expect("a file");
    let run_with = |arguments: &[&str]| run(&mut command(Card1, home.path(), NOBODY, arguments));
    let said = run_with(&[]);
    said.assert("state file", "", "FAIL", "cut short");
    said.assert("other state files", "", "ok", "");
    assert_eq!(fs::read(usual.join("card1.state")).expect("it stays"), b"junk");
    let other = tempfile::tempdir().expect("a folder");
    let said = run_with(&[
        "--state-dir",
        &other.path().display().to_string(),
        "--log-file",
        "/nowhere/log",
    ]);
    said.assert("other state files", "", "warn", "card1.state");
    said.assert("log file", "/nowhere/log", "FAIL", "cannot be made");
}

#[test]
fn a_clock_that_is_not_synchronised_is_a_warning() {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return; // this machine's own clock is, and nothing else is asked
    }
    let folder = tempfile::tempdir().expect("a folder");
    let answers = folder.path().join("timedatectl");
    let home = tempfile::tempdir().expect("a folder");
    for (word, result) in [("no", "warn"), ("yes", "ok"), ("", "skipped")] {
        fs::write(&answers, format!("#!/bin/sh\necho {word}\n")).expect("a program");
        fs::set_permissions(&answers, Permissions::from_mode(0o755)).expect("our own file");
        let mut command = command(Display, home.path(), NOBODY, &[]);
        let said = run(command.env("PATH", folder.path()));
        said.assert("clock", "synchronised", result, "");
    }
}
