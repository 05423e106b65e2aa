//! The connection to one MQTT broker: the only place that knows the Eclipse Paho client.
//!
//! A [`Broker`] connects, subscribes, and after a loss connects again, by hand, one attempt at a time.
//! Everything that happens comes out as the core's own [`Event`]s. It has no thread: whoever has one waits
//! for its [signals](Broker::signals) and its [time](Broker::due_in), and lets it [work](Broker::take_in).
//!
//! # What holds
//!
//! - Events come in the order in which the library saw what they tell. No [`Event::Message`] of a
//!   connection comes after the [`Event::Disconnected`] that ends it. Messages of a resumed session may come
//!   before [`Event::Connected`].
//! - Every ticket is answered exactly once. [`Event::Undelivered`] means that the delivery is not
//!   *known*: the broker may have the message. This program does not send it again.
//! - [`Event::Delivered`] means that the broker has completed the handshake (for `QoS` 0: that it was
//!   written to the socket). It does not mean that the broker has it on disk.
//! - Nothing is queued for later: without a connection a publish is answered at once.
//! - No method blocks, but for [`Broker::wait`] and [`Broker::close`], which keep their limits. Paho holds
//!   its lock while it looks up a name, so nothing is asked of it while an attempt is under way. Files with
//!   secrets are read at each attempt, and looked at once a second before it; they are on a local disk.
//! - The channel of signals is not bounded, so that the library's threads never wait: who starts a broker
//!   reads them.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use crossbeam_channel::{Receiver, unbounded};

mod backoff;
mod client;
mod deliveries;
mod exposure;
mod own_files;
mod probe;
mod problem;
mod session;
mod signal;
mod state;
mod url;
pub mod visit;

pub use exposure::{Exposure, NotPermitted, permitted};
pub(crate) use problem::LEAST_PACKET;
pub use problem::Problem;
pub use url::{BadUrl, BrokerUrl};

use crate::machine::{Event, Ticket};
use crate::settings::{ClientCertificate, Credentials};
use client::PahoClient;
use session::Session;
pub use signal::Signal;

/// What a [`Broker`] needs to know.
#[derive(Clone, Debug)]
pub struct BrokerSettings {
    /// Where the broker is.
    pub url: BrokerUrl,
    /// Under which the broker keeps the session; no two programs have the same.
    pub client_id: String,
    /// For a broker that asks for them.
    pub credentials: Option<Credentials>,
    /// The certificates to trust for `mqtts`, as PEM; the system's if not given.
    pub ca_file: Option<PathBuf>,
    /// What this program shows to a broker that asks for a certificate.
    pub certificate: Option<ClientCertificate>,
    /// What the broker publishes when the connection ends without a goodbye.
    pub will: Option<Outgoing>,
    /// How long the broker keeps the session of a client that is not connected; one second at least.
    pub session_expiry: Duration,
    /// Topic filters with their `QoS`, asked for again on every connect.
    pub subscriptions: Vec<(String, u8)>,
}

/// A message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The topic.
    pub topic: String,
    /// The payload; an empty one that is retained deletes what the broker had retained.
    pub payload: Vec<u8>,
    /// 0, 1 or 2.
    pub qos: u8,
    /// Whether the broker keeps it for those who subscribe later.
    pub retained: bool,
}

impl Outgoing {
    fn is_sendable(&self) -> bool {
        self.qos <= 2 && is_topic(&self.topic) && !self.topic.contains(['+', '#'])
    }
}

fn is_topic(topic: &str) -> bool {
    !topic.is_empty() && u16::try_from(topic.len()).is_ok() && !topic.contains('\0')
}

/// How many signals are handed in at once.
const MOST_SIGNALS: usize = 64;

/// A connection that is kept up. Dropping it says goodbye to the broker without waiting for anything; a
/// connection that it is just making ends with the process.
pub struct Broker {
    session: Session,
    signals: Receiver<Signal>,
}

impl Broker {
    /// Starts to connect. That the broker is not there yet is no error, but an event.
    ///
    /// # Errors
    ///
    /// Settings that can never work: a client id, topic, or `QoS` that MQTT does not have, a file of
    /// certificates that cannot be read.
    pub fn start(settings: &BrokerSettings) -> Result<Self> {
        check(settings)?;
        let (sender, signals) = unbounded();
        let client = PahoClient::new(settings, sender.clone())?;
        let mut session = Session::new(client, settings, sender);
        session.on_time();
        Ok(Self { session, signals })
    }

    /// What the library's threads have to say, for [`Self::handle`].
    #[must_use]
    pub const fn signals(&self) -> &Receiver<Signal> {
        &self.signals
    }

    /// Takes in what was on the channel.
    pub fn handle(&mut self, signal: Signal) {
        self.session.handle(signal);
    }

    /// After how long to call [`Self::take_in`], at the latest; `None` if only a signal makes a difference.
    #[must_use]
    pub fn due_in(&self) -> Option<Duration> {
        Some(self.session.deadline()?.saturating_duration_since(now()))
    }

    /// Hands in what has been said by now, so much of it that this takes no time, and does what is due;
    /// nothing while there are events.
    pub fn take_in(&mut self) {
        if self.session.has_events() {
            return;
        }
        // First: what was waited for may be among it.
        for _ in 0..MOST_SIGNALS {
            let Ok(signal) = self.signals.try_recv() else {
                break;
            };
            self.handle(signal);
        }
        self.session.on_time();
    }

    /// What has happened, in the order in which it happened; `None` if there is nothing more for now.
    pub fn next_event(&mut self) -> Option<Event> {
        self.session.next_event()
    }

    /// Whether there is such an event.
    #[must_use]
    pub fn has_events(&self) -> bool {
        self.session.has_events()
    }

    /// Waits for the next event, with nothing else to do. `None` if the limit is over.
    pub fn wait(&mut self, limit: Duration) -> Option<Event> {
        let until = now() + limit;
        loop {
            if let Some(event) = self.next_event() {
                return Some(event);
            }
            if !self.work(until) {
                return self.next_event();
            }
        }
    }

    /// Waits for one signal, or until something is due. False if the time is over.
    fn work(&mut self, until: Instant) -> bool {
        let next = self.session.deadline().map_or(until, |due| due.min(until));
        if let Ok(signal) = self.signals.recv_deadline(next) {
            self.handle(signal);
        }
        self.session.on_time();
        now() < until
    }

    /// Publishes, if there is a connection: [`Event::Delivered`] or [`Event::Undelivered`] comes
    /// with the same ticket.
    pub fn publish(&mut self, ticket: Ticket, message: Outgoing) {
        self.session.publish(ticket, message);
    }

    /// The operator is there: a pause before the next attempt is over.
    pub fn retry(&mut self) {
        self.session.retry();
    }

    /// Waits for the deliveries under way, then says goodbye, so that the will is not sent; all of it within
    /// the limit. What has happened until then can still be asked for.
    ///
    /// With the limit over, the connection ends as the process ends: without a goodbye, and with the will.
    pub fn close(&mut self, limit: Duration) {
        let until = now() + limit;
        self.session.close(until);
        while !self.session.is_closed() && self.work(until) {}
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Broker").finish_non_exhaustive()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.session.close(now());
        self.session.on_time();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the connection's own deadlines, and its callers' limits"
)]
fn now() -> Instant {
    Instant::now()
}

/// Looks whether a connection with these settings can ever work.
///
/// # Errors
/// Settings that can never work, as for [`Broker::start`].
pub fn check(settings: &BrokerSettings) -> Result<()> {
    let id = &settings.client_id;
    ensure!(
        !id.is_empty() && !id.contains('\0'),
        "the client id {id:?} cannot be used; give one without NUL characters"
    );
    for (topic, qos) in &settings.subscriptions {
        ensure!(
            is_topic(topic),
            "cannot subscribe to {topic:?}; give a topic without NUL characters"
        );
        ensure!(
            *qos <= 2,
            "cannot subscribe to {topic:?} with QoS {qos}; give 0, 1 or 2"
        );
    }
    ensure!(
        !settings.subscriptions.is_empty(),
        "nothing to subscribe to; give one topic at least"
    );
    if let Some(will) = &settings.will {
        ensure!(
            will.is_sendable(),
            "the will cannot be published on {:?} with QoS {}",
            will.topic,
            will.qos
        );
    }
    if let Some(Credentials {
        username, password, ..
    }) = &settings.credentials
    {
        ensure!(
            !username.contains('\0'),
            "the user name holds a NUL character; give it as text"
        );
        ensure!(
            !password.0.contains('\0'),
            "the password holds a NUL character; give it as one line of text"
        );
    }
    if let Some(file) = &settings.ca_file {
        own_files::authority(file)?;
    }
    if let Some(certificate) = &settings.certificate {
        own_files::certificate(certificate)?;
    }
    Ok(())
}
