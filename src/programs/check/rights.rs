//! What this user may read and write at the broker.

use std::io::Write;

use super::broker::Reached;
use super::listen::{Evidence, Marker, needed};
use super::report::{CheckLine, CheckReport};
use crate::machine::Role;
use crate::mqtt::Problem;
use crate::mqtt::visit::{Verdict, Visit};
use crate::sensor::Card;
use crate::settings::CheckOptions;
use crate::text::words;
use crate::wire::Topic;

/// What to do about a right that is missing.
const GRANT: &str = "add it to this user's rights in the broker's acl_file";

/// Looks at the rights, and ends the connection.
pub(super) fn check<W: Write>(
    reached: Reached,
    heard: &Evidence,
    options: &CheckOptions,
    report: &mut CheckReport<W>,
) {
    if let Some(why) = &heard.lost {
        report.add(CheckLine::fail(
            "connection",
            "",
            format!("it ended while the check listened: {why}"),
            "another client may have the same user name or client id: look at the broker's log",
        ));
    }
    let name = Topic::Marker.name(&reached.marker);
    let marker = marker(&heard.marker, &name);
    report.add(marker);
    // The one of this board's own broker is there at the other broker only.
    let expected = needed(options.role).filter(|topic| *topic != Topic::Uptime(heard.home));
    for topic in expected {
        report.add(reading(topic, heard));
    }
    match &heard.marker {
        Marker::Back {
            unreleased_too: false,
        } => write(reached, options.role, report),
        other => {
            let why = match other {
                Marker::Back { .. } => {
                    "this broker delivers what is offered before it is released: to try would disturb"
                }
                _ => {
                    "the marker did not come back: it is not known whether this broker holds back what is offered"
                }
            };
            report.add(CheckLine::skipped("write", "all topics", why));
            report.add(CheckLine::skipped("forbidden topics", "", why));
        }
    }
}

fn marker(marker: &Marker, name: &str) -> CheckLine {
    const CHECK: &str = "marker";
    match marker {
        Marker::Unknown => CheckLine::skipped(CHECK, name, "the connection ended before"),
        Marker::Denied(verdict) => CheckLine::fail(CHECK, name, refusal(verdict), GRANT),
        Marker::Missing => CheckLine::fail(
            CHECK,
            name,
            "it may be published, and does not come back",
            "give this user the right to read the topic too, in the broker's acl_file",
        ),
        Marker::Back { .. } => CheckLine::ok(CHECK, name, "published, and it came back"),
    }
}

fn refusal(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Granted => "granted".to_owned(),
        Verdict::Denied => "this user may not publish there".to_owned(),
        Verdict::Refused(why) => format!("the broker takes no message there: {why}"),
    }
}

/// Whether the messages of a topic arrive. A broker grants most subscriptions and then keeps the messages to
/// itself, so only a message is a proof.
fn reading(topic: Topic, heard: &Evidence) -> CheckLine {
    const CHECK: &str = "read";
    let name = topic.name("");
    if heard.refused.contains(&topic) {
        return CheckLine::fail(CHECK, name, "the broker refuses the subscription", GRANT);
    }
    if heard.arrived.contains_key(&topic) {
        return CheckLine::ok(CHECK, name, "a message arrived");
    }
    // An owner publishes its states on each connect, and the broker keeps them.
    let owner = match topic {
        Topic::Card(card) => Some(card),
        Topic::All => Some(Card::Two),
        _ => None,
    };
    if let Some(owner) = owner.filter(|owner| heard.is_alive(*owner)) {
        return CheckLine::fail(
            CHECK,
            name,
            format!("nothing arrives, and {} runs", words::owner(owner)),
            "give this user the right to read it, in the broker's acl_file; behind the bridge, look at its topics too",
        );
    }
    CheckLine::skipped(
        CHECK,
        name,
        "no message came: whether it may be read is not known",
    )
}

/// Whether each topic may be written. What is offered is never delivered: see [`Visit`].
fn write<W: Write>(mut reached: Reached, role: Role, report: &mut CheckReport<W>) {
    let topics = Topic::COMMON.into_iter().map(|(topic, _)| topic);
    let mut open = Vec::new();
    let (mut refused, mut unseen) = (0, Vec::new());
    for topic in topics {
        let (needs, harms) = (role.publishes_on(topic), role.could_harm_on(topic));
        if !needs && !harms {
            continue;
        }
        let name = topic.name("");
        match offer(&mut reached, &name) {
            Err(why) => {
                let why = format!("the connection ended: {why}");
                report.add(CheckLine::fail("write", &name, why, "look at the broker's log"));
                if harms {
                    unseen.push(name);
                }
            }
            Ok(verdict) if needs => report.add(writing(role, topic, &verdict)),
            Ok(Verdict::Granted) => open.push(name),
            Ok(Verdict::Denied) => refused += 1,
            Ok(Verdict::Refused(_)) => unseen.push(name),
        }
    }
    let settings = &reached.settings;
    let is_named = settings.credentials.is_some() || settings.certificate.is_some();
    report.add(forbidden(&open, refused, &unseen, is_named));
    reached.visit.end();
}

/// A broker takes so many offers on a connection, and no more.
fn offer(reached: &mut Reached, name: &str) -> Result<Verdict, Problem> {
    if reached.visit.is_full() {
        let (next, _) = Visit::begin(&reached.settings, reached.address)?;
        std::mem::replace(&mut reached.visit, next).end();
    }
    reached.visit.offer(name, b"{}")
}

fn writing(role: Role, topic: Topic, verdict: &Verdict) -> CheckLine {
    const CHECK: &str = "write";
    let name = topic.name("");
    match verdict {
        Verdict::Granted => CheckLine::ok(CHECK, name, "this user may publish there"),
        Verdict::Denied if role.spares(topic) => CheckLine::ok(
            CHECK,
            name,
            "this user may not publish there: the display only looks, and needs no more",
        ),
        _ => CheckLine::fail(CHECK, name, refusal(verdict), GRANT),
    }
}

/// The topics on which this program could pass for another one.
fn forbidden(open: &[String], refused: usize, unseen: &[String], is_named: bool) -> CheckLine {
    const CHECK: &str = "forbidden topics";
    if open.is_empty() && !unseen.is_empty() {
        let why = format!(
            "it is not known whether this user may publish on {}",
            unseen.join(", ")
        );
        return CheckLine::skipped(CHECK, "", why);
    }
    if open.is_empty() {
        return CheckLine::ok(CHECK, "", format!("publishing is refused on all {refused}"));
    }
    let found = format!("this user may publish on {}", open.join(", "));
    if is_named {
        let advice =
            "take these rights away in the broker's acl_file: a stolen password could make up states";
        return CheckLine::fail(CHECK, "", found, advice);
    }
    let advice = "set up names and passwords (sudo dualboard-setup), unless everybody on this machine may change states";
    CheckLine::warn(CHECK, "", found, advice)
}

#[cfg(test)]
mod tests {
    use super::super::report::Grade;
    use super::*;

    #[test]
    fn a_topic_of_which_nothing_came_is_never_called_right() {
        let mut heard = Evidence::none(Role::Monitor(Card::One));
        heard.connected = true;
        for topic in needed(Role::Monitor(Card::One)) {
            assert_eq!(reading(topic, &heard).grade, Grade::Skipped, "{topic:?}");
        }
        heard.refused = needed(Role::Monitor(Card::One)).collect();
        for topic in needed(Role::Monitor(Card::One)) {
            assert_eq!(reading(topic, &heard).grade, Grade::Fail, "{topic:?}");
        }
    }

    #[test]
    fn a_named_user_with_a_right_too_many_is_a_failure_and_a_board_without_users_a_warning() {
        let open = ["sensors/all".to_owned()];
        assert_eq!(forbidden(&open, 3, &open, true).grade, Grade::Fail);
        assert_eq!(forbidden(&open, 3, &[], false).grade, Grade::Warn);
        assert_eq!(forbidden(&[], 4, &[], true).grade, Grade::Ok);
        assert_eq!(forbidden(&[], 3, &open, true).grade, Grade::Skipped);
    }

    #[test]
    fn a_display_that_only_looks_is_right_and_a_monitor_without_a_right_is_not() {
        let denied = |role, topic| writing(role, topic, &Verdict::Denied).grade;
        assert_eq!(denied(Role::Display, Topic::Witness), Grade::Ok);
        assert_eq!(denied(Role::Monitor(Card::One), Topic::Witness), Grade::Fail);
    }
}
