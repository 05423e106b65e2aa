//! A broker that misbehaves on purpose: it accepts every connection, and answers what the test says.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// What it answers; an empty answer is silence.
#[derive(Clone, Copy)]
pub struct Script {
    /// To `CONNECT`.
    pub connack: &'static [u8],
    /// Whether it answers MQTT 3.1.1 alone.
    pub old: bool,
    /// To `SUBSCRIBE`, the packet's identifier being 1.
    pub suback: &'static [u8],
}

/// Accepted, no session, no properties.
pub const ACCEPTED: &[u8] = &[0x20, 3, 0, 0, 0];

/// Listens for as long as the process lives, and returns its URL.
#[allow(clippy::disallowed_methods, reason = "a thread of the tests")]
pub fn start(script: Script) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let url = format!("mqtt://{}", listener.local_addr().expect("its address"));
    std::thread::Builder::new()
        .name("scripted-broker".into())
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = serve(stream, script); // until the client goes
            }
        })
        .expect("a thread");
    url
}

fn serve(mut stream: TcpStream, script: Script) -> std::io::Result<()> {
    loop {
        let (kind, body) = read_packet(&mut stream)?;
        match kind >> 4 {
            // The version stands behind the protocol's name.
            1 if script.old && body.get(6) == Some(&5) => {}
            1 => stream.write_all(script.connack)?,
            8 => stream.write_all(script.suback)?,
            _ => {}
        }
    }
}

/// The packet's first byte, and what comes after its length.
fn read_packet(stream: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head)?;
    let mut length = usize::from(head[1] & 0x7F);
    if head[1] & 0x80 != 0 {
        let mut more = [0];
        stream.read_exact(&mut more)?;
        length += usize::from(more[0]) << 7;
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((head[0], body))
}
