//! What more of something costs: displays, screens, toggles in an outage, bytes in a log.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::aims::Aims;
use crate::amounts::Amounts;
use crate::boards::{Boards, after, on_screen, state_after};
use crate::logs;
use crate::page::Page;
use crate::plot::Plot;
use crate::process::{CpuWatch, memory};
use crate::relay::{Relay, port_of};
use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::plain::PlainClient;
use crate::support::bench::{ALL, BROKERS, Bench, INITIAL, row, shows};
use crate::support::figures::milliseconds;
use crate::support::pty::Pty;
use crate::times::{NamedDurations, count, each, ms, ratio};

pub fn measure(page: &mut Page, _: &mut Aims, amounts: &Amounts) {
    page.heading("Growth");
    displays(page, amounts);
    screens(page, amounts);
    outages(page, amounts);
    logs::measure(page, amounts);
}

/// Between two keys.
pub const PAUSE: Duration = Duration::from_millis(20);

fn displays(page: &mut Page, amounts: &Amounts) {
    page.subheading("Displays at one broker");
    page.say(
        "A key on card 1, until the first display shows it and until the last one to start does. Each display is a program in a terminal of its own, on the same cores. \
         The peer is the bare relay with as many `mosquitto_sub` at broker 2, which write to nowhere; its figure is that of one more listener.",
    );
    let boards = Boards::start(false);
    let relay = Relay::bare(Bench::for_figures());
    let (mut more, mut tools) = (Vec::new(), Vec::new());
    let (mut rows, mut first_curve, mut last_curve, mut bare_curve) = (vec![], vec![], vec![], vec![]);
    for &number in amounts.displays {
        page.progress(&format!("{number} displays"));
        while more.len() + 1 < number {
            more.push(boards.bench.spawn(Display, &boards.bench.url(Display), &[]));
            tools.push(Tool::at(&relay.brokers.url(Broker2)));
        }
        for display in &more {
            display.wait_for("all live", |seen| shows(&seen.text(), INITIAL, &["LIVE"]));
        }
        thread::sleep(Duration::from_secs(1));
        // All of them draw each toggle, on few cores: until that is over, the relay would be slow too.
        let pause = PAUSE * u32::try_from(1 + number / 10).expect("few");
        let keys = amounts.growth_keys.min(2_000 / number);
        let brokers = [boards.bench.pid(Broker2), relay.brokers.pid(Broker2)];
        let mut times = NamedDurations::default();
        let watch = CpuWatch::of(&brokers);
        for press in 0..keys {
            thread::sleep(pause);
            let last = more.last().unwrap_or(&boards.display);
            for (name, time) in
                ["first", "last"]
                    .into_iter()
                    .zip(seen_on(&boards.card1, press, [&boards.display, last]))
            {
                times.add(name, time);
            }
            thread::sleep(pause);
            times.add("bare", relay.message(press));
        }
        let used = watch.used();
        let (first, last, bare) = (times.median("first"), times.median("last"), times.median("bare"));
        rows.push(vec![
            number.to_string(),
            keys.to_string(),
            format!("{} ({})", ms(first), ms(times.p99("first"))),
            format!("{} ({})", ms(last), ms(times.p99("last"))),
            format!("{} ({})", ms(bare), ms(times.p99("bare"))),
            ratio(first, bare),
            ratio(last, bare),
            format!("{} ({})", ms(each(used[0], keys)), ratio(used[0], used[1])),
            format!("{:.1} MB", memory(brokers[0]).0),
        ]);
        for (curve, time) in [
            (&mut first_curve, first),
            (&mut last_curve, last),
            (&mut bare_curve, bare),
        ] {
            curve.push((count(number), milliseconds(time)));
        }
    }
    page.table(
        &[
            "displays",
            "n",
            "first display, median (p99)",
            "last display",
            "bare relay",
            "ratio, first",
            "ratio, last",
            "broker 2, processor time a toggle (times that of the relay)",
            "broker 2, resident",
        ],
        &rows,
    );
    page.plot(
        "displays",
        &Plot {
            title: "From a key on card 1 to a display, with more displays at broker 2",
            x: "displays",
            y: "ms, median",
            log_x: true,
            log_y: true,
            curves: vec![
                ("first display".to_owned(), first_curve),
                ("last display".to_owned(), last_curve),
                ("bare relay, as many mosquitto_sub".to_owned(), bare_curve),
            ],
        },
    );
}

/// From key 1 on a screen to that state of sensor 1 on others.
pub fn seen_on(card: &Pty, press: usize, others: [&Pty; 2]) -> Vec<Duration> {
    let state = state_after(press);
    let waits = others.map(|screen| on_screen(screen, 1, state, &[]));
    let came = after(|| card.send("1"), waits.into());
    card.wait_for("it is confirmed", |seen| {
        row(&seen.text(), 1).is_some_and(|row| row.beside == "CONFIRMED")
    });
    came
}

/// A `mosquitto_sub` that writes to nowhere.
struct Tool(Child);

impl Tool {
    fn at(url: &str) -> Self {
        let tool = Command::new("mosquitto_sub")
            .args(["-p", &port_of(url), "-q", "2", "-t", "sensors/all"])
            .stdout(Stdio::null())
            .spawn();
        Self(tool.expect("mosquitto_sub"))
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn screens(page: &mut Page, amounts: &Amounts) {
    page.subheading("Screens at one owner");
    page.say(
        "A key on the owner of card 1, until its own screen shows it and until the last of the screens that are attached to it does. In turns with it, the key on that last screen, until it shows the \
         new state and until it shows CONFIRMED; these ratios are to the same on the owner's own screen.",
    );
    let boards = Boards::start(false);
    let mut more: Vec<Pty> = Vec::new();
    let mut least = None;
    let mut rows = Vec::new();
    for &number in amounts.screens {
        page.progress(&format!("{number} attached screens"));
        while more.len() < number {
            more.push(boards.bench.spawn(Card1, &boards.bench.url(Card1), &[]));
        }
        let last = more.last().expect("one at least");
        last.wait_for("all live", |seen| {
            shows(&seen.text(), INITIAL, &["LIVE", "CONFIRMED"])
        });
        let mut times = NamedDurations::default();
        let mut used = Duration::ZERO;
        for press in 0..amounts.growth_keys {
            thread::sleep(PAUSE);
            let watch = CpuWatch::of(&[boards.card1.pid()]);
            let confirmed: &[&str] = &["CONFIRMED"];
            let waits = vec![
                on_screen(&boards.card1, 1, state_after(2 * press), confirmed),
                on_screen(last, 1, state_after(2 * press), &[]),
            ];
            let came = after(|| boards.card1.send("1"), waits);
            for (name, time) in ["own", "own confirmed", "last"].into_iter().zip(came) {
                times.add(name, time);
            }
            thread::sleep(PAUSE);
            used += watch.used()[0];
            let waits = vec![on_screen(last, 1, state_after(2 * press + 1), confirmed)];
            let came = after(|| last.send("1"), waits);
            for (name, time) in ["there", "there confirmed"].into_iter().zip(came) {
                times.add(name, time);
            }
        }
        let there = |name, own| {
            let (there, own) = (times.median(name), times.median(own));
            format!("{} ({}), {}", ms(there), ms(times.p99(name)), ratio(there, own))
        };
        let used = each(used, amounts.growth_keys);
        rows.push(vec![
            number.to_string(),
            format!("{} ({})", ms(times.median("own")), ms(times.p99("own"))),
            format!("{} ({})", ms(times.median("last")), ms(times.p99("last"))),
            ratio(times.median("last"), times.median("own")),
            there("there", "own"),
            there("there confirmed", "own confirmed"),
            format!("{} ({})", ms(used), ratio(used, *least.get_or_insert(used))),
            format!("{:.1} MB", memory(boards.card1.pid()).0),
        ]);
    }
    page.table(
        &[
            "attached screens",
            "own screen, median (p99)",
            "last attached screen",
            "ratio",
            "a key there: the new state, ratio",
            "CONFIRMED, ratio",
            "owner, processor time a toggle (times the first row)",
            "owner, resident",
        ],
        &rows,
    );
}

fn outages(page: &mut Page, amounts: &Amounts) {
    page.subheading("Length of an outage");
    page.say(
        "The cable is cut, so many toggles are made on card 1, each SAVED before the next, and it is healed: until card 2 and the display show the last one, and until it is CONFIRMED. \
         \"Bridge alone\" has as many messages queued, from a client, until the last is at broker 2. A bridge tries again after 1 to 2 s, so a single try says little.",
    );
    let mut rows = Vec::new();
    for &toggles in amounts.outages {
        page.progress(&format!("{toggles} toggles in an outage"));
        let mut times = NamedDurations::default();
        for _ in 0..amounts.queued_starts.min(3) {
            let (ours, bare) = thread::scope(|scope| {
                let bare = scope.spawn(|| bridge_outage(toggles));
                (our_outage(toggles), bare.join().expect("it runs"))
            });
            times.add("shown", ours.0);
            times.add("confirmed", ours.1);
            times.add("bare", bare);
        }
        rows.push(vec![
            toggles.to_string(),
            ms(times.median("shown")),
            ms(times.median("confirmed")),
            ms(times.median("bare")),
            ratio(times.median("confirmed"), times.median("bare")),
            times.of("bare").map_or(0, |all| all.len()).to_string(),
        ]);
    }
    page.table(
        &[
            "toggles",
            "shown on board 2",
            "CONFIRMED",
            "bridge alone",
            "ratio",
            "n",
        ],
        &rows,
    );
}

fn our_outage(toggles: usize) -> (Duration, Duration) {
    let mut boards = Bench::with_cable_for_figures();
    boards.start_all(ALL);
    boards.wait_settled(INITIAL);
    boards.link.cut();
    // The last is a change in any case: another sensor.
    for press in 0..toggles {
        let is_last = press + 1 == toggles;
        let (sensor, key, state) = if is_last {
            (2, "2", "KO")
        } else {
            (1, "1", state_after(press))
        };
        let card1 = boards.pty(Card1);
        card1.send(key);
        card1.wait_for("it is saved", |seen| {
            row(&seen.text(), sensor).is_some_and(|row| row.state == state && row.beside == "SAVED")
        });
    }
    boards.link.heal();
    let healed = Instant::now();
    for node in [Card2, Display] {
        boards.pty(node).wait_for("the last toggle", |seen| {
            row(&seen.text(), 2).is_some_and(|row| row.state == "KO")
        });
    }
    let shown = healed.elapsed();
    boards.pty(Card1).wait_for("it is confirmed", |seen| {
        row(&seen.text(), 2).is_some_and(|row| row.beside == "CONFIRMED")
    });
    (shown, healed.elapsed())
}

fn bridge_outage(messages: usize) -> Duration {
    let mut boards = Bench::with_cable_for_figures();
    boards.start_all(BROKERS);
    let sender = PlainClient::stranger(&boards.url(Broker1));
    let listener = PlainClient::stranger(&boards.url(Broker2)).listen("sensors/card1");
    while listener.count("sensors/card1") == 0 {
        sender.say("sensors/card1", "first", true);
        thread::sleep(Duration::from_millis(50));
    }
    boards.link.cut();
    for number in 1..=messages {
        sender.say("sensors/card1", format!("queued {number}"), true);
    }
    let last = format!("queued {messages}");
    boards.link.heal();
    let healed = Instant::now();
    listener.wait_for("the last", |heard| {
        heard.iter().any(|heard| heard.payload == last.as_bytes())
    });
    healed.elapsed()
}
