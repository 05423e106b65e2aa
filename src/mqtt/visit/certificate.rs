//! What a broker's certificate says.

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::x509::{X509NameRef, X509Ref};

/// What a broker's certificate says, in words that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The hosts that it is for.
    pub hosts: Vec<String>,
    /// Who has signed it.
    pub issuer: String,
    /// From when it is valid.
    pub from: String,
    /// Until when.
    pub until: String,
    /// For how many days it is still valid by this board's clock, and negative if it is not any more.
    pub days_left: i32,
}

impl Certificate {
    /// `None` for one whose dates cannot be read.
    pub(super) fn of(certificate: &X509Ref) -> Option<Self> {
        let names = certificate.subject_alt_names();
        let hosts = names.iter().flatten().filter_map(|name| {
            let address = name.ipaddress().and_then(address);
            address.or_else(|| name.dnsname().map(str::to_owned))
        });
        Some(Self {
            hosts: hosts.map(|host| shown(&host)).collect(),
            issuer: issuer(certificate.issuer_name()),
            from: shown(&certificate.not_before().to_string()),
            until: shown(&certificate.not_after().to_string()),
            days_left: days_left(certificate.not_after())?,
        })
    }
}

fn days_left(until: &Asn1TimeRef) -> Option<i32> {
    let now = Asn1Time::days_from_now(0).ok()?;
    now.diff(until).ok().map(|left| left.days)
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(|bytes| std::net::Ipv4Addr::from(bytes).to_string());
    let sixteen = <[u8; 16]>::try_from(bytes).map(|bytes| std::net::Ipv6Addr::from(bytes).to_string());
    four.or(sixteen).ok()
}

fn issuer(name: &X509NameRef) -> String {
    let parts = name.entries().filter_map(|entry| entry.data().to_string().ok());
    let parts: Vec<String> = parts.map(|part| shown(&part)).collect();
    if parts.is_empty() {
        return "nobody named".to_owned();
    }
    parts.join(", ")
}

/// It comes from the network: nothing in it may hide text or move a cursor.
fn shown(text: &str) -> String {
    crate::text::plain_text::plain_text(text)
        .chars()
        .take(80)
        .collect()
}
