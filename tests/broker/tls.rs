//! `mqtts`: who is trusted, and in which words who is not. Needs `mosquitto` and `openssl`.

use std::path::Path;
use std::process::Command;

use dualboard::app::broker::{Broker, Settings, Why};

use crate::support::mosquitto::Mosquitto;
use crate::support::observer::{Observer, settings};

/// A broker for `mqtts` whose certificate is its own authority, for the host names given.
fn tls_broker(names: &str) -> Mosquitto {
    let mut mosquitto = Mosquitto::reserve();
    let (key, certificate) = (
        mosquitto.folder().join("key.pem"),
        mosquitto.folder().join("cert.pem"),
    );
    let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test";
    let made = Command::new("openssl")
        .args(request.split(' '))
        .args(["-addext", &format!("subjectAltName={names}")])
        .args([Path::new("-keyout"), &key, Path::new("-out"), &certificate])
        .output()
        .expect("openssl cannot be started; install it (apt install openssl)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let lines = format!(
        "allow_anonymous true\ncertfile {}\nkeyfile {}",
        certificate.display(),
        key.display()
    );
    mosquitto.settings(lines).start();
    mosquitto
}

/// Settings that trust this broker's certificate.
fn trusting(mosquitto: &Mosquitto) -> Settings {
    let mut trusting = settings(&mosquitto.url().replace("mqtt:", "mqtts:"), "secret");
    trusting.ca_file = Some(mosquitto.folder().join("cert.pem"));
    trusting
}

#[test]
fn a_trusted_certificate_for_this_host_works() {
    let mosquitto = tls_broker("IP:127.0.0.1");
    let mut program = Observer::start(&trusting(&mosquitto));
    program.wait_ready();
    program.round_trip(1, "secret");
}

#[test]
fn a_connection_by_tls_survives_a_restart_of_its_broker() {
    let mut mosquitto = tls_broker("IP:127.0.0.1");
    let mut program = Observer::start(&trusting(&mosquitto));
    program.wait_ready();
    mosquitto.kill();
    program.wait_down();
    mosquitto.start();
    program.wait_ready();
    program.round_trip(1, "secret");
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let mosquitto = tls_broker("IP:127.0.0.1");
    let mut distrusting = trusting(&mosquitto);
    distrusting.ca_file = None;
    Observer::start(&distrusting).wait_down_because(&Why::NotTrusted);
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let mosquitto = tls_broker("DNS:elsewhere.example");
    Observer::start(&trusting(&mosquitto)).wait_down_because(&Why::NotTrusted);
}

#[test]
fn mqtt_towards_a_tls_port_says_so() {
    let mosquitto = tls_broker("IP:127.0.0.1");
    let mut program = Observer::start(&settings(&mosquitto.url(), "mistaken"));
    assert_eq!(program.wait_down().0, Why::ClosedAtOnce);
}

#[test]
fn certificates_that_cannot_be_read_are_named_at_the_start() {
    let mut wanted = settings("mqtts://localhost", "secret");
    wanted.ca_file = Some("/no/such/ca.pem".into());
    let words = format!("{:#}", Broker::start(&wanted).expect_err("there is no such file"));
    assert!(words.contains("/no/such/ca.pem"), "{words}");
}
