//! The broker's thread: one state machine over one stream of signals.
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

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::backoff::Backoff;
use super::client::{Failure, Operation, Outcome, PahoClient, Response};
use super::deliveries::Deliveries;
use super::probe::{self, Failed, Finding};
use super::signal::Signal;
use super::state::ConnectionState;
use super::{BrokerSettings, BrokerUrl, Outgoing, Problem};
use crate::machine::{Event, Ticket};
use crate::settings::ClientCertificate;

/// The broker sends a `SUBACK` at once, or never.
const SUBACK_LIMIT: Duration = Duration::from_secs(5);
/// Paho ends an attempt within [`super::client::CONNECT_TIMEOUT`] and some seconds for a name look-up; a
/// client that does not is left behind.
const CONNECT_LIMIT: Duration = Duration::from_secs(60);
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

/// Deliveries end by this time, and who waits for the end is told through `done`.
struct Closing {
    by: Instant,
    done: Sender<()>,
}

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
    closing: Option<Closing>,
    /// What a probe found out too late, about an attempt that failed like the present one.
    explained_late: Option<Finding>,
    /// Whether it was found before that the broker takes connections and says nothing.
    hangs: bool,
    /// The attempts that have failed since there was a connection or a pause, each at another address.
    failed: Vec<(SocketAddr, Problem)>,
    signals: (Sender<Signal>, Receiver<Signal>),
    events: Sender<Event>,
}

impl Session {
    pub(super) fn new(
        client: PahoClient,
        settings: &BrokerSettings,
        signals: (Sender<Signal>, Receiver<Signal>),
        events: Sender<Event>,
    ) -> Self {
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
            signals,
            events,
        }
    }

    pub(super) fn run(mut self) {
        while !matches!(self.state, ConnectionState::Gone) {
            let received = match self.deadline() {
                Some(at) => self.signals.1.recv_deadline(at),
                None => self.signals.1.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match received {
                Ok(signal) => self.handle(signal),
                Err(RecvTimeoutError::Timeout) => self.on_deadline(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            ConnectionState::Waiting { until } if self.client.has_files() => {
                Some((*until).min(now() + FILES_LOOK))
            }
            ConnectionState::Waiting { until }
            | ConnectionState::Connecting { until, .. }
            | ConnectionState::Explaining { until, .. }
            | ConnectionState::Subscribing { until, .. }
            | ConnectionState::Leaving { until, .. } => Some(*until),
            ConnectionState::Ready { .. } => self.closing.as_ref().map(|closing| closing.by),
            ConnectionState::Gone => None,
        }
    }

    fn on_deadline(&mut self) {
        match &self.state {
            // Whoever has mended a file need not wait, nor press a key.
            ConnectionState::Waiting { until } => {
                if *until <= now() || self.client.files_have_changed() {
                    self.attempt();
                }
            }
            ConnectionState::Explaining { known, .. } => self.down(known.clone()),
            ConnectionState::Subscribing { .. } => self.leave(Problem::SubscriptionUnanswered),
            ConnectionState::Ready { .. } => self.leave(Problem::Lost),
            ConnectionState::Leaving { why, .. } => self.down(why.clone()),
            // If no new client is to be had, the old one may still come round.
            ConnectionState::Connecting { .. } => {
                let _ = self.client.renew();
                self.down(Problem::NoAnswer);
            }
            ConnectionState::Gone => {}
        }
    }

    fn attempt(&mut self) {
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

    fn handle(&mut self, signal: Signal) {
        match signal {
            Signal::Publish(ticket, message) => self.publish(ticket, message),
            Signal::Close { by, done } => self.close(by, done),
            Signal::Retry => {
                if let ConnectionState::Waiting { until } = &mut self.state {
                    *until = now();
                }
            }
            Signal::Arrived(client, _) | Signal::Lost(client, _) if !self.client.is_of(client) => {}
            Signal::Arrived(_, message) => self.emit(Event::Message {
                topic: message.topic().to_owned(),
                payload: message.payload().to_vec(),
                retained: message.retained(),
            }),
            Signal::Lost(_, why) => self.lost(why),
            Signal::Ended(number) => self.ended(number),
            Signal::Explained(number, found) => match &self.state {
                ConnectionState::Explaining { attempt, known, .. } if *attempt == number => {
                    self.explained(found, known.clone());
                }
                _ => self.explained_late = Some(found),
            },
        }
    }

    fn publish(&mut self, ticket: Ticket, message: Outgoing) {
        let possible = matches!(self.state, ConnectionState::Ready { .. }) && self.closing.is_none();
        if !possible || !message.is_sendable() {
            self.emit(Event::Undelivered(ticket));
            return;
        }
        let topic = message.topic.clone();
        let operation = self.client.publish(message);
        self.deliveries.add(ticket, topic, operation);
    }

    fn ended(&mut self, number: u64) {
        if self.deliveries.ended(number, &self.events) {
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
        let signals = self.signals.0.clone();
        let tell = move |found| drop(signals.send(Signal::Explained(attempt, found)));
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
                self.emit(Event::Connected);
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
        self.deliveries.abandon(&self.events);
        if let Some(closing) = self.closing.take() {
            let _ = closing.done.send(());
            self.state = ConnectionState::Gone;
            return;
        }
        let retry_in = self.backoff.next(why.pace());
        self.state = ConnectionState::Waiting {
            until: now() + retry_in,
        };
        self.emit(Event::Disconnected {
            why: why.to_string(),
            retry_in,
        });
    }

    fn close(&mut self, by: Instant, done: Sender<()>) {
        if self.closing.is_some() {
            return;
        }
        let left = by.saturating_duration_since(now());
        let by = by.checked_sub(PARTING.min(left / 2)).unwrap_or(by);
        let told = done.clone();
        self.closing = Some(Closing { by, done });
        match &self.state {
            ConnectionState::Waiting { .. } | ConnectionState::Explaining { .. } | ConnectionState::Gone => {
                self.down(Problem::Lost);
            }
            ConnectionState::Subscribing { .. } => self.leave(Problem::Lost),
            ConnectionState::Ready { .. } => self.leave_when_delivered(),
            // Nobody need wait for an attempt to end; it is left as soon as it succeeds.
            ConnectionState::Connecting { .. } => drop(told.send(())),
            ConnectionState::Leaving { .. } => {}
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

    fn emit(&self, event: Event) {
        let _ = self.events.send(event); // who does not listen any more misses nothing
    }
}

#[expect(clippy::disallowed_methods, reason = "the connection's own deadlines")]
fn now() -> Instant {
    Instant::now()
}
