//! What the programs cost on a terminal: how soon they show something, memory, threads, wake-ups, bytes.
//!
//! `cargo bench --bench terminal [-- PEER…]`. A peer is a command for another terminal program, in which `{}`
//! stands for the broker's address; what can be measured of it is measured in the same run: `cargo bench
//! --bench terminal -- 'mqttui --broker {}'`.
#![allow(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::bench::Node::{self, Broker2, Card1, Card2};
use support::bench::{Bench, INITIAL, PROGRAMS, told};
use support::figures::{all_sleeps, median, milliseconds, sleeps};
use support::pty::{Pty, Start};

const STARTS: usize = 15;
const MESSAGES: usize = 60;
/// How long a program is watched while nothing changes.
const IDLE: Duration = Duration::from_secs(30);

fn main() {
    let peers: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word.contains("{}"))
        .collect();
    let mut boards = Bench::running();
    println!(
        "{:22}{:>9}{:>9}{:>9}{:>9}{:>8}{:>10}{:>10}{:>9}{:>9}",
        "",
        "content",
        "restored",
        "resident",
        "private",
        "threads",
        "wakes/s",
        "idle B",
        "toggle B",
        "screen"
    );
    for node in PROGRAMS {
        let starts = starts(&mut boards, node);
        boards.wait_settled(INITIAL);
        let toggle = toggle_bytes(&mut boards, node);
        let screen = message_to_screen(&mut boards, node);
        // What the last message has set going, on its way back and beyond, is no idleness.
        boards.wait_settled(INITIAL);
        boards.wait_heartbeats(2, Card1, Broker2);
        print(
            &format!("{node:?}"),
            starts,
            boards.pty(node),
            Some(toggle),
            Some(screen),
        );
    }
    for peer in peers {
        let command = peer.replace("{}", &boards.url(Broker2));
        let words: Vec<&str> = command.split_whitespace().collect();
        let begun = Instant::now();
        let pty = Start::program(&words).env("LC_ALL", "C.UTF-8").spawn();
        pty.wait_for("content", |seen| !seen.text().trim().is_empty());
        let content = begun.elapsed();
        pty.wait_for("the retained state", |seen| seen.shows("sensors"));
        print(words[0], (content, begun.elapsed()), &pty, None, None);
    }
    println!(
        "content, restored: ms from exec, the median of {STARTS} starts; resident, private: MB; wakes/s, idle B: voluntary context switches a second \
         and bytes sent while nothing changes for {} s; toggle B: bytes for one change; screen: ms from the moment at which a bare listener has the \
         message, the median of {MESSAGES}",
        IDLE.as_secs()
    );
}

/// From exec to the first content, and to the restored state.
fn starts(boards: &mut Bench, node: Node) -> (Duration, Duration) {
    let (mut content, mut restored) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        boards.end(node, Signal::TERM);
        let begun = Instant::now();
        boards.start(node);
        let pty = boards.pty(node);
        pty.wait_for("content", |seen| !seen.text().trim().is_empty());
        content.push(begun.elapsed());
        pty.wait_for("all six", |seen| {
            (1..=6).all(|sensor| told::row(&seen.text(), sensor).is_some_and(|row| row.state != "UNKNOWN"))
        });
        restored.push(begun.elapsed());
    }
    (median(&mut content), median(&mut restored))
}

/// Bytes for one change of a sensor, until everything has settled: of the own card on a monitor.
fn toggle_bytes(boards: &mut Bench, node: Node) -> usize {
    boards.wait_heartbeats(2, Card1, Broker2);
    let (presser, key) = if node == Card2 { (Card2, "5") } else { (Card1, "2") };
    let mark = boards.pty(node).mark();
    boards.press(presser, key);
    let mut states = INITIAL;
    states[if node == Card2 { 4 } else { 1 }] = "KO";
    boards.wait_settled(states);
    let bytes = boards.pty(node).bytes_since(mark).len();
    boards.press(presser, key);
    boards.wait_settled(INITIAL);
    bytes
}

/// From the moment at which a bare listener at the program's broker has a message of the other card, to the
/// screen.
fn message_to_screen(boards: &mut Bench, node: Node) -> Duration {
    let (other, sensor) = if node == Card1 { (Card2, 6) } else { (Card1, 3) };
    let (broker, topic) = match node {
        Card2 => (Broker2, "sensors/card1"),
        Card1 => (Node::Broker1, "sensors/all"),
        _ => (Broker2, "sensors/all"),
    };
    let listener = boards.listener(broker);
    let pty = boards.take(node);
    let mut times = Vec::new();
    for round in 0..MESSAGES {
        let state = if round % 2 == 0 { "KO" } else { "OK" };
        let said = format!("\"sensor_{sensor}\":{}", state == "OK");
        let shown = thread::scope(|scope| {
            let heard = scope.spawn(|| {
                listener.wait_for("the message", |heard| {
                    let last = heard.iter().rfind(|heard| heard.topic == topic);
                    last.is_some_and(|last| String::from_utf8_lossy(&last.payload).contains(&said))
                });
                Instant::now()
            });
            boards.press(other, &sensor.to_string());
            pty.wait_for("the state", |seen| {
                told::row(&seen.text(), sensor).is_some_and(|row| row.state == state)
            });
            let shown = Instant::now();
            shown.saturating_duration_since(heard.join().expect("it comes"))
        });
        times.push(shown);
    }
    boards.give(node, pty);
    median(&mut times)
}

fn print(
    name: &str,
    (content, restored): (Duration, Duration),
    pty: &Pty,
    toggle: Option<usize>,
    screen: Option<Duration>,
) {
    // Of our own programs, nothing is to be sent; what is all the same is shown.
    let tell = toggle.is_some();
    if tell {
        // An alarm that is not acknowledged rings every 10 s.
        pty.press("a");
        pty.wait_for("no banner", |seen| !seen.shows("! sensor"));
    }
    let (before, mark) = (all_sleeps(pty.pid()), pty.mark());
    thread::sleep(IDLE);
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let wakes = (all_sleeps(pty.pid()) - before) as f64 / IDLE.as_secs_f64();
    let sent = pty.bytes_since(mark);
    let idle = sent.len();
    if tell && idle > 0 {
        println!("{name} sent while nothing changed: {}", sent.escape_ascii());
    }
    let dash = || "-".to_owned();
    println!(
        "{name:22}{:>9.1}{:>9.1}{:>9.1}{:>9.1}{:>8}{wakes:>10.1}{idle:>10}{:>9}{:>9}",
        milliseconds(content),
        milliseconds(restored),
        megabytes(pty, &["Rss"]),
        megabytes(pty, &["Private_Clean", "Private_Dirty"]),
        sleeps(pty.pid()).len(),
        toggle.map_or_else(dash, |bytes| bytes.to_string()),
        screen.map_or_else(dash, |time| format!("{:.1}", milliseconds(time))),
    );
}

fn megabytes(pty: &Pty, keys: &[&str]) -> f64 {
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", pty.pid())).expect("it runs");
    let sizes = rollup.lines().filter_map(|line| {
        let (key, size) = line.split_once(':')?;
        let size = size.trim().strip_suffix(" kB")?;
        keys.contains(&key).then(|| size.parse::<f64>().ok()).flatten()
    });
    sizes.sum::<f64>() / 1_000.0
}
