//! Messages as fast as they are wanted, from a sender that costs as little as it can.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::relay::port_of;

/// Messages a second.
pub const RATE: u32 = 10_000;

/// Put into the message in the place of what changes.
const NUMBER: u64 = 7_777_777_777_777;
const NAME: &str = "@NAME@";
const STATE: &str = "@STATE@";

/// An owner's report in which one sensor is toggled by each message. Its name says when that was.
pub struct FloodReport {
    parts: Vec<String>,
    first: u64,
}

impl FloodReport {
    /// From the owner's last one: as it would go on, the same era and a higher number each time.
    pub fn after(payload: &[u8], sensor: u8) -> Self {
        let mut report: Value = serde_json::from_slice(payload).expect("a report");
        let key = format!("sensor_{sensor}");
        let version = &mut report["versions"][&key][0];
        let first = version.as_u64().expect("a number");
        *version = json!(NUMBER);
        report["names"] = json!({ &key: NAME });
        report[&key] = json!(STATE);
        let text = report.to_string().replace(&format!("\"{STATE}\""), STATE);
        let text = text.replace(&NUMBER.to_string(), "@NUMBER@");
        let parts = text.split('@').map(str::to_owned).collect();
        Self { parts, first }
    }

    /// The message with this number, from 1 on. The odd ones are KO.
    pub fn message(&self, number: u64, name: &str) -> String {
        let version = (self.first + number).to_string();
        let state = if number % 2 == 1 { "false" } else { "true" };
        let part = |part: &String| match part.as_str() {
            "NAME" => name.to_owned(),
            "NUMBER" => version.clone(),
            "STATE" => state.to_owned(),
            part => part.to_owned(),
        };
        self.parts.iter().map(part).collect()
    }
}

/// The name that says when a message was sent.
pub fn stamp(since: Duration) -> String {
    format!("t{:07}", since.as_millis())
}

/// When it says that, if the text has one.
pub fn stamped(text: &str) -> Option<Duration> {
    let digits = |at: usize| {
        text.get(at + 1..at + 8)
            .filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let found = text.match_indices('t').find_map(|(at, _)| digits(at));
    found?.parse().ok().map(Duration::from_millis)
}

/// A connection that sends, mostly with `QoS` 0 and the retained flag, in packets of MQTT 3.1.1.
pub struct Flood(TcpStream);

impl Flood {
    pub fn connect(url: &str) -> Self {
        let mut stream =
            TcpStream::connect(format!("127.0.0.1:{}", port_of(url))).expect("the broker answers");
        stream.set_nodelay(true).expect("a socket");
        // A clean session, no keep-alive, and no client id.
        let connect = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00";
        stream.write_all(connect).expect("the broker listens");
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).expect("the broker answers");
        assert_eq!(answer, [0x20, 2, 0, 0], "the broker does not let it in");
        Self(stream)
    }

    /// Sends for so long, and counts. A broker that does not keep pace slows it down.
    pub fn send(
        &mut self,
        topic: &str,
        time: Duration,
        begun: Instant,
        report: &FloodReport,
        sent: &AtomicU64,
    ) -> Duration {
        let mut packets = Vec::new();
        while begun.elapsed() < time {
            let due =
                u64::from(RATE) * u64::try_from(begun.elapsed().as_micros()).expect("short") / 1_000_000;
            let name = stamp(begun.elapsed());
            packets.clear();
            let before = sent.load(Ordering::Relaxed);
            // No more at once than in 20 ms, or those that had to wait would be called new.
            let now = due.min(before + u64::from(RATE) / 50);
            for number in before..now {
                add_packet(&mut packets, topic, &report.message(number + 1, &name), false);
            }
            self.0.write_all(&packets).expect("the broker takes them");
            sent.store(now.max(before), Ordering::Relaxed);
            thread::sleep(Duration::from_millis(1));
        }
        begun.elapsed()
    }

    /// Sends one more with `QoS` 2, behind all others, and returns when the broker has it.
    pub fn say(&mut self, topic: &str, payload: &str) {
        let mut packet = Vec::new();
        add_packet(&mut packet, topic, payload, true);
        let mut answer = [0; 4];
        // What is sent, and how the answer to it begins: received, released, complete.
        for (packet, expected) in [(&packet[..], 0x50), (&[0x62, 2, ID[0], ID[1]], 0x70)] {
            self.0.write_all(packet).expect("the broker takes it");
            self.0.read_exact(&mut answer).expect("the broker answers");
            assert_eq!(answer, [expected, 2, ID[0], ID[1]], "the broker's answer");
        }
    }
}

/// Of the only message with `QoS` 2 that is under way.
const ID: [u8; 2] = [0, 1];

fn add_packet(packets: &mut Vec<u8>, topic: &str, payload: &str, is_sure: bool) {
    let id: &[u8] = if is_sure { &ID } else { &[] };
    let mut left = 2 + topic.len() + id.len() + payload.len();
    // A message that is retained, with `QoS` 2 or 0.
    packets.push(if is_sure { 0x35 } else { 0x31 });
    loop {
        let low = u8::try_from(left % 128).expect("7 bits");
        left /= 128;
        packets.push(if left > 0 { low | 0x80 } else { low });
        if left == 0 {
            break;
        }
    }
    packets.extend(u16::try_from(topic.len()).expect("short").to_be_bytes());
    packets.extend(topic.as_bytes());
    packets.extend(id);
    packets.extend(payload.as_bytes());
}
