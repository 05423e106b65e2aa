//! What a check says of owners and of the bridge.

use std::fs;

use rustix::process::Signal;

use super::{broker_with_rights, check, check_of, command, run, secret};
use crate::support::bench::Node::{Broker1, Broker2, Card1, Display};
use crate::support::bench::{Bench, INITIAL};

#[test]
fn an_owner_that_runs_unheard_is_a_failure_and_one_that_does_not_run_a_warning() {
    let rights = "topic readwrite sensors/marker/#\ntopic write sensors/card1\ntopic read #\n";
    let mosquitto = broker_with_rights(&[], rights);
    let bench = Bench::new();
    let folder = bench.state_dir(Card1).display().to_string();
    let arguments = ["--state-dir", &folder, "--timeout", "3"];
    let said = check(Card1, &mosquitto.url(), &arguments);
    said.assert("heartbeats", "card1_monitor", "warn", "does not seem to run");
    let monitor = bench.spawn(Card1, &mosquitto.url(), &[]);
    monitor.wait_for("it runs", |seen| seen.text().contains("Sensor 1"));
    let said = check(Card1, &mosquitto.url(), &arguments);
    said.assert(
        "heartbeats",
        "card1_monitor",
        "FAIL",
        "its heartbeats do not arrive",
    );
}

#[test]
fn a_bridge_that_is_down_is_a_failure_and_its_own_login_says_why() {
    let mut bench = Bench::running();
    bench.end(Broker1, Signal::KILL);
    bench.wait_text(Display, "bridge down");
    let said = check_of(&bench, Display, &["--timeout", "5"]);
    said.assert("bridge", "", "FAIL", "is down");
    said.assert("bridge login", "", "skipped", "no settings");
    // The file of an installed board, with what stands in for broker 1.
    let asking = broker_with_rights(&["board2_bridge_in"], "");
    let settings = tempfile::tempdir().expect("a folder");
    let with_file = |address: &str, password: &str| {
        let text = format!(
            "connection board2_bridge_in\naddress {address}\nremote_clientid board2_bridge_in\nremote_username board2_bridge_in\nremote_password {password}\n"
        );
        fs::create_dir_all(settings.path().join("broker.d")).expect("a folder");
        secret(&settings.path().join("broker.d/bridge.conf"), &text);
        let home = tempfile::tempdir().expect("a folder");
        let mut command = command(Display, home.path(), &bench.url(Display), &["--timeout", "5"]);
        run(command.env("DUALBOARD_SETTINGS", settings.path()))
    };
    let there = format!("127.0.0.1:{}", asking.port());
    let said = with_file(&there, "wrong");
    said.assert("bridge login", &there, "FAIL", "wrong user name or password");
    let said = with_file(&there, "board2_bridge_in");
    said.assert("bridge login", &there, "ok", "lets it in");
    let said = with_file("127.0.0.1:1", "any");
    said.assert("bridge login", "127.0.0.1:1", "warn", "connection refused");
}

#[test]
fn no_second_login_is_tried_beside_a_bridge_that_is_up() {
    let bench = Bench::running();
    let settings = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(settings.path().join("broker.d")).expect("a folder");
    let text = format!(
        "connection board2_bridge_in\naddress {}\n",
        &bench.url(Broker1)[7..]
    );
    secret(&settings.path().join("broker.d/bridge.conf"), &text);
    let home = tempfile::tempdir().expect("a folder");
    let mut command = command(Display, home.path(), &bench.url(Display), &[]);
    let said = run(command.env("DUALBOARD_SETTINGS", settings.path()));
    said.assert("bridge login", "", "skipped", "would throw it out");
    bench.wait_settled(INITIAL);
}

#[test]
fn a_monitor_at_the_other_boards_broker_is_a_failure() {
    let bench = Bench::running();
    let said = check(Card1, &bench.url(Broker2), &[]);
    said.assert("own broker", "", "FAIL", "the broker of board 2");
}
