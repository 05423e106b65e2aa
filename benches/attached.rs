//! What it costs that the owner runs as a service, and its screen in another process.
//!
//! `cargo bench --bench attached [-- KEYS]`, 500 keys each unless told otherwise. Two pairs of boards run at
//! once. On one the owner of card 1 has a screen of its own. On the other one it is a service, and the screen
//! is attached to it by the socket in the state folder. They take turns, so what disturbs the machine
//! disturbs both.
#![allow(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use support::bench::Node::{Broker1, Card1};
use support::bench::process::{PipedProgram, command};
use support::bench::{Bench, INITIAL};
use support::figures::{all_sleeps, median, print_head, print_line, sleeps, wait_for_sensor_1};
use support::pty::Pty;

const KEYS: usize = 500;
/// How long they are watched while nothing changes.
const IDLE: Duration = Duration::from_secs(60);

fn main() {
    let words: Vec<String> = std::env::args().collect();
    // cargo adds `--bench`.
    let keys = words.iter().find_map(|word| word.parse().ok()).unwrap_or(KEYS);
    let mut own = Bench::running();
    let (mut with_service, service) = with_service();
    let (own_screen, attached) = (own.take(Card1), with_service.take(Card1));
    let mut times = [ScreenTimes::default(), ScreenTimes::default()];
    for press in 0..keys {
        let state = if press % 2 == 0 { "KO" } else { "OK" };
        // Who is first now was second before.
        let mut turns = [(&own_screen, 0), (&attached, 1)];
        turns.rotate_left(press % 2);
        for (screen, place) in turns {
            times[place].key(screen, state);
        }
    }
    print(times);
    own.give(Card1, own_screen);
    with_service.give(Card1, attached);
    print_idle(&mut own, &mut with_service, &service);
}

/// Boards on which the owner of card 1 is a service, and the screen of card 1 is attached to it.
fn with_service() -> (Bench, PipedProgram) {
    let mut boards = Bench::running();
    boards.end(Card1, Signal::TERM);
    let mut command = command(&boards, Card1, &["--service"]);
    let service = PipedProgram::spawn(command.stdout(Stdio::null()).stderr(Stdio::null()));
    service.wait_owner(&boards, Card1);
    boards.start(Card1);
    let of = format!("screen of process {}, service", service.id());
    boards
        .pty(Card1)
        .wait_for("whose screen it is", |seen| seen.shows(&of));
    boards.wait_settled(INITIAL);
    (boards, service)
}

/// Durations from the key.
#[derive(Default)]
struct ScreenTimes {
    shown: Vec<Duration>,
    confirmed: Vec<Duration>,
}

impl ScreenTimes {
    fn key(&mut self, screen: &Pty, state: &str) {
        let pressed = Instant::now();
        screen.send("1");
        wait_for_sensor_1(screen, state, |_| true);
        self.shown.push(pressed.elapsed());
        wait_for_sensor_1(screen, state, |beside| beside == "CONFIRMED");
        self.confirmed.push(pressed.elapsed());
    }
}

fn print([own, attached]: [ScreenTimes; 2]) {
    print_head();
    for (what, own, attached) in [
        ("key to the new state", own.shown, attached.shown),
        ("key to CONFIRMED", own.confirmed, attached.confirmed),
    ] {
        let mut base = own;
        let of = median(&mut base);
        for (whose, mut times) in [("own screen", base), ("attached", attached)] {
            print_line(&format!("{what}, {whose}"), &mut times, of);
        }
    }
    println!("The ratio is that of the medians, to the own screen in the same run.");
}

fn print_idle(own: &mut Bench, with_service: &mut Bench, service: &PipedProgram) {
    // What the last key has set going, on its way back and beyond, is no idleness.
    for boards in [&mut *own, &mut *with_service] {
        boards.wait_heartbeats(3, Card1, Broker1);
    }
    let service = Pid::from_raw(service.id().try_into().expect("a process")).expect("a process");
    let processes = [
        ("owner with its own screen", own.pid(Card1)),
        ("service", service),
        ("screen that is attached to it", with_service.pid(Card1)),
    ];
    let before = processes.map(|(_, process)| sleeps(process));
    let marks = [own.pty(Card1).mark(), with_service.pty(Card1).mark()];
    thread::sleep(IDLE);
    let sent = [
        own.pty(Card1).bytes_since(marks[0]),
        with_service.pty(Card1).bytes_since(marks[1]),
    ];
    println!("While nothing changes, for {} s:", IDLE.as_secs());
    for ((name, process), before) in processes.into_iter().zip(before) {
        let all: u64 = before.iter().map(|(_, count)| count).sum();
        print!(
            "{name:34}{:>6.1} wake-ups a second:",
            a_second(all_sleeps(process) - all)
        );
        for ((thread, count), (_, before)) in sleeps(process).into_iter().zip(before) {
            print!(" {thread} {:.1}", a_second(count - before));
        }
        println!();
    }
    for (name, sent) in [("own screen", &sent[0]), ("attached screen", &sent[1])] {
        println!("{name:34}{:>6} bytes sent {}", sent.len(), sent.escape_ascii());
    }
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn a_second(count: u64) -> f64 {
    count as f64 / IDLE.as_secs_f64()
}
