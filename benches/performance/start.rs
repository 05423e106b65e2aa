//! From the start of a program to what it shows.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::aims::Aims;
use crate::amounts::Amounts;
use crate::boards::{PlainBoards, in_line, state_after, states_with};
use crate::page::Page;
use crate::relay::port_of;
use crate::support::bench::Node::{Broker2, Card1, Card2, Display};
use crate::support::bench::{ALL, Bench, INITIAL, Node, PROGRAMS, row};
use crate::support::pty::{Pty, Start};
use crate::support::python::Python;
use crate::times::{NamedDurations, ms, ratio};

/// The base of all ratios here.
const FLOOR: &str = "`mosquitto_sub -C 1`: exec to the retained message";

pub fn measure(page: &mut Page, _: &mut Aims, amounts: &Amounts) {
    page.heading("Start");
    page.say(
        "From exec to the first content on the screen, to all six sensors with a state, and to the last state of the sensor that was toggled meanwhile. The ratio is \
         that of the medians, to `mosquitto_sub -C 1`, which connects to broker 2, subscribes to `sensors/all` and ends with the message. \"Queued\": so many toggles of the other card were \
         made while the program was away, one after the other. A program is started through `setsid` and `env`, which make its terminal; they are in the time. A display has no queue: it reads what is retained.",
    );
    let mut boards = Bench::for_figures();
    boards.start_all(ALL);
    boards.wait_settled(INITIAL);
    let mut times = NamedDurations::default();
    for _ in 0..amounts.starts {
        times.add(FLOOR, floor(&boards));
        for node in PROGRAMS {
            for (how, signal) in [("", Signal::TERM), (" after `kill -9`", Signal::KILL)] {
                boards.end(node, signal);
                start(&mut boards, node, how, None, &mut times);
            }
        }
    }
    for &queued in amounts.queues {
        page.progress(&format!("{queued} queued messages"));
        for _ in 0..amounts.queued_starts {
            // A display has no queue; one toggle shows as much as a thousand.
            for node in PROGRAMS
                .into_iter()
                .filter(|node| *node != Display || queued == 1)
            {
                after_toggles(&mut boards, node, queued, &mut times);
            }
        }
    }
    drop(boards);
    page.progress("the peers' starts");
    plain_starts(amounts, &mut times);
    mqttui(amounts, &mut times);
    let base = times.median(FLOOR);
    page.table(&["", "median", "longest", "n", "ratio"], &rows(&times, base));
}

fn rows(times: &NamedDurations, base: Duration) -> Vec<Vec<String>> {
    let row = |name: &String| {
        let all = times.of(name).expect("measured");
        let longest = all[all.len() - 1];
        let middle = times.median(name);
        vec![
            name.clone(),
            ms(middle),
            ms(longest),
            all.len().to_string(),
            ratio(middle, base),
        ]
    };
    times.names().map(row).collect()
}

pub fn name_of(node: Node) -> &'static str {
    match node {
        Card1 => "card1_monitor",
        Card2 => "card2_monitor",
        _ => "card2_global_display",
    }
}

/// Starts a program that has ended. `last` is a sensor and its state, for which is waited too.
fn start(boards: &mut Bench, node: Node, how: &str, last: Option<(u8, &str)>, times: &mut NamedDurations) {
    let begun = Instant::now();
    boards.start(node);
    let pty = boards.pty(node);
    pty.wait_for("content", |seen| !seen.text().trim().is_empty());
    let content = begun.elapsed();
    pty.wait_for("all six", |seen| all_known(&seen.text()));
    let restored = begun.elapsed();
    let name = name_of(node);
    if let Some((sensor, state)) = last {
        wait_state(pty, sensor, state);
        times.add(&format!("{name}{how}: the last state"), begun.elapsed());
    } else {
        times.add(&format!("{name}{how}: first content"), content);
        times.add(&format!("{name}{how}: all six sensors"), restored);
    }
    // It has to have read all that its broker had in store before it ends again.
    boards.wait_ready(node);
}

fn all_known(text: &str) -> bool {
    (1..=6).all(|sensor| row(text, sensor).is_some_and(|row| row.state != "UNKNOWN"))
}

fn wait_state(pty: &Pty, sensor: u8, state: &str) {
    pty.wait_for(state, |seen| {
        row(&seen.text(), sensor).is_some_and(|row| row.state == state)
    });
}

/// Ends a program, toggles a sensor of the other card so many times, and starts it again.
fn after_toggles(boards: &mut Bench, node: Node, toggles: usize, times: &mut NamedDurations) {
    let (presser, sensor, key) = if node == Card1 {
        (Card2, 5, "5")
    } else {
        (Card1, 2, "2")
    };
    boards.end(node, Signal::KILL);
    let before = boards.row(presser, sensor).expect("its row").state == "OK";
    let state = |press: usize| state_after(press + usize::from(!before));
    for press in 0..toggles {
        let pty = boards.pty(presser);
        pty.send(key);
        // Each is a message of its own only if the broker has the one before.
        pty.wait_for("it is saved", |seen| {
            row(&seen.text(), sensor).is_some_and(|row| row.state == state(press) && row.beside != "SENDING")
        });
    }
    let how = format!(", {toggles} queued");
    start(boards, node, &how, Some((sensor, state(toggles - 1))), times);
}

/// What anything at all takes: Mosquitto's own client, from exec to the message.
fn floor(boards: &Bench) -> Duration {
    let port = port_of(&boards.url(Broker2));
    let begun = Instant::now();
    let status = Command::new("mosquitto_sub")
        .args(["-p", &port, "-q", "2", "-t", "sensors/all", "-C", "1"])
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("mosquitto_sub").success(), "nothing is retained");
    begun.elapsed()
}

fn plain_starts(amounts: &Amounts, times: &mut NamedDurations) {
    let mut plain = PlainBoards::start(false);
    let mut state = "OK";
    let queues = amounts
        .queues
        .iter()
        .map(|queued| (*queued, amounts.queued_starts));
    let waits: Vec<_> = std::iter::once((0, amounts.starts)).chain(queues).collect();
    for (queued, starts) in waits {
        for _ in 0..starts {
            // Its session stays at the broker, as that of a monitor does.
            plain.display.kill();
            for _ in 0..queued {
                state = if state == "OK" { "KO" } else { "OK" };
                plain.card2.press(5);
                in_line(&plain.card2, states_with(5, state))();
            }
            // It hands them over later. Card 1's program hears each of them too.
            while queued > 0 && plain.card1.lines() > 0 {
                thread::sleep(Duration::from_millis(500));
            }
            let begun = Instant::now();
            plain.display = Python::start(&plain.bench, Display);
            in_line(&plain.display, states_with(5, state))();
            let name = match queued {
                0 => "plain Python display: first line with all six sensors".to_owned(),
                _ => format!("plain Python display, {queued} queued: the last state"),
            };
            times.add(&name, begun.elapsed());
        }
    }
}

/// It shows a tree of topics.
fn mqttui(amounts: &Amounts, times: &mut NamedDurations) {
    if Command::new("mqttui").arg("--version").output().is_err() {
        return;
    }
    let plain = PlainBoards::start(false);
    for _ in 0..amounts.starts {
        let begun = Instant::now();
        let url = plain.bench.url(Broker2);
        let pty = Start::program(["mqttui", "--broker", &url])
            .env("LC_ALL", "C.UTF-8")
            .spawn();
        pty.wait_for("content", |seen| !seen.text().trim().is_empty());
        times.add("mqttui: first content", begun.elapsed());
        pty.wait_for("the retained state", |seen| seen.shows("sensors"));
        times.add("mqttui: the topics of the sensors", begun.elapsed());
    }
}
