//! Who takes a flood of messages: the programs, Mosquitto's own client, the plain programs.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::boards::{LIMIT, PlainBoards, states_with};
use crate::flood::{Flood, FloodReport, RATE, stamp, stamped};
use crate::process::{Cost, WorkWatch};
use crate::relay::port_of;
use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::plain::PlainClient;
use crate::support::bench::{ALL, BROKERS, Bench, INITIAL, Node, States};
use crate::support::python::Python;
use crate::times::count;

/// What a flood did to who had to take it.
pub struct Taken {
    pub name: &'static str,
    pub rate: f64,
    /// When it was looked at, and how old was then what was shown.
    pub ages: Vec<(Duration, Duration)>,
    /// Until the last state was everywhere, or where it was not.
    pub last: Result<Duration, String>,
    /// What each process used for a message, and its memory before and after.
    pub costs: Vec<Cost>,
}

/// Which program is replaced by the sender, which sensor it toggles, and at which broker it is.
fn replaced(topic: &str) -> (Node, u8, Node) {
    if topic == "sensors/all" {
        (Card2, 4, Broker2)
    } else {
        (Card1, 1, Broker1)
    }
}

pub fn our_flood(topic: &'static str, time: Duration) -> Taken {
    let (program, sensor, broker) = replaced(topic);
    let mut boards = Bench::for_figures();
    boards.start_all(ALL);
    boards.wait_settled(INITIAL);
    let held = |topic| boards.retained(broker, topic).expect("it is retained");
    let report = FloodReport::after(&held(topic), sensor);
    // Card 2's owner says each toggle on a topic of its own as well. The last one does so here.
    let own = (program == Card2).then(|| FloodReport::after(&held("sensors/card2"), sensor));
    boards.end(program, Signal::TERM);
    let other = if program == Card2 { Card1 } else { Card2 };
    let nodes = [
        (other, if other == Card1 { "card 1" } else { "card 2" }),
        (Display, "display"),
        (Broker1, "broker 1"),
        (Broker2, "broker 2"),
    ];
    let pids = nodes.map(|(node, name)| (name, boards.pid(node)));
    let age = |now: Duration, _: u64| {
        let then = stamped(after_word(&boards.text(Display), &format!("Sensor {sensor}")))?;
        Some(now.saturating_sub(then))
    };
    let (rate, ages, costs, mut flood, number) =
        flooded(&boards.url(broker), topic, time, &report, &pids, &age);
    if let Some(own) = own {
        let last = own.message(last_after(number), LAST);
        flood.say("sensors/card2", &last);
    }
    let last = say_last(&mut flood, topic, &report, number, |state| {
        let text = format!("\"sensor_{sensor}\":{}", state == "OK");
        let held = |broker| {
            let held = boards.retained(broker, "sensors/all").unwrap_or_default();
            let held = String::from_utf8_lossy(&held).into_owned();
            held.contains(&text) && held.contains(LAST)
        };
        let on = |node| {
            after_word(&boards.text(node), &format!("Sensor {sensor}")).contains(LAST)
                && boards.row(node, sensor).is_some_and(|row| row.state == state)
        };
        let is_there = |node| {
            if BROKERS.contains(&node) {
                held(node)
            } else {
                on(node)
            }
        };
        let missing = nodes.iter().filter(|(node, _)| !is_there(*node));
        missing.map(|(_, name)| *name).collect()
    });
    Taken {
        name: "the programs",
        rate,
        ages,
        last,
        costs,
    }
}

/// The name in the last message.
const LAST: &str = "the last one";

fn after_word<'a>(text: &'a str, word: &str) -> &'a str {
    let rest = text.split_once(word).map_or("", |(_, rest)| rest);
    rest.lines().next().unwrap_or_default()
}

/// Rate, ages, what it cost each process, the sender, and the number of the last message.
type Flooded = (f64, Vec<(Duration, Duration)>, Vec<Cost>, Flood, u64);

fn flooded(
    url: &str,
    topic: &str,
    time: Duration,
    report: &FloodReport,
    pids: &[(&'static str, Pid)],
    age: &(dyn Fn(Duration, u64) -> Option<Duration> + Sync),
) -> Flooded {
    let mut flood = Flood::connect(url);
    let (sent, ends) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut watch = WorkWatch::of(pids);
    let begun = Instant::now();
    let (took, ages) = thread::scope(|scope| {
        let watch = &mut watch;
        let looking = scope.spawn(|| {
            let mut ages = Vec::new();
            while !ends.load(Ordering::Relaxed) {
                let now = begun.elapsed();
                ages.extend(age(now, sent.load(Ordering::Relaxed)).map(|age| (now, age)));
                if now > time / 2 {
                    watch.is_half_way();
                }
                thread::sleep(Duration::from_millis(20));
            }
            ages
        });
        let took = flood.send(topic, time, begun, report, &sent);
        ends.store(true, Ordering::Relaxed);
        (took, looking.join().expect("it looks"))
    });
    let sent = sent.load(Ordering::Relaxed);
    let messages = usize::try_from(sent).expect("some millions");
    let rate = count(messages) / took.as_secs_f64();
    (rate, ages, watch.costs(messages), flood, sent)
}

/// The number of the last message: an odd one is KO.
fn last_after(number: u64) -> u64 {
    number + 1 + number % 2
}

/// Says the last state with `QoS` 2, and waits until it is everywhere.
fn say_last(
    flood: &mut Flood,
    topic: &str,
    report: &FloodReport,
    number: u64,
    missing: impl Fn(&str) -> Vec<&'static str>,
) -> Result<Duration, String> {
    let begun = Instant::now();
    flood.say(topic, &report.message(last_after(number), LAST));
    loop {
        let places = missing("KO");
        if places.is_empty() {
            return Ok(begun.elapsed());
        }
        if begun.elapsed() > LIMIT {
            return Err(places.join(", "));
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// A report in the plain programs' world: it has versions, which they pass over.
fn plain_report(sensor: u8) -> FloodReport {
    let states =
        r#""sensor_1":true,"sensor_2":true,"sensor_3":true,"sensor_4":true,"sensor_5":true,"sensor_6":true"#;
    let versions: Vec<String> = (1..=6)
        .map(|sensor| format!("\"sensor_{sensor}\":[19637730,3735928559]"))
        .collect();
    let text = format!(r#"{{{states},"versions":{{{}}}}}"#, versions.join(","));
    FloodReport::after(text.as_bytes(), sensor)
}

/// What a program prints, line by line.
struct Printing {
    child: Child,
    line: Arc<Mutex<String>>,
}

impl Printing {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("mosquitto_sub");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let line = Arc::new(Mutex::new(String::new()));
        let its = Arc::clone(&line);
        let reading = thread::Builder::new().name("lines".into());
        let reading = reading.spawn(move || {
            for read in output.lines().map_while(Result::ok) {
                *its.lock().expect("no thread panics here") = read;
            }
        });
        reading.expect("a thread");
        Self { child, line }
    }

    fn last(&self) -> String {
        self.line.lock().expect("no thread panics here").clone()
    }
}

impl Drop for Printing {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

pub fn tool_flood(topic: &'static str, time: Duration) -> Taken {
    let (_, sensor, broker) = replaced(topic);
    let mut boards = Bench::for_figures();
    boards.start_all(BROKERS);
    let report = plain_report(sensor);
    let port = port_of(&boards.url(Broker2));
    let tool = Printing::start(Command::new("mosquitto_sub").args([
        "-p",
        &port,
        "--nodelay",
        "-q",
        "2",
        "-t",
        topic,
    ]));
    wait_through(&boards, broker, topic, &report, || !tool.last().is_empty());
    let pids = [
        ("mosquitto_sub", Pid::from_child(&tool.child)),
        ("broker 1", boards.pid(Broker1)),
        ("broker 2", boards.pid(Broker2)),
    ];
    let age = |now: Duration, _: u64| Some(now.saturating_sub(stamped(&tool.last())?));
    let (rate, ages, costs, mut flood, number) =
        flooded(&boards.url(broker), topic, time, &report, &pids, &age);
    let last = say_last(&mut flood, topic, &report, number, |_| {
        let is_there = tool.last().contains(LAST);
        if is_there { vec![] } else { vec!["mosquitto_sub"] }
    });
    Taken {
        name: "`mosquitto_sub`",
        rate,
        ages,
        last,
        costs,
    }
}

/// Until the bridge and whoever reads are there.
fn wait_through(
    boards: &Bench,
    broker: Node,
    topic: &str,
    report: &FloodReport,
    is_there: impl Fn() -> bool,
) {
    let sender = PlainClient::stranger(&boards.url(broker));
    while !is_there() {
        sender.say(topic, report.message(0, &stamp(Duration::ZERO)), true);
        thread::sleep(Duration::from_millis(100));
    }
}

pub fn python_flood(topic: &'static str, time: Duration) -> Taken {
    let (program, sensor, broker) = replaced(topic);
    let mut plain = PlainBoards::start(false);
    if program == Card2 {
        plain.card2.kill();
    } else {
        plain.card1.kill();
    }
    let report = plain_report(sensor);
    thread::sleep(Duration::from_millis(500));
    plain.display.lines();
    let mut pids = vec![
        ("display", plain.display.pid()),
        ("broker 1", plain.bench.pid(Broker1)),
        ("broker 2", plain.bench.pid(Broker2)),
    ];
    if program == Card1 {
        pids.insert(0, ("card 2", plain.card2.pid()));
    }
    // A line for each message: so many are missing, at so many a second.
    let lines = AtomicU64::new(0);
    let age = |_: Duration, sent: u64| {
        let new = plain.display.lines() as u64;
        let all = lines.fetch_add(new, Ordering::Relaxed) + new;
        Some(Duration::from_secs(sent.saturating_sub(all)) / RATE)
    };
    let (rate, ages, costs, mut flood, number) =
        flooded(&plain.bench.url(broker), topic, time, &report, &pids, &age);
    let begun = Instant::now();
    flood.say(topic, &report.message(last_after(number), LAST));
    let last = last_line(&plain.display, states_with(sensor, "KO"), begun);
    Taken {
        name: "plain Python",
        rate,
        ages,
        last,
        costs,
    }
}

/// When the last line came, if it said these states. They came often before, so it is the last one only when
/// no other follows any more.
fn last_line(display: &Python, states: States, begun: Instant) -> Result<Duration, String> {
    let mut last = begun;
    while begun.elapsed() < LIMIT {
        if display.lines() > 0 {
            last = Instant::now();
        } else if last.elapsed() > Duration::from_secs(2) {
            return display
                .says_within(states, Duration::from_millis(1))
                .then(|| last - begun)
                .ok_or("display".to_owned());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Err("display".to_owned())
}
