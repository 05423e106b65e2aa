//! A monitor runs on this board: it is asked through its broker, and says how far it has got.

use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::select;

use super::{Job, Outcome};
use crate::app::broker::{Broker, BrokerEvent, BrokerUrl, Credentials, Outgoing, Settings, Ticket};
use crate::app::lock::{Doing, Holder};
use crate::app::shell::random;
use crate::app::words;
use crate::command::Answer;
use crate::wire::{self, Message, Topic};

/// Without an answer for so long, the owner is looked for, and asked, again.
const AGAIN: Duration = Duration::from_secs(1);

/// The broker keeps nothing for this client.
const SESSION: Duration = Duration::from_secs(1);

/// A connection of its own, beside the owner's.
pub(super) struct Asker {
    broker: Broker,
    url: BrokerUrl,
    client_id: String,
    asked: u64,
    connected: bool,
    answer: Option<Answer>,
    /// Why there is no connection, or why the broker does not take the command.
    trouble: Option<String>,
}

impl Asker {
    pub(super) fn start(job: &Job<'_>) -> Result<Self> {
        let (card, entrance) = (job.options.card, &job.options.entrance);
        let client_id = format!("{}-set-{:08x}", words::owner(card), random()?);
        let answers = Topic::Answer(card);
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
            subscriptions: vec![(answers.name(&client_id), answers.qos())],
        })?;
        Ok(Self {
            broker,
            url,
            client_id,
            asked: 0,
            connected: false,
            answer: None,
            trouble: None,
        })
    }

    /// Asks, and waits for a while. `None`: it should be looked again whether there is still an owner to ask.
    pub(super) fn ask(&mut self, job: &Job<'_>, holder: &Holder) -> Option<Outcome> {
        self.publish(job);
        let again = job.clock.now().mono.after(AGAIN);
        loop {
            if let Some(answer) = self.answer.filter(Answer::is_final) {
                return Some(Outcome::Final(answer));
            }
            if job.is_over() {
                return Some(Outcome::Late(self.answer, self.why(job, holder)));
            }
            if job.clock.now().mono >= again {
                return None;
            }
            let timer = crossbeam_channel::after(job.clock.until(again.min(job.by)));
            select! {
                recv(job.inputs) -> input => if let Some(outcome) = input.ok().and_then(Job::ending) {
                    return Some(outcome);
                },
                recv(self.broker.events()) -> event => self.take(job, event.ok()?),
                recv(timer) -> _ => {}
            }
        }
    }

    fn take(&mut self, job: &Job<'_>, event: BrokerEvent) {
        match event {
            BrokerEvent::Ready { .. } => {
                self.connected = true;
                self.trouble = None;
                self.publish(job);
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
                let answer = topic.and_then(|topic| wire::decode(topic, &payload).ok());
                if let Some(Message::Answer(answer)) = answer
                    && Some(answer.id) == job.command.id
                {
                    self.answer = Some(answer);
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

    fn why(&self, job: &Job<'_>, holder: &Holder) -> String {
        let program = words::owner(job.options.card);
        match (&self.trouble, self.answer) {
            (Some(trouble), None) if self.asked == 0 => {
                format!("{trouble}; {program} runs ({holder}): press the key there")
            }
            (Some(trouble), None) => {
                format!("{trouble}; {program} runs ({holder}) and may still do it: look there")
            }
            (None, None) => {
                let (what, next) = match holder.doing() {
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
                format!("{program} {what} ({holder}): {next}")
            }
            (_, Some(_)) => {
                format!("{program} goes on with it by itself ({holder}), and says there what it waits for")
            }
        }
    }
}
