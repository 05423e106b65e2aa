//! A broker whose name has several addresses, of which some are dead, and one whose address holds on one
//! network only. The names are in a hosts file that only the program sees, in a mount namespace of its own.

use std::process::{Command, Output};

use crate::support::bench::Node::Display;
use crate::support::bench::binary;
use crate::support::bench::told::assert_says;
use crate::support::mosquitto::Mosquitto;
use crate::support::port::Port;

/// `--once` at this URL, with these lines in the hosts file. `None` where no namespaces can be made.
fn once(hosts: &str, url: &str, options: &[&str], timeout: &str) -> Option<Output> {
    let possible = Command::new("unshare")
        .args(["-rmn", "true"])
        .status()
        .is_ok_and(|status| status.success());
    if !possible {
        eprintln!("skipped: no namespaces here (unshare -rmn)");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("hosts");
    std::fs::write(&file, hosts).expect("a hosts file");
    let script = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(options).args(["sh", "-c", script]).arg(&file).args([
        binary(Display),
        "--once",
        // Whatever a name leads to, it is none of this machine's own.
        "--insecure",
        "--timeout",
        timeout,
        "--broker",
        url,
    ]);
    Some(command.output().expect("unshare of util-linux"))
}

/// The program connects to the address that lives, behind one that is dead.
fn assert_found(dead: &str, live: &str) {
    // Of its own, so that nothing listens on it at the other addresses.
    let port = Port::claim();
    let mut mosquitto = Mosquitto::reserve();
    mosquitto
        .settings(format!(
            "allow_anonymous true\nlistener {} {live}\nallow_anonymous true",
            port.number
        ))
        .start();
    let (hosts, url) = (
        format!("{dead} twofold\n{live} twofold\n"),
        format!("mqtt://twofold:{}", port.number),
    );
    let Some(output) = once(&hosts, &url, &["-rm"], "15") else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("no answer from"), "{said}");
    mosquitto.wait_for_log("New client connected from");
    let printed = String::from_utf8_lossy(&output.stdout);
    let sensors = printed.lines().filter(|line| line.starts_with("Sensor "));
    assert_eq!((sensors.count(), printed.lines().count()), (6, 6), "{printed}");
}

#[test]
fn of_two_ipv4_addresses_the_first_may_be_dead() {
    // In this order whatever the file says: the system puts the address first that it would itself connect
    // from.
    assert_found("127.0.0.1", "127.0.0.2");
}

#[test]
fn a_live_ipv6_address_is_found_behind_a_dead_ipv4_address() {
    assert_found("127.0.0.1", "::1");
}

#[test]
fn where_all_addresses_are_dead_the_line_names_them() {
    // In a network namespace of its own nothing can be reached.
    let hosts = "192.0.2.7 twofold\n192.0.2.8 twofold\n";
    let Some(output) = once(hosts, "mqtt://twofold:1883", &["-rmn"], "3") else {
        return;
    };
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_says(&said, &["no route to the host (192.0.2.7, 192.0.2.8)"]);
}

#[test]
fn an_address_that_holds_on_one_network_only_takes_the_name_of_its_interface() {
    let Some(output) = once("", "mqtt://[fe80::1%lo]:1883", &["-rmn"], "1") else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert_says(&said, &["no answer from mqtt://[fe80::1%lo]:1883"]);
}
