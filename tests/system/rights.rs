//! A broker whose access rules leave something out: the line in red says what, within seconds.

use crate::support::bench::Node::{Card1, Display};
use crate::support::bench::{Bench, Node, flat};
use crate::support::mosquitto::Mosquitto;

const ALL: &str = "topic readwrite #\ntopic read $SYS/#\n";

/// What a program says, sooner or later, at a broker with these access rules.
fn wait_for_words(node: Node, rules: &str, words: &str) {
    let mut mosquitto = Mosquitto::reserve();
    let file = mosquitto.folder().join("acl");
    std::fs::write(&file, rules).expect("writing the rules");
    mosquitto
        .settings(format!("allow_anonymous true\nacl_file {}", file.display()))
        .start();
    let bench = Bench::new();
    let program = bench.spawn(node, &mosquitto.url(), &[]);
    program.wait_for(words, |seen| flat(&seen.text()).contains(words));
}

#[test]
fn a_marker_that_may_not_be_read_is_named() {
    for node in [Card1, Display] {
        let rules = format!("{ALL}topic deny sensors/marker/#\n");
        wait_for_words(node, &rules, "published on sensors/marker/");
    }
}

#[test]
fn heartbeats_that_may_not_be_published_are_noticed_by_their_owner() {
    let rules = "topic readwrite sensors/marker/#\ntopic write sensors/card1\ntopic read #\n";
    wait_for_words(Card1, rules, "heartbeats on sensors/card1/alive do not come back");
}

#[test]
fn a_monitor_that_may_only_read_says_so_in_red() {
    let rules = "topic readwrite sensors/marker/#\ntopic read #\n";
    wait_for_words(Card1, rules, "sensors/card1: not authorised");
}
