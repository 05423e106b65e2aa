//! The way to the broker, and what the broker is.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use super::listen::{self, Evidence};
use super::owner_here;
use super::report::{CheckLine, CheckReport};
use crate::mqtt::visit::{self, Certificate, Terms, Visit};
use crate::mqtt::{self, BrokerSettings, BrokerUrl, Exposure, LEAST_PACKET, Problem};
use crate::settings::CheckOptions;
use crate::system::random;
use crate::text::words;

/// From here on a certificate's end is near.
const DAYS_LEFT: i32 = 30;

/// A broker that has let this program in.
pub(super) struct Reached {
    pub(super) visit: Visit,
    pub(super) settings: BrokerSettings,
    pub(super) address: SocketAddr,
    /// What tells the markers of this check from those of others.
    pub(super) marker: String,
}

/// Connects as the program would, but under a client id of its own.
pub(super) fn connect<W: Write>(
    options: &CheckOptions,
    url: &BrokerUrl,
    exposure: Exposure,
    report: &mut CheckReport<W>,
) -> Option<Reached> {
    let address = address(url, report)?;
    let (settings, marker) = match settings(options, url) {
        Ok(settings) => settings,
        Err(why) => {
            report.add(CheckLine::fail(
                "login",
                "",
                why,
                "until that is mended nothing at the broker can be looked at",
            ));
            return None;
        }
    };
    report.add(encryption(url, exposure));
    let is_named = settings.credentials.is_some();
    if would_cut_off(address, is_named, owner_here(options).is_some()) {
        let found = "not tried: the monitor of this card runs here, and a broker that gives each user one connection \
                     (use_username_as_clientid) would cut it off; end the monitor first, or check at the broker's loopback address";
        report.add(CheckLine::skipped("login", url.host(), found));
        return None;
    }
    let shown = url
        .tls()
        .then(|| visit::certificate(&settings, address))
        .flatten();
    match Visit::begin(&settings, address) {
        Ok((visit, terms)) => {
            if let Some(shown) = &shown {
                report.add(trusted(shown, url));
            } else if url.tls() {
                report.add(CheckLine::skipped(
                    "certificate",
                    "",
                    "it is trusted, and was not shown a second time: its dates are not known",
                ));
            }
            offers(&terms, &settings, address, report);
            Some(Reached {
                visit,
                settings,
                address,
                marker,
            })
        }
        Err(why) => {
            report.add(not_let_in(&why, shown.as_ref(), url));
            None
        }
    }
}

/// Whether a login could end the connection of an owner that runs. Nobody can see from outside whether a
/// broker gives each user one connection; on an installed board its listener for the network does.
fn would_cut_off(address: SocketAddr, is_named: bool, owner_runs: bool) -> bool {
    !address.ip().is_loopback() && is_named && owner_runs
}

/// The first address that takes connections, IPv4 before IPv6, as Paho chooses it.
fn address<W: Write>(url: &BrokerUrl, report: &mut CheckReport<W>) -> Option<SocketAddr> {
    const START: &str = "start the broker, or correct --broker";
    let tried = match visit::addresses(url) {
        Ok(tried) => tried,
        Err(why) => {
            let advice = "correct --broker, or add the name to /etc/hosts or the name server";
            report.add(CheckLine::fail(
                "address",
                url.to_string(),
                why.to_string(),
                advice,
            ));
            return None;
        }
    };
    let takes = |tried: &&(SocketAddr, Option<Problem>)| tried.1.is_none();
    let four = tried.iter().filter(takes).find(|(address, _)| address.is_ipv4());
    let chosen = four
        .or_else(|| tried.iter().find(takes))
        .map(|(address, _)| *address);
    // `localhost` has two addresses, and brokers listen on one of them.
    let all_here = tried.iter().all(|(address, _)| address.ip().is_loopback());
    for (address, why) in tried {
        let about = format!("{url} at {address}");
        match why {
            None => report.add(CheckLine::ok("address", about, "takes connections")),
            Some(_) if all_here && chosen.is_some() => {}
            Some(why) if chosen.is_some() => report.add(CheckLine::warn(
                "address",
                about,
                why.to_string(),
                "remove the address from /etc/hosts or the name server if it is an old one",
            )),
            Some(why) => report.add(CheckLine::fail("address", about, why.to_string(), START)),
        }
    }
    chosen
}

/// Of a client that nobody has seen before; and the name of its marker.
fn settings(options: &CheckOptions, url: &BrokerUrl) -> Result<(BrokerSettings, String), String> {
    let access = &options.access;
    let credentials = access.credentials().map_err(|error| format!("{error:#}"))?;
    let number = random::u32().map_err(|error| error.to_string())?;
    let client_id = format!("{}-check-{number:08x}", words::program(options.role));
    let user = access.user.as_ref();
    let marker = user.map_or_else(|| client_id.clone(), |user| format!("{}/{client_id}", user.name));
    let settings = BrokerSettings {
        url: url.clone(),
        client_id,
        credentials,
        ca_file: access.ca_file.clone(),
        certificate: access.certificate.clone(),
        will: None,
        session_expiry: Duration::ZERO,
        subscriptions: listen::topics(options.role, &marker),
    };
    mqtt::check(&settings).map_err(|error| format!("{error:#}"))?;
    Ok((settings, marker))
}

fn encryption(url: &BrokerUrl, exposure: Exposure) -> CheckLine {
    const CHECK: &str = "encryption";
    if url.tls() {
        return CheckLine::ok(CHECK, "", "the connection is made by TLS");
    }
    if exposure.is_plain {
        return CheckLine::warn(
            CHECK,
            "",
            "none, accepted with --insecure: whoever listens on the way reads states and password",
            "use mqtts:// and --ca-file",
        );
    }
    CheckLine::ok(CHECK, "", "none, and nothing leaves this machine")
}

fn described(shown: &Certificate) -> String {
    format!(
        "for {}, issued by {}, valid from {} until {}",
        shown.hosts.join(" and "),
        shown.issuer,
        shown.from,
        shown.until
    )
}

fn trusted(shown: &Certificate, url: &BrokerUrl) -> CheckLine {
    let found = described(shown);
    if shown.days_left < DAYS_LEFT {
        let found = format!("{found}: it ends in {} days", shown.days_left);
        return CheckLine::warn(
            "certificate",
            url.host(),
            found,
            "renew it on the broker's board: sudo dualboard-setup renew",
        );
    }
    CheckLine::ok("certificate", url.host(), found)
}

/// Why the broker did not let this program in.
fn not_let_in(why: &Problem, shown: Option<&Certificate>, url: &BrokerUrl) -> CheckLine {
    let check = match why {
        Problem::CertificateOfAnother(_)
        | Problem::CertificateExpired
        | Problem::CertificateTooEarly
        | Problem::CertificateNotTrusted
        | Problem::CertificateRefused(_)
        | Problem::CertificateWanted
        | Problem::OwnCertificateRefused(_)
        | Problem::TlsRefused(_)
        | Problem::NotTls
        | Problem::TlsSpoken => "certificate",
        Problem::Denied
        | Problem::CredentialsWanted
        | Problem::WrongPassword
        | Problem::NotAuthorised
        | Problem::ClientIdRefused => "login",
        Problem::ProtocolRefused => "MQTT 5",
        _ => "connection",
    };
    let mut found = why.to_string();
    if let Some(shown) = shown.filter(|_| check == "certificate") {
        found = format!("{found} ({})", described(shown));
    }
    CheckLine::fail(check, url.host(), found, advice(why))
}

/// What to do about a broker that does not let a program in.
pub(super) const fn advice(why: &Problem) -> &'static str {
    match why {
        Problem::CertificateOfAnother(_) => {
            "use the address that the certificate is for, or make one for this address: sudo dualboard-setup on the broker's board"
        }
        Problem::CertificateExpired => {
            "renew it on the broker's board (sudo dualboard-setup renew), unless this board's clock is ahead"
        }
        Problem::CertificateTooEarly => "set this board's clock",
        Problem::CertificateNotTrusted => "give the authority of that broker with --ca-file",
        Problem::CertificateRefused(_) | Problem::TlsRefused(_) => "look at the broker's log",
        Problem::CertificateWanted => "give one that the broker knows with --cert and --key",
        Problem::OwnCertificateRefused(_) => {
            "give another one with --cert and --key: not expired, and signed by whom the broker trusts"
        }
        Problem::NotTls => "write mqtt://, or give the broker's port for TLS",
        Problem::TlsSpoken => "write mqtts://",
        Problem::Denied | Problem::WrongPassword => "correct --username and --password-file",
        Problem::CredentialsWanted => "give --username and --password-file",
        Problem::NotAuthorised | Problem::ClientIdRefused => "look at the broker's log and its access rules",
        Problem::ProtocolRefused => "use Mosquitto 2",
        _ => "check whether it hangs or stops at this moment: look at the broker's log, and try again",
    }
}

/// What the broker says that it has.
fn offers<W: Write>(
    terms: &Terms,
    settings: &BrokerSettings,
    address: SocketAddr,
    report: &mut CheckReport<W>,
) {
    const TAKEN: &str = "the broker takes name and password";
    report.add(CheckLine::ok("MQTT 5", "", "the broker speaks it"));
    report.add(match &settings.credentials {
        Some(credentials) if address.ip().is_loopback() => {
            CheckLine::ok("login", &credentials.username, TAKEN)
        }
        Some(credentials) => {
            let found = format!(
                "{TAKEN}; if it gives each user one connection (use_username_as_clientid), a screen of this user was cut off for a moment"
            );
            CheckLine::ok("login", &credentials.username, found)
        }
        None if settings.certificate.is_some() => CheckLine::ok(
            "login",
            "",
            "the broker lets this program in without a name, and is shown its certificate where it asks for one",
        ),
        None if address.ip().is_loopback() => CheckLine::ok(
            "login",
            "",
            "the broker asks nobody on this machine for a password",
        ),
        None => CheckLine::warn(
            "login",
            "",
            "the broker asks nobody on the network for a password, and --insecure accepts it",
            "set up names and passwords: sudo dualboard-setup",
        ),
    });
    report.add(if terms.qos >= 2 {
        CheckLine::ok("QoS 2", "", "the broker has it")
    } else {
        CheckLine::fail(
            "QoS 2",
            "",
            Problem::NoQos2.to_string(),
            "set max_qos 2, or use another broker",
        )
    });
    report.add(if terms.retains {
        CheckLine::ok("retained messages", "", "the broker keeps them")
    } else {
        let advice = "set retain_available true, or use another broker";
        CheckLine::fail(
            "retained messages",
            "",
            Problem::NothingRetained.to_string(),
            advice,
        )
    });
    report.add(match terms.largest_packet {
        Some(most) if most < LEAST_PACKET => CheckLine::fail(
            "packet size",
            "",
            Problem::SmallPackets(most).to_string(),
            "set max_packet_size to 2101248",
        ),
        Some(most) => CheckLine::ok("packet size", "", format!("the broker takes {most} bytes")),
        None => CheckLine::ok("packet size", "", "the broker names no limit"),
    });
}

/// Whether the broker is of a version with a weakness that is known here.
pub(super) fn version<W: Write>(heard: &Evidence, report: &mut CheckReport<W>) {
    let Some(version) = &heard.version else {
        report.add(CheckLine::skipped(
            "broker version",
            "",
            "the broker does not say it here ($SYS/broker/version)",
        ));
        return;
    };
    report.add(judged(version));
}

fn judged(version: &str) -> CheckLine {
    const CHECK: &str = "broker version";
    let numbers = version
        .strip_prefix("mosquitto version ")
        .and_then(|numbers| numbers.split(['-', ' ']).next())
        .map(|numbers| {
            numbers
                .split('.')
                .map_while(|part| part.parse().ok())
                .collect::<Vec<u32>>()
        });
    match numbers.as_deref() {
        Some([2, 0, 0..11] | [0..2, ..]) => CheckLine::warn(
            CHECK,
            version,
            "nobody has tried these programs with one as old",
            "use 2.0.11 or later, best 2.0.22 or later",
        ),
        Some([2, 0, 11 | 22..=u32::MAX] | [2, 1, ..]) => CheckLine::ok(
            CHECK,
            version,
            "no weakness is known here that matters to these programs",
        ),
        Some([2, 0, _]) => CheckLine::warn(
            CHECK,
            version,
            "if the clock is set back while the bridge is down, the bridge stays down until the clock has caught up (seen with 2.0.21)",
            "use 2.0.22 or later, and keep the clock synchronised; until then restart the broker when that happens",
        ),
        _ => CheckLine::skipped(CHECK, version, "nothing is known here about this one"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Grade;
    use super::*;

    #[test]
    fn a_broker_that_stays_without_its_bridge_when_the_clock_is_set_back_is_named() {
        let grade = |version: &str| judged(version).grade;
        assert_eq!(grade("mosquitto version 2.0.21"), Grade::Warn);
        assert_eq!(grade("mosquitto version 2.0.9"), Grade::Warn);
        assert_eq!(grade("mosquitto version 1.6.12"), Grade::Warn);
        for fine in ["2.0.11", "2.0.22", "2.1.2"] {
            assert_eq!(grade(&format!("mosquitto version {fine}")), Grade::Ok, "{fine}");
        }
        for unknown in ["HiveMQ 4", "mosquitto version x", "mosquitto version 3.0.0", ""] {
            assert_eq!(grade(unknown), Grade::Skipped, "{unknown}");
        }
    }

    fn certificate(days_left: i32) -> Certificate {
        Certificate {
            hosts: vec!["10.0.0.1".to_owned()],
            issuer: "dualboard board 1".to_owned(),
            from: "Jan  1 00:00:00 2020 GMT".to_owned(),
            until: "Jan  1 00:00:00 2030 GMT".to_owned(),
            days_left,
        }
    }

    #[test]
    fn a_certificate_that_ends_within_30_days_is_a_warning() {
        let url = "mqtts://10.0.0.1".parse().expect("a URL");
        assert_eq!(trusted(&certificate(29), &url).grade, Grade::Warn);
        let fine = trusted(&certificate(31), &url);
        assert_eq!(fine.grade, Grade::Ok);
        assert!(
            fine.found.contains("issued by dualboard board 1"),
            "{}",
            fine.found
        );
    }

    #[test]
    fn a_connection_that_leaves_the_machine_in_plain_text_is_a_warning() {
        let grade = |url: &str| {
            let url = url.parse().expect("a URL");
            encryption(&url, Exposure::of(&url, true)).grade
        };
        assert_eq!(grade("mqtt://10.0.0.1"), Grade::Warn);
        assert_eq!(grade("mqtts://10.0.0.1"), Grade::Ok);
        assert_eq!(grade("mqtt://localhost"), Grade::Ok);
    }

    #[test]
    fn no_login_is_tried_that_could_cut_off_an_owner_that_runs() {
        let [here, there] = [[127, 0, 0, 1], [10, 0, 0, 1]].map(|ip| SocketAddr::from((ip, 8883)));
        assert!(would_cut_off(there, true, true));
        assert!(
            !would_cut_off(here, true, true),
            "on loopback each has its own client id"
        );
        assert!(!would_cut_off(there, false, true) && !would_cut_off(there, true, false));
    }

    #[test]
    fn every_broker_that_cannot_serve_is_a_failure() {
        let settings = BrokerSettings {
            url: "mqtt://127.0.0.1".parse().expect("a URL"),
            client_id: "check".to_owned(),
            credentials: None,
            ca_file: None,
            certificate: None,
            will: None,
            session_expiry: Duration::ZERO,
            subscriptions: Vec::new(),
        };
        let full = Terms {
            qos: 2,
            retains: true,
            largest_packet: None,
            receive_maximum: 20,
        };
        for (terms, words) in [
            (Terms { qos: 1, ..full }, "no QoS 2"),
            (
                Terms {
                    retains: false,
                    ..full
                },
                "keeps no messages",
            ),
            (
                Terms {
                    largest_packet: Some(1000),
                    ..full
                },
                "1000 bytes a packet",
            ),
        ] {
            let mut output = Vec::new();
            let mut report = CheckReport::new("card1_monitor", false, &mut output);
            let here = ([127, 0, 0, 1], 1883).into();
            offers(&terms, &settings, here, &mut report);
            assert_eq!(report.finish().expect("memory"), 2);
            let said = String::from_utf8(output).expect("text");
            assert!(said.contains(words), "{said}");
        }
    }
}
