//! What everything costs while nothing happens, or a toggle a minute.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use crate::aims::Aims;
use crate::amounts::Amounts;
use crate::boards::{Boards, PlainBoards, on_screen, state_after};
use crate::page::Page;
use crate::process::{memory, threads, wakes, written};
use crate::relay::Relay;
use crate::start::name_of;
use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::{ALL, Bench, INITIAL};
use crate::support::pty::{Pty, Start};
use crate::times::{count, two_digits};

const DAY: f64 = 86_400.0;
const MINUTE: Duration = Duration::from_secs(60);

/// A process that is watched.
struct WatchedProcess<'a> {
    name: String,
    pid: Pid,
    /// Its terminal, if it has one.
    pty: Option<&'a Pty>,
    /// Resident and private, in MB.
    memory: (f64, f64),
    wakes: u64,
    written: u64,
    mark: usize,
}

/// What was seen of it.
struct RestSample {
    wakes: f64,
    written: f64,
    sent: Option<usize>,
}

impl<'a> WatchedProcess<'a> {
    fn new(name: &str, pid: Pid, pty: Option<&'a Pty>) -> Self {
        Self {
            name: name.to_owned(),
            pid,
            pty,
            memory: memory(pid),
            wakes: wakes(pid),
            written: written(pid),
            mark: pty.map_or(0, Pty::mark),
        }
    }

    /// Counts from here on.
    fn begin(&mut self) {
        self.wakes = wakes(self.pid);
        self.written = written(self.pid);
        self.mark = self.pty.map_or(0, Pty::mark);
    }

    #[expect(clippy::cast_precision_loss, reason = "some millions")]
    fn seen(&self) -> RestSample {
        RestSample {
            wakes: (wakes(self.pid) - self.wakes) as f64,
            written: (written(self.pid) - self.written) as f64,
            sent: self.pty.map(|pty| pty.bytes_since(self.mark).len()),
        }
    }
}

pub fn measure(page: &mut Page, aims: &mut Aims, amounts: &Amounts) {
    page.heading("Rest");
    page.progress("rest");
    let rest = amounts.rest;
    page.say(&format!(
        "Watched for {} s, all of them side by side. Bytes written are those that the kernel counts on their way to the disk (`write_bytes` in `/proc/PID/io`), a day's are extrapolated from that. \
         With a toggle a minute: what a toggle has written more than rest, 1,440 times, and rest. A MB is a thousand of the kB that `/proc` counts.{}",
        rest.as_secs(),
        if rest < MINUTE { " **That is shorter than the brokers' autosave of 60 s, so what they write is not in it.**" } else { "" },
    ));
    // Memory is looked at while no other copy of a program runs: what two copies share counts as private to
    // none.
    let mut cable = Bench::with_cable_for_figures();
    cable.start_all(ALL);
    cable.wait_settled(INITIAL);
    cable.wait_heartbeats(3, Card1, Broker2);
    let brokers = [("broker 1", Broker1), ("broker 2", Broker2)].map(|(name, node)| (name, cable.pid(node)));
    let screens = [Card1, Card2, Display].map(|node| (name_of(node), cable.take(node)));
    let mut watched: Vec<WatchedProcess> = screens
        .iter()
        .map(|(name, pty)| WatchedProcess::new(name, pty.pid(), Some(pty)))
        .collect();
    watched.extend(brokers.map(|(name, pid)| WatchedProcess::new(name, pid, None)));
    let plain = PlainBoards::start(false);
    let names = [
        "plain Python, card 1",
        "plain Python, card 2",
        "plain Python, display",
        "plain Python, broker 1",
        "plain Python, broker 2",
    ];
    watched.extend(
        names
            .iter()
            .zip(plain.pids())
            .map(|(name, pid)| WatchedProcess::new(name, pid, None)),
    );
    let pipe = Relay::of_mosquitto(Bench::for_figures());
    let names = ["`mosquitto_sub`", "`mosquitto_pub`"];
    watched.extend(
        names
            .iter()
            .zip(pipe.pids())
            .map(|(name, pid)| WatchedProcess::new(name, pid, None)),
    );
    let mqttui = mqttui(&plain.bench.url(Broker2));
    watched.extend(
        mqttui
            .iter()
            .map(|pty| WatchedProcess::new("mqttui", pty.pid(), Some(pty))),
    );
    let busy = Boards::start(false);
    // What the start has set going is no rest.
    cable.wait_heartbeats(3, Card1, Broker2);
    watched.iter_mut().for_each(WatchedProcess::begin);
    let toggled: Vec<WatchedProcess> = busy
        .pids()
        .into_iter()
        .map(|pid| WatchedProcess::new("", pid, None))
        .collect();

    let bridge = cable.link.bytes();
    let toggles = toggle_now_and_then(&busy, rest);
    let crossed = cable.link.bytes();
    let seconds = rest.as_secs_f64();
    let busy_written: Vec<f64> = toggled.iter().map(|watched| watched.seen().written).collect();
    print(page, &watched, seconds, &busy_written, toggles);
    for watched in &watched[..3] {
        note_aims(aims, watched, seconds);
    }
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let rate = [0, 1].map(|way| (crossed[way] - bridge[way]) as f64 / seconds);
    page.subheading("Heartbeats on the bridge");
    page.say(&format!(
        "At rest, {:.0} bytes a second cross the cable from board 2 to board 1 and {:.0} back: MQTT, without the headers of TCP and IP. That is {:.0} MB a day, of heartbeats, uptimes and what keeps the connections alive.",
        rate[0],
        rate[1],
        (rate[0] + rate[1]) * DAY / 1e6
    ));
}

fn print(page: &mut Page, watched: &[WatchedProcess], seconds: f64, busy_written: &[f64], toggles: usize) {
    let rows: Vec<Vec<String>> = watched
        .iter()
        .enumerate()
        .map(|(place, watched)| {
            row(
                watched,
                seconds,
                busy_written.get(place).map(|all| (*all, toggles)),
            )
        })
        .collect();
    page.table(
        &[
            "",
            "resident",
            "private",
            "threads",
            "wake-ups a second",
            "bytes on the terminal",
            "written a day, at rest",
            "written a day, a toggle a minute",
        ],
        &rows,
    );
    page.say(&format!(
        "Toggles made meanwhile on card 1 of other boards: {toggles}. Threads: in brackets, those of the MQTT library among them. Private memory was looked at before a second copy of a program was \
         started, since what two copies share is private to none; the three Python programs share theirs.",
    ));
}

fn mqttui(url: &str) -> Option<Pty> {
    Command::new("mqttui").arg("--version").output().ok()?;
    let pty = Start::program(["mqttui", "--broker", url])
        .env("LC_ALL", "C.UTF-8")
        .spawn();
    pty.wait_for("the retained state", |seen| seen.shows("sensors"));
    Some(pty)
}

/// A toggle each minute, and one at least; returns after that time.
fn toggle_now_and_then(boards: &Boards, time: Duration) -> usize {
    let begun = Instant::now();
    let mut toggles = 0;
    while begun.elapsed() < time {
        boards.card1.send("1");
        on_screen(&boards.card1, 1, state_after(toggles), &["CONFIRMED"])();
        toggles += 1;
        let next = MINUTE * u32::try_from(toggles).expect("few");
        thread::sleep(next.min(time).saturating_sub(begun.elapsed()));
    }
    toggles
}

fn row(watched: &WatchedProcess, seconds: f64, busy: Option<(f64, usize)>) -> Vec<String> {
    let seen = watched.seen();
    let (resident, private) = watched.memory;
    let (all, library) = threads(watched.pid);
    let rest = seen.written * DAY / seconds;
    let busy =
        busy.map(|(written, toggles)| rest + (written - seen.written).max(0.0) / count(toggles) * 1_440.0);
    vec![
        watched.name.clone(),
        format!("{resident:.1} MB"),
        format!("{private:.1} MB"),
        if library > 0 {
            format!("{all} ({library})")
        } else {
            all.to_string()
        },
        two_digits(seen.wakes / seconds),
        seen.sent.map_or_else(String::new, |sent| sent.to_string()),
        bytes(rest),
        busy.map_or_else(String::new, bytes),
    ]
}

fn bytes(count: f64) -> String {
    match count {
        1e6.. => format!("{:.1} MB", count / 1e6),
        1e3.. => format!("{:.0} kB", count / 1e3),
        _ => format!("{count:.0}"),
    }
}

fn note_aims(aims: &mut Aims, watched: &WatchedProcess, seconds: f64) {
    let seen = watched.seen();
    let (resident, private) = watched.memory;
    let (all, library) = threads(watched.pid);
    let name = &watched.name;
    aims.at_most(&format!("{name}: resident"), resident, 8.0, " MB");
    aims.at_most(&format!("{name}: private"), private, 2.5, " MB");
    aims.at_most(
        &format!("{name}: threads of its own"),
        count(all - library),
        4.0,
        "",
    );
    aims.at_most(
        &format!("{name}: wake-ups a second"),
        seen.wakes / seconds,
        3.0,
        "",
    );
    aims.at_most(
        &format!("{name}: bytes on the terminal at rest"),
        count(seen.sent.unwrap_or(0)),
        0.0,
        "",
    );
}
