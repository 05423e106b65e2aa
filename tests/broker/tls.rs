//! `mqtts`: who is trusted, and in which words who is not. Needs `mosquitto`.

use dualboard::mqtt::{Broker, BrokerSettings, Problem};
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name};

use crate::support::mosquitto::Mosquitto;
use crate::support::observer::{Observer, settings};

/// From yesterday until tomorrow.
const NOW: [i64; 2] = [-1, 1];

/// A certificate that is its own authority, for an address or a name, valid between these days from now; and
/// its key, both as PEM.
fn certificate(host: &str, days: [i64; 2]) -> [Vec<u8>; 2] {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    let key = PKey::from_ec_key(EcKey::generate(&curve).expect("a key")).expect("a key");
    let mut name = X509Name::builder().expect("a name");
    name.append_entry_by_text("CN", "test").expect("a name");
    let name = name.build();
    let mut alternative = SubjectAlternativeName::new();
    match host.parse::<std::net::IpAddr>() {
        Ok(_) => alternative.ip(host),
        Err(_) => alternative.dns(host),
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "a certificate has dates of the wall clock"
    )]
    let today = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let today = i64::try_from(today.expect("after 1970").as_secs()).expect("a time");
    let [from, until] = days.map(|days| Asn1Time::from_unix(today + days * 86_400).expect("a time"));
    let serial = Asn1Integer::from_bn(&BigNum::from_u32(1).expect("1")).expect("1");
    let mut made = X509::builder().expect("a certificate");
    let all = (|| {
        made.set_version(2)?;
        made.set_serial_number(&serial)?;
        made.set_subject_name(&name)?;
        made.set_issuer_name(&name)?;
        made.set_pubkey(&key)?;
        made.set_not_before(&from)?;
        made.set_not_after(&until)?;
        let extension = alternative.build(&made.x509v3_context(None, None))?;
        made.append_extension(extension)?;
        made.sign(&key, MessageDigest::sha256())
    })();
    all.expect("a certificate");
    [
        made.build().to_pem().expect("as PEM"),
        key.private_key_to_pem_pkcs8().expect("as PEM"),
    ]
}

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
