//! Whether the card's owner runs with another state folder: no lock tells of that one, its heartbeats do.

use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::select;

use super::{Cause, Job, Outcome, exit};
use crate::machine::Event;
use crate::mqtt::{Broker, BrokerSettings, BrokerUrl};
use crate::pulse;
use crate::sensor::Card;
use crate::system::random;
use crate::text::words;
use crate::version::RunId;
use crate::wire::{self, Message, Topic};

/// The broker keeps nothing for this client.
const SESSION: Duration = Duration::from_secs(1);

/// Who hears no heartbeat for so long knows that nobody owns the card at this broker: more than the pause
/// between two, and of those that one broker takes and delivers none is lost.
const LONG_ENOUGH: Duration = pulse::INTERVAL.saturating_add(Duration::from_secs(1));

/// Listens for another owner of the card; `None` where there is none, as far as this broker tells. Where the
/// broker is away, nobody is known to be there.
///
/// # Errors
/// Names the setting that can never work.
pub(super) fn elsewhere(job: &Job<'_>, url: &BrokerUrl) -> Result<Option<Outcome>> {
    let (card, access) = (job.options.card, &job.options.access);
    let client_id = format!("{}-set-{:08x}", words::owner(card), random::u32()?);
    let topics = [Topic::Alive(card), Topic::Uptime(card)];
    let mut broker = Broker::start(&BrokerSettings {
        url: url.clone(),
        client_id: client_id.clone(),
        credentials: access.credentials()?,
        ca_file: access.ca_file.clone(),
        certificate: access.certificate.clone(),
        will: None,
        session_expiry: SESSION,
        subscriptions: topics.map(|topic| (topic.name(&client_id), topic.qos())).into(),
    })?;
    let mut heard = Sighting::default();
    let mut until = None;
    loop {
        let now = job.clock.now().mono;
        if until.is_some_and(|until| now >= until) {
            return Ok(heard.outcome(job, url));
        }
        if job.is_over() {
            let too_early = || too_early(card, Cause::Late);
            return Ok(heard.outcome(job, url).or_else(|| Some(too_early())));
        }
        broker.take_in();
        let next = until.map_or(job.until, |until| job.until.min(until));
        let next = job.clock.until(next);
        let wait = if broker.has_events() {
            Duration::ZERO
        } else {
            broker.due_in().map_or(next, |due| due.min(next))
        };
        select! {
            recv(job.inputs) -> input => if let Some(cause) = input.ok().and_then(exit) {
                return Ok(Some(too_early(card, cause)));
            },
            recv(broker.signals()) -> signal => if let Ok(signal) = signal {
                broker.handle(signal);
            },
            default(wait) => {}
        }
        match broker.next_event() {
            Some(Event::Connected) => until = Some(job.clock.now().mono.after(LONG_ENOUGH)),
            Some(Event::Message { topic, payload, .. }) => {
                let topic = Topic::parse(&topic, &client_id);
                if let Some(Ok(message)) = topic.map(|topic| wire::decode(topic, &payload)) {
                    heard.take(&message);
                }
            }
            Some(Event::Disconnected { .. }) => return Ok(heard.outcome(job, url)),
            Some(_) | None => {}
        }
    }
}

/// Nobody has been heard, and not for long enough.
fn too_early(card: Card, cause: Cause) -> Outcome {
    let why = format!(
        "{} s without a heartbeat are needed to know that no {} runs elsewhere; nothing was done; allow more with --timeout",
        LONG_ENOUGH.as_secs(),
        words::owner(card)
    );
    Outcome { cause, why }
}

/// What was heard of the card.
#[derive(Debug, Default)]
struct Sighting {
    /// Which run of its owner lives.
    owner: Option<RunId>,
    /// This broker is the other board's: it tells of the card's own board as what is across the bridge.
    at_other_board: bool,
}

impl Sighting {
    fn take(&mut self, message: &Message) {
        match message {
            Message::Heartbeat(heartbeat) => self.owner = Some(heartbeat.life),
            Message::Gone(life) if self.owner == Some(*life) => self.owner = None,
            Message::Uptime => self.at_other_board = true,
            _ => {}
        }
    }

    /// What to say of the owner that was heard, if one was.
    fn outcome(&self, job: &Job<'_>, url: &BrokerUrl) -> Option<Outcome> {
        self.owner?;
        let card = job.options.card;
        let why = if self.at_other_board {
            let across = words::across(card, &url.to_string());
            format!(
                "{across}; retry with --broker and the address of broker {}",
                card.number()
            )
        } else {
            format!(
                "no {program} runs with the state folder {}, but one is live at {url}, with another state folder or on another machine: \
                 name its folder with --state-dir or DUALBOARD_STATE_DIR, or publish on {}",
                job.options.state_dir.display(),
                Topic::Set(card).name(""),
                program = words::owner(card),
            )
        };
        let cause = Cause::Vain;
        Some(Outcome { cause, why })
    }
}
