//! `--once`: whatever keeps the display from knowing or saying the states, its exit status is 3; only
//! unusable arguments are 2.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use crate::support::bench::Node::{Broker2, Display};
use crate::support::bench::process::PipedProgram;
use crate::support::bench::told::assert_says;
use crate::support::bench::{Bench, binary};

/// Nobody listens on this port: it is the one for tests of TCP services, and needs root.
const NOBODY: &str = "mqtt://127.0.0.1:1";

fn once(arguments: &[&str], stdout: Stdio) -> (i32, String, String) {
    let mut command = Command::new(binary(Display));
    command.arg("--once").args(arguments).stdin(Stdio::null());
    PipedProgram::spawn(command.stdout(stdout).stderr(Stdio::piped())).end()
}

#[test]
fn output_that_cannot_be_written_is_no_knowledge_also_while_a_sensor_is_ko() {
    let bench = Bench::with_ko("2");
    let url = bench.url(Broker2);
    assert_eq!(once(&["--broker", &url], Stdio::piped()).0, 2, "one is KO");
    for json in [&[][..], &["--json"]] {
        let full = File::options().write(true).open("/dev/full").expect("/dev/full");
        let arguments = [&["--broker", &url], json].concat();
        let (status, _, why) = once(&arguments, full.into());
        assert_eq!(status, 3, "{why}");
        assert_says(&why, &["cannot write to stdout"]);
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let (status, _, why) = once(&arguments, writer.into());
        assert_eq!(status, 3, "{why}");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_no_knowledge() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("empty"), "").expect("a file");
    // Certificates are for TLS only.
    let nobody = NOBODY.replace("mqtt:", "mqtts:");
    for arguments in [
        ["--ca-file", &path("none")].as_slice(),
        &["--username", "someone", "--password-file", &path("none")],
        &["--username", "someone", "--password-file", &path("empty")],
        &["--log-file", &path("none/log")],
    ] {
        let (status, said, why) = once(&[&["--broker", &nobody], arguments].concat(), Stdio::piped());
        assert_eq!((status, said.as_str()), (3, ""), "{arguments:?}: {why}");
        assert_eq!(why.lines().count(), 1, "{why}");
        assert!(
            why.contains(arguments[arguments.len() - 1]),
            "it names the file: {why}"
        );
    }
}

#[test]
fn a_broker_that_is_not_there_is_no_knowledge() {
    let (status, said, why) = once(&["--broker", NOBODY, "--timeout", "0.3"], Stdio::piped());
    assert_eq!(status, 3, "{why}");
    assert_eq!(said.matches("UNKNOWN").count(), 6, "{said}");
}

#[test]
fn unusable_arguments_are_another_status_whatever_else_is_wrong_and_print_no_state() {
    let folder = tempfile::tempdir().expect("a folder");
    let none = folder.path().join("none/file").display().to_string();
    for arguments in [
        ["--broker", "http://board2"].as_slice(),
        &["--broker", "http://board2", "--log-file", &none],
        &[
            "--broker",
            "http://board2",
            "--username",
            "someone",
            "--password-file",
            &none,
        ],
        &["--timeout", "never"],
        &["--set", "4=ko"],
    ] {
        let (status, said, why) = once(arguments, Stdio::piped());
        assert_eq!((status, said.as_str()), (2, ""), "{arguments:?}: {why}");
    }
    // Nothing was begun: no log was made for an address that nobody can use.
    let log = folder.path().join("log").display().to_string();
    let (status, ..) = once(&["--broker", "http://board2", "--log-file", &log], Stdio::piped());
    assert_eq!(status, 2);
    assert!(!folder.path().join("log").exists());
}
