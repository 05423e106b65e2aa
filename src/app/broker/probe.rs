//! Why a connection did not come up: Paho says no more than "failure" for a name that is not known, a refused port and a
//! certificate that is not trusted.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use crossbeam_channel::Sender;

use super::signal::Signal;
use super::{BrokerUrl, Why};
use crate::app::threads;

/// Longest wait for each of the steps after the name's look-up, which the system limits itself.
const STEP: Duration = Duration::from_millis(800);

/// Looks for the cause on a thread of its own, for it blocks as long as a name server takes, and sends what it finds.
pub(super) fn start(url: BrokerUrl, attempt: u64, signals: Sender<Signal>) -> io::Result<()> {
    let probe = move || drop(signals.send(Signal::Explained(attempt, explain(&url))));
    threads::start("broker-probe", probe).map(drop)
}

/// Tries again what the library has just failed to do, step by step. `None` if it works now.
fn explain(url: &BrokerUrl) -> Option<Why> {
    let Some(address) = resolve(url) else {
        return Some(Why::NameNotKnown(url.host().to_owned()));
    };
    match TcpStream::connect_timeout(&address, STEP) {
        Ok(stream) if url.tls() => Some(match speaks_tls(stream) {
            Ok(true) => Why::NotTrusted,
            Ok(false) => Why::NotTls,
            Err(_) => Why::Unexplained,
        }),
        Ok(_) => None,
        Err(error) => Some(match error.kind() {
            ErrorKind::ConnectionRefused => Why::Refused,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Why::NoRoute,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Why::NoAnswer,
            _ => Why::Unexplained,
        }),
    }
}

/// The address that Paho takes: the first of IPv4, else the last.
fn resolve(url: &BrokerUrl) -> Option<SocketAddr> {
    let all: Vec<_> = (url.host(), url.port()).to_socket_addrs().ok()?.collect();
    all.iter()
        .find(|address| address.is_ipv4())
        .or(all.last())
        .copied()
}

/// Greets with a TLS record that is cut short. Whoever speaks TLS answers with an alert; anybody else answers something else, or closes. Who says
/// nothing in time may be either.
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
