//! What a check says of a user's rights.

use serde_json::Value;

use super::{SHORT, as_user, broker_with_rights, check, check_as};
use crate::support::bench::Bench;
use crate::support::bench::Node::{Card1, Card2, Display};

/// What everybody needs.
const MARKER: &str = "pattern readwrite sensors/marker/%u/+\n";

#[test]
fn a_display_with_the_least_rights_is_right_and_one_with_more_is_a_failure() {
    let read = "topic read sensors/#\ntopic read $SYS/#\n";
    let rights = format!("user viewer\n{read}user owner\n{read}topic readwrite sensors/card2\n{MARKER}");
    let mosquitto = broker_with_rights(&["viewer", "owner"], &rights);
    let said = check_as(Display, &mosquitto, "viewer", &SHORT);
    said.assert("forbidden topics", "", "ok", "refused on all");
    said.assert("write", "sensors/witness", "ok", "only looks");
    said.assert("login", "viewer", "ok", "");
    said.assert("marker", "sensors/marker/viewer/", "ok", "it came back");
    assert_eq!(said.results("FAIL"), Vec::<&Value>::new());
    let said = check_as(Display, &mosquitto, "owner", &SHORT);
    said.assert("forbidden topics", "", "FAIL", "sensors/card2");
    assert_eq!(said.status, 2);
}

#[test]
fn an_owner_that_lacks_a_right_to_write_is_a_failure_of_that_topic() {
    let rights = "topic readwrite sensors/marker/#\ntopic read #\ntopic write sensors/card1\n";
    let mosquitto = broker_with_rights(&[], rights);
    let said = check(Card1, &mosquitto.url(), &SHORT);
    said.assert("write", "sensors/card1/alive", "FAIL", "may not publish");
    said.assert("write", "sensors/witness", "FAIL", "may not publish");
    let is_card = |line: &&&Value| line["check"] == "write" && line["about"] == "sensors/card1";
    let written = said.results("ok");
    assert!(written.iter().any(|line| is_card(&line)), "{said:#?}");
}

#[test]
fn a_marker_that_is_denied_or_does_not_come_back_is_a_failure_and_no_right_is_called_right() {
    for (rights, words) in [
        ("topic read #\n", "may not publish"),
        ("topic write #\n", "does not come back"),
    ] {
        let mosquitto = broker_with_rights(&[], rights);
        let said = check(Card1, &mosquitto.url(), &SHORT);
        said.assert("marker", "", "FAIL", words);
        said.assert("write", "", "skipped", "");
        said.assert("broker version", "", "skipped", "");
    }
}

#[test]
fn states_that_may_not_be_read_are_a_failure_while_their_owner_is_heard() {
    let all = "topic readwrite #\n";
    let rights = format!("user owner\n{all}user viewer\ntopic read sensors/card2/alive\n{MARKER}");
    let mosquitto = broker_with_rights(&["owner", "viewer"], &rights);
    let bench = Bench::new();
    let words = as_user(&mosquitto, "owner");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let monitor = bench.spawn(Card2, &mosquitto.url(), &words);
    monitor.wait_for("it has restored", |seen| seen.text().contains("SAVED"));
    let said = check_as(Display, &mosquitto, "viewer", &["--timeout", "5"]);
    said.assert("read", "sensors/all", "FAIL", "card2_monitor runs");
    said.assert("heartbeats", "card2_monitor", "ok", "");
    said.assert("heartbeats", "card1_monitor", "warn", "not heard");
}
