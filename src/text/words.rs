//! What is said to people: links, events and times, in words. Screen and plain lines say the same.

mod alarm;
mod problems;
mod status;

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::chain::Link;
use crate::command::{Change, Changes, Name};
use crate::event_log::{Fact, LogEntry};
use crate::machine::Role;
use crate::names::Names;
use crate::sensor::{Card, SensorId, SensorSet, State};
use crate::stage::Stage;
use crate::time::Wall;
use crate::wire::Topic;

pub use alarm::{alarm, alarm_subject, alarms};
pub use problems::{broken, lack, owner_ended, owner_silent, problems};
pub use status::status;

/// The word for a state, or for none.
#[must_use]
pub const fn state(state: Option<State>) -> &'static str {
    match state {
        Some(state) => state.word(),
        None => "UNKNOWN",
    }
}

/// A sensor, and what people call it.
#[must_use]
pub fn sensor(sensor: SensorId, names: &Names) -> String {
    match names.get(sensor) {
        Some(name) => format!("{sensor} ({})", name.as_str()),
        None => sensor.to_string(),
    }
}

/// The program that owns a card.
#[must_use]
pub const fn owner(card: Card) -> &'static str {
    match card {
        Card::One => "card1_monitor",
        Card::Two => "card2_monitor",
    }
}

/// That the owner of a card runs, and the broker at this address is not the card's own.
#[must_use]
pub fn across(card: Card, url: &str) -> String {
    format!(
        "another {} runs at another broker and goes on, and is heard at {url} across the bridge: that is not broker {}",
        owner(card),
        card.number()
    )
}

/// The name of a program.
#[must_use]
pub const fn program(role: Role) -> &'static str {
    match role {
        Role::Monitor(card) => owner(card),
        Role::Display => "card2_global_display",
    }
}

/// A link's name, as seen from a board.
#[must_use]
pub fn link(link: Link, home: Card) -> String {
    match link {
        Link::Broker => format!("broker {}", home.number()),
        Link::Bridge | Link::Quiet => format!("the bridge to board {}", home.other().number()),
        Link::Relay => owner(Card::Two).to_owned(),
        Link::Owner(card) | Link::Silent(card) | Link::Returning(card) => owner(card).to_owned(),
        Link::Behind(card) => format!("the way from {}", owner(card)),
    }
}

/// Clock times in this machine's time zone: 8 columns for a moment of about today, and for others the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    zone: TimeZone,
    /// The minute in which it is: decides whether the day has to be said. A screen is drawn for it again each
    /// minute, and not each second.
    about: Wall,
}

impl Times {
    /// Times in a zone, read at about this moment.
    #[must_use]
    pub const fn new(zone: TimeZone, about: Wall) -> Self {
        let about = Wall(about.0 - about.0.rem_euclid(60));
        Self { zone, about }
    }

    /// A moment, in words of at most 11 columns.
    #[must_use]
    pub fn at(&self, wall: Wall) -> String {
        let near = wall.0.abs_diff(self.about.0);
        let Ok(moment) = Timestamp::from_second(wall.0) else {
            return "?".to_owned();
        };
        let moment = moment.to_zoned(self.zone.clone());
        let form = match near {
            0..72_000 => "%H:%M:%S",
            72_000..15_000_000 => "%b %d %H:%M",
            _ => "%Y-%m-%d",
        };
        moment.strftime(form).to_string()
    }
}

fn took(duration: Duration) -> String {
    match duration.as_millis() {
        0 => "within 1 ms".to_owned(),
        ms @ 1..10_000 => format!("after {ms} ms"),
        ms => format!("after {} s", ms / 1000),
    }
}

/// An event, in words.
#[must_use]
pub fn event(entry: &LogEntry, names: &Names, role: Role, home: Card) -> String {
    let sensor_name = |of: &SensorId| sensor(*of, names);
    let text = match &entry.fact {
        Fact::Toggled {
            sensor,
            from,
            to,
            reached,
            replaced,
        } => {
            let how = match reached.0 {
                _ if *replaced => "replaced by the next".to_owned(),
                Stage::Sending => "sending".to_owned(),
                Stage::Saved => "saved".to_owned(),
                Stage::Confirmed => {
                    format!("confirmed by board {} {}", home.other().number(), took(reached.1))
                }
            };
            let sensor = sensor_name(sensor);
            format!("{sensor}  {} → {}  {how}", state(*from), to.word())
        }
        Fact::Changed { sensor, from, to } => {
            format!("{}  {} → {}", sensor_name(sensor), state(*from), to.word())
        }
        Fact::Restored { found, of } => restored(*found, *of, role, home),
        Fact::MemoryLost(why)
        | Fact::NotSaved(why)
        | Fact::NotLogged(why)
        | Fact::AlarmCommandFailed(why) => why.clone(),
        Fact::Lacks(of) => {
            let [text, ..] = lack(of, home);
            text
        }
        Fact::MayNotPublish(topic) => may_not_publish(*topic, home),
        Fact::LoggedAgain => "log file written again".to_owned(),
        Fact::SavedAgain => "state file written again".to_owned(),
        Fact::Recovered(sensor) => format!("{}  recovered from another copy", sensor_name(sensor)),
        Fact::Up(Link::Broker) => format!("connected to broker {}", home.number()),
        Fact::Up(of) => format!("{} is up", link(*of, home)),
        Fact::Down(Link::Broker, why) => format!("broker {}: {why}", home.number()),
        Fact::Down(of, _) => format!("nothing comes over {}", link(*of, home)),
        Fact::Live(card) => format!("board {} live", card.number()),
        Fact::Held(card, of) => format!("board {} held: {}", card.number(), broken(*of, home)),
        Fact::Malformed(topic, why) => {
            format!("bad message on {}: {why}; nothing changed", topic_name(*topic))
        }
        Fact::Impostor(card) => format!(
            "message without version for board {}, whose owner is live: ignored",
            card.number()
        ),
        Fact::Twin => format!(
            "another {} connected from elsewhere; it is told to end",
            program(role)
        ),
        Fact::Commanded { by, changes } => commanded(by.as_ref(), *changes, names),
        Fact::Acknowledged { by, sensors } => acknowledged(by.as_ref(), *sensors, names),
        Fact::RetainedCommand(topic) => {
            format!("retained command on {}: not for now, ignored", topic_name(*topic))
        }
        Fact::PublishedAgain => "published again".to_owned(),
    };
    match entry.times {
        1 => text,
        times => format!("{times} times: {text}"),
    }
}

fn commanded(by: Option<&Name>, changes: Changes, names: &Names) -> String {
    let by = by
        .map(|name| format!(" from {}", name.as_str()))
        .unwrap_or_default();
    format!("command{by}: {}", what(changes, names))
}

fn acknowledged(by: Option<&Name>, sensors: SensorSet, names: &Names) -> String {
    let by = by
        .map(|name| format!(" by {}", name.as_str()))
        .unwrap_or_default();
    let many = if sensors.iter().nth(1).is_some() { "s" } else { "" };
    format!("alarm{many} of {} acknowledged{by}", numbered(sensors, names))
}

/// Several sensors: `sensors 2, 6 (Lamp)`.
fn numbered(sensors: SensorSet, names: &Names) -> String {
    let number = |sensor: SensorId| match names.get(sensor) {
        Some(name) => format!("{} ({})", sensor.number(), name.as_str()),
        None => sensor.number().to_string(),
    };
    let all: Vec<_> = sensors.iter().map(number).collect();
    let many = if all.len() > 1 { "s" } else { "" };
    format!("sensor{many} {}", all.join(", "))
}

/// What a command line asks for, in words.
#[must_use]
pub fn asks(changes: Changes) -> String {
    format!("asked for: {}", what(changes, &Names::default()))
}

fn what(changes: Changes, names: &Names) -> String {
    let all: Vec<String> = changes
        .iter()
        .map(|(of, order)| match order {
            Change::Set(state) => format!("{} {}", sensor(of, names), state.word()),
            Change::Toggle => format!("toggle {}", sensor(of, names)),
        })
        .collect();
    all.join(", ")
}

fn restored(found: usize, of: usize, role: Role, home: Card) -> String {
    match (found, role) {
        (0, Role::Display) => "nothing known of any sensor yet".to_owned(),
        (0, Role::Monitor(_)) => "no memory found anywhere: sensors start as OK".to_owned(),
        // A display reads what stands there; whether an owner has restored it, or begun with it, is not known
        // here.
        (_, Role::Display) if found == of => format!("read all {of} sensors from broker {}", home.number()),
        (_, Role::Display) => format!("read {found} of {of} sensors from broker {}", home.number()),
        (_, Role::Monitor(_)) if found == of => format!("restored all {of} sensors"),
        (_, Role::Monitor(_)) => format!("restored {found} of {of} sensors"),
    }
}

fn topic_name(topic: Topic) -> String {
    match topic {
        Topic::Marker => "the marker".to_owned(),
        topic => topic.name(""),
    }
}

/// That a display may only look, and what follows from that.
fn may_not_publish(topic: Topic, home: Card) -> String {
    let name = topic.name("");
    match topic {
        Topic::Acknowledge(_) => format!(
            "broker {} takes no acknowledgements from this user ({name}): what is acknowledged here counts on this screen only",
            home.number()
        ),
        _ => format!(
            "broker {} takes no readings from this user ({name}): this screen only looks",
            home.number()
        ),
    }
}
