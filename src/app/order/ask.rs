//! A monitor runs: it is asked through its broker, and says how far it has got.

use std::fmt;
use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::select;

use super::{Job, Outcome};
use crate::app::broker::{Broker, BrokerEvent, BrokerUrl, Credentials, Outgoing, Settings, Ticket};
use crate::app::lock::{Doing, Holder};
use crate::app::shell::random;
use crate::app::words;
use crate::command::Answer;
use crate::pulse;
use crate::wire::{self, Message, Topic};

/// Without an answer for so long, the owner is looked for, and asked, again.
const AGAIN: Duration = Duration::from_secs(1);

/// The broker keeps nothing for this client.
const SESSION: Duration = Duration::from_secs(1);

/// Who hears no heartbeat for so long knows that nobody owns the card at this broker: more than the pause between two, and of those that one broker
/// takes and delivers none is lost.
const LOOK: Duration = pulse::INTERVAL.saturating_add(Duration::from_secs(1));

/// The monitor that is asked.
pub(super) enum Runs {
    /// With the same state folder.
    Here(Holder),
    /// With another one, or on another machine: no lock tells of it, its heartbeats do.
    Elsewhere,
}

/// What a look for a monitor that runs elsewhere came to.
pub(super) enum Look {
    Nobody,
    Somebody,
    Ended(Outcome),
}

/// A connection of its own, beside the owner's.
pub(super) struct Asker {
    broker: Broker,
    url: BrokerUrl,
    client_id: String,
    asked: u64,
    connected: bool,
    /// Whether a heartbeat of the card's owner has come.
    heard: bool,
    answer: Option<Answer>,
    /// Why there is no connection, or why the broker does not take the command.
    trouble: Option<String>,
}

impl Asker {
    pub(super) fn start(job: &Job<'_>) -> Result<Self> {
        let (card, entrance) = (job.options.card, &job.options.entrance);
        let client_id = format!("{}-set-{:08x}", words::owner(card), random()?);
        let topics = [Topic::Answer(card), Topic::Alive(card)];
        let url: BrokerUrl = entrance.url.parse()?;
        let broker = Broker::start(&Settings {
            url: url.clone(),
            client_id: client_id.clone(),
            credentials: entrance
                .credentials
                .clone()
                .map(|(username, password)| Credentials {
                    username,
                    password: password.0,
                }),
            ca_file: entrance.ca_file.clone(),
            will: None,
            session_expiry: SESSION,
            subscriptions: topics.map(|topic| (topic.name(&client_id), topic.qos())).into(),
        })?;
        Ok(Self {
            broker,
            url,
            client_id,
            asked: 0,
            connected: false,
            heard: false,
            answer: None,
            trouble: None,
        })
    }

    /// Whether somebody speaks as the card's owner at this broker. Where the broker is away, nobody is known to.
    pub(super) fn look(&mut self, job: &Job<'_>) -> Look {
        let mut until = None;
        loop {
            let now = job.clock.now().mono;
            if self.heard {
                return Look::Somebody;
            }
            if self.trouble.is_some() || until.is_some_and(|until| now >= until) {
                return Look::Nobody;
            }
            if job.is_over() {
                let program = words::owner(job.options.card);
                let why = format!(
                    "only after {} s without its heartbeat is it known that no {program} runs elsewhere; nothing was done, allow more with --timeout",
                    LOOK.as_secs()
                );
                return Look::Ended(Outcome::Late(None, why));
            }
            if self.connected {
                until = until.or(Some(now.after(LOOK)));
            }
            let timer =
                crossbeam_channel::after(job.clock.until(until.map_or(job.by, |until| until.min(job.by))));
            select! {
                recv(job.inputs) -> input => if let Some(outcome) = input.ok().and_then(Job::ending) {
                    return Look::Ended(outcome);
                },
                recv(self.broker.events()) -> event => match event {
                    Ok(event) => self.take(job, event),
                    Err(_) => return Look::Nobody,
                },
                recv(timer) -> _ => {}
            }
        }
    }

    /// Asks, and waits for a while. `None`: it should be looked again whether there is still an owner to ask.
    pub(super) fn ask(&mut self, job: &Job<'_>, runs: &Runs) -> Option<Outcome> {
        self.publish(job);
        let again = job.clock.now().mono.after(AGAIN);
        loop {
            if let Some(answer) = self.answer.filter(Answer::is_final) {
                return Some(Outcome::Final(answer));
            }
            if job.is_over() {
                return Some(Outcome::Late(self.answer, self.why(job, runs)));
            }
            if job.clock.now().mono >= again {
                return None;
            }
            let timer = crossbeam_channel::after(job.clock.until(again.min(job.by)));
            select! {
                recv(job.inputs) -> input => if let Some(outcome) = input.ok().and_then(Job::ending) {
                    return Some(outcome);
                },
                recv(self.broker.events()) -> event => {
                    let was_connected = self.connected;
                    self.take(job, event.ok()?);
                    if !was_connected {
                        self.publish(job);
                    }
                }
                recv(timer) -> _ => {}
            }
        }
    }

    fn take(&mut self, job: &Job<'_>, event: BrokerEvent) {
        match event {
            BrokerEvent::Ready { .. } => {
                self.connected = true;
                self.trouble = None;
            }
            BrokerEvent::Down { why, .. } => {
                self.connected = false;
                self.trouble = Some(format!(
                    "broker {} at {}: {why}",
                    job.options.card.number(),
                    self.url
                ));
            }
            BrokerEvent::Refused { why, .. } => {
                self.trouble = Some(format!(
                    "the broker at {} does not take commands: {why}",
                    self.url
                ));
            }
            BrokerEvent::Message { topic, payload, .. } => {
                let topic = Topic::parse(&topic, &self.client_id);
                match topic.and_then(|topic| wire::decode(topic, &payload).ok()) {
                    Some(Message::Answer(answer)) if Some(answer.id) == job.command.id => {
                        self.answer = Some(answer);
                    }
                    Some(Message::Heartbeat(_)) => self.heard = true,
                    _ => {}
                }
            }
            BrokerEvent::Delivered(_) | BrokerEvent::Undelivered(_) => {}
        }
    }

    /// The same command each time: the owner knows it by its id.
    fn publish(&mut self, job: &Job<'_>) {
        if !self.connected {
            return;
        }
        self.asked += 1;
        let topic = Topic::Set(job.options.card);
        let message = Outgoing {
            topic: topic.name(&self.client_id),
            payload: wire::encode_command(&job.command),
            qos: topic.qos(),
            retained: topic.is_retained(),
        };
        self.broker.publish(Ticket(self.asked), message);
    }

    fn why(&self, job: &Job<'_>, runs: &Runs) -> String {
        let program = words::owner(job.options.card);
        match (&self.trouble, self.answer) {
            (Some(trouble), None) if self.asked == 0 => {
                format!("{trouble}; {program} runs ({runs}): press the key there")
            }
            (Some(trouble), None) => {
                format!("{trouble}; {program} runs ({runs}) and may still do it: look there")
            }
            (None, None) => {
                let doing = match runs {
                    Runs::Here(holder) => holder.doing(),
                    Runs::Elsewhere => Doing::Runs,
                };
                let (what, next) = match doing {
                    Doing::Stopped => ("is stopped", "continue it there with fg, and it does it"),
                    Doing::Runs => (
                        "runs and does not answer",
                        "look there; if it hangs, start one with --take-over",
                    ),
                    Doing::Elsewhere => (
                        "does not answer, and is no process of this machine or container",
                        "look where it runs",
                    ),
                };
                format!("{program} {what} ({runs}): {next}")
            }
            (_, Some(_)) => {
                format!("{program} goes on with it by itself ({runs}), and says there what it waits for")
            }
        }
    }
}

impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(holder) => holder.fmt(f),
            Self::Elsewhere => f.write_str("with another state folder or on another machine"),
        }
    }
}
