//! From a key to the screens, in both directions, and what a toggle costs.

use std::thread;
use std::time::Duration;

use crate::aims::Aims;
use crate::amounts::Amounts;
use crate::boards::{Boards, PlainBoards, after, at_listener, in_line, on_screen, state_after, states_with};
use crate::cores::{Pinned, cores};
use crate::page::Page;
use crate::plot::Plot;
use crate::process::CpuWatch;
use crate::relay::Relay;
use crate::requests;
use crate::support::bench::Bench;
use crate::support::bench::Node::{Broker1, Broker2};
use crate::support::bench::plain::PlainClient;
use crate::times::{HEAD, NamedDurations, each, ms, ratio};

/// Between two things that are measured, so that what the first has set going does not slow the second.
const PAUSE: Duration = Duration::from_millis(10);

const BARE: &str = "bare relay, message to listener";
const PIPE: &str = "`mosquitto_sub | mosquitto_pub`, message to listener";
const OWN: &str = "card 1: own screen";
const DISPLAY: &str = "card 1: display's screen";
const CONFIRMED: &str = "card 1: CONFIRMED on its screen";
const PYTHON_DISPLAY: &str = "plain Python, card 1: display's line";
const PROGRAMS: [&str; 5] = ["card 1", "card 2", "display", "broker 1", "broker 2"];

struct Condition {
    name: String,
    is_durable: bool,
    is_pinned: bool,
}

pub fn measure(page: &mut Page, aims: &mut Aims, amounts: &Amounts) {
    page.heading("From a key to the screens");
    page.say(
        "A key on a board, and how long until it is seen. All of them take turns, with 10 ms of rest before each. The ratios are to the bare relay of the same table. \
         What watches the screens runs on the same cores.",
    );
    let all = format!("on {} cores", cores());
    let one = "on one core, everything pinned to it".to_owned();
    let mut curves = Vec::new();
    let conditions = [(false, false), (true, true), (false, true), (true, false)];
    // A quick run has each of the two once.
    let conditions = &conditions[..if amounts.is_quick { 2 } else { 4 }];
    for &(is_durable, is_pinned) in conditions {
        let place = if is_pinned { &one } else { &all };
        let store = if is_durable {
            ", brokers save at each change"
        } else {
            ""
        };
        let condition = Condition {
            name: format!("{place}{store}"),
            is_durable,
            is_pinned,
        };
        page.progress(&condition.name);
        let _pinned = is_pinned.then(Pinned::to_one_core);
        let times = in_condition(page, aims, amounts, &condition);
        if !is_durable && !is_pinned {
            curves = curves_of(&times);
        }
    }
    page.plot(
        "keys",
        &Plot {
            title: "How many of the messages are there by then, on all cores",
            x: "ms from the key or the message",
            y: "percent",
            log_x: true,
            log_y: false,
            curves,
        },
    );
    page.say(
        "\"Brokers save at each change\" is `autosave_on_changes true` with `autosave_interval 1`, at both brokers of each peer: Mosquitto then writes its whole store \
         while the message waits. The project's own files save once a minute, and the programs keep the states in files of their own.",
    );
}

fn curves_of(times: &NamedDurations) -> Vec<(String, Vec<(f64, f64)>)> {
    let names = [
        (OWN, "own screen"),
        (DISPLAY, "display's screen"),
        (CONFIRMED, "CONFIRMED"),
        (BARE, "bare relay"),
        (PIPE, "mosquitto_sub | mosquitto_pub"),
        (PYTHON_DISPLAY, "plain Python, display's line"),
    ];
    names
        .map(|(name, label)| (label.to_owned(), times.curve(name)))
        .into()
}

fn in_condition(
    page: &mut Page,
    aims: &mut Aims,
    amounts: &Amounts,
    condition: &Condition,
) -> NamedDurations {
    let relay_brokers = || {
        let mut brokers = Bench::for_figures();
        if condition.is_durable {
            brokers.save_each_change();
        }
        brokers
    };
    let boards = Boards::start(condition.is_durable);
    let python = PlainBoards::start(condition.is_durable);
    let (bare, pipe) = (Relay::bare(relay_brokers()), Relay::of_mosquitto(relay_brokers()));
    let mut times = NamedDurations::default();
    for press in 0..amounts.keys {
        key_on_card1(&boards, press, &mut times);
        rested(|| times.add(BARE, bare.message(press)));
        if press.is_multiple_of(amounts.keys_for_python) {
            python_keys(&python, press / amounts.keys_for_python, &mut times);
        }
        rested(|| times.add(PIPE, pipe.message(press)));
        key_on_card2(&boards, press, &mut times);
    }
    if requests::can_measure() {
        requests::measure(&bare, amounts.keys.div_ceil(10), &mut times);
    }
    let listened = (!condition.is_durable).then(|| to_listeners(&boards, &bare, amounts.keys));
    page.subheading(&upper(&condition.name));
    page.table(&HEAD, &times.rows(BARE));
    if let Some(listened) = listened {
        page.say("The same to a listener at a broker, in turns of their own:");
        page.table(&HEAD, &listened.rows(BARE));
    }
    let cost = toggle_costs(page, &boards, &python, &pipe, amounts);
    if !condition.is_durable {
        note_aims(
            aims,
            &times,
            &cost,
            if condition.is_pinned {
                "one core"
            } else {
                "all cores"
            },
        );
    }
    times
}

fn rested<T>(act: impl FnOnce() -> T) -> T {
    thread::sleep(PAUSE);
    act()
}

fn key_on_card1(boards: &Boards, press: usize, times: &mut NamedDurations) {
    let state = state_after(press);
    let came = rested(|| {
        after(
            || boards.card1.send("1"),
            vec![
                on_screen(&boards.card1, 1, state, &["CONFIRMED"]),
                on_screen(&boards.display, 1, state, &[]),
            ],
        )
    });
    for (name, time) in [OWN, CONFIRMED, DISPLAY].into_iter().zip(came) {
        times.add(name, time);
    }
}

fn key_on_card2(boards: &Boards, press: usize, times: &mut NamedDurations) {
    let state = state_after(press);
    let came = rested(|| {
        after(
            || boards.card2.send("5"),
            vec![
                on_screen(&boards.card2, 5, state, &["CONFIRMED"]),
                on_screen(&boards.display, 5, state, &[]),
                on_screen(&boards.card1, 5, state, &[]),
            ],
        )
    });
    let names = [
        "card 2: own screen",
        "card 2: CONFIRMED on its screen",
        "card 2: display's screen",
        "card 2: card 1's screen, across the bridge",
    ];
    for (name, time) in names.into_iter().zip(came) {
        times.add(name, time);
    }
}

fn python_keys(python: &PlainBoards, press: usize, times: &mut NamedDurations) {
    // Sensor 5 has been toggled once less than sensor 1 when sensor 1 is, and as often afterwards.
    let (state, before) = (state_after(press), state_after(press + 1));
    let mut states = states_with(1, state);
    states[4] = before;
    let came = rested(|| {
        after(
            || python.card1.press(1),
            vec![in_line(&python.card1, states), in_line(&python.display, states)],
        )
    });
    for (name, time) in ["plain Python, card 1: own line", PYTHON_DISPLAY]
        .into_iter()
        .zip(came)
    {
        times.add(name, time);
    }
    states[4] = state;
    let came = rested(|| {
        after(
            || python.card2.press(5),
            vec![
                in_line(&python.card2, states),
                in_line(&python.display, states),
                in_line(&python.card1, states),
            ],
        )
    });
    let names = [
        "plain Python, card 2: own line",
        "plain Python, card 2: display's line",
        "plain Python, card 2: card 1's line, across the bridge",
    ];
    for (name, time) in names.into_iter().zip(came) {
        times.add(name, time);
    }
}

/// Keys on card 1 to listeners at both brokers, and bare messages in turns with them.
fn to_listeners(boards: &Boards, bare: &Relay, keys: usize) -> NamedDurations {
    let card1 = PlainClient::stranger(&boards.bench.url(Broker1)).listen("sensors/card1");
    let all = PlainClient::stranger(&boards.bench.url(Broker2)).listen("sensors/all");
    let mut times = NamedDurations::default();
    for press in 0..keys {
        let state = state_after(press);
        let came = rested(|| {
            after(
                || boards.card1.send("2"),
                vec![at_listener(&card1, 2, state), at_listener(&all, 2, state)],
            )
        });
        times.add("card 1: `sensors/card1` at broker 1", came[0]);
        times.add("card 1: `sensors/all` at broker 2", came[1]);
        rested(|| times.add(BARE, bare.message(press)));
    }
    times
}

/// Processor time of a toggle on card 1: of the five processes, in the order of [`PROGRAMS`].
type Cost = Vec<Duration>;

/// Toggles one after the other, and what each process has used for one.
fn toggle_costs(
    page: &mut Page,
    boards: &Boards,
    python: &PlainBoards,
    pipe: &Relay,
    amounts: &Amounts,
) -> Cost {
    let keys = amounts.keys;
    // The plain programs have had so many before.
    let pressed = keys.div_ceil(amounts.keys_for_python);
    let fewer = keys / amounts.keys_for_python;
    let card1 = cost(keys, &boards.pids(), |press| {
        let state = state_after(press);
        let waits = vec![
            on_screen(&boards.card1, 1, state, &["CONFIRMED"]),
            on_screen(&boards.display, 1, state, &[]),
        ];
        after(|| boards.card1.send("1"), waits);
    });
    let card2 = cost(keys, &boards.pids(), |press| {
        let state = state_after(press);
        let waits = vec![
            on_screen(&boards.card2, 5, state, &["CONFIRMED"]),
            on_screen(&boards.card1, 5, state, &[]),
            on_screen(&boards.display, 5, state, &[]),
        ];
        after(|| boards.card2.send("5"), waits);
    });
    let plain = cost(fewer, &python.pids(), |press| {
        let mut states = states_with(1, state_after(pressed + press));
        states[4] = state_after(pressed + 1);
        after(|| python.card1.press(1), vec![in_line(&python.display, states)]);
    });
    let tools = cost(keys, &pipe.pids(), |press| {
        pipe.message(keys + press);
    });
    // Reader and writer are what card 2 is for others.
    let zero = Duration::ZERO;
    let tools = vec![zero, tools[0] + tools[1], zero, tools[2], tools[3]];
    page.say("Processor time of a toggle, in brackets how many times that of broker 1 in the same row:");
    let rows: Vec<Vec<String>> = [
        ("a key on card 1", &card1, keys),
        ("a key on card 2", &card2, keys),
        ("plain Python, a key on card 1", &plain, fewer),
        ("`mosquitto_sub | mosquitto_pub`, a message", &tools, keys),
    ]
    .into_iter()
    .map(|(name, cost, keys)| cost_row(name, cost, keys))
    .collect();
    page.table(&[&["", "n"][..], &PROGRAMS[..]].concat(), &rows);
    card1
}

fn cost(keys: usize, pids: &[rustix::process::Pid], mut toggle: impl FnMut(usize)) -> Cost {
    let watch = CpuWatch::of(pids);
    (0..keys).for_each(&mut toggle);
    // What the last one has set going.
    thread::sleep(10 * PAUSE);
    watch.used().into_iter().map(|used| each(used, keys)).collect()
}

fn cost_row(name: &str, cost: &Cost, keys: usize) -> Vec<String> {
    let broker1 = cost[3];
    let cell = |used: &Duration| match *used {
        Duration::ZERO => String::new(),
        used => format!("{} ({})", ms(used), ratio(used, broker1)),
    };
    [name.to_owned(), keys.to_string()]
        .into_iter()
        .chain(cost.iter().map(cell))
        .collect()
}

fn note_aims(aims: &mut Aims, times: &NamedDurations, cost: &Cost, place: &str) {
    let of = |name: &str| times.median(name).as_secs_f64() / times.median(BARE).as_secs_f64();
    let late = times.p99(DISPLAY).as_secs_f64() / times.p99(BARE).as_secs_f64();
    let bare = " × the bare relay";
    let mut aim = |what: &str, seen: f64, aim: f64, unit: &str| {
        aims.at_most(&format!("{what}, {place}"), seen, aim, unit);
    };
    aim(
        "key on card 1 to the display's screen, median",
        of(DISPLAY),
        2.0,
        bare,
    );
    aim("key on card 1 to the display's screen, p99", late, 2.0, bare);
    aim("key on card 1 to its own screen, median", of(OWN), 0.6, bare);
    aim("key on card 1 to CONFIRMED, median", of(CONFIRMED), 2.5, bare);
    for (program, limit) in [(0, 4.0), (1, 3.0), (2, 1.0)] {
        let seen = cost[program].as_secs_f64() / cost[3].as_secs_f64();
        let what = format!("processor time of a toggle, {}", PROGRAMS[program]);
        aim(&what, seen, limit, " × broker 1");
    }
}

fn upper(words: &str) -> String {
    let (first, rest) = words.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}
