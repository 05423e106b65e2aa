//! `mqtts`: who is trusted, and in which words who is not. Needs `mosquitto`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use dualboard::machine::Event;
use dualboard::mqtt::{Broker, BrokerSettings, Problem};
use dualboard::settings::{ClientCertificate, Credentials};
use openssl::pkey::PKey;
use openssl::symm::Cipher;

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

fn set_mode(file: &Path, mode: u32) {
    fs::set_permissions(file, Permissions::from_mode(mode)).expect("our own file");
}

/// A certificate of a program's own, in files of this name; only their owner reads the key.
fn own_certificate(folder: &Path, name: &str, days: [i64; 2]) -> ClientCertificate {
    let [certificate, key] = ["crt", "key"].map(|end| folder.join(format!("{name}.{end}")));
    let [shown, secret] = crate::support::certificate::certificate("127.0.0.1", days);
    fs::write(&certificate, shown).expect("writing a certificate");
    fs::write(&key, secret).expect("writing a key");
    set_mode(&key, 0o600);
    ClientCertificate { certificate, key }
}

/// A broker that knows one program by its certificate, and that certificate.
fn knowing(days: [i64; 2]) -> (Mosquitto, ClientCertificate) {
    let mut mosquitto = broker_with("127.0.0.1", NOW, "");
    let known = own_certificate(mosquitto.folder(), "known", days);
    mosquitto.terminate();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| mosquitto.folder().join(name));
    let lines = format!(
        "allow_anonymous true\ncertfile {}\nkeyfile {}\ncafile {}\nrequire_certificate true",
        certificate.display(),
        key.display(),
        known.certificate.display()
    );
    mosquitto.settings(lines).start();
    (mosquitto, known)
}

#[test]
fn a_broker_that_wants_a_certificate_gets_the_one_that_was_given() {
    let (mosquitto, known) = knowing(NOW);
    let mut wanted = trusting(&mosquitto);
    wanted.certificate = Some(known);
    let mut program = Observer::start(&wanted);
    program.wait_ready();
    program.round_trip(1, "secret");
}

#[test]
fn a_certificate_that_the_broker_does_not_take_is_said_to_be_refused() {
    let (mosquitto, _) = knowing(NOW);
    let mut wanted = trusting(&mosquitto);
    wanted.certificate = Some(own_certificate(mosquitto.folder(), "foreign", NOW));
    let why = Observer::start(&wanted).wait_down().0;
    assert!(
        why.starts_with("TLS: the broker does not take this program's certificate (--cert): "),
        "{why}"
    );
    let (mosquitto, expired) = knowing([-9, -2]);
    let mut wanted = trusting(&mosquitto);
    wanted.certificate = Some(expired);
    let why = Observer::start(&wanted).wait_down().0;
    assert!(
        why.contains("certificate (--cert): ") && why.contains("expired"),
        "{why}"
    );
}

/// Why a program with this certificate does not start.
fn not_started(own: ClientCertificate) -> String {
    let mut wanted = settings("mqtts://localhost", "secret");
    wanted.certificate = Some(own);
    format!("{:#}", Broker::start(&wanted).expect_err("it cannot be used"))
}

#[test]
fn a_certificate_or_key_that_cannot_be_used_is_named_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = |name| own_certificate(folder.path(), name, NOW);
    let with_key = |key: PathBuf| ClientCertificate { key, ..own("own") };
    let nowhere = PathBuf::from("/no/such/file");
    let words = not_started(ClientCertificate {
        certificate: nowhere.clone(),
        ..own("own")
    });
    assert!(
        words.contains("/no/such/file") && words.contains("--cert"),
        "{words}"
    );
    let words = not_started(with_key(nowhere));
    assert!(
        words.contains("/no/such/file") && words.contains("--key"),
        "{words}"
    );
    let words = not_started(with_key(own("other").key));
    assert!(words.contains("is not that of the first certificate"), "{words}");

    let key = own("own").key;
    let pem = fs::read(&key).expect("the key");
    let locked = PKey::private_key_from_pem(&pem).expect("a key");
    let locked = locked.private_key_to_pem_pkcs8_passphrase(Cipher::aes_128_cbc(), b"word");
    let other = folder.path().join("locked.key");
    for (content, words) in [
        (locked.expect("as PEM"), "has a passphrase"),
        (b"nothing".to_vec(), "holds no private key in PEM form"),
    ] {
        fs::write(&other, content).expect("writing a key");
        set_mode(&other, 0o600);
        let said = not_started(with_key(other.clone()));
        assert!(said.contains(words), "{said}");
        assert!(!said.contains("nothing"), "{said}");
    }
    set_mode(&other, 0o644);
    let words = not_started(with_key(other));
    assert!(words.contains("(mode 0644); type chmod 0640 "), "{words}");
}

/// After a loss the files are read again; secrets that others can read by then are not used, and it goes on
/// when that is mended, without a key.
#[test]
fn a_secret_that_others_can_read_by_now_is_not_used_again_until_that_is_mended() {
    let (mut mosquitto, known) = knowing(NOW);
    let password = mosquitto.folder().join("password");
    fs::write(&password, "word\n").expect("writing a password");
    set_mode(&password, 0o640);
    let mut wanted = trusting(&mosquitto);
    wanted.credentials = Some(Credentials::read("me".into(), password.clone()).expect("it is there"));
    let key = known.key.clone();
    wanted.certificate = Some(known);
    let mut program = Observer::start(&wanted);
    for (file, what) in [(password, "password file"), (key, "key file")] {
        program.wait_ready();
        mosquitto.terminate();
        set_mode(&file, 0o646);
        mosquitto.start();
        program.wait_for(|event| match event {
            Event::Disconnected { why, .. } => why
                .starts_with(&format!("the {what} {} is open to every user", file.display()))
                .then_some(()),
            _ => None,
        });
        set_mode(&file, 0o600);
    }
    program.wait_ready();
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
