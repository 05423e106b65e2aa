//! One connection to a broker that only asks: what the broker offers, which topics it grants, what arrives.
//! It leaves nothing behind: its session ends with it, it has no will, and what it offers is never delivered.
//!
//! The packets are written here, since Paho completes each handshake of `QoS` 2 by itself. A visit leaves it
//! open: a broker says with its `PUBREC` whether this user may publish on the topic, and delivers the message
//! when the sender releases it, which a visit never does (measured with Mosquitto 2.0.11, 2.0.21 and 2.1.2).
//! MQTT allows a broker to deliver earlier, so whoever uses [`Visit::offer`] tries it on a topic of its own
//! before.

mod certificate;
mod packet;

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use openssl::ssl::SslStream;

use super::probe::{self, Endpoint};
use super::{BrokerSettings, BrokerUrl, Problem};
use crate::system::clock::Clock;
use crate::time::Mono;

pub use certificate::Certificate;
use packet::Packet;
pub use packet::{Arrived, Terms};

/// Longest wait for each of the broker's answers.
const STEP: Duration = Duration::from_secs(4);

/// A reason code that is no success.
const REFUSED: u8 = 0x80;

/// How an answer says that this user may not.
const NOT_AUTHORISED: u8 = 0x87;

/// A connection to a broker.
pub struct Visit {
    transport: Transport,
    clock: Clock,
    received: Vec<u8>,
    arrived: VecDeque<Arrived>,
    packets: u16,
    /// What was offered and will never be released.
    open: u16,
    most_open: u16,
}

/// What a broker says to a message that is offered to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This user may publish there.
    Granted,
    /// This user may not.
    Denied,
    /// It is refused for another reason.
    Refused(Problem),
}

enum Transport {
    Plain(TcpStream),
    Tls(Box<SslStream<TcpStream>>),
}

/// Which of a broker's addresses take connections; why not, of each that does not.
///
/// # Errors
/// The host's name has no address.
pub fn addresses(url: &BrokerUrl) -> Result<Vec<(SocketAddr, Option<Problem>)>, Problem> {
    let found = probe::addresses(url);
    if found.is_empty() {
        return Err(Problem::NameNotKnown(url.host().to_owned()));
    }
    let tried = probe::connect(&found).into_iter();
    Ok(tried
        .map(|(address, stream)| (address, stream.err().map(|error| probe::cause(&error))))
        .collect())
}

/// The certificate that a broker shows, be it trusted or not.
#[must_use]
pub fn certificate(settings: &BrokerSettings, address: SocketAddr) -> Option<Certificate> {
    Certificate::of(probe::shown_certificate(&endpoint(settings), address)?.as_ref())
}

/// Tries a login of MQTT 3.1.1 as a bridge does it, with the client id, the session and the credentials of
/// the settings, and ends the connection as a cut cable does. So the session stays as it was, but for a
/// connection that was in use: that one the broker ends.
///
/// # Errors
/// Why the broker does not let it in.
pub fn knock(settings: &BrokerSettings, address: SocketAddr) -> Result<(), Problem> {
    let mut visit = Visit::to(settings, address)?;
    visit.send(&packet::connect_as_bridge(settings))?;
    match visit.answer()? {
        Packet::Accepted(_) => Ok(()),
        Packet::NotAccepted(code) => Err(not_accepted(code, settings)),
        _ => Err(Problem::ClosedAtOnce),
    }
}

impl Visit {
    /// Connects to one of the broker's addresses; also gives what the broker says of itself.
    ///
    /// # Errors
    /// Why there is no connection.
    pub fn begin(settings: &BrokerSettings, address: SocketAddr) -> Result<(Self, Terms), Problem> {
        let mut visit = Self::to(settings, address)?;
        let said = visit
            .send(&packet::connect(settings))
            .and_then(|()| visit.answer());
        match said {
            Ok(Packet::Accepted(terms)) => {
                visit.most_open = terms.receive_maximum;
                Ok((visit, terms))
            }
            Ok(Packet::NotAccepted(code)) => Err(not_accepted(code, settings)),
            Ok(_) => Err(Problem::ClosedAtOnce),
            Err(why) => Err(probe::why_not_accepted(&endpoint(settings), address).unwrap_or(why)),
        }
    }

    fn to(settings: &BrokerSettings, address: SocketAddr) -> Result<Self, Problem> {
        let stream = TcpStream::connect_timeout(&address, STEP).map_err(|error| probe::cause(&error))?;
        stream
            .set_read_timeout(Some(STEP))
            .and_then(|()| stream.set_write_timeout(Some(STEP)))
            .and_then(|()| stream.set_nodelay(true))
            .map_err(|_| Problem::Unexplained)?;
        let transport = if settings.url.tls() {
            let why = |why: Option<Problem>| why.unwrap_or(Problem::Unexplained);
            let endpoint = endpoint(settings);
            let stream = probe::secure(stream, &endpoint)
                .map_err(|()| why(probe::why_not_accepted(&endpoint, address)))?;
            Transport::Tls(Box::new(stream))
        } else {
            Transport::Plain(stream)
        };
        Ok(Self {
            transport,
            clock: Clock::start(),
            received: Vec::new(),
            arrived: VecDeque::new(),
            packets: 0,
            open: 0,
            most_open: u16::MAX,
        })
    }

    /// Asks for messages of `QoS` 0, which need no answer; gives a reason code for each topic. Those of 128
    /// and more are refusals.
    ///
    /// # Errors
    /// The connection has ended.
    pub fn subscribe(&mut self, topics: &[String]) -> Result<Vec<u8>, Problem> {
        let id = self.next_id();
        self.send(&packet::subscribe(id, topics))?;
        loop {
            match self.answer()? {
                Packet::Subscribed(of, codes) if of == id => return Ok(codes),
                other => self.put_aside(other)?,
            }
        }
    }

    /// Whether no more messages may be offered on this connection.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.open >= self.most_open
    }

    /// Offers a message, and hears whether it would be taken. It is never released.
    ///
    /// # Errors
    /// The connection has ended.
    pub fn offer(&mut self, topic: &str, payload: &[u8]) -> Result<Verdict, Problem> {
        let (_, code) = self.give(topic, payload)?;
        Ok(match code {
            NOT_AUTHORISED => Verdict::Denied,
            REFUSED.. => Verdict::Refused(Problem::from_reason(code)),
            _ => {
                self.open += 1;
                Verdict::Granted
            }
        })
    }

    /// Publishes a message, and waits until the broker has it.
    ///
    /// # Errors
    /// The connection has ended.
    pub fn publish(&mut self, topic: &str, payload: &[u8]) -> Result<Verdict, Problem> {
        let (id, code) = self.give(topic, payload)?;
        match code {
            NOT_AUTHORISED => return Ok(Verdict::Denied),
            REFUSED.. => return Ok(Verdict::Refused(Problem::from_reason(code))),
            _ => self.send(&packet::release(id))?,
        }
        loop {
            match self.answer()? {
                Packet::Completed(of) if of == id => return Ok(Verdict::Granted),
                other => self.put_aside(other)?,
            }
        }
    }

    /// The next message that arrives, if one does in time.
    ///
    /// # Errors
    /// The connection has ended.
    pub fn next(&mut self, limit: Duration) -> Result<Option<Arrived>, Problem> {
        let until = self.clock.now().mono.after(limit);
        loop {
            if let Some(arrived) = self.arrived.pop_front() {
                return Ok(Some(arrived));
            }
            match self.packet(until)? {
                Some(other) => self.put_aside(other)?,
                None => return Ok(None),
            }
        }
    }

    /// Says goodbye.
    pub fn end(mut self) {
        // A broker that has gone does not hear it.
        let _ = self.send(&packet::goodbye());
    }

    fn give(&mut self, topic: &str, payload: &[u8]) -> Result<(u16, u8), Problem> {
        let id = self.next_id();
        self.send(&packet::publish(id, topic, payload))?;
        loop {
            match self.answer()? {
                Packet::Received(of, code) if of == id => return Ok((id, code)),
                other => self.put_aside(other)?,
            }
        }
    }

    const fn next_id(&mut self) -> u16 {
        self.packets += 1;
        self.packets
    }

    fn put_aside(&mut self, packet: Packet) -> Result<(), Problem> {
        match packet {
            Packet::Arrived(arrived) => self.arrived.push_back(arrived),
            Packet::Ended(code) => return Err(Problem::from_reason(code)),
            _ => {}
        }
        Ok(())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.transport.write_all(bytes).map_err(|_| Problem::Lost)
    }

    /// What the broker says next, which it has to in time.
    fn answer(&mut self) -> Result<Packet, Problem> {
        let until = self.clock.now().mono.after(STEP);
        self.packet(until)?.ok_or(Problem::NoAnswer)
    }

    fn packet(&mut self, until: Mono) -> Result<Option<Packet>, Problem> {
        loop {
            if let Some((packet, length)) =
                packet::decode(&self.received).map_err(|()| Problem::Unexplained)?
            {
                self.received.drain(..length);
                return Ok(Some(packet));
            }
            let left = self.clock.until(until);
            if left.is_zero() {
                return Ok(None);
            }
            let mut bytes = [0; 4096];
            let tcp = self.transport.tcp();
            tcp.set_read_timeout(Some(left.max(Duration::from_millis(1))))
                .map_err(|_| Problem::Unexplained)?;
            match self.transport.read(&mut bytes) {
                Ok(0) => return Err(Problem::Lost),
                Ok(count) => self.received.extend_from_slice(&bytes[..count]),
                Err(error) if is_early(&error) => {}
                Err(_) => return Err(Problem::Lost),
            }
        }
    }
}

fn is_early(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

/// What a refused `CONNECT` says. Mosquitto does not say which of name and password is wrong.
fn not_accepted(code: u8, settings: &BrokerSettings) -> Problem {
    match Problem::from_reason(code) {
        Problem::NotAuthorised if settings.credentials.is_some() => Problem::Denied,
        Problem::NotAuthorised => Problem::CredentialsWanted,
        other => other,
    }
}

fn endpoint(settings: &BrokerSettings) -> Endpoint {
    Endpoint {
        url: settings.url.clone(),
        ca_file: settings.ca_file.clone(),
        certificate: settings.certificate.clone(),
    }
}

impl Transport {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref(),
        }
    }
}

impl Read for Transport {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(bytes),
            Self::Tls(stream) => stream.read(bytes),
        }
    }
}

impl Write for Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
