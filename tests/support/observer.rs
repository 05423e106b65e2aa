//! A [`Broker`] under test, with a log of what it has said.

use std::iter;
use std::time::Duration;

use dualboard::machine::{Event, Ticket};
use dualboard::mqtt::{Broker, BrokerSettings, Outgoing, Problem};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Failures of one cause before a test gives up: half a minute of attempts.
const ATTEMPTS: usize = 15;

/// Reads the events of one broker, and remembers them for the message of a failure.
pub struct Observer {
    broker: Broker,
    seen: Vec<Event>,
}

/// Settings of a program that subscribes to everything under `t/`.
pub fn settings(url: &str, client_id: &str) -> BrokerSettings {
    BrokerSettings {
        url: url.parse().expect("a URL"),
        client_id: client_id.into(),
        credentials: None,
        ca_file: None,
        certificate: None,
        will: None,
        session_expiry: Duration::from_secs(3600),
        subscriptions: vec![("t/#".into(), 2), ("u/+".into(), 0)],
    }
}

/// A message that is not retained.
pub fn message(topic: &str, payload: &str, qos: u8) -> Outgoing {
    Outgoing {
        topic: topic.into(),
        payload: payload.into(),
        qos,
        retained: false,
    }
}

impl Observer {
    pub fn start(settings: &BrokerSettings) -> Self {
        Self {
            broker: Broker::start(settings).expect("settings that can work"),
            seen: Vec::new(),
        }
    }

    pub fn publish(&mut self, ticket: u64, message: Outgoing) {
        self.broker.publish(Ticket(ticket), message);
    }

    /// Asks for the next attempt at once, so many times, each after the one before has failed. Left alone, as
    /// many would take longer than [`PATIENCE`] where only a person can help.
    pub fn retry(&mut self, times: usize) {
        let limit = crossbeam_channel::after(PATIENCE);
        for _ in 0..times {
            self.wait_down();
            assert!(limit.try_recv().is_err(), "an attempt was waited for");
            self.broker.retry();
        }
    }

    /// The next event.
    pub fn next(&mut self) -> Event {
        self.next_within(PATIENCE)
            .unwrap_or_else(|| panic!("nothing more came after {:#?}", self.seen))
    }

    /// The next event, if it comes in time.
    pub fn next_within(&mut self, limit: Duration) -> Option<Event> {
        let event = self.broker.wait(limit)?;
        self.seen.push(event.clone());
        Some(event)
    }

    /// Passes over events until one is as wanted.
    pub fn wait_for<T>(&mut self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let limit = crossbeam_channel::after(PATIENCE);
        while limit.try_recv().is_err() {
            let event = self.next();
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
        panic!("waited in vain, through {:#?}", self.seen)
    }

    pub fn wait_ready(&mut self) {
        self.wait_for(|event| (*event == Event::Connected).then_some(()));
    }

    /// In the words of its cause, and when the next attempt is made.
    pub fn wait_down(&mut self) -> (String, Duration) {
        self.wait_for(|event| match event {
            Event::Disconnected { why, retry_in } => Some((why.clone(), *retry_in)),
            _ => None,
        })
    }

    /// Passes over failures until one has this cause: on a busy machine the look for it runs out of time, and
    /// tries again after the next attempt.
    pub fn wait_down_because(&mut self, cause: &Problem) -> Duration {
        for _ in 0..ATTEMPTS {
            let (why, retry_in) = self.wait_down();
            if why == cause.to_string() {
                return retry_in;
            }
        }
        panic!("never down because of {cause:?} in {:#?}", self.seen)
    }

    pub fn wait_message(&mut self, text: &str) {
        self.wait_for(|event| match event {
            Event::Message { payload, .. } if payload == text.as_bytes() => Some(()),
            _ => None,
        });
    }

    /// Whether it was delivered.
    pub fn wait_answer(&mut self, ticket: u64) -> bool {
        self.wait_for(|event| match event {
            Event::Delivered(Ticket(found)) if *found == ticket => Some(true),
            Event::Undelivered(Ticket(found)) if *found == ticket => Some(false),
            _ => None,
        })
    }

    /// Publishes, and waits until the message has come back.
    pub fn round_trip(&mut self, ticket: u64, text: &str) {
        self.publish(ticket, message("t/echo", text, 2));
        self.wait_message(text);
    }

    /// How many answers this ticket has had so far.
    pub fn answers(&self, ticket: u64) -> usize {
        let ours = |event: &&Event| matches!(event, Event::Delivered(Ticket(found)) | Event::Undelivered(Ticket(found)) if *found == ticket);
        self.seen.iter().filter(ours).count()
    }

    /// How often this payload has arrived so far.
    pub fn messages(&self, wanted: &[u8]) -> usize {
        let ours = |event: &&Event| matches!(event, Event::Message { payload, .. } if payload == wanted);
        self.seen.iter().filter(ours).count()
    }

    /// What has arrived on a topic so far, as numbers.
    pub fn numbers_on(&self, topic: &str) -> impl Iterator<Item = u64> {
        self.seen.iter().filter_map(move |event| match event {
            Event::Message {
                topic: on, payload, ..
            } if on == topic => str::from_utf8(payload).ok()?.parse().ok(),
            _ => None,
        })
    }

    /// Closes it, and returns all that it has ever said.
    pub fn close(mut self, limit: Duration) -> Vec<Event> {
        self.broker.close(limit);
        self.seen
            .into_iter()
            .chain(iter::from_fn(|| self.broker.next_event()))
            .collect()
    }
}
