//! Why a connection did not come up, and where else the broker may be. Paho tries one address of a name, and
//! says no more than "failure" for a name that is not known, a refused port and a certificate that is not
//! trusted; and a broker that does not know MQTT 5 closes without a word, or says nothing.

mod tls;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};

use super::{BrokerUrl, Problem};
use crate::settings::ClientCertificate;
use crate::system::threads;

pub(super) use tls::{secure, shown_certificate};

/// Longest wait for each of the steps after the name's look-up, which the system limits itself.
const STEP: Duration = Duration::from_millis(800);

/// Whom to look for, and whose signature to trust.
pub(super) struct Endpoint {
    pub url: BrokerUrl,
    pub ca_file: Option<PathBuf>,
    /// What is shown to a broker that asks for a certificate.
    pub certificate: Option<ClientCertificate>,
}

/// An attempt that failed.
pub(super) struct Failed {
    /// The address; `None` is the one that Paho has taken.
    pub address: Option<SocketAddr>,
    /// What is known of it already.
    pub why: Option<Problem>,
    /// The attempts before this one, since there was a connection or a pause.
    pub before: Vec<(SocketAddr, Problem)>,
}

/// What the probe has found.
pub(super) enum Finding {
    /// Why there is no connection; `None` if everything works now.
    Problem(Option<Problem>),
    /// The attempt was made at an address, and failed for this cause; another one takes connections and has
    /// not been tried.
    Elsewhere {
        used: (SocketAddr, Problem),
        next: SocketAddr,
    },
}

/// Looks for the cause on a thread of its own, for it blocks as long as a name server takes, and tells what
/// it finds.
pub(super) fn start(
    endpoint: Endpoint,
    failed: Failed,
    tell: impl FnOnce(Finding) + Send + 'static,
) -> io::Result<()> {
    threads::start("broker-probe", move || tell(explain(&endpoint, &failed))).map(drop)
}

/// The broker's addresses, each once.
pub(super) fn addresses(url: &BrokerUrl) -> Vec<SocketAddr> {
    let addresses = (url.host(), url.port()).to_socket_addrs();
    let mut addresses: Vec<_> = addresses.map(Iterator::collect).unwrap_or_default();
    addresses.dedup();
    addresses
}

/// Why somebody who takes connections at this address did not accept ours; `None` if no cause is found.
pub(super) fn why_not_accepted(endpoint: &Endpoint, address: SocketAddr) -> Option<Problem> {
    let stream = match TcpStream::connect_timeout(&address, STEP) {
        Ok(stream) => stream,
        Err(error) => return Some(cause(&error)),
    };
    if endpoint.url.tls() {
        tls::cause(stream, address, endpoint)
    } else {
        mqtt(stream, address)
    }
}

/// Tries again what the library has just failed to do, step by step, at each of the broker's addresses.
fn explain(endpoint: &Endpoint, failed: &Failed) -> Finding {
    let url = &endpoint.url;
    let addresses = addresses(url);
    let Some(chosen) = taken_by_paho(&addresses) else {
        return Finding::Problem(Some(Problem::NameNotKnown(url.host().to_owned())));
    };
    let used = failed.address.unwrap_or(chosen);
    let tried = |address| failed.before.iter().find(|(before, _)| *before == address);
    let mut next = None;
    let mut causes = Vec::new();
    for (address, stream) in connect(&addresses) {
        let why = match stream {
            Err(error) => Some(cause(&error)),
            Ok(_) if address != used => {
                if tried(address).is_none() {
                    next = next.or(Some(address));
                }
                tried(address).map(|(_, why)| why.clone())
            }
            Ok(stream) if url.tls() => tls::cause(stream, address, endpoint).or(failed.why.clone()),
            Ok(stream) => mqtt(stream, address).or(failed.why.clone()),
        };
        causes.push((address, why));
    }
    // With TLS Paho compares the certificate with the host that it is given: that has to be the name.
    if let Some(next) = next.filter(|_| !url.tls()) {
        let why = causes.into_iter().find(|(address, _)| *address == used);
        let why = why.and_then(|(_, why)| why).unwrap_or(Problem::Unexplained);
        return Finding::Elsewhere {
            used: (used, why),
            next,
        };
    }
    if let [(_, why)] = &causes[..] {
        return Finding::Problem(why.clone());
    }
    let known = causes
        .into_iter()
        .map(|(address, why)| (address, why.unwrap_or(Problem::Unexplained)));
    Finding::Problem(Some(Problem::of_all(known.collect())))
}

/// The first of IPv4, else the last.
fn taken_by_paho(addresses: &[SocketAddr]) -> Option<SocketAddr> {
    let first = addresses.iter().find(|address| address.is_ipv4());
    first.or(addresses.last()).copied()
}

/// Connects to all of them at the same time: one that does not answer must not keep the others waiting.
pub(super) fn connect(addresses: &[SocketAddr]) -> Vec<(SocketAddr, io::Result<TcpStream>)> {
    let begin = |&address: &SocketAddr| -> (SocketAddr, io::Result<Receiver<_>>) {
        let (result, waiting) = bounded(1);
        let attempt = move || drop(result.send(TcpStream::connect_timeout(&address, STEP)));
        let started = threads::start("broker-probe", attempt);
        (address, started.map(|_| waiting))
    };
    let attempts: Vec<_> = addresses.iter().map(begin).collect();
    let end = |(address, waiting): (SocketAddr, io::Result<Receiver<io::Result<TcpStream>>>)| {
        let stream = waiting.and_then(|waiting| waiting.recv().unwrap_or(Err(ErrorKind::Other.into())));
        (address, stream)
    };
    attempts.into_iter().map(end).collect()
}

pub(super) fn cause(error: &io::Error) -> Problem {
    match error.kind() {
        ErrorKind::ConnectionRefused => Problem::Refused,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Problem::NoRoute,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Problem::NoAnswer,
        _ => Problem::Unexplained,
    }
}

/// Which other protocol is spoken by somebody who takes connections and not ours; `None` if that is not the
/// cause.
fn mqtt(stream: TcpStream, address: SocketAddr) -> Option<Problem> {
    let again = || TcpStream::connect_timeout(&address, STEP).ok();
    match greet(stream, 5) {
        Ok(Some(0x01 | 0x84)) => Some(Problem::ProtocolRefused),
        Ok(Some(_)) => None,
        // It may know the version before.
        Ok(None) | Err(_) => match greet(again()?, 4) {
            Ok(Some(_)) => Some(Problem::ProtocolRefused),
            Ok(None) if speaks_tls(again()?).is_ok_and(|speaks| speaks) => Some(Problem::TlsSpoken),
            Ok(None) | Err(_) => None,
        },
    }
}

/// Sends a `CONNECT` of this version of the protocol, without a name. Gives the code of the `CONNACK`; `None`
/// if something else comes, or the end; an error if nothing does in time.
fn greet(mut stream: TcpStream, version: u8) -> io::Result<Option<u8>> {
    const CONNACK: u8 = 0x20;
    const CLEAN: u8 = 2;
    let mut connect = vec![0, 4, b'M', b'Q', b'T', b'T', version, CLEAN, 0, 5];
    // MQTT 5 has properties: none. Then the client id: none.
    connect.extend(if version == 5 { &[0, 0, 0][..] } else { &[0, 0] });
    let mut packet = vec![0x10, u8::try_from(connect.len()).unwrap_or(u8::MAX)];
    packet.append(&mut connect);
    stream.set_read_timeout(Some(STEP))?;
    stream.write_all(&packet)?;
    let mut head = [0; 4];
    match stream.read_exact(&mut head) {
        Ok(()) => Ok((head[0] == CONNACK).then_some(head[3])),
        Err(error) if error.kind() == ErrorKind::WouldBlock || error.kind() == ErrorKind::TimedOut => {
            Err(error)
        }
        Err(_) => Ok(None),
    }
}

/// Greets with a TLS record that is cut short. Whoever speaks TLS answers with an alert; anybody else answers
/// something else, or closes. Who says nothing in time may be either.
fn speaks_tls(mut stream: TcpStream) -> io::Result<bool> {
    const CUT_HELLO: [u8; 10] = [0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0x03];
    const ALERT: u8 = 0x15;
    let mut first = [0];
    stream.set_read_timeout(Some(STEP))?;
    stream.write_all(&CUT_HELLO)?;
    match stream.read(&mut first) {
        Ok(count) => Ok(count == 1 && first == [ALERT]),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    fn failed(address: Option<SocketAddr>, before: Vec<(SocketAddr, Problem)>) -> Failed {
        Failed {
            address,
            why: None,
            before,
        }
    }

    /// A port of 127.0.0.1 that takes connections, and the same port of 127.0.0.2, which does not.
    fn live_and_dead() -> (TcpListener, SocketAddr, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let live = listener.local_addr().expect("its address");
        let dead = SocketAddr::from(([127, 0, 0, 2], live.port()));
        (listener, live, dead)
    }

    #[test]
    fn all_addresses_are_tried_and_each_has_its_own_cause() {
        let (_listener, live, dead) = live_and_dead();
        let reached = connect(&[dead, live]);
        assert_eq!((reached[0].0, reached[1].0), (dead, live));
        assert!(reached[1].1.is_ok());
        assert_eq!(
            cause(reached[0].1.as_ref().expect_err("it is dead")),
            Problem::Refused
        );
    }

    fn endpoint(url: &str) -> Endpoint {
        Endpoint {
            url: url.parse().expect("a URL"),
            ca_file: None,
            certificate: None,
        }
    }

    #[test]
    fn an_address_that_was_used_or_tried_is_not_another_one() {
        let (_listener, live, dead) = live_and_dead();
        let endpoint = endpoint(&format!("mqtt://{live}"));
        let found = explain(&endpoint, &failed(Some(dead), Vec::new()));
        let Finding::Elsewhere { used, next } = found else {
            panic!("{live} takes connections");
        };
        assert_eq!((used.0, next), (dead, live));
        let found = explain(&endpoint, &failed(None, Vec::new()));
        assert!(matches!(found, Finding::Problem(None)));
        let found = explain(
            &endpoint,
            &failed(Some(dead), vec![(live, Problem::ClosedAtOnce)]),
        );
        assert!(matches!(found, Finding::Problem(Some(Problem::ClosedAtOnce))));
    }
}
