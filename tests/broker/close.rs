//! Saying goodbye to a broker: deliveries, will and limit. Needs `mosquitto`.

use std::time::{Duration, Instant};

use dualboard::machine::{Event, Ticket};

use crate::support::link::TcpRelay;
use crate::support::mosquitto::Mosquitto;
use crate::support::observer::{Observer, message, settings};
use crate::support::port::Port;
use crate::support::scripted_broker::{self, Script};

#[test]
fn the_will_is_sent_after_a_cut_link_and_not_after_a_goodbye() {
    let mosquitto = Mosquitto::start_new();
    let mut watcher = Observer::start(&settings(&mosquitto.url(), "watcher"));
    watcher.wait_ready();
    let link = TcpRelay::to(mosquitto.port());
    let mut mortal = settings(&link.url(), "mortal");
    mortal.will = Some(message("t/will", "died", 2));
    let mut program = Observer::start(&mortal);
    program.wait_ready();
    program.publish(1, message("t/last", "last word", 2));
    let events = program.close(Duration::from_secs(10));
    assert!(events.contains(&Event::Delivered(Ticket(1))), "{events:?}");
    watcher.wait_message("last word");

    let mut program = Observer::start(&mortal);
    program.wait_ready();
    link.cut();
    watcher.wait_message("died");
    assert_eq!(watcher.messages(b"died"), 1);
}

#[test]
fn closing_keeps_its_limit_whatever_the_broker_does() {
    let limit = Duration::from_millis(500);
    // Left alone, Paho takes many seconds; less than these may pass on a busy machine.
    let slack = Duration::from_secs(5);
    let within = |program: Observer| {
        let start = now();
        program.close(limit);
        let took = now() - start;
        assert!(took < limit + slack, "{took:?}");
    };
    // Nobody there; somebody mute; a name that is not known.
    let nobody = Port::claim();
    let url = format!("mqtt://127.0.0.1:{}", nobody.number);
    within(Observer::start(&settings(&url, "c1")));
    let mute = scripted_broker::start(Script {
        old: false,
        connack: &[],
        suback: &[],
    });
    within(Observer::start(&settings(&mute, "c2")));
    within(Observer::start(&settings("mqtt://no-such-host.invalid", "c3")));

    let mosquitto = Mosquitto::start_new();
    let mut idle = Observer::start(&settings(&mosquitto.url(), "c4"));
    let mut busy = Observer::start(&settings(&mosquitto.url(), "c5"));
    let mut stuffed = Observer::start(&settings(&mosquitto.url(), "c6"));
    for program in [&mut idle, &mut busy, &mut stuffed] {
        program.wait_ready();
    }
    mosquitto.pause();
    busy.publish(1, message("t/stuck", "x", 2));
    for ticket in 0..30 {
        // More than the socket's buffers hold.
        stuffed.publish(ticket, message("t/stuck", &"x".repeat(1_000_000), 2));
    }
    within(idle);
    within(busy);
    within(stuffed);
}

#[test]
fn closing_answers_what_it_could_not_deliver() {
    let mosquitto = Mosquitto::start_new();
    let mut program = Observer::start(&settings(&mosquitto.url(), "unfinished"));
    program.wait_ready();
    mosquitto.pause();
    program.publish(1, message("t/stuck", "x", 2));
    let events = program.close(Duration::from_millis(500));
    assert!(events.contains(&Event::Undelivered(Ticket(1))), "{events:?}");
}

#[expect(clippy::disallowed_methods, reason = "a limit in real time is what is tested")]
fn now() -> Instant {
    Instant::now()
}
