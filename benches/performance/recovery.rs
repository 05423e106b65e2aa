//! From the end of a fault to agreement.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::aims::Aims;
use crate::amounts::Amounts;
use crate::boards::{PlainBoards, states_with};
use crate::page::Page;
use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::plain::PlainClient;
use crate::support::bench::{ALL, BROKERS, Bench, INITIAL, Node, PROGRAMS, States, row, says, shows};
use crate::support::python::Python;
use crate::times::{NamedDurations, ms, ratio};

/// How long a fault lasts: longer than a bridge needs to see that its connection has ended.
const FAULT: Duration = Duration::from_secs(3);
/// After that it counts as not agreed.
const LIMIT: Duration = Duration::from_secs(20);

/// What goes wrong.
#[derive(Clone, Copy)]
enum Outage {
    /// The cable between the boards: connections end, or everything is swallowed without a word.
    Cut,
    Swallowed,
    /// These are ended by a signal, and started again.
    Ends(&'static [Node], Signal),
}

const FAULTS: [(&str, Outage); 9] = [
    ("bridge cable cut and healed", Outage::Cut),
    ("bridge cable silent and healed", Outage::Swallowed),
    ("broker 1 restarted", Outage::Ends(&[Broker1], Signal::TERM)),
    (
        "broker 1 killed (`-9`) and started",
        Outage::Ends(&[Broker1], Signal::KILL),
    ),
    ("broker 2 restarted", Outage::Ends(&[Broker2], Signal::TERM)),
    (
        "card 1's program killed (`-9`) and started",
        Outage::Ends(&[Card1], Signal::KILL),
    ),
    (
        "card 2's program killed (`-9`) and started",
        Outage::Ends(&[Card2], Signal::KILL),
    ),
    (
        "display killed (`-9`) and started",
        Outage::Ends(&[Display], Signal::KILL),
    ),
    (
        "everything killed (`-9`) and started",
        Outage::Ends(&ALL, Signal::KILL),
    ),
];

/// Of a quick run.
const QUICK: [usize; 2] = [0, 6];

pub fn measure(page: &mut Page, _: &mut Aims, amounts: &Amounts) {
    page.heading("Recovery");
    page.say(&format!(
        "Each fault lasts {} s. Meanwhile a key is pressed on a card whose program runs. Measured from the moment at which the cable is healed, or at which the last process has been \
         started again (a broker answers by then): until all screens show all states, and until all of them are LIVE or CONFIRMED as well and both brokers hold them. \
         \"Bridge alone\" is the same fault on two brokers with nothing else: until a message that is published at broker 1 after the fault began is at broker 2. \
         It stays empty where no broker and no cable is at fault.",
        FAULT.as_secs()
    ));
    let mut rows = Vec::new();
    for (place, (name, fault)) in FAULTS.into_iter().enumerate() {
        if amounts.is_quick && !QUICK.contains(&place) {
            continue;
        }
        page.progress(name);
        rows.push(fault_row(name, fault, amounts.faults));
    }
    page.table(
        &[
            "fault",
            "states right",
            "times plain Python",
            "live and confirmed",
            "times the bridge alone",
            "bridge alone",
            "plain Python, states right",
            "n",
        ],
        &rows,
    );
    page.say(
        "Medians, and in brackets the longest; ratios are of medians. A bridge tries again after 1 to 2 s, and a silent cable is noticed after 7.5 s. A value counts as LIVE only after two heartbeats in step, which are 2 s apart. \
         Where the plain programs do not agree within 20 s, it is said how often.",
    );
}

fn fault_row(name: &str, fault: Outage, tries: usize) -> Vec<String> {
    let mut times = NamedDurations::default();
    let mut agreed = 0;
    for _ in 0..tries {
        // Nearly all of it is waiting, so they run side by side.
        let (ours, bare, plain) = thread::scope(|scope| {
            let bare = scope.spawn(|| is_of_brokers(fault).then(|| bridge_alone(fault)));
            let plain = scope.spawn(|| plain_programs(fault));
            (
                programs(fault),
                bare.join().expect("it runs"),
                plain.join().expect("it runs"),
            )
        });
        times.add("states", ours.0);
        times.add("live", ours.1);
        if let Some(bare) = bare {
            times.add("bare", bare);
        }
        if let Some(plain) = plain {
            agreed += 1;
            times.add("plain", plain);
        }
    }
    let cell = |what: &str| match times.of(what) {
        Some(all) => format!("{} ({})", ms(times.median(what)), ms(all[all.len() - 1])),
        None => String::new(),
    };
    let missing = match tries - agreed {
        0 => String::new(),
        count => format!(
            "{}**not in {count} of {tries}**",
            if agreed > 0 { "; " } else { "" }
        ),
    };
    let to = |what: &str, base: &str| match times.of(base) {
        Some(_) => ratio(times.median(what), times.median(base)),
        None => String::new(),
    };
    vec![
        name.to_owned(),
        cell("states"),
        to("states", "plain"),
        cell("live"),
        to("live", "bare"),
        cell("bare"),
        format!("{}{missing}", cell("plain")),
        tries.to_string(),
    ]
}

/// Whether it is a fault of the bridge or of a broker.
fn is_of_brokers(fault: Outage) -> bool {
    match fault {
        Outage::Cut | Outage::Swallowed => true,
        Outage::Ends(nodes, _) => nodes.iter().any(|node| BROKERS.contains(node)),
    }
}

/// The card on which a key is pressed during the fault, and its sensor.
fn presser(fault: Outage) -> Option<(Node, u8)> {
    match fault {
        Outage::Ends(nodes, _) if nodes.len() == ALL.len() => None,
        Outage::Ends([Card1], _) => Some((Card2, 5)),
        _ => Some((Card1, 2)),
    }
}

fn programs(fault: Outage) -> (Duration, Duration) {
    let mut boards = Bench::with_cable_for_figures();
    boards.start_all(ALL);
    boards.wait_settled(INITIAL);
    begin(&mut boards, fault, Bench::end);
    let mut states = INITIAL;
    if let Some((node, sensor)) = presser(fault) {
        boards.press(node, &sensor.to_string());
        states = states_with(sensor, "KO");
    }
    thread::sleep(FAULT);
    end(&mut boards, fault, Bench::start);
    let healed = Instant::now();
    wait_screens(&boards, states, false);
    let right = healed.elapsed();
    wait_screens(&boards, states, true);
    for broker in BROKERS {
        while !boards
            .retained(broker, "sensors/all")
            .is_some_and(|it| says(&it, states, "sensors/all"))
        {
            thread::sleep(Duration::from_millis(10));
        }
    }
    (right, healed.elapsed())
}

fn wait_screens(boards: &Bench, states: States, is_live: bool) {
    let begun = Instant::now();
    let is_right = |node| {
        let text = boards.text(node);
        if is_live {
            shows(&text, states, &["LIVE", "CONFIRMED"])
        } else {
            (1..=6)
                .zip(states)
                .all(|(sensor, state)| row(&text, sensor).is_some_and(|row| row.state == state))
        }
    };
    while !PROGRAMS.into_iter().all(is_right) {
        assert!(begun.elapsed() < 3 * LIMIT, "the boards do not agree");
        thread::sleep(Duration::from_millis(5));
    }
}

fn begin(boards: &mut Bench, fault: Outage, mut end: impl FnMut(&mut Bench, Node, Signal)) {
    match fault {
        Outage::Cut => boards.link.cut(),
        Outage::Swallowed => boards.link.silence(),
        Outage::Ends(nodes, signal) => nodes.iter().for_each(|node| end(boards, *node, signal)),
    }
}

fn end(boards: &mut Bench, fault: Outage, mut start: impl FnMut(&mut Bench, Node)) {
    match fault {
        Outage::Cut | Outage::Swallowed => boards.link.heal(),
        Outage::Ends(nodes, _) => nodes.iter().for_each(|node| start(boards, *node)),
    }
}

/// Two brokers with nothing else. A program that ends is nothing to them.
fn bridge_alone(fault: Outage) -> Duration {
    let mut boards = Bench::with_cable_for_figures();
    boards.start_all(BROKERS);
    let seen = |boards: &Bench, word: &str| {
        let held = boards.retained(Broker2, "sensors/card1");
        held.is_some_and(|held| held == word.as_bytes())
    };
    PlainClient::stranger(&boards.url(Broker1)).say("sensors/card1", "before", true);
    while !seen(&boards, "before") {
        thread::sleep(Duration::from_millis(10));
    }
    let is_broker = |node: Node| BROKERS.contains(&node);
    begin(&mut boards, fault, |boards, node, signal| {
        if is_broker(node) {
            boards.end(node, signal);
        }
    });
    let is_up = boards.runs(Broker1);
    let say =
        |boards: &Bench| PlainClient::stranger(&boards.url(Broker1)).say("sensors/card1", "after", true);
    if is_up {
        say(&boards);
    }
    thread::sleep(FAULT);
    end(&mut boards, fault, |boards, node| {
        if is_broker(node) {
            boards.start(node);
        }
    });
    let healed = Instant::now();
    let listener = PlainClient::stranger(&boards.url(Broker2)).listen("sensors/card1");
    if !is_up {
        say(&boards);
    }
    listener.wait_for("the message", |heard| {
        heard.iter().any(|heard| heard.payload == b"after")
    });
    healed.elapsed()
}

/// The plain programs; nothing where they do not agree in time.
fn plain_programs(fault: Outage) -> Option<Duration> {
    let mut plain = PlainBoards::on(Bench::with_cable_for_figures());
    let mut boards = std::mem::replace(&mut plain.bench, Bench::new());
    begin(&mut boards, fault, |boards, node, signal| match node {
        Broker1 | Broker2 => boards.end(node, signal),
        program => of(&mut plain, program).kill(),
    });
    let mut states = INITIAL;
    match presser(fault) {
        Some((Card1, sensor)) => (states, ()) = (states_with(sensor, "KO"), plain.card1.press(sensor)),
        Some((_, sensor)) => (states, ()) = (states_with(sensor, "KO"), plain.card2.press(sensor)),
        None => {}
    }
    thread::sleep(FAULT);
    end(&mut boards, fault, |boards, node| match node {
        Broker1 | Broker2 => boards.start(node),
        program => *of(&mut plain, program) = Python::start(boards, program),
    });
    let healed = Instant::now();
    let all = [&plain.card1, &plain.card2, &plain.display];
    let agree = all.into_iter().all(|program| {
        let left = LIMIT.saturating_sub(healed.elapsed());
        program.says_within(states, left)
    });
    agree.then(|| healed.elapsed())
}

fn of(plain: &mut PlainBoards, node: Node) -> &mut Python {
    match node {
        Card1 => &mut plain.card1,
        Card2 => &mut plain.card2,
        _ => &mut plain.display,
    }
}
