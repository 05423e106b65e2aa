//! Why a connection did not come up: Paho says no more than "failure" for a name that is not known, a refused port and a
//! certificate that is not trusted.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::{BrokerUrl, Why};

/// Longest wait for each of the steps after the name's look-up, which the system limits itself.
const STEP: Duration = Duration::from_millis(800);

/// Tries again what the library has just failed to do, step by step. `None` if it works now.
///
/// Blocks, for as long as a name server takes: to be called on a thread of its own.
pub(super) fn explain(url: &BrokerUrl) -> Option<Why> {
    let Some(address) = resolve(url) else {
        return Some(Why::NameNotKnown(url.host().to_owned()));
    };
    match TcpStream::connect_timeout(&address, STEP) {
        Ok(stream) if url.tls() => Some(if speaks_tls(stream) {
            Why::NotTrusted
        } else {
            Why::NotTls
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

/// Greets with a TLS record that is cut short. Whoever speaks TLS answers with an alert; anybody else closes, or waits for more.
fn speaks_tls(mut stream: TcpStream) -> bool {
    const CUT_HELLO: [u8; 10] = [0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0x03];
    const ALERT: u8 = 0x15;
    let mut first = [0];
    let answered = stream
        .set_read_timeout(Some(STEP))
        .and_then(|()| stream.write_all(&CUT_HELLO))
        .and_then(|()| stream.read_exact(&mut first));
    answered.is_ok() && first == [ALERT]
}
