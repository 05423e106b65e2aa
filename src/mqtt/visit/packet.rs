//! The few packets of MQTT 5 that a visit needs, as bytes. Decoding is total: any bytes give a packet, not
//! enough of one, or an error.

use crate::mqtt::BrokerSettings;
use crate::mqtt::client::LARGEST_PACKET;

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const PUBREC: u8 = 0x50;
const PUBREL: u8 = 0x62;
const PUBCOMP: u8 = 0x70;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;
const DISCONNECT: u8 = 0xE0;

const QOS_2: u8 = 0x04;
const RETAINED: u8 = 0x01;

/// Longer than any visit lasts: no packet has to keep the connection up.
const KEEP_ALIVE: u16 = u16::MAX;

/// What a broker says of itself when it takes a connection; what it does not mention it has (MQTT 5,
/// 3.2.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The highest `QoS`.
    pub qos: u8,
    /// Whether it keeps messages.
    pub retains: bool,
    /// The largest packet that it takes, if it says so.
    pub largest_packet: Option<u32>,
    /// How many messages may be under way to it.
    pub receive_maximum: u16,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
    /// Whether the broker had kept it.
    pub retained: bool,
}

/// What a broker says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    Accepted(Terms),
    NotAccepted(u8),
    Subscribed(u16, Vec<u8>),
    Received(u16, u8),
    Completed(u16),
    Arrived(Arrived),
    Ended(u8),
    Other,
}

/// With a session that ends with the connection, and no will.
pub(super) fn connect(settings: &BrokerSettings) -> Vec<u8> {
    const CLEAN: u8 = 0x02;
    let mut properties = vec![0x27];
    properties.extend(LARGEST_PACKET.to_be_bytes());
    let mut body = vec![u8::try_from(properties.len()).unwrap_or_default()];
    body.extend(properties);
    greeting(settings, 5, CLEAN, &body)
}

/// Of MQTT 3.1.1, with the session that the broker may have for this client.
pub(super) fn connect_as_bridge(settings: &BrokerSettings) -> Vec<u8> {
    greeting(settings, 4, 0, &[])
}

fn greeting(settings: &BrokerSettings, version: u8, flags: u8, properties: &[u8]) -> Vec<u8> {
    const USER: u8 = 0x80;
    const PASSWORD: u8 = 0x40;
    let credentials = settings.credentials.as_ref();
    let flags = flags | credentials.map_or(0, |_| USER | PASSWORD);
    let mut body = Vec::new();
    text(&mut body, b"MQTT");
    body.extend([version, flags]);
    body.extend(KEEP_ALIVE.to_be_bytes());
    body.extend(properties);
    text(&mut body, settings.client_id.as_bytes());
    if let Some(credentials) = credentials {
        text(&mut body, credentials.username.as_bytes());
        text(&mut body, credentials.password.0.as_bytes());
    }
    packet(CONNECT, &body)
}

pub(super) fn subscribe(id: u16, topics: &[String]) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    body.push(0);
    for topic in topics {
        text(&mut body, topic.as_bytes());
        body.push(0);
    }
    packet(SUBSCRIBE, &body)
}

pub(super) fn publish(id: u16, topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    text(&mut body, topic.as_bytes());
    body.extend(id.to_be_bytes());
    body.push(0);
    body.extend(payload);
    packet(PUBLISH | QOS_2, &body)
}

pub(super) fn release(id: u16) -> Vec<u8> {
    packet(PUBREL, &id.to_be_bytes())
}

pub(super) fn goodbye() -> Vec<u8> {
    packet(DISCONNECT, &[])
}

/// A text with its length before it. One that is longer than MQTT can say is cut; topics and names are not.
fn text(body: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    body.extend(length.to_be_bytes());
    body.extend(&bytes[..usize::from(length)]);
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![kind];
    let mut left = body.len();
    loop {
        let low = u8::try_from(left % 128).unwrap_or_default();
        left /= 128;
        packet.push(if left > 0 { low | 0x80 } else { low });
        if left == 0 {
            break;
        }
    }
    packet.extend(body);
    packet
}

/// The first packet in these bytes, and its length; `None` if it is not all there yet.
pub(super) fn decode(bytes: &[u8]) -> Result<Option<(Packet, usize)>, ()> {
    let Some((&first, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let mut body = Bytes(rest);
    let Some(length) = body.length()? else {
        return Ok(None);
    };
    if length > LARGEST_PACKET as usize {
        return Err(());
    }
    let Some(content) = body.0.get(..length) else {
        return Ok(None);
    };
    let all = bytes.len() - body.0.len() + length;
    Ok(Some((content_of(first, Bytes(content))?, all)))
}

fn content_of(first: u8, mut body: Bytes<'_>) -> Result<Packet, ()> {
    Ok(match first & 0xF0 {
        CONNACK => {
            body.u8()?;
            match body.u8()? {
                0 => Packet::Accepted(terms(body)?),
                code => Packet::NotAccepted(of_both_versions(code)),
            }
        }
        SUBACK => {
            let id = body.u16()?;
            body.properties()?;
            Packet::Subscribed(id, body.0.to_vec())
        }
        PUBREC => Packet::Received(body.u16()?, body.u8().unwrap_or(0)),
        PUBCOMP => Packet::Completed(body.u16()?),
        PUBLISH => {
            let topic = std::str::from_utf8(body.text()?).map_err(|_| ())?.to_owned();
            body.properties()?;
            Packet::Arrived(Arrived {
                topic,
                payload: body.0.to_vec(),
                retained: first & RETAINED != 0,
            })
        }
        DISCONNECT => Packet::Ended(body.u8().unwrap_or(0)),
        _ => Packet::Other,
    })
}

/// The codes 1 to 5 of MQTT 3.1.1 as those that MQTT 5 has for the same.
const fn of_both_versions(code: u8) -> u8 {
    match code {
        1 => 0x84,
        2 => 0x85,
        3 => 0x88,
        4 => 0x86,
        5 => 0x87,
        other => other,
    }
}

fn terms(mut body: Bytes<'_>) -> Result<Terms, ()> {
    let mut terms = Terms {
        qos: 2,
        retains: true,
        largest_packet: None,
        receive_maximum: u16::MAX,
    };
    if body.0.is_empty() {
        return Ok(terms); // 3.1.1 has no properties
    }
    let mut properties = body.properties()?;
    while let Ok(name) = properties.u8() {
        match name {
            0x21 => terms.receive_maximum = properties.u16()?,
            0x24 => terms.qos = properties.u8()?,
            0x25 => terms.retains = properties.u8()? != 0,
            0x27 => terms.largest_packet = Some(properties.u32()?),
            0x11 => drop(properties.u32()?),
            0x13 | 0x22 => drop(properties.u16()?),
            0x28..=0x2A => drop(properties.u8()?),
            0x12 | 0x15 | 0x16 | 0x1A | 0x1C | 0x1F => drop(properties.text()?),
            0x26 => drop((properties.text()?, properties.text()?)),
            _ => return Err(()),
        }
    }
    Ok(terms)
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ()> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(())?;
        self.0 = rest;
        Ok(taken)
    }

    fn u8(&mut self) -> Result<u8, ()> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<u16, ()> {
        Ok(u16::from_be_bytes(self.take(2)?.try_into().map_err(|_| ())?))
    }

    fn u32(&mut self) -> Result<u32, ()> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into().map_err(|_| ())?))
    }

    fn text(&mut self) -> Result<&'a [u8], ()> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// A number of up to four bytes; `None` if it is not all there.
    fn length(&mut self) -> Result<Option<usize>, ()> {
        let mut length = 0;
        for place in 0..4 {
            let Ok(byte) = self.u8() else { return Ok(None) };
            length |= usize::from(byte & 0x7F) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(Some(length));
            }
        }
        Err(())
    }

    fn properties(&mut self) -> Result<Bytes<'a>, ()> {
        let length = self.length()?.ok_or(())?;
        Ok(Bytes(self.take(length)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Mosquitto 2.1.2 says.
    const CONNACK_2_1_2: [u8; 16] = [
        0x20, 0x0E, 0, 0, 0x0B, 0x22, 0, 0x0A, 0x27, 0, 0x1E, 0x84, 0x80, 0x21, 0, 0x14,
    ];

    #[test]
    fn what_a_broker_says_of_itself_is_read_and_what_it_does_not_say_it_has() {
        let (packet, length) = decode(&CONNACK_2_1_2).expect("well-formed").expect("whole");
        let terms = Terms {
            qos: 2,
            retains: true,
            largest_packet: Some(2_000_000),
            receive_maximum: 20,
        };
        assert_eq!((packet, length), (Packet::Accepted(terms), 16));
        let weak = [0x20, 7, 0, 0, 4, 0x24, 1, 0x25, 0];
        let (packet, _) = decode(&weak).expect("well-formed").expect("whole");
        let Packet::Accepted(terms) = packet else {
            panic!("{packet:?}");
        };
        assert_eq!((terms.qos, terms.retains), (1, false));
    }

    #[test]
    fn a_packet_that_is_not_all_there_is_waited_for() {
        for end in 0..CONNACK_2_1_2.len() {
            assert_eq!(decode(&CONNACK_2_1_2[..end]), Ok(None), "{end} bytes");
        }
    }

    #[test]
    fn any_bytes_are_decoded_without_a_panic() {
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                for length in 0..5 {
                    let mut bytes = vec![first, length];
                    bytes.extend(std::iter::repeat_n(second, usize::from(length)));
                    let _ = decode(&bytes);
                }
            }
        }
        assert_eq!(
            decode(&[0x20, 0xFF, 0xFF, 0xFF, 0xFF, 1]),
            Err(()),
            "no such length"
        );
    }

    #[test]
    fn a_refused_login_has_the_same_code_in_both_versions() {
        for (bytes, code) in [([0x20, 3, 0, 0x87, 0].as_slice(), 0x87), (&[0x20, 2, 0, 5], 0x87)] {
            let (packet, _) = decode(bytes).expect("well-formed").expect("whole");
            assert_eq!(packet, Packet::NotAccepted(code));
        }
    }
}
