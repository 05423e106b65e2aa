//! The connection as one state machine over one stream of signals.
//!
//! ```text
//!             +------------------- any failure, any loss --------------------+
//!             v                                                              |
//!  start -> Waiting -> Connecting -> Subscribing -> Ready -> (lost) ---------+
//!             ^            |              |                                  |
//!             |       (unexplained)   (refused, unanswered, close)           |
//!             |            v              v                                  |
//!             +------- Explaining      Leaving ------------------------------+
//!                          |
//!                          +-- (another address takes connections) -> Connecting
//! ```

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::backoff::Backoff;
use super::client::{Failure, Operation, Outcome, PahoClient, Response};
use super::deliveries::Deliveries;
use super::probe::{self, Failed, Finding};
use super::signal::{Signal, What};
use super::state::ConnectionState;
use super::{BrokerSettings, BrokerUrl, Outgoing, Problem, now};
use crate::machine::{Event, Ticket};
use crate::settings::ClientCertificate;

/// The broker sends a `SUBACK` at once, or never.
const SUBACK_LIMIT: Duration = Duration::from_secs(5);
/// Paho ends an attempt within [`super::client::CONNECT_TIMEOUT`] and some seconds for a name look-up; a
/// client that does not is left behind.
const CONNECT_LIMIT: Duration = Duration::from_secs(60);
/// How long is waited for a new client in the place of one that hangs, before it is looked again.
const RENEWING: Duration = Duration::from_secs(1);
/// After this long, "could not connect" has to do; what is found out later is told after the next attempt.
const EXPLAIN_LIMIT: Duration = Duration::from_secs(2);
/// So often it is looked, during a pause, whether a file has been mended.
const FILES_LOOK: Duration = Duration::from_secs(1);
/// A connection that lasted longer than this ended by something new.
const STABLE: Duration = Duration::from_secs(5);
/// The part of the time for closing that is kept for `DISCONNECT`.
const PARTING: Duration = Duration::from_millis(200);
/// Paho ends a connection that it was told to leave within its keep-alive, if not at once.
const LEAVE_LIMIT: Duration = Duration::from_secs(30);

pub(super) struct Session {
    client: PahoClient,
    url: BrokerUrl,
    ca_file: Option<PathBuf>,
    certificate: Option<ClientCertificate>,
    /// What "not authorised" means for this program's `CONNECT`.
    denied: Problem,
    state: ConnectionState,
    backoff: Backoff,
    deliveries: Deliveries,
    /// May outlive the state `Leaving`, if the connection was lost at the same time.
    disconnect: Option<Operation>,
    /// Deliveries end by this time, and nothing is begun any more.
    closing: Option<Instant>,
    /// What a probe found out too late, about an attempt that failed like the present one.
    explained_late: Option<Finding>,
    /// Whether it was found before that the broker takes connections and says nothing.
    hangs: bool,
    /// The attempts that have failed since there was a connection or a pause, each at another address.
    failed: Vec<(SocketAddr, Problem)>,
    /// The client hangs: it is not asked anything more, and to be replaced.
    is_stuck: bool,
    /// A thread makes a new one.
    renewing: bool,
    /// When it was looked last whether a file has been mended.
    looked: Instant,
    signals: Sender<Signal>,
    events: VecDeque<Event>,
}

impl Session {
    pub(super) fn new(client: PahoClient, settings: &BrokerSettings, signals: Sender<Signal>) -> Self {
        Self {
            client,
            url: settings.url.clone(),
            ca_file: settings.ca_file.clone(),
            certificate: settings.certificate.clone(),
            denied: if settings.credentials.is_some() {
                Problem::Denied
            } else {
                Problem::CredentialsWanted
            },
            state: ConnectionState::Waiting { until: now() },
            backoff: Backoff::default(),
            deliveries: Deliveries::default(),
            disconnect: None,
            closing: None,
            explained_late: None,
            hangs: false,
            failed: Vec::new(),
            is_stuck: false,
            renewing: false,
            looked: now(),
            signals,
            events: VecDeque::new(),
        }
    }

    /// What has happened and was not asked for yet, the first of it.
    pub(super) fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(super) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Nothing more comes of it that anybody waits for.
    pub(super) fn is_closed(&self) -> bool {
        match self.state {
            ConnectionState::Gone => true,
            // Nobody need wait for an attempt to end: what it makes ends with the process.
            ConnectionState::Connecting { .. } => self.closing.is_some(),
            _ => false,
        }
    }

    /// When to call [`Self::on_time`], at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            ConnectionState::Waiting { until } if self.client.has_files() => {
                Some((*until).min(self.looked + FILES_LOOK))
            }
            ConnectionState::Waiting { until }
            | ConnectionState::Connecting { until, .. }
            | ConnectionState::Explaining { until, .. }
            | ConnectionState::Subscribing { until, .. }
            | ConnectionState::Leaving { until, .. } => Some(*until),
            ConnectionState::Ready { .. } => self.closing,
            ConnectionState::Gone => None,
        }
    }

    /// Does what is due by now.
    pub(super) fn on_time(&mut self) {
        let now = now();
        match &self.state {
            // Whoever has mended a file need not wait, nor press a key.
            ConnectionState::Waiting { until } => {
                if *until <= now || self.sees_mended_file(now) {
                    self.attempt();
                }
            }
            ConnectionState::Ready { .. } => {
                if self.closing.is_some_and(|by| by <= now) {
                    self.leave(Problem::Lost);
                }
            }
            ConnectionState::Connecting { until, .. }
            | ConnectionState::Explaining { until, .. }
            | ConnectionState::Subscribing { until, .. }
            | ConnectionState::Leaving { until, .. }
                if *until > now => {}
            ConnectionState::Explaining { known, .. } => self.down(known.clone()),
            ConnectionState::Subscribing { .. } => self.leave(Problem::SubscriptionUnanswered),
            ConnectionState::Leaving { why, .. } => self.down(why.clone()),
            ConnectionState::Connecting { .. } => {
                self.is_stuck = true;
                self.down(Problem::NoAnswer);
            }
            ConnectionState::Gone => {}
        }
    }

    fn sees_mended_file(&mut self, now: Instant) -> bool {
        if self.is_stuck || now < self.looked + FILES_LOOK {
            return false;
        }
        self.looked = now;
        self.client.files_have_changed()
    }

    fn attempt(&mut self) {
        if self.is_stuck {
            self.renewing = self.renewing || self.client.renew_later().is_ok();
            self.state = ConnectionState::Waiting {
                until: now() + RENEWING,
            };
            return;
        }
        if self.deliveries.take_leftovers() && self.client.renew().is_err() {
            self.down(Problem::Unexplained);
            return;
        }
        match self.client.connect() {
            Ok(connect) => {
                self.state = ConnectionState::Connecting {
                    connect,
                    until: now() + CONNECT_LIMIT,
                };
            }
            Err(why) => self.down(why),
        }
    }

    /// Takes in what the library, or the look for a cause, has to say.
    pub(super) fn handle(&mut self, Signal(what): Signal) {
        match what {
            What::Arrived(client, ..) | What::Lost(client, _) if !self.client.is_of(client) => {}
            What::Arrived(_, _, superseded) if superseded.is_so() => {}
            What::Arrived(_, message, _) => self.events.push_back(Event::Message {
                topic: message.topic().to_owned(),
                payload: message.payload().to_vec(),
                retained: message.retained(),
            }),
            What::Lost(_, why) => self.lost(why),
            What::Ended(number) => self.ended(number),
            What::Explained(number, found) => match &self.state {
                ConnectionState::Explaining { attempt, known, .. } if *attempt == number => {
                    self.explained(found, known.clone());
                }
                _ => self.explained_late = Some(found),
            },
            What::Renewed(made) => {
                self.renewing = false;
                if let Some(made) = made {
                    self.client.take(made);
                    self.is_stuck = false;
                }
            }
        }
    }

    /// A pause before the next attempt is over.
    pub(super) fn retry(&mut self) {
        if let ConnectionState::Waiting { until } = &mut self.state {
            *until = now();
        }
    }

    /// Publishes, or says that it could not.
    pub(super) fn publish(&mut self, ticket: Ticket, message: Outgoing) {
        let possible = matches!(self.state, ConnectionState::Ready { .. }) && self.closing.is_none();
        if !possible || !message.is_sendable() {
            self.events.push_back(Event::Undelivered(ticket));
            return;
        }
        let topic = message.topic.clone();
        let operation = self.client.publish(message);
        self.deliveries.add(ticket, topic, operation);
    }

    fn ended(&mut self, number: u64) {
        if self.deliveries.ended(number, &mut self.events) {
            self.leave_when_delivered();
            return;
        }
        match &mut self.state {
            ConnectionState::Connecting { connect, .. } if connect.number() == number => {
                if let Some(outcome) = connect.result() {
                    self.connected(outcome);
                }
            }
            ConnectionState::Subscribing { subscribe, .. } if subscribe.number() == number => {
                if let Some(outcome) = subscribe.result() {
                    self.subscribed(outcome);
                }
            }
            _ => self.left(number),
        }
    }

    fn connected(&mut self, outcome: Outcome) {
        match outcome {
            Ok(_) if self.closing.is_some() => self.leave(Problem::Lost),
            Ok(Response { lacks: Some(why), .. }) => self.leave(why),
            Ok(_) => {
                let subscribe = self.client.subscribe();
                self.state = ConnectionState::Subscribing {
                    subscribe,
                    until: now() + SUBACK_LIMIT,
                };
            }
            // Mosquitto gives one and the same reason for a wrong password and for none.
            Err(Failure::Known(Problem::NotAuthorised)) => self.refused(self.denied.clone()),
            // There may be more to say of it, and another address of the name may answer.
            Err(Failure::Known(why @ (Problem::NoAnswer | Problem::ClosedAtOnce))) if self.explains(&why) => {
                self.explain(Some(why));
            }
            Err(Failure::Known(why)) => self.refused(why),
            Err(Failure::Unknown) => self.explain(None),
        }
    }

    /// The attempt has failed, and why is known.
    fn refused(&mut self, why: Problem) {
        let before = std::mem::take(&mut self.failed);
        self.down(match self.client.address() {
            Some(address) if !before.is_empty() => {
                Problem::of_all(before.into_iter().chain([(address, why)]).collect())
            }
            _ => why,
        });
    }

    /// Whether to look for more than that. Where a broker hangs, once is enough: it costs time.
    fn explains(&mut self, why: &Problem) -> bool {
        let first = !std::mem::replace(&mut self.hangs, *why == Problem::NoAnswer);
        first || self.url.host().parse::<IpAddr>().is_err()
    }

    /// Looks for the cause, and for another address. `why` is what is known already.
    fn explain(&mut self, why: Option<Problem>) {
        let known = why.clone().unwrap_or(Problem::Unexplained);
        if let Some(found) = self.explained_late.take() {
            self.explained(found, known);
            return;
        }
        let attempt = self.client.operations();
        let failed = Failed {
            address: self.client.address(),
            why,
            before: self.failed.clone(),
        };
        self.state = ConnectionState::Explaining {
            attempt,
            known: known.clone(),
            until: now() + EXPLAIN_LIMIT,
        };
        let endpoint = probe::Endpoint {
            url: self.url.clone(),
            ca_file: self.ca_file.clone(),
            certificate: self.certificate.clone(),
        };
        let signals = self.signals.clone();
        let tell = move |found| drop(signals.send(Signal(What::Explained(attempt, found))));
        if probe::start(endpoint, failed, tell).is_err() {
            self.down(known);
        }
    }

    fn explained(&mut self, found: Finding, known: Problem) {
        match found {
            Finding::Elsewhere { used, next } if self.closing.is_none() && self.is_new(next) => {
                self.failed.push(used);
                match self.client.use_address(Some(next)) {
                    Ok(()) => self.attempt(),
                    Err(_) => self.down(known),
                }
            }
            Finding::Elsewhere { .. } => self.down(known),
            Finding::Problem(why) => self.down(why.unwrap_or(known)),
        }
    }

    fn is_new(&self, address: SocketAddr) -> bool {
        self.failed.iter().all(|(failed, _)| *failed != address)
    }

    fn subscribed(&mut self, outcome: Outcome) {
        match outcome {
            Ok(Response { granted, .. }) => {
                if let Some(topic) = self.client.refused(&granted) {
                    self.leave(Problem::SubscriptionRefused(topic.to_owned()));
                    return;
                }
                self.state = ConnectionState::Ready { since: now() };
                self.explained_late = None;
                self.hangs = false;
                self.failed.clear();
                self.events.push_back(Event::Connected);
                self.leave_when_delivered();
            }
            // A refusal of a single subscription comes as an error.
            Err(Failure::Known(why)) if why != Problem::Lost => {
                let topic = self.client.refused(&[0x80]).unwrap_or_default().to_owned();
                self.leave(Problem::SubscriptionRefused(topic));
            }
            Err(_) => self.leave(Problem::Lost),
        }
    }

    /// Ends the connection from our side. What still arrives until it has ended is handed on.
    fn leave(&mut self, why: Problem) {
        self.state = ConnectionState::Leaving {
            why,
            until: now() + LEAVE_LIMIT,
        };
        if self.disconnect.is_none() {
            self.disconnect = Some(self.client.disconnect());
        }
    }

    /// A `DISCONNECT` has gone out, or there was no connection any more.
    fn left(&mut self, number: u64) {
        let Some(operation) = self
            .disconnect
            .as_mut()
            .filter(|operation| operation.number() == number)
        else {
            return;
        };
        let Some(outcome) = operation.result() else { return };
        self.disconnect = None;
        // An error means that there was no connection any more; the loss says so by a signal of its own.
        if outcome.is_err() {
            return;
        }
        match &self.state {
            ConnectionState::Leaving { why, .. } => self.down(why.clone()),
            // It was overtaken by a loss, waited in Paho's queue, and has now hit the next connection.
            ConnectionState::Subscribing { .. } | ConnectionState::Ready { .. } => self.down(Problem::Lost),
            _ => {}
        }
    }

    fn lost(&mut self, why: Problem) {
        match &self.state {
            ConnectionState::Subscribing { .. } | ConnectionState::Ready { .. } => self.down(why),
            ConnectionState::Leaving { why, .. } => self.down(why.clone()),
            // An attempt ends by its own signal.
            ConnectionState::Connecting { .. }
            | ConnectionState::Waiting { .. }
            | ConnectionState::Explaining { .. }
            | ConnectionState::Gone => {}
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "it comes from the state, which changes here"
    )]
    fn down(&mut self, why: Problem) {
        match self.state {
            ConnectionState::Ready { since } if now() - since >= STABLE => self.backoff.reset(),
            ConnectionState::Ready { .. } => {}
            // The name may have other addresses by the next attempt. These options were good once.
            _ => drop(self.client.use_address(None)),
        }
        self.failed.clear();
        self.deliveries.abandon(&mut self.events);
        if self.closing.is_some() {
            self.state = ConnectionState::Gone;
            return;
        }
        let retry_in = self.backoff.next(why.pace());
        self.state = ConnectionState::Waiting {
            until: now() + retry_in,
        };
        self.events.push_back(Event::Disconnected {
            why: why.to_string(),
            retry_in,
        });
    }

    /// Waits for the deliveries under way, and then says goodbye; all by this time.
    pub(super) fn close(&mut self, by: Instant) {
        if self.closing.is_some() {
            return;
        }
        let left = by.saturating_duration_since(now());
        self.closing = Some(by.checked_sub(PARTING.min(left / 2)).unwrap_or(by));
        match &self.state {
            ConnectionState::Waiting { .. } | ConnectionState::Explaining { .. } => self.down(Problem::Lost),
            ConnectionState::Subscribing { .. } => self.leave(Problem::Lost),
            ConnectionState::Ready { .. } => self.leave_when_delivered(),
            ConnectionState::Connecting { .. } | ConnectionState::Leaving { .. } | ConnectionState::Gone => {}
        }
    }

    fn leave_when_delivered(&mut self) {
        if self.closing.is_some()
            && self.deliveries.is_empty()
            && matches!(self.state, ConnectionState::Ready { .. })
        {
            self.leave(Problem::Lost);
        }
    }
}
