//! Where a broker is: `mqtt://host[:port]` or `mqtts://host[:port]`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The address of a broker: `mqtt://host[:port]`, or `mqtts://host[:port]` for TLS. IPv6 addresses stand in
/// brackets, with the interface where they hold on one network only: `[fe80::1%eth0]`.
///
/// ```
/// use dualboard::mqtt::BrokerUrl;
///
/// let url: BrokerUrl = "mqtts://[fd00::17]".parse()?;
/// assert_eq!((url.host(), url.port(), url.tls()), ("fd00::17", 8883, true));
/// assert_eq!(url.to_string(), "mqtts://[fd00::17]:8883");
/// # Ok::<(), dualboard::mqtt::BadUrl>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerUrl {
    tls: bool,
    host: String,
    port: u16,
}

/// What is wrong with the text of a [`BrokerUrl`], and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// Neither `mqtt://` nor `mqtts://`.
    #[error(
        "'{0}' does not begin with mqtt:// or mqtts://; write mqtt://host:port, for instance mqtt://localhost:1883"
    )]
    Scheme(String),
    /// No host between the scheme and the port.
    #[error("'{0}' names no host; write mqtt://host:port, for instance mqtt://localhost:1883")]
    NoHost(String),
    /// User name and password do not belong here: other users of the machine see the command line.
    #[error("the URL holds a user name; write it without, and give --username and --password-file")]
    User,
    /// Something that no host name has.
    #[error("'{0}' is not a host name or an address; write mqtt://host:port, with nothing after the port")]
    Host(String),
    /// An IPv6 address without its brackets cannot be told from its port.
    #[error("'{0}' is not an IPv6 address in brackets; write mqtt://[::1]:1883")]
    Brackets(String),
    /// Not a number from 1 to 65535.
    #[error("'{0}' is not a port; write a number from 1 to 65535, or nothing for 1883 (mqtts: 8883)")]
    Port(String),
}

impl BrokerUrl {
    /// The host's name or address, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether what is said stays on this machine: an address of loopback, or the name `localhost`. Any other
    /// name counts as beyond, wherever it leads now: who answers for names may change that.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        address.map_or_else(
            |_| self.host.eq_ignore_ascii_case("localhost"),
            |address| address.to_canonical().is_loopback(),
        )
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub const fn tls(&self) -> bool {
        self.tls
    }
}

impl FromStr for BrokerUrl {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let shown = || text.escape_debug().to_string();
        let (tls, rest) = match (text.strip_prefix("mqtt://"), text.strip_prefix("mqtts://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(BadUrl::Scheme(shown())),
        };
        if rest.contains('@') {
            return Err(BadUrl::User); // without the value: it may hold a password
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split(rest)?;
        if host.is_empty() {
            return Err(BadUrl::NoHost(shown()));
        }
        let port = match port {
            None if tls => 8883,
            None => 1883,
            Some(digits) => parse_port(digits)?,
        };
        Ok(Self {
            tls,
            host: host.to_owned(),
            port,
        })
    }
}

fn split(rest: &str) -> Result<(&str, Option<&str>), BadUrl> {
    let brackets = || BadUrl::Brackets(rest.escape_debug().to_string());
    if let Some(inner) = rest.strip_prefix('[') {
        let (host, after) = inner.split_once(']').ok_or_else(brackets)?;
        if !is_ipv6(host) {
            return Err(brackets());
        }
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(brackets()),
        };
    }
    if rest.matches(':').count() > 1 {
        return Err(brackets());
    }
    let (host, port) = rest
        .split_once(':')
        .map_or((rest, None), |(host, port)| (host, Some(port)));
    let unusual = |c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if host.contains(unusual) {
        return Err(BadUrl::Host(host.escape_debug().to_string()));
    }
    Ok((host, port))
}

/// An address, or one that holds on one network only, with the name of its interface: `fe80::1%eth0`.
fn is_ipv6(host: &str) -> bool {
    let (address, zone) = host
        .split_once('%')
        .map_or((host, None), |(address, zone)| (address, Some(zone)));
    // As long as the name of an interface may be, and with nothing in it that could end the host.
    let is_zone = |zone: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        (1..16).contains(&zone.len()) && zone.bytes().all(fits)
    };
    address.parse::<Ipv6Addr>().is_ok() && zone.is_none_or(is_zone)
}

fn parse_port(digits: &str) -> Result<u16, BadUrl> {
    let bad = || BadUrl::Port(digits.escape_debug().to_string());
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    digits.parse().ok().filter(|port| *port != 0).ok_or_else(bad)
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<BrokerUrl>()
            .map_or_else(|bad| format!("error: {bad}"), |url| url.to_string())
    }

    #[test]
    fn ports_have_their_defaults() {
        assert_eq!(shown("mqtt://localhost"), "mqtt://localhost:1883");
        assert_eq!(shown("mqtts://broker.example"), "mqtts://broker.example:8883");
        assert_eq!(shown("mqtt://10.0.0.7:1884/"), "mqtt://10.0.0.7:1884");
    }

    #[test]
    fn only_localhost_and_loopback_addresses_stay_on_this_machine() {
        let stays = |text: &str| text.parse::<BrokerUrl>().expect("a URL").is_loopback();
        for here in [
            "localhost",
            "LocalHost:1",
            "127.0.0.1",
            "127.255.0.3:99",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(stays(&format!("mqtt://{here}")), "{here}");
        }
        let beyond = [
            "10.0.0.1",
            "0.0.0.0",
            "board1",
            "localhost.example",
            "127.1",
            "[fe80::1%lo]",
            "[::ffff:10.0.0.1]",
        ];
        for beyond in beyond {
            assert!(!stays(&format!("mqtt://{beyond}")), "{beyond}");
        }
    }

    #[test]
    fn ipv6_stands_in_brackets() {
        assert_eq!(shown("mqtt://[::1]"), "mqtt://[::1]:1883");
        assert_eq!(shown("mqtt://[fe80::2]:99"), "mqtt://[fe80::2]:99");
        assert_eq!(shown("mqtt://[fe80::1%eth0]"), "mqtt://[fe80::1%eth0]:1883");
        assert_eq!(shown("mqtt://[fe80::1%2]:99"), "mqtt://[fe80::1%2]:99");
        for bad in [
            "mqtt://::1",
            "mqtt://fe80::2:99",
            "mqtt://[::1",
            "mqtt://[::1]99",
            "mqtt://[nonsense]:1883",
            "mqtt://[fe80::1%]:1883",
            "mqtt://[fe80::1%eth0 x]:1883",
            "mqtt://[10.0.0.1%eth0]:1883",
        ] {
            assert!(shown(bad).contains("in brackets"), "{bad}: {}", shown(bad));
        }
    }

    #[test]
    fn an_error_names_the_value_and_the_mend() {
        assert!(shown("localhost:1883").starts_with("error: 'localhost:1883' does not begin with mqtt://"));
        assert!(shown("mqtt://:1883").contains("names no host"));
        assert!(shown("mqtt://host/path").contains("'host/path' is not a host name"));
        for port in ["", "0", "65536", "+1", "18 83", "x"] {
            let words = shown(&format!("mqtt://host:{port}"));
            assert!(
                words.contains(&format!("'{port}' is not a port; write a number")),
                "{words}"
            );
        }
    }

    #[test]
    fn a_password_in_the_url_is_refused_and_not_repeated() {
        let words = shown("mqtt://me:secret@host");
        assert!(
            words.contains("--password-file") && !words.contains("secret"),
            "{words}"
        );
    }

    #[test]
    fn control_characters_are_not_repeated_raw() {
        assert!(!shown("mqtt://ho\u{1b}[2Jst").contains('\u{1b}'));
        assert!(!shown("\u{7}").contains('\u{7}'));
    }
}
