//! What everything costs while nothing happens, or a toggle a minute.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use crate::aims::Aims;
use crate::amounts::Amounts;
use crate::boards::{Boards, PlainBoards, on_screen, state_after};
use crate::page::Page;
use crate::process::{memory, memory_by_kind, threads, wakes, written};
use crate::relay::Relay;
use crate::start::name_of;
use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::{ALL, Bench, INITIAL};
use crate::support::figures::sleeps;
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
    sleeps: Vec<(String, u64)>,
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
            sleeps: sleeps(pid),
            written: written(pid),
            mark: pty.map_or(0, Pty::mark),
        }
    }

    /// Counts from here on.
    fn begin(&mut self) {
        self.wakes = wakes(self.pid);
        self.sleeps = sleeps(self.pid);
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
    let kinds: Vec<_> = screens
        .iter()
        .map(|(name, pty)| memory_by_kind(pty.pid(), name))
        .collect();
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
    print_wakes(page, &watched[..3], seconds);
    for watched in &watched[..3] {
        note_aims(aims, watched, seconds);
    }
    print_memory(page, &kinds);
    print_changes(page, aims, &screens);
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

fn print_wakes(page: &mut Page, watched: &[WatchedProcess], seconds: f64) {
    page.subheading("Who is woken at rest");
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let rate = |before: u64, now: u64| two_digits((now - before) as f64 / seconds);
    let mut rows = Vec::new();
    for watched in watched {
        // A thread's name is cut by the kernel; the main thread has the program's.
        for ((name, before), (_, now)) in watched.sleeps.iter().zip(sleeps(watched.pid)) {
            let is_main = watched.name.starts_with(name.as_str());
            let thread = if is_main { "main thread" } else { name };
            rows.push(vec![watched.name.clone(), thread.to_owned(), rate(*before, now)]);
        }
    }
    page.table(&["", "thread", "wake-ups a second"], &rows);
}

fn print_memory(page: &mut Page, kinds: &[Vec<(&'static str, f64, f64)>]) {
    page.subheading("Where the memory is");
    page.say("Resident, and in brackets what of it is private, by `/proc/PID/smaps`. Each program runs once; of two copies the program's own file is private to none.");
    let rows: Vec<Vec<String>> = kinds[0]
        .iter()
        .enumerate()
        .map(|(place, (kind, _, _))| {
            let of = kinds.iter().map(|kinds| {
                let (_, resident, private) = kinds[place];
                format!("{resident:.2} MB ({private:.2})")
            });
            std::iter::once((*kind).to_owned()).chain(of).collect()
        })
        .collect();
    page.table(
        &["", "card1_monitor", "card2_monitor", "card2_global_display"],
        &rows,
    );
}

/// How many bytes go to the terminal for one change of a sensor, with all stages: of the own card on a
/// monitor, of card 1 on the display.
fn print_changes(page: &mut Page, aims: &mut Aims, screens: &[(&'static str, Pty); 3]) {
    page.subheading("Bytes for a change");
    page.say("What goes to the terminal (80x24) for one change of a sensor, its stages included: of the own card on a monitor, of card 1 on the display. The longest of 10.");
    let [(_, card1), (_, card2), (_, display)] = screens;
    let mut most = [0; 3];
    for press in 0..10 {
        let state = state_after(press);
        // The display's change is that of card 1.
        for (card, key, sensor, watched) in [
            (card1, "2", 2, [Some(0), Some(2)]),
            (card2, "5", 5, [Some(1), None]),
        ] {
            let marks = screens.each_ref().map(|(_, pty)| pty.mark());
            card.send(key);
            on_screen(card, sensor, state, &["CONFIRMED"])();
            on_screen(display, sensor, state, &["LIVE"])();
            // A picture may follow that only says that it is confirmed elsewhere as well.
            thread::sleep(Duration::from_secs(1));
            for place in watched.into_iter().flatten() {
                let bytes = screens[place].1.bytes_since(marks[place]).len();
                most[place] = most[place].max(bytes);
            }
        }
    }
    let rows: Vec<Vec<String>> = screens
        .iter()
        .zip(most)
        .map(|((name, _), bytes)| vec![(*name).to_owned(), bytes.to_string()])
        .collect();
    page.table(&["", "bytes"], &rows);
    for ((name, _), (bytes, aim)) in screens.iter().zip(most.into_iter().zip([400.0, 400.0, 256.0])) {
        aims.at_most(&format!("{name}: bytes for a change"), count(bytes), aim, "");
    }
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
