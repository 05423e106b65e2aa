//! `--check`: each thing that can be wrong is said to be wrong, nothing that was not seen is called right,
//! and nothing that runs notices the check.

mod board;
mod bridge;
mod rights;
mod tls;
mod way;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::plain::PlainClient;
use crate::support::bench::{Bench, Node, PROGRAMS, binary, process};
use crate::support::mosquitto::Mosquitto;

/// Nobody listens on this port: it is the one for tests of TCP services, and needs root.
const NOBODY: &str = "mqtt://127.0.0.1:1";

/// A check listens for longer than this only if a test needs more to arrive than its own marker, which comes
/// late on a machine with much to do.
const SHORT: [&str; 2] = ["--timeout", "3"];

/// What a check has said.
#[derive(Debug)]
struct Checked {
    status: i32,
    lines: Vec<Value>,
}

impl Checked {
    /// The only line of a check about something; a part of what it is about is enough.
    #[track_caller]
    fn line(&self, check: &str, about: &str) -> &Value {
        let is_it = |line: &&Value| line["check"] == check && text(line, "about").contains(about);
        let found: Vec<_> = self.lines.iter().filter(is_it).collect();
        assert_eq!(found.len(), 1, "{check} {about} in {:#?}", self.lines);
        found[0]
    }

    #[track_caller]
    fn assert(&self, check: &str, about: &str, result: &str, words: &str) {
        let line = self.line(check, about);
        assert_eq!(line["result"], result, "{line:#}");
        assert!(text(line, "found").contains(words), "{line:#}");
        let is_wrong = result == "warn" || result == "FAIL";
        assert_eq!(line.get("do").is_some(), is_wrong, "{line:#}");
    }

    fn results(&self, result: &str) -> Vec<&Value> {
        self.lines
            .iter()
            .filter(|line| line["result"] == result)
            .collect()
    }
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_default()
}

/// In a home of its own, and without the settings of this machine.
fn command(node: Node, home: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary(node));
    command
        .args(["--check", "--json", "--broker", url])
        .args(arguments);
    command.env("HOME", home).env("DUALBOARD_SETTINGS", "");
    command.env_remove("XDG_STATE_HOME").env_remove("STATE_DIRECTORY");
    command.stdin(Stdio::null());
    command
}

#[track_caller]
fn run(command: &mut Command) -> Checked {
    let (status, said, why) = process::run(command);
    assert_eq!(why, "");
    let all: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("not JSON: {said}"));
    assert_eq!(all["status"], status, "{said}");
    assert_eq!(said.lines().count(), 1, "one object");
    Checked {
        status,
        lines: all["checks"].as_array().expect("a list").clone(),
    }
}

fn check(node: Node, url: &str, arguments: &[&str]) -> Checked {
    let home = tempfile::tempdir().expect("a folder");
    run(&mut command(node, home.path(), url, arguments))
}

/// With the state folder that the bench keeps for it.
fn check_of(bench: &Bench, node: Node, arguments: &[&str]) -> Checked {
    let folder = bench.state_dir(node).display().to_string();
    let folder = if node == Display {
        Vec::new()
    } else {
        vec!["--state-dir", &folder]
    };
    check(node, &bench.url(node), &[&folder, arguments].concat())
}

/// A broker with these users, who have their names as passwords, and these rights.
fn broker_with_rights(users: &[&str], rights: &str) -> Mosquitto {
    let mut mosquitto = Mosquitto::reserve();
    let [passwords, acl] = ["passwords", "acl"].map(|name| mosquitto.folder().join(name));
    fs::write(&acl, rights).expect("writing the rights");
    fs::write(&passwords, "").expect("a file");
    let lines = format!("acl_file {}\n", acl.display());
    if users.is_empty() {
        mosquitto.settings(format!("{lines}allow_anonymous true")).start();
        return mosquitto;
    }
    for user in users {
        let made = Command::new("mosquitto_passwd")
            .arg("-b")
            .arg(&passwords)
            .args([user, user])
            .status();
        assert!(made.expect("mosquitto_passwd comes with mosquitto").success());
        secret(&mosquitto.folder().join(user), user);
    }
    let lines = format!(
        "{lines}allow_anonymous false\npassword_file {}",
        passwords.display()
    );
    mosquitto.settings(lines).start();
    mosquitto
}

/// A password, in a file that only its owner reads.
fn secret(file: &Path, password: &str) {
    fs::write(file, password).expect("a password");
    fs::set_permissions(file, Permissions::from_mode(0o600)).expect("our own file");
}

fn as_user(mosquitto: &Mosquitto, user: &str) -> Vec<String> {
    let file = mosquitto.folder().join(user).display().to_string();
    ["--username", user, "--password-file", &file]
        .map(str::to_owned)
        .into()
}

fn check_as(node: Node, mosquitto: &Mosquitto, user: &str, more: &[&str]) -> Checked {
    let words = as_user(mosquitto, user);
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .chain(more.iter().copied())
        .collect();
    check(node, &mosquitto.url(), &words)
}

#[test]
fn two_boards_in_order_have_no_failure_and_do_not_notice_that_they_are_checked() {
    let bench = Bench::with_ko("2");
    let brokers = [Broker1, Broker2];
    let before = brokers.map(|broker| bench.retained(broker, "sensors/all"));
    let listeners = brokers.map(|broker| bench.listener(broker));
    for node in PROGRAMS {
        let said = check_of(&bench, node, &[]);
        assert_eq!(said.results("FAIL"), Vec::<&Value>::new(), "{node:?}");
        said.assert("heartbeats", "card1_monitor", "ok", "");
        said.assert("heartbeats", "card2_monitor", "ok", "");
        said.assert("bridge", "", "ok", "heard across it");
        said.assert("read", "sensors/all", "ok", "");
        said.assert("marker", "-check-", "ok", "it came back");
        said.assert("broker version", "", "ok", "");
        assert_eq!(said.status, 1, "everybody may write everything here: {said:#?}");
        said.assert("forbidden topics", "", "warn", "sensors/card");
        if node != Display {
            said.assert("state folder", "", "ok", "fsynced");
            said.assert("state file", "", "ok", "whole");
            said.assert("write", "/alive", "ok", "");
        }
    }
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
    for (broker, listener) in brokers.into_iter().zip(&listeners) {
        listener.wait_for_more(2, "sensors/card1/alive");
        let heard = listener.heard();
        let foreign: Vec<_> = heard
            .iter()
            .filter(|heard| heard.payload == b"{}" || heard.topic.ends_with("/set"))
            .collect();
        assert!(foreign.is_empty(), "{broker:?}: {foreign:?}");
        assert_eq!(bench.retained(broker, "sensors/all"), before[broker as usize]);
    }
    for node in PROGRAMS {
        let text = bench.text(node);
        assert!(!text.contains("bad payload") && !text.contains("lost"), "{text}");
    }
}

#[test]
fn a_check_leaves_no_session_and_no_message_at_the_broker() {
    let mut mosquitto = Mosquitto::start_new();
    let url = mosquitto.url();
    assert_eq!(check(Card1, &url, &SHORT).status, 1);
    let owner = PlainClient::named(&url, "somebody-else");
    owner.say("sensors/all", "kept", true);
    mosquitto.terminate();
    let store = fs::read(mosquitto.folder().join("mosquitto.db")).expect("the broker's store");
    let has = |words: &[u8]| store.windows(words.len()).any(|part| part == words);
    assert!(
        has(b"somebody-else") && has(b"kept"),
        "the store has what is kept"
    );
    assert!(!has(b"-check-"), "nothing of the check is kept");
}

#[test]
fn a_line_for_each_thing_is_printed_as_text_with_the_counts_at_the_end() {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(binary(Display));
    command
        .args(["--check", "--broker", NOBODY])
        .env("HOME", home.path());
    command.env("DUALBOARD_SETTINGS", "").stdin(Stdio::null());
    let (status, said, why) = process::run(&mut command);
    assert_eq!((status, why.as_str()), (2, ""));
    let first = said.lines().next().expect("a line");
    let start = "FAIL    address mqtt://127.0.0.1:1 at 127.0.0.1:1: connection refused; start the broker";
    assert!(first.starts_with(start), "{first}");
    let last = said.lines().last().expect("a line");
    assert!(
        last.starts_with("card2_global_display: ") && last.ends_with("1 FAIL"),
        "{last}"
    );
}

#[test]
fn arguments_that_a_check_cannot_use_print_nothing_and_settings_for_others_do_no_harm() {
    let home = tempfile::tempdir().expect("a folder");
    let with = |node, arguments: &[&str], variables: &[&str]| {
        let mut command = Command::new(binary(node));
        command.args(arguments).env("HOME", home.path());
        command.envs(variables.iter().map(|name| (name, "1")));
        process::run(command.env("DUALBOARD_SETTINGS", "").stdin(Stdio::null()))
    };
    for (node, arguments, words) in [
        (Display, ["--check", "--once"].as_slice(), "give one of the two"),
        (Card1, &["--check", "--set=1=ok"], "give one of the two"),
        (Card2, &["--check", "--toggle=4"], "give one of the two"),
        (Card2, &["--check", "--service"], "give one of the two"),
        (Card1, &["--json"], "give both, or neither"),
        (Card1, &["--check", "--broker", "http://x"], "http://x"),
        (Card2, &["--check", "--broker", "mqtt://10.0.0.2"], "--insecure"),
    ] {
        let (status, said, why) = with(node, arguments, &[]);
        assert_eq!((status, said.as_str()), (2, ""), "{arguments:?}: {why}");
        assert!(why.contains(words), "{arguments:?}: {why}");
    }
    let variables = ["DUALBOARD_SERVICE", "DUALBOARD_TAKE_OVER", "DUALBOARD_JSON"];
    let (status, said, why) = with(Card1, &["--check", "--broker", NOBODY], &variables);
    assert_eq!((status, why.as_str()), (2, ""));
    assert!(
        said.starts_with("{\"checks\":"),
        "DUALBOARD_JSON holds for a check: {said}"
    );
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    for json in [&[][..], &["--json"]] {
        let full = File::options().write(true).open("/dev/full").expect("/dev/full");
        let mut command = Command::new(binary(Display));
        command.args(["--check", "--broker", NOBODY]).args(json);
        command
            .env("DUALBOARD_SETTINGS", "")
            .stdin(Stdio::null())
            .stdout(full);
        let ended = command
            .stderr(Stdio::piped())
            .output()
            .expect("it can be started");
        let why = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{why}");
        assert!(why.contains("cannot write to stdout"), "{why}");
    }
}
