//! A monitor runs: it is asked through its broker, and says how far it has got.

use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::select;

use super::running::RunningMonitor;
use super::{Cause, Job, SetOutcome, SetProgress, Short};
use crate::command::Answer;
use crate::machine::{Event, Ticket};
use crate::mqtt::{Broker, BrokerSettings, BrokerUrl, Outgoing};
use crate::pulse;
use crate::sensor::Card;
use crate::system::random;
use crate::text::words;
use crate::time::Mono;
use crate::version::RunId;
use crate::wire::{self, Message, Topic};

/// Without an answer for so long, the owner is looked for, and asked, again.
const AGAIN: Duration = Duration::from_secs(1);

/// The broker keeps nothing for this client.
const SESSION: Duration = Duration::from_secs(1);

/// Who hears no heartbeat for so long knows that nobody owns the card at this broker: more than the pause
/// between two, and of those that one broker takes and delivers none is lost.
const WAIT: Duration = pulse::INTERVAL.saturating_add(Duration::from_secs(1));

/// What the search for a monitor that runs elsewhere came to.
pub(super) enum Search {
    Nobody,
    Somebody,
    /// One runs, at another broker.
    Across,
    Ended(SetOutcome),
}

/// Where the card's owner is, as far as this broker tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnerLocation {
    /// Connected to this broker.
    Here,
    /// Connected to its own board's broker. This one is the other board's, and its heartbeats come across the
    /// bridge.
    Across,
    /// It has not been heard for longer than any that lives would be silent.
    Silent,
    /// It is too early to tell.
    Unknown,
}

/// A connection of its own, beside the owner's.
pub(super) struct CommandClient {
    broker: Broker,
    url: BrokerUrl,
    client_id: String,
    asked: u64,
    /// How often the broker has refused the question.
    refused: u64,
    connected: bool,
    /// Since when heartbeats of the card's owner would have been heard: since the last one, or since the
    /// connect.
    listens_since: Option<Mono>,
    /// Which life of it was heard last, and has not said that it ends.
    heard: Option<RunId>,
    /// Which life of it was heard last, whatever has become of it.
    last: Option<RunId>,
    /// Whether this broker is the other board's: it tells of the card's own board as what is across the
    /// bridge.
    at_other_board: bool,
    answer: Option<Answer>,
    /// Whether the owner that lives now may not know that it is asked. One that has answered says by itself
    /// when it has got further; asked again without need, it would have forgotten at last that it is done.
    unheard: bool,
    /// Why there is no connection, or why the broker does not take the command.
    problem: Option<String>,
}

impl CommandClient {
    pub(super) fn start(job: &Job<'_>) -> Result<Self> {
        let (card, access) = (job.options.card, &job.options.access);
        let client_id = format!("{}-set-{:08x}", words::owner(card), random::u32()?);
        let topics = [Topic::Answer(card), Topic::Alive(card), Topic::Uptime(card)];
        let url: BrokerUrl = access.url.parse()?;
        let broker = Broker::start(&BrokerSettings {
            url: url.clone(),
            client_id: client_id.clone(),
            credentials: access.credentials.clone(),
            ca_file: access.ca_file.clone(),
            will: None,
            session_expiry: SESSION,
            subscriptions: topics.map(|topic| (topic.name(&client_id), topic.qos())).into(),
        })?;
        Ok(Self {
            broker,
            url,
            client_id,
            asked: 0,
            refused: 0,
            connected: false,
            listens_since: None,
            heard: None,
            last: None,
            at_other_board: false,
            answer: None,
            unheard: true,
            problem: None,
        })
    }

    /// Whether somebody speaks as the card's owner at this broker. Where the broker is away, nobody is known
    /// to.
    pub(super) fn search(&mut self, job: &Job<'_>) -> Search {
        let mut until = None;
        loop {
            let now = job.clock.now().mono;
            let over = until.is_some_and(|until| now >= until);
            match self.place(now) {
                OwnerLocation::Here => return Search::Somebody,
                OwnerLocation::Across => return Search::Across,
                _ if self.problem.is_some() || over => return Search::Nobody,
                _ => {}
            }
            if job.is_over() {
                return Search::Ended(self.short(Cause::Late, no_time(job.options.card)));
            }
            if self.connected {
                until = until.or(Some(now.after(WAIT)));
            }
            let timer =
                crossbeam_channel::after(job.clock.until(until.map_or(job.by, |until| until.min(job.by))));
            select! {
                recv(job.inputs) -> input => if let Some(cause) = input.ok().and_then(Job::exit) {
                    return Search::Ended(self.short(cause, "nothing was done".to_owned()));
                },
                recv(self.broker.events()) -> event => match event {
                    Ok(event) => self.take(job, event),
                    Err(_) => return Search::Nobody,
                },
                recv(timer) -> _ => {}
            }
        }
    }

    /// Asks, and waits for a while. `None`: it should be looked again whether there is still an owner to ask.
    pub(super) fn ask(&mut self, job: &Job<'_>, runs: &RunningMonitor) -> Option<SetOutcome> {
        if self.unheard {
            self.publish(job);
        }
        let again = job.clock.now().mono.after(AGAIN);
        loop {
            let now = job.clock.now().mono;
            if let Some(answer) = self.answer.filter(Answer::is_final) {
                return Some(SetOutcome::Final(answer));
            }
            if job.is_over() {
                return Some(self.short(Cause::Late, self.why(job, runs)));
            }
            if now >= again {
                let across = self.place(now) == OwnerLocation::Across && self.answer.is_none();
                return across.then(|| self.vain(job, runs));
            }
            let timer = crossbeam_channel::after(job.clock.until(again.min(job.by)));
            select! {
                recv(job.inputs) -> input => if let Some(cause) = input.ok().and_then(Job::exit) {
                    return Some(self.short(cause, self.left(job, runs)));
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

    fn take(&mut self, job: &Job<'_>, event: Event) {
        match event {
            Event::Connected => {
                self.connected = true;
                self.unheard = true;
                self.listens_since = Some(job.clock.now().mono);
                self.problem = None;
            }
            Event::Disconnected { why, .. } => {
                self.connected = false;
                self.listens_since = None;
                self.problem = Some(format!(
                    "broker {} at {}: {why}",
                    job.options.card.number(),
                    self.url
                ));
            }
            Event::Refused { why, .. } => {
                self.refused += 1;
                self.problem = Some(format!(
                    "the broker at {} does not take commands: {why}",
                    self.url
                ));
            }
            Event::Message { topic, payload, .. } => {
                let topic = Topic::parse(&topic, &self.client_id);
                match topic.and_then(|topic| wire::decode(topic, &payload).ok()) {
                    Some(Message::Answer(answer)) if Some(answer.id) == job.command.id => {
                        self.answer = Some(answer);
                        self.unheard = false;
                    }
                    Some(Message::Heartbeat(heartbeat)) => {
                        // It was started since.
                        self.unheard |= self.last.replace(heartbeat.life) != Some(heartbeat.life);
                        self.heard = Some(heartbeat.life);
                        self.listens_since = Some(job.clock.now().mono);
                    }
                    Some(Message::Gone(life)) if self.heard == Some(life) => self.heard = None,
                    Some(Message::Uptime) => self.at_other_board = true,
                    _ => {}
                }
            }
            _ => {}
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

    /// Whether no question has gone to the broker that it took.
    pub(super) const fn is_unasked(&self) -> bool {
        self.asked == self.refused
    }

    pub(super) fn url(&self) -> String {
        self.url.to_string()
    }

    /// The problem with the broker, if there is one, and what has been answered.
    pub(super) const fn state(&self) -> (Option<&String>, Option<Answer>) {
        (self.problem.as_ref(), self.answer)
    }

    /// Where the owner is.
    pub(super) fn place(&self, now: Mono) -> OwnerLocation {
        match self.heard {
            _ if self.listens_since.is_some_and(|since| now >= since.after(WAIT)) => OwnerLocation::Silent,
            Some(_) if self.at_other_board => OwnerLocation::Across,
            Some(_) => OwnerLocation::Here,
            None => OwnerLocation::Unknown,
        }
    }

    /// How far it has got, and why no further.
    pub(super) fn short(&self, cause: Cause, why: String) -> SetOutcome {
        let reached = match self.answer {
            Some(answer) => SetProgress::Stages(answer),
            None if self.is_unasked() || cause == Cause::Vain => SetProgress::Nothing,
            None => SetProgress::Unknown,
        };
        SetOutcome::Short(Short { cause, reached, why })
    }
}

/// It could not be found out in time whether somebody owns the card.
fn no_time(card: Card) -> String {
    format!(
        "{} s without a heartbeat are needed to know that no {} runs elsewhere; nothing was done; allow more with --timeout",
        WAIT.as_secs(),
        words::owner(card)
    )
}
