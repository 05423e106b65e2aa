//! The owners that are heard, and the bridge between the boards.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use super::bridge_file::{self, BridgeConnection};
use super::broker::advice;
use super::listen::Evidence;
use super::owner_here;
use super::report::{CheckLine, CheckReport};
use crate::machine::Role;
use crate::mqtt::visit;
use crate::mqtt::{BrokerSettings, Problem};
use crate::sensor::Card;
use crate::settings::{CheckOptions, Credentials, Secret};
use crate::text::words;
use crate::wire::Topic;

/// Where the bridge of an installed board 2 is, in the folder of its settings.
const FILE: &str = "broker.d/bridge.conf";

/// Looks at both owners and at the bridge.
pub(super) fn check<W: Write>(heard: &Evidence, options: &CheckOptions, report: &mut CheckReport<W>) {
    if let Role::Monitor(card) = options.role {
        let runs_here = owner_here(options).map(|holder| holder.to_string());
        report.add(own(heard, card, runs_here));
        if heard.arrived.contains_key(&Topic::Uptime(card)) {
            report.add(CheckLine::fail(
                "own broker",
                &options.access.url,
                format!("it is the broker of board {}", card.other().number()),
                format!("give the address of broker {} with --broker", card.number()),
            ));
        }
    } else {
        report.add(other(heard, heard.home));
    }
    report.add(other(heard, heard.home.other()));
    let bridge = bridge(heard);
    report.add(bridge);
    if heard.home == Card::Two {
        logins(heard, options, report);
    }
}

/// The owner whose program this is.
fn own(heard: &Evidence, card: Card, runs_here: Option<String>) -> CheckLine {
    const CHECK: &str = "heartbeats";
    let program = words::owner(card);
    if !heard.connected {
        return CheckLine::skipped(CHECK, program, "there is no connection to the broker");
    }
    if heard.is_alive(card) {
        return CheckLine::ok(CHECK, program, "it runs, and its heartbeats arrive");
    }
    match runs_here {
        Some(holder) => CheckLine::fail(
            CHECK,
            program,
            format!("it runs ({holder}), and its heartbeats do not arrive"),
            format!(
                "look at its screen; give its user and this one the right to {} in the broker's acl_file; check that both have the same --broker",
                Topic::Alive(card).name("")
            ),
        ),
        None => CheckLine::warn(
            CHECK,
            program,
            "none arrive: it does not seem to run",
            format!(
                "start it: sudo systemctl start dualboard-card{}, or type {program}",
                card.number()
            ),
        ),
    }
}

/// An owner that this program only hears.
fn other(heard: &Evidence, card: Card) -> CheckLine {
    const CHECK: &str = "heartbeats";
    let program = words::owner(card);
    if !heard.connected {
        return CheckLine::skipped(CHECK, program, "there is no connection to the broker");
    }
    if heard.is_alive(card) {
        return CheckLine::ok(CHECK, program, "it is heard");
    }
    CheckLine::warn(
        CHECK,
        program,
        "it is not heard: its states are HELD here",
        format!(
            "look at board {}, at the bridge, and at the right to read {}",
            card.number(),
            Topic::Alive(card).name("")
        ),
    )
}

fn bridge(heard: &Evidence) -> CheckLine {
    const CHECK: &str = "bridge";
    let other = heard.home.other().number();
    if !heard.connected {
        return CheckLine::skipped(CHECK, "", "there is no connection to the broker");
    }
    match (heard.crossed, heard.bridge_is_up()) {
        (true, Some(false)) => CheckLine::warn(
            CHECK,
            "",
            format!("broker {other} is heard across it, and one of its connections is down"),
            "look at broker 2's log, and check again",
        ),
        (true, _) => CheckLine::ok(CHECK, "", format!("broker {other} is heard across it")),
        (false, Some(false)) => CheckLine::fail(
            CHECK,
            "",
            "the broker says that it is down",
            "check the link, the other board and its broker; broker 2's log says why",
        ),
        (false, Some(true)) => CheckLine::warn(
            CHECK,
            "",
            format!("the broker says that it is up, and broker {other} was not heard across it in this time"),
            format!(
                "allow more with --timeout; give this user the right to read {}",
                Topic::Uptime(heard.home.other()).name("")
            ),
        ),
        (false, None) => CheckLine::warn(
            CHECK,
            "",
            "nothing is heard of it: there is none, or this user may not read its topics",
            "set it up on board 2: sudo dualboard-setup board2, or scripts/board2.sh",
        ),
    }
}

/// Tries the bridge's own logins at broker 1, where the bridge is surely down: beside one that is up, another
/// login of the same name would throw it out.
fn logins<W: Write>(heard: &Evidence, options: &CheckOptions, report: &mut CheckReport<W>) {
    const CHECK: &str = "bridge login";
    let file = options.settings_dir.as_ref().map(|folder| folder.join(FILE));
    let text = match file.as_deref().map(read) {
        Some(Ok(text)) => text,
        Some(Err(line)) => return report.add(line),
        None => {
            return report.add(CheckLine::skipped(
                CHECK,
                "",
                "there are no settings of an installed board: DUALBOARD_SETTINGS is empty",
            ));
        }
    };
    if heard.crossed || heard.bridge_is_up() != Some(false) {
        let why =
            "the bridge is not known to be down, and a second login of the same name would throw it out";
        return report.add(CheckLine::skipped(CHECK, "", why));
    }
    let connections = bridge_file::parse(&text);
    if connections.is_empty() {
        report.add(CheckLine::fail(
            CHECK,
            "",
            format!("{FILE} in the settings has no connection with an address"),
            "make it again: sudo dualboard-setup board2",
        ));
    }
    for connection in connections {
        report.add(login(&connection));
    }
}

fn read(file: &Path) -> Result<String, CheckLine> {
    const CHECK: &str = "bridge login";
    std::fs::read_to_string(file).map_err(|error| match error.kind() {
        ErrorKind::NotFound => CheckLine::skipped(
            CHECK,
            "",
            format!("there is no {}: this is no installed board 2", file.display()),
        ),
        ErrorKind::PermissionDenied => CheckLine::skipped(
            CHECK,
            "",
            format!("this user may not read {}: try as root", file.display()),
        ),
        _ => CheckLine::fail(
            CHECK,
            "",
            format!("cannot read {}: {error}", file.display()),
            "make it again: sudo dualboard-setup board2",
        ),
    })
}

fn login(connection: &BridgeConnection) -> CheckLine {
    const CHECK: &str = "bridge login";
    let about = format!("{} at {}", connection.name, connection.address);
    let settings = match settings(connection) {
        Ok(settings) => settings,
        Err(why) => return CheckLine::skipped(CHECK, about, why),
    };
    match knock(&settings) {
        Ok(()) => CheckLine::ok(
            CHECK,
            about,
            "broker 1 lets it in at this moment: the bridge comes up by itself",
        ),
        Err(why) if why.needs_person() => CheckLine::fail(CHECK, about, why.to_string(), bridge_advice(&why)),
        Err(why) => CheckLine::warn(
            CHECK,
            about,
            why.to_string(),
            "check that board 1 and its broker run, and that the link and any firewall let this through",
        ),
    }
}

fn bridge_advice(why: &Problem) -> &'static str {
    match why {
        Problem::Denied | Problem::WrongPassword | Problem::CredentialsWanted => {
            "take a new token from board 1: sudo dualboard-setup board2 --token FILE"
        }
        Problem::CertificateNotTrusted => {
            "the authority of board 1 has changed: take a new token from there: sudo dualboard-setup board2 --token FILE"
        }
        other => advice(other),
    }
}

fn knock(settings: &BrokerSettings) -> Result<(), Problem> {
    let mut last = Problem::Unexplained;
    for (address, why) in visit::addresses(&settings.url)? {
        last = match why {
            Some(why) => why,
            None => match visit::knock(settings, address) {
                Ok(()) => return Ok(()),
                Err(why) => why,
            },
        };
    }
    Err(last)
}

fn settings(connection: &BridgeConnection) -> Result<BrokerSettings, String> {
    if let Some(option) = &connection.unusual {
        return Err(format!("its file says {option}, which a check does not imitate"));
    }
    let credentials = connection.username.as_ref().map(|username| Credentials {
        username: username.clone(),
        password: connection
            .password
            .clone()
            .unwrap_or_else(|| Secret(String::new())),
        file: None,
    });
    let scheme = if connection.ca_file.is_some() {
        "mqtts"
    } else {
        "mqtt"
    };
    let url = format!("{scheme}://{}", connection.address);
    Ok(BrokerSettings {
        url: url.parse().map_err(|bad| format!("{bad}"))?,
        client_id: connection.client_id.clone(),
        credentials,
        ca_file: connection.ca_file.clone(),
        certificate: None,
        will: None,
        session_expiry: Duration::ZERO,
        subscriptions: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::report::Grade;
    use super::*;
    use crate::wire::{Direction, Message};

    fn evidence(crossed: bool, up: Option<bool>) -> Evidence {
        let mut heard = Evidence::none(Role::Monitor(Card::Two));
        heard.connected = true;
        heard.crossed = crossed;
        if let Some(up) = up {
            heard
                .arrived
                .insert(Topic::Bridge(Direction::In), Message::Bridge(up));
        }
        heard
    }

    #[test]
    fn a_bridge_is_right_only_when_something_has_crossed_it() {
        let grade = |crossed, up| bridge(&evidence(crossed, up)).grade;
        assert_eq!(grade(true, Some(true)), Grade::Ok);
        assert_eq!(grade(false, Some(true)), Grade::Warn);
        assert_eq!(grade(false, Some(false)), Grade::Fail);
        assert_eq!(grade(false, None), Grade::Warn);
        let none = Evidence::none(Role::Display);
        assert_eq!(bridge(&none).grade, Grade::Skipped);
    }

    #[test]
    fn an_owner_that_runs_unheard_is_a_failure_and_one_that_does_not_run_a_warning() {
        let mut heard = evidence(true, Some(true));
        assert_eq!(own(&heard, Card::Two, None).grade, Grade::Warn);
        assert_eq!(
            own(&heard, Card::Two, Some("process 7".into())).grade,
            Grade::Fail
        );
        heard.alive.push(Card::Two);
        assert_eq!(own(&heard, Card::Two, Some("process 7".into())).grade, Grade::Ok);
        assert_eq!(other(&heard, Card::One).grade, Grade::Warn);
        assert_eq!(other(&heard, Card::Two).grade, Grade::Ok);
    }
}
