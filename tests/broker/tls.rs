//! `mqtts`: who is trusted, and in which words who is not. Needs `mosquitto`.

use dualboard::mqtt::{Broker, BrokerSettings, Problem};

use crate::support::certificate::{NOW, certificate};
use crate::support::mosquitto::Mosquitto;
use crate::support::observer::{Observer, settings};

/// A broker for `mqtts` with such a certificate, and more settings.
fn broker_with(host: &str, days: [i64; 2], more: &str) -> Mosquitto {
    let mut mosquitto = Mosquitto::reserve();
    let files = ["cert.pem", "key.pem"].map(|name| mosquitto.folder().join(name));
    for (file, content) in files.iter().zip(certificate(host, days)) {
        std::fs::write(file, content).expect("writing a certificate");
    }
    let [certificate, key] = files.map(|file| file.display().to_string());
    let lines = format!(
        "allow_anonymous true\ncertfile {certificate}\nkeyfile {key}\n{}",
        more.replace("CERT", &certificate)
    );
    mosquitto.settings(lines).start();
    mosquitto
}

fn tls_broker(host: &str) -> Mosquitto {
    broker_with(host, NOW, "")
}

/// Why a program that trusts this broker's certificate has no connection.
fn why(mosquitto: &Mosquitto) -> String {
    Observer::start(&trusting(mosquitto)).wait_down().0
}

/// Settings that trust this broker's certificate.
fn trusting(mosquitto: &Mosquitto) -> BrokerSettings {
    let mut trusting = settings(&mosquitto.url().replace("mqtt:", "mqtts:"), "secret");
    trusting.ca_file = Some(mosquitto.folder().join("cert.pem"));
    trusting
}

#[test]
fn a_trusted_certificate_for_this_host_works() {
    let mosquitto = tls_broker("127.0.0.1");
    let mut program = Observer::start(&trusting(&mosquitto));
    program.wait_ready();
    program.round_trip(1, "secret");
}

#[test]
fn a_connection_by_tls_survives_a_restart_of_its_broker() {
    let mut mosquitto = tls_broker("127.0.0.1");
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
    let mosquitto = tls_broker("127.0.0.1");
    let mut distrusting = trusting(&mosquitto);
    distrusting.ca_file = None;
    Observer::start(&distrusting).wait_down_because(&Problem::CertificateNotTrusted);
    let foreign = mosquitto.folder().join("foreign.pem");
    std::fs::write(&foreign, &certificate("127.0.0.1", NOW)[0]).expect("writing a certificate");
    distrusting.ca_file = Some(foreign);
    Observer::start(&distrusting).wait_down_because(&Problem::CertificateNotTrusted);
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    for host in ["elsewhere.example", "127.0.0.2"] {
        let words = Problem::CertificateOfAnother("127.0.0.1".into()).to_string();
        assert_eq!(why(&tls_broker(host)), words, "{host}");
    }
}

#[test]
fn a_certificate_out_of_its_time_is_refused_and_it_is_said_which_way() {
    assert_eq!(
        why(&broker_with("127.0.0.1", [-9, -2], "")),
        Problem::CertificateExpired.to_string()
    );
    assert_eq!(
        why(&broker_with("127.0.0.1", [2, 9], "")),
        Problem::CertificateTooEarly.to_string()
    );
}

#[test]
fn a_broker_that_wants_a_certificate_says_so() {
    let wanting = broker_with("127.0.0.1", NOW, "cafile CERT\nrequire_certificate true");
    assert_eq!(why(&wanting), Problem::CertificateWanted.to_string());
}

#[test]
fn mqtt_towards_a_tls_port_says_so() {
    let mosquitto = tls_broker("127.0.0.1");
    let mut program = Observer::start(&settings(&mosquitto.url(), "mistaken"));
    assert_eq!(program.wait_down().0, Problem::TlsSpoken.to_string());
}

#[test]
fn certificates_that_cannot_be_read_are_named_at_the_start() {
    let mut wanted = settings("mqtts://localhost", "secret");
    wanted.ca_file = Some("/no/such/ca.pem".into());
    let words = format!("{:#}", Broker::start(&wanted).expect_err("there is no such file"));
    assert!(words.contains("/no/such/ca.pem"), "{words}");
}

#[test]
fn a_file_without_a_certificate_is_named_at_the_start() {
    let empty = tempfile::NamedTempFile::new().expect("a file");
    for content in ["", "-----BEGIN NOTHING-----\n"] {
        std::fs::write(empty.path(), content).expect("writing it");
        let mut wanted = settings("mqtts://localhost", "secret");
        wanted.ca_file = Some(empty.path().to_owned());
        let words = format!("{:#}", Broker::start(&wanted).expect_err("there is none"));
        assert!(
            words.contains(" holds no certificate in PEM form; give "),
            "{words}"
        );
    }
}
