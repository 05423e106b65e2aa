//! Keys as fast as they are read.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::boards::PlainBoards;
use crate::page::Page;
use crate::process::{Cost, WorkWatch, cost_cells};
use crate::relay::{Relay, port_of};
use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::{ALL, Bench, INITIAL, States};
use crate::times::{ms, ratio, thousands};

/// Keys, each as soon as the one before has been read.
pub fn measure(page: &mut Page, keys: usize) {
    page.subheading(&format!(
        "{} toggles as fast as a terminal takes them",
        thousands(keys)
    ));
    page.say(
        "Keys 1 and 2 on card 1 in turn, each as soon as the program has read the one before, and at the end key 3. Plain Python gets all lines at once, and \
         `mosquitto_sub | mosquitto_pub` gets all messages from `mosquitto_pub -l`; they print no screens and keep no files. \"Until the last is everywhere\" \
         is counted from the first key: on all screens, with CONFIRMED or LIVE, and at both brokers.",
    );
    page.progress("keys as fast as they are read");
    let ours = our_burst(keys);
    page.progress("the same at the peers");
    let peers = [
        ("plain Python", python_burst(keys)),
        ("`mosquitto_sub | mosquitto_pub`", pipe_burst(keys)),
    ];
    let base = &peers[1].1;
    // Reader and writer together are the relay.
    let relay = base.costs[0].each + base.costs[1].each;
    let row = |name: &str, burst: &Burst| {
        let [used, memory] = cost_cells(&burst.costs, relay);
        vec![
            name.to_owned(),
            ms(burst.taken),
            ms(burst.all),
            ratio(burst.all, base.all),
            used,
            memory,
        ]
    };
    let mut rows = vec![row("the programs", &ours)];
    rows.extend(peers.iter().map(|(name, burst)| row(name, burst)));
    page.table(
        &[
            "",
            "until all keys are taken",
            "until the last is everywhere",
            "ratio",
            "processor time a toggle (times the relay of `mosquitto_sub` and `mosquitto_pub`)",
            "resident, before and after",
        ],
        &rows,
    );
}

struct Burst {
    taken: Duration,
    all: Duration,
    costs: Vec<Cost>,
}

fn our_burst(keys: usize) -> Burst {
    let mut boards = Bench::for_figures();
    boards.start_all(ALL);
    boards.wait_settled(INITIAL);
    let nodes = [
        ("card 1", Card1),
        ("card 2", Card2),
        ("display", Display),
        ("broker 1", Broker1),
        ("broker 2", Broker2),
    ];
    let watch = WorkWatch::of(&nodes.map(|(name, node)| (name, boards.pid(node))));
    let begun = Instant::now();
    let card1 = boards.pty(Card1);
    for press in 0..keys {
        card1.send(if press % 2 == 0 { "1" } else { "2" });
        card1.wait_until_keys_are_read();
    }
    card1.send("3");
    let taken = begun.elapsed();
    let mut states: States = INITIAL;
    for (place, presses) in [(0, keys.div_ceil(2)), (1, keys / 2), (2, 1)] {
        states[place] = if presses % 2 == 1 { "KO" } else { "OK" };
    }
    boards.wait_settled(states);
    Burst {
        taken,
        all: begun.elapsed(),
        costs: watch.costs(keys),
    }
}

fn python_burst(keys: usize) -> Burst {
    let plain = PlainBoards::start(false);
    thread::sleep(Duration::from_millis(500));
    plain.display.lines();
    let names = ["card 1", "card 2", "display", "broker 1", "broker 2"];
    let watch = WorkWatch::of(&std::array::from_fn::<_, 5, _>(|place| {
        (names[place], plain.pids()[place])
    }));
    let begun = Instant::now();
    for press in 0..keys {
        plain.card1.press(if press % 2 == 0 { 1 } else { 2 });
    }
    plain.card1.press(3);
    let taken = begun.elapsed();
    let mut seen = 0;
    // Each toggle is a line at the display.
    while seen <= keys && begun.elapsed() < Duration::from_secs(120) {
        seen += plain.display.lines();
        thread::sleep(Duration::from_millis(5));
    }
    Burst {
        taken,
        all: begun.elapsed(),
        costs: watch.costs(keys),
    }
}

fn pipe_burst(keys: usize) -> Burst {
    let relay = Relay::of_mosquitto(Bench::for_figures());
    let names = ["reader", "writer", "broker 1", "broker 2"];
    let watch = WorkWatch::of(&names.into_iter().zip(relay.pids()).collect::<Vec<_>>());
    let begun = Instant::now();
    let port = port_of(&relay.brokers.url(Broker1));
    let mut sender = Command::new("mosquitto_pub")
        .args([
            "-p",
            &port,
            "--nodelay",
            "-q",
            "2",
            "-r",
            "-l",
            "-t",
            "sensors/card1",
        ])
        .stdin(Stdio::piped())
        .spawn()
        .expect("mosquitto_pub");
    let mut lines = sender.stdin.take().expect("a pipe");
    let last = format!(r#"{{"sensor_1":true,"last":{keys}}}"#);
    for number in 0..keys {
        writeln!(lines, r#"{{"sensor_1":true,"burst":{number}}}"#).expect("it reads");
    }
    writeln!(lines, "{last}").expect("it reads");
    drop(lines);
    let taken = begun.elapsed();
    relay.listener.wait_for("the last", |heard| {
        heard.last().is_some_and(|heard| heard.payload == last.as_bytes())
    });
    let all = begun.elapsed();
    let _ = sender.wait();
    Burst {
        taken,
        all,
        costs: watch.costs(keys),
    }
}
