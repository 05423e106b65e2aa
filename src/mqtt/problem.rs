//! Why there is no connection, in words for a status line.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The packets that a broker has to take: the largest payload, and room for a topic.
pub(crate) const LEAST_PACKET: u32 = 17 * 1024;

/// Why there is no connection to the broker, or why it refused something.
///
/// `Display` gives few plain words. Nothing in it comes from the network: host and topics are this program's
/// own, and reasons that a broker gives as text are not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Nobody listens on the port.
    Refused,
    /// The host's name has no address.
    NameNotKnown(String),
    /// The network knows no way to the host.
    NoRoute,
    /// Somebody may be there, but does not answer in time.
    NoAnswer,
    /// The connection came up and was closed again before the broker accepted it: it is going down, or
    /// speaks something else.
    ClosedAtOnce,
    /// TLS is spoken on the port of an `mqtt` URL.
    TlsSpoken,
    /// Mosquitto says no more than "not authorised", be it the name, the password or the client id.
    Denied,
    /// As [`Problem::Denied`], where no user name was given.
    CredentialsWanted,
    /// The broker says that it is the user name or the password.
    WrongPassword,
    /// Something that this user may not do.
    NotAuthorised,
    /// The broker does not accept the client id.
    ClientIdRefused,
    /// The broker does not speak MQTT 5.
    ProtocolRefused,
    /// The broker is too busy, or has no room.
    Busy,
    /// The broker is shutting down.
    ShuttingDown,
    /// The connection was given to another client that has the same client id.
    TakenOver,
    /// The connection was there and is gone: closed by the broker without a word, cut, or silent for longer
    /// than the keep-alive.
    Lost,
    /// The other side of an `mqtts` URL does not speak TLS.
    NotTls,
    /// The broker's certificate is not for this host.
    CertificateOfAnother(String),
    /// By this board's clock the broker's certificate is not valid any more.
    CertificateExpired,
    /// By this board's clock the broker's certificate is not valid yet: a board without a clock battery may
    /// start long ago.
    CertificateTooEarly,
    /// Nobody whom we trust has signed the broker's certificate.
    CertificateNotTrusted,
    /// OpenSSL does not accept the broker's certificate; in its own words.
    CertificateRefused(&'static str),
    /// The broker ends the handshake; its alert in OpenSSL's words.
    TlsRefused(&'static str),
    /// The broker wants a certificate of this program.
    CertificateWanted,
    /// The broker does not take this program's certificate; its alert in OpenSSL's words.
    OwnCertificateRefused(&'static str),
    /// A file of this program with a secret is not used: others can read it, or it holds no such thing; in
    /// words.
    SecretUnusable(String),
    /// The broker has no messages of `QoS` 2.
    NoQos2,
    /// The broker keeps no messages.
    NothingRetained,
    /// The broker takes no packets larger than this; zero if it does not say.
    SmallPackets(u32),
    /// The broker does not grant a subscription.
    SubscriptionRefused(String),
    /// The broker accepted the connection, but did not answer the request to subscribe.
    SubscriptionUnanswered,
    /// Another reason code of MQTT 5.
    Reason(u8),
    /// The host's name has several addresses; each with its own cause.
    Each(Vec<(IpAddr, Problem)>),
    /// No cause could be found.
    Unexplained,
}

impl Problem {
    /// What a reason code of MQTT 5 says, in a `CONNACK`, `PUBREC` or `DISCONNECT`.
    pub(super) const fn from_reason(code: u8) -> Self {
        match code {
            0x84 => Self::ProtocolRefused,
            0x85 => Self::ClientIdRefused,
            0x86 => Self::WrongPassword,
            0x87 | 0x8A => Self::NotAuthorised,
            0x88 | 0x89 | 0x97 | 0x9F => Self::Busy,
            0x8B => Self::ShuttingDown,
            0x8E => Self::TakenOver,
            0x95 => Self::SmallPackets(0),
            0x9A => Self::NothingRetained,
            0x9B => Self::NoQos2,
            0x00 | 0x8D => Self::Lost,
            other => Self::Reason(other),
        }
    }

    /// Whether it stays until a person does something.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        self.pace() == Pace::Slower
    }

    /// One cause for a host of one address, and for this machine under all its addresses; otherwise each
    /// address with its own.
    pub(super) fn of_all(mut causes: Vec<(SocketAddr, Self)>) -> Self {
        let is_here = causes.iter().all(|(address, _)| address.ip().is_loopback());
        let is_one = causes.windows(2).all(|pair| pair[0].1 == pair[1].1);
        if causes.len() == 1 || (is_here && is_one) {
            return causes.pop().map_or(Self::Unexplained, |(_, why)| why);
        }
        let causes = causes.into_iter().map(|(address, why)| (address.ip(), why));
        Self::Each(causes.collect())
    }

    /// How soon it may be over.
    pub(super) fn pace(&self) -> Pace {
        match self {
            Self::Each(causes) => {
                let paces = causes.iter().map(|(_, why)| why.pace());
                paces.min().unwrap_or(Pace::Quick)
            }
            // The other one may end at any moment. Who is quick would only fight with it.
            Self::TakenOver | Self::CertificateTooEarly => Pace::Steady,
            Self::Denied
            | Self::CredentialsWanted
            | Self::WrongPassword
            | Self::NotAuthorised
            | Self::ClientIdRefused
            | Self::ProtocolRefused
            | Self::TlsSpoken
            | Self::NotTls
            | Self::CertificateOfAnother(_)
            | Self::CertificateExpired
            | Self::CertificateNotTrusted
            | Self::CertificateRefused(_)
            | Self::TlsRefused(_)
            | Self::CertificateWanted
            | Self::OwnCertificateRefused(_)
            | Self::SecretUnusable(_)
            | Self::NoQos2
            | Self::NothingRetained
            | Self::SmallPackets(_)
            | Self::SubscriptionRefused(_) => Pace::Slower,
            _ => Pace::Quick,
        }
    }
}

/// How soon it is worth to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pace {
    /// It may be over in a moment.
    Quick,
    /// Not in a moment.
    Steady,
    /// Only a person can mend it: more and more slowly.
    Slower,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Refused => "connection refused",
            Self::NameNotKnown(host) => return write!(f, "name not known: {}", Plain(host)),
            Self::NoRoute => "no route to the host",
            Self::NoAnswer => "no answer",
            Self::ClosedAtOnce => "closed before it was accepted, without a reason",
            Self::TlsSpoken => "this port speaks TLS: write mqtts://",
            Self::Denied => "wrong user name or password, or not authorised",
            Self::CredentialsWanted => "not authorised: the broker asks for a user name and password",
            Self::WrongPassword => "wrong user name or password",
            Self::NotAuthorised => "not authorised",
            Self::ClientIdRefused => "client id refused",
            Self::ProtocolRefused => "the broker does not speak MQTT 5",
            Self::Busy => "the broker is busy",
            Self::ShuttingDown => "the broker is shutting down",
            Self::TakenOver => "another program took over this client id",
            Self::Lost => "connection lost",
            Self::NotTls => "TLS: this port does not speak it",
            Self::CertificateOfAnother(host) => {
                return write!(f, "TLS: the certificate is not for {}", Plain(host));
            }
            Self::CertificateExpired => "TLS: the certificate has expired, by this board's clock",
            Self::CertificateTooEarly => "TLS: the certificate is not valid yet, by this board's clock",
            Self::CertificateNotTrusted => "TLS: the certificate is not signed by anybody trusted",
            Self::CertificateRefused(words) => return write!(f, "TLS: certificate refused: {words}"),
            Self::TlsRefused(words) => return write!(f, "TLS: refused by the broker: {words}"),
            Self::CertificateWanted => "TLS: the broker wants a client certificate: --cert and --key",
            Self::OwnCertificateRefused(words) => {
                return write!(
                    f,
                    "TLS: the broker does not take this program's certificate (--cert): {words}"
                );
            }
            Self::SecretUnusable(words) => return write!(f, "{}", Plain(words)),
            Self::NoQos2 => "the broker has no QoS 2 (max_qos): it cannot serve",
            Self::NothingRetained => "the broker keeps no messages (retain_available)",
            Self::SmallPackets(0) => "the broker accepts no packet of this size",
            Self::SmallPackets(most) => {
                return write!(
                    f,
                    "the broker accepts {most} bytes a packet, {LEAST_PACKET} are needed"
                );
            }
            Self::SubscriptionRefused(topic) => return write!(f, "subscription refused: {}", Plain(topic)),
            Self::SubscriptionUnanswered => "no answer to the subscription",
            Self::Reason(code) => return write!(f, "refused by the broker (MQTT reason 0x{code:02X})"),
            Self::Each(causes) => return each(causes, f),
            Self::Unexplained => "could not connect",
        };
        f.write_str(words)
    }
}

/// One cause with the addresses that have it, or each address with its cause.
fn each(causes: &[(IpAddr, Problem)], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match causes.first() {
        Some((_, first)) if causes.iter().all(|(_, why)| why == first) => {
            let addresses = causes.iter().map(|(address, _)| address.to_string());
            write!(f, "{first} ({})", addresses.collect::<Vec<_>>().join(", "))
        }
        _ => {
            let words = causes.iter().map(|(address, why)| format!("{address}: {why}"));
            f.write_str(&words.collect::<Vec<_>>().join("; "))
        }
    }
}

/// Text without what could move a terminal's cursor.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .chars()
            .filter(|c| !c.is_control())
            .try_for_each(|c| write!(f, "{c}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fit_a_status_line() {
        assert_eq!(Problem::Refused.to_string(), "connection refused");
        assert_eq!(
            Problem::NameNotKnown("foo".into()).to_string(),
            "name not known: foo"
        );
        assert_eq!(
            Problem::SubscriptionRefused("sensors/all".into()).to_string(),
            "subscription refused: sensors/all"
        );
        for code in 0..=u8::MAX {
            let words = Problem::from_reason(code).to_string();
            assert!(words.len() <= 65 && !words.contains(char::is_control), "{words}");
        }
    }

    #[test]
    fn reason_codes_become_causes() {
        assert_eq!(Problem::from_reason(0x86), Problem::WrongPassword);
        assert_eq!(Problem::from_reason(0x87), Problem::NotAuthorised);
        assert_eq!(Problem::from_reason(0x8E), Problem::TakenOver);
        assert_eq!(
            Problem::from_reason(0x99).to_string(),
            "refused by the broker (MQTT reason 0x99)"
        );
    }

    #[test]
    fn control_characters_never_reach_the_screen() {
        assert_eq!(
            Problem::NameNotKnown("a\u{1b}[2J\nb".into()).to_string(),
            "name not known: a[2Jb"
        );
    }

    #[test]
    fn the_line_says_which_address_failed_and_how() {
        let (first, second) = (([192, 0, 2, 7], 1883).into(), ([192, 0, 2, 8], 1883).into());
        let words = |causes| Problem::of_all(causes).to_string();
        assert_eq!(
            words(vec![(first, Problem::NoAnswer), (second, Problem::Refused)]),
            "192.0.2.7: no answer; 192.0.2.8: connection refused"
        );
        assert_eq!(
            words(vec![(first, Problem::NoAnswer), (second, Problem::NoAnswer)]),
            "no answer (192.0.2.7, 192.0.2.8)"
        );
        assert_eq!(words(vec![(first, Problem::NoAnswer)]), "no answer");
        let here = [([127, 0, 0, 1], 1883).into(), ([127, 0, 0, 2], 1883).into()];
        assert_eq!(
            words(here.map(|address| (address, Problem::Refused)).into()),
            "connection refused"
        );
    }

    #[test]
    fn what_only_a_person_can_mend_is_not_retried_quickly() {
        for slow in [
            Problem::WrongPassword,
            Problem::SubscriptionRefused(String::new()),
            Problem::NoQos2,
        ] {
            assert_eq!(slow.pace(), Pace::Slower, "{slow}");
        }
        assert!(
            [Problem::Refused, Problem::Lost]
                .iter()
                .all(|why| why.pace() == Pace::Quick)
        );
        let either = [Problem::NotTls, Problem::Refused].map(|why| ([192, 0, 2, 7].into(), why));
        assert_eq!(
            Problem::Each(either.into()).pace(),
            Pace::Quick,
            "the other one may come up"
        );
    }
}
