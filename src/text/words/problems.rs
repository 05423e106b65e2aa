//! What is said of links that are broken, and of what follows.

use std::time::Duration;

use super::{Times, owner};
use crate::chain::{Connection, Link, Status};
use crate::lack::Lack;
use crate::machine::Freshness;
use crate::sensor::Card;
use crate::view::View;

/// Why the values of a card are held.
#[must_use]
pub fn broken(broken: Link, home: Card) -> String {
    match broken {
        Link::Broker => format!("broker {} out of reach", home.number()),
        Link::Bridge => format!("bridge down: no connection to broker {}", home.other().number()),
        Link::Quiet => format!(
            "nothing comes over the bridge from broker {}",
            home.other().number()
        ),
        Link::Relay => format!("{} does not call it live", owner(Card::Two)),
        // It may have ended, be stopped or be cut off: its broker says the same of all three.
        Link::Owner(card) => format!("{}'s connection has ended", owner(card)),
        Link::Silent(card) => format!("no heartbeat from {}", owner(card)),
        Link::Returning(card) => format!("{} heard again, not yet live", owner(card)),
        Link::Behind(card) => format!("newer values of {} have not come yet", owner(card)),
    }
}

/// The same in few words, for windows that have no room for more.
fn broken_short(broken: Link, home: Card) -> String {
    match broken {
        Link::Broker => format!("broker {} out of reach", home.number()),
        Link::Bridge => "bridge down".to_owned(),
        Link::Quiet => "bridge silent".to_owned(),
        Link::Relay => "not called live".to_owned(),
        Link::Owner(card) => format!("{} gone", owner(card)),
        Link::Silent(card) => format!("{} silent", owner(card)),
        Link::Returning(_) => "heard, not yet live".to_owned(),
        Link::Behind(_) => "newer values to come".to_owned(),
    }
}

/// A problem: in full, then in fewer words with the cause before all else that can be missed, then hardly
/// more than the cause.
pub type ProblemText = [String; 3];

/// That the owner whose screen this is has ended: as other problems, and once more in the fewest words.
#[must_use]
pub fn owner_ended(program: &str, place: &str, at: &str, may_run: bool) -> [String; 4] {
    let run = if may_run { "; o runs it here" } else { "" };
    [
        format!("{program} ({place}) ended at {at}; this screen shows what it knew and waits for it{run}"),
        format!("{program} ended at {at}{run}"),
        format!("{program} ended"),
        "owner ended".to_owned(),
    ]
}

/// The owner that a screen belongs to does not answer any more.
#[must_use]
pub fn owner_silent(program: &str, place: &str, since: &str) -> [String; 4] {
    [
        format!(
            "{program} ({place}) has not answered since {since}: it is stopped, or hangs; this screen shows what it knew and waits for it; --take-over goes on in its place"
        ),
        format!("{program} silent since {since}: stopped, or it hangs"),
        format!("{program} silent"),
        "owner silent".to_owned(),
    ]
}

/// What is wrong with the chain, worst first; nothing if all is well.
#[must_use]
pub fn problems(view: &View, url: &str, times: &Times) -> Vec<ProblemText> {
    let links = &view.links;
    let mut problems = Vec::new();
    if let Connection::Down { since, why, retry_in } = &links.connection {
        let (number, since, retry) = (links.home.number(), times.at(*since), seconds(*retry_in));
        problems.push([
            format!("broker {number} at {url} unreachable since {since}: {why}; next try in {retry}"),
            format!("broker {number} down: {why}, since {since}"),
            format!("broker {number} down: {why}"),
        ]);
        if !view.is_restored {
            problems.push([
                "nothing is published before its retained messages have been read".to_owned(),
                "nothing is published yet".to_owned(),
                "nothing is published yet".to_owned(),
            ]);
        }
    }
    if let Some(of) = &view.lack {
        problems.push(lack(of, links.home));
    }
    if let Some(why) = &view.disk_failure {
        let short = format!("not saved: {why}");
        problems.push([format!("{short}; tries again every 5 s"), short.clone(), short]);
    }
    if links.is_connected() {
        problems.extend(held(view, times));
    }
    problems
}

/// What the broker keeps from this program.
#[must_use]
pub fn lack(lack: &Lack, home: Card) -> ProblemText {
    let broker = format!("broker {}", home.number());
    match lack {
        Lack::Marker(topic) => [
            format!(
                "{broker} does not give back what is published on {topic}: it hangs, or its access rules forbid it; nothing is restored or published until then"
            ),
            format!("{broker} does not give {topic} back: does it hang? its access rules?"),
            format!("{broker} gives no marker back"),
        ],
        Lack::Heartbeats(topic) => [
            format!(
                "heartbeats on {topic} do not come back from {broker}: it hangs, or its access rules forbid it; others cannot call this card live"
            ),
            format!("{broker} does not give {topic} back: does it hang? its access rules?"),
            format!("{broker} gives no heartbeat back"),
        ],
        Lack::Publishing { topic, why } => [
            format!("{broker} takes no messages on {topic}: {why}; look at its access rules"),
            format!("{broker} takes nothing on {topic}: {why}"),
            format!("{broker} takes nothing: {why}"),
        ],
    }
}

/// Which boards are held, since when and why; one problem where both are for the same reason.
fn held(view: &View, times: &Times) -> Vec<ProblemText> {
    let held = Card::ALL.map(|card| match view.freshness[card] {
        Freshness::Held { broken, .. } if view.is_restored && !waiting(view, card, broken) => {
            let since = view.held_since(card);
            Some((
                since.map_or_else(|| "the start".to_owned(), |since| times.at(since)),
                broken,
            ))
        }
        Freshness::Held { .. } | Freshness::Live => None,
    });
    let home = view.links.home;
    let tell = |(boards, short): (&str, &str), (since, link): (String, Link)| {
        let (why, cause) = (broken(link, home), broken_short(link, home));
        [
            format!("{boards} held since {since}: {why}"),
            format!("{boards} held: {cause}, since {since}"),
            format!("{short} held: {cause}"),
        ]
    };
    match held {
        [Some(one), Some(two)] if one == two => vec![tell(("boards 1 and 2", "both"), one)],
        [one, two] => [("board 1", one), ("board 2", two)]
            .into_iter()
            .filter_map(|(board, held)| held.map(|held| tell((board, board), held)))
            .collect(),
    }
}

/// Whether it is too early to call a link broken: it has not been heard since the connect, and may yet be.
/// What a broker has said is never too early.
fn waiting(view: &View, card: Card, link: Link) -> bool {
    let links = &view.links;
    let is_waiting = |of| links.owners[of].status == Status::Waiting;
    match link {
        // It is in reach, as is known here, and what it holds is being read.
        Link::Broker => true,
        Link::Bridge | Link::Owner(_) | Link::Behind(_) => false,
        Link::Quiet => links.bridge.status == Status::Waiting || is_waiting(card),
        Link::Relay => is_waiting(Card::Two) || is_waiting(card),
        Link::Silent(of) | Link::Returning(of) => is_waiting(of) || is_waiting(card),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_millis().div_ceil(1000))
}
