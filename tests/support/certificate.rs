//! Certificates for tests.

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name};

/// From yesterday until tomorrow.
pub const NOW: [i64; 2] = [-1, 1];

/// A certificate that is its own authority, for an address or a name, valid between these days from now; and
/// its key, both as PEM.
pub fn certificate(host: &str, days: [i64; 2]) -> [Vec<u8>; 2] {
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
