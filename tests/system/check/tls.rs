//! Certificates, as a check describes them.

use std::fs;

use super::{Checked, SHORT, check, text};
use crate::support::bench::Node::{Card1, Display};
use crate::support::bench::told::assert_says;
use crate::support::certificate::{NOW, certificate};
use crate::support::mosquitto::Mosquitto;

/// A broker for `mqtts` with such a certificate.
fn tls_broker(host: &str, days: [i64; 2]) -> Mosquitto {
    let mut mosquitto = Mosquitto::reserve();
    let files = ["cert.pem", "key.pem"].map(|name| mosquitto.folder().join(name));
    for (file, content) in files.iter().zip(certificate(host, days)) {
        fs::write(file, content).expect("writing a certificate");
    }
    let [certificate, key] = files.map(|file| file.display().to_string());
    mosquitto
        .settings(format!(
            "allow_anonymous true\ncertfile {certificate}\nkeyfile {key}"
        ))
        .start();
    mosquitto
}

fn check_tls(mosquitto: &Mosquitto, more: &[&str]) -> Checked {
    let url = mosquitto.url().replace("mqtt:", "mqtts:");
    let authority = mosquitto.folder().join("cert.pem").display().to_string();
    check(
        Display,
        &url,
        &[&["--ca-file", &authority], &SHORT[..], more].concat(),
    )
}

#[test]
fn a_certificate_is_described_and_one_that_is_wrong_is_named() {
    for (host, days, result, words) in [
        ("127.0.0.1", [-1, 40], "ok", "for 127.0.0.1, issued by test"),
        ("127.0.0.1", [-1, 20], "warn", "it ends in"),
        (
            "127.0.0.1",
            [-9, -2],
            "FAIL",
            "has expired, by this board's clock",
        ),
        (
            "127.0.0.1",
            [2, 9],
            "FAIL",
            "is not valid yet, by this board's clock",
        ),
        ("10.9.8.7", NOW, "FAIL", "is not for 127.0.0.1"),
    ] {
        let said = check_tls(&tls_broker(host, days), &[]);
        said.assert("certificate", "127.0.0.1", result, words);
        assert_says(
            text(said.line("certificate", ""), "found"),
            &["issued by test", host],
        );
        assert_eq!(said.status == 2, result == "FAIL", "{said:#?}");
    }
    let (one, other) = (tls_broker("127.0.0.1", NOW), tls_broker("127.0.0.1", NOW));
    let foreign = other.folder().join("cert.pem").display().to_string();
    let url = one.url().replace("mqtt:", "mqtts:");
    let said = check(Card1, &url, &["--ca-file", &foreign]);
    said.assert("certificate", "", "FAIL", "not signed by anybody trusted");
    let said = check(Card1, &one.url(), &[]);
    said.assert("certificate", "", "FAIL", "write mqtts://");
}

#[test]
fn a_port_without_tls_is_a_failure_of_the_certificate() {
    let plain = Mosquitto::start_new();
    let url = plain.url().replace("mqtt:", "mqtts:");
    check(Card1, &url, &[]).assert("certificate", "", "FAIL", "does not speak it");
}
