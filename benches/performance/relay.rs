//! The least that the boards' work takes: a bare relay, and Mosquitto's own clients as one.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use paho_mqtt::{Client, Message};
use rustix::process::Pid;

use crate::support::bench::Node::{Broker1, Broker2};
use crate::support::bench::plain::PlainClient;
use crate::support::bench::{BROKERS, Bench};

/// Two brokers and the bridge, and something between `sensors/card1` and `sensors/all` that knows nothing of
/// versions, stages or screens.
pub struct Relay {
    pub sender: PlainClient,
    pub listener: PlainClient,
    pub brokers: Bench,
    /// Its programs, if it has any.
    helpers: Vec<Child>,
}

impl Relay {
    /// A client in this process.
    pub fn bare(brokers: Bench) -> Self {
        let relay = Self::between(brokers);
        carry(&relay.brokers.url(Broker2));
        relay.warmed()
    }

    /// `mosquitto_sub | mosquitto_pub`.
    pub fn of_mosquitto(brokers: Bench) -> Self {
        let mut relay = Self::between(brokers);
        let port = port_of(&relay.brokers.url(Broker2));
        let common = ["-p", port.as_str(), "--nodelay", "-q", "2"];
        let mut reader = Command::new("mosquitto_sub")
            .args(common)
            .args(["-t", "sensors/card1"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("mosquitto_sub");
        let lines = reader.stdout.take().expect("a pipe");
        let writer = Command::new("mosquitto_pub")
            .args(common)
            .args(["-t", "sensors/all", "-r", "-l"])
            .stdin(lines)
            .spawn()
            .expect("mosquitto_pub");
        relay.helpers = vec![reader, writer];
        relay.warmed()
    }

    fn between(mut brokers: Bench) -> Self {
        brokers.start_all(BROKERS);
        Self {
            sender: PlainClient::stranger(&brokers.url(Broker1)),
            listener: PlainClient::stranger(&brokers.url(Broker2)).listen("sensors/all"),
            brokers,
            helpers: Vec::new(),
        }
    }

    /// The first ones also wait for the bridge and the relay to connect.
    fn warmed(self) -> Self {
        let first = br#"{"sensor_1":true,"number":0}"#;
        loop {
            self.sender.say("sensors/card1", first, true);
            thread::sleep(Duration::from_millis(100));
            if self.listener.count("sensors/all") > 0 {
                break;
            }
        }
        for number in 1..10 {
            self.message(number);
        }
        self
    }

    /// How long a message takes.
    pub fn message(&self, number: usize) -> Duration {
        let payload = format!(r#"{{"sensor_1":true,"sensor_2":true,"sensor_3":true,"number":{number}}}"#);
        let said = Instant::now();
        self.sender.say("sensors/card1", payload.clone(), true);
        self.listener.wait_for("the message, relayed", |heard| {
            let last = heard.last();
            last.is_some_and(|last| last.payload == payload.as_bytes())
        });
        said.elapsed()
    }

    /// Its programs and the brokers.
    pub fn pids(&self) -> Vec<Pid> {
        let brokers = [self.brokers.pid(Broker1), self.brokers.pid(Broker2)];
        self.helpers.iter().map(Pid::from_child).chain(brokers).collect()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        for helper in &mut self.helpers {
            let _ = helper.kill().and_then(|()| helper.wait());
        }
    }
}

/// What comes on `sensors/card1` is said on `sensors/all`, for as long as the process or the broker lives.
fn carry(url: &str) {
    let client = Client::new(url.replace("mqtt://", "tcp://")).expect("a client");
    let messages = client.start_consuming();
    client.connect(None).expect("broker 2 answers");
    client.subscribe("sensors/card1", 2).expect("a subscription");
    let thread = thread::Builder::new().name("relay".into());
    let relaying = thread.spawn(move || {
        for message in messages.into_iter().flatten() {
            let relayed = Message::new_retained("sensors/all", message.payload(), 2);
            if client.publish(relayed).is_err() {
                break;
            }
        }
    });
    relaying.expect("a thread");
}

pub fn port_of(url: &str) -> String {
    url.rsplit(':').next().expect("a port").to_owned()
}
