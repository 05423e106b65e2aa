//! How long a key on board 1 takes to the screens, beside a bare relay over brokers and a bridge of the same
//! kind.
//!
//! `cargo bench --bench key_to_screen [-- KEYS]`, 300 keys unless told otherwise. Two pairs of brokers run at
//! once, each with the project's own files: one with the three programs in terminals, one with two bare MQTT
//! clients that do what `card2_monitor` does for others: take what the bridge brings on `sensors/card1` and
//! say it on `sensors/all`. A key and a bare message take turns, so what disturbs the machine disturbs both;
//! only the ratio says something about the programs.
#![allow(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::thread;
use std::time::{Duration, Instant};

use paho_mqtt::{Client, Message};
use support::bench::Node::{Broker1, Broker2, Card1, Display};
use support::bench::plain::PlainClient;
use support::bench::{BROKERS, Bench};
use support::figures::{median, print_head, print_line, wait_for_sensor_1};
use support::pty::Pty;

const KEYS: usize = 300;

fn main() {
    // cargo adds `--bench`.
    let keys = std::env::args()
        .find_map(|word| word.parse().ok())
        .unwrap_or(KEYS);
    let mut boards = Bench::running();
    let (card1, display) = (boards.take(Card1), boards.take(Display));
    let bare = Bare::start();
    let mut times = WayTimes::default();
    for press in 0..keys {
        let state = if press % 2 == 0 { "KO" } else { "OK" };
        times.key(&card1, &display, state);
        times.bare.push(bare.message(press));
    }
    boards.give(Card1, card1);
    boards.give(Display, display);
    times.print();
}

/// Durations from the key, or from the bare message, to what each is named after.
#[derive(Default)]
struct WayTimes {
    own_screen: Vec<Duration>,
    display: Vec<Duration>,
    confirmed: Vec<Duration>,
    bare: Vec<Duration>,
}

impl WayTimes {
    fn key(&mut self, card1: &Pty, display: &Pty, state: &str) {
        let pressed = Instant::now();
        card1.send("1");
        thread::scope(|scope| {
            let on_display = scope.spawn(|| {
                wait_for_sensor_1(display, state, |_| true);
                pressed.elapsed()
            });
            wait_for_sensor_1(card1, state, |_| true);
            self.own_screen.push(pressed.elapsed());
            wait_for_sensor_1(card1, state, |beside| beside == "CONFIRMED");
            self.confirmed.push(pressed.elapsed());
            self.display
                .push(on_display.join().expect("the display shows it"));
        });
    }

    fn print(mut self) {
        let bare = median(&mut self.bare);
        print_head();
        for (name, times) in [
            ("key on card 1 to its own screen", &mut self.own_screen),
            ("key on card 1 to the display", &mut self.display),
            ("key on card 1 to CONFIRMED", &mut self.confirmed),
            ("bare relay, message to listener", &mut self.bare),
        ] {
            print_line(name, times, bare);
        }
        println!("The ratio is that of the medians, to the bare relay in the same run.");
    }
}

/// Two brokers and the bridge, and clients that know nothing of versions, stages or screens.
struct Bare {
    sender: PlainClient,
    listener: PlainClient,
    _brokers: Bench,
}

impl Bare {
    fn start() -> Self {
        let mut brokers = Bench::new();
        brokers.start_all(BROKERS);
        relay(&brokers.url(Broker2));
        let bare = Self {
            sender: PlainClient::stranger(&brokers.url(Broker1)),
            listener: PlainClient::stranger(&brokers.url(Broker2)).listen("sensors/all"),
            _brokers: brokers,
        };
        // The first ones also wait for the bridge to connect.
        for number in 0..10 {
            bare.message(number);
        }
        bare
    }

    fn message(&self, number: usize) -> Duration {
        let said = Instant::now();
        let payload = format!(r#"{{"sensor_1":true,"sensor_2":true,"sensor_3":true,"number":{number}}}"#);
        self.sender.say("sensors/card1", payload.clone(), true);
        self.listener.wait_for("the message, relayed", |heard| {
            heard
                .last()
                .is_some_and(|last| last.payload == payload.as_bytes())
        });
        said.elapsed()
    }
}

/// What comes on `sensors/card1` is said on `sensors/all`, for as long as the process lives.
fn relay(url: &str) {
    let client = Client::new(url.replace("mqtt://", "tcp://")).expect("a client");
    let messages = client.start_consuming();
    client.connect(None).expect("broker 2 answers");
    client.subscribe("sensors/card1", 2).expect("a subscription");
    let thread = thread::Builder::new().name("relay".into());
    let relaying = thread.spawn(move || {
        for message in messages.into_iter().flatten() {
            let relayed = Message::new_retained("sensors/all", message.payload(), 2);
            client.publish(relayed).expect("broker 2 answers");
        }
    });
    relaying.expect("a thread");
}
