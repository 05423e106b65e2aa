//! Both boards with the programs, and both boards with the plain Python programs in their place.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::plain::PlainClient;
use crate::support::bench::{ALL, BROKERS, Bench, INITIAL, Node, States, row};
use crate::support::pty::Pty;
use crate::support::python::Python;

/// Both boards, running, with each program's terminal at hand.
pub struct Boards {
    pub card1: Pty,
    pub card2: Pty,
    pub display: Pty,
    pub bench: Bench,
}

impl Boards {
    /// Everything runs and has settled; `is_durable` makes the brokers save their store at each change.
    pub fn start(is_durable: bool) -> Self {
        let mut bench = Bench::for_figures();
        if is_durable {
            bench.save_each_change();
        }
        bench.start_all(ALL);
        bench.wait_settled(INITIAL);
        Self {
            card1: bench.take(Card1),
            card2: bench.take(Card2),
            display: bench.take(Display),
            bench,
        }
    }

    /// The programs and the brokers: card 1, card 2, the display, broker 1, broker 2.
    pub fn pids(&self) -> [Pid; 5] {
        [
            self.card1.pid(),
            self.card2.pid(),
            self.display.pid(),
            self.bench.pid(Broker1),
            self.bench.pid(Broker2),
        ]
    }
}

/// What is waited for: it gives the moments at which it came.
pub type Wait<'a> = Box<dyn FnOnce() -> Vec<Instant> + Send + 'a>;

/// A screen shows a sensor in a state; then, one after the other, with these words beside it.
pub fn on_screen<'a>(screen: &'a Pty, sensor: u8, state: &'a str, beside: &'a [&str]) -> Wait<'a> {
    Box::new(move || {
        let wait = |words: &str| {
            screen.wait_for(state, |seen| {
                row(&seen.text(), sensor)
                    .is_some_and(|row| row.state == state && (words.is_empty() || row.beside == words))
            });
            Instant::now()
        };
        std::iter::once("")
            .chain(beside.iter().copied())
            .map(wait)
            .collect()
    })
}

/// A listener has a message that says so, in the plain form.
pub fn at_listener<'a>(listener: &'a PlainClient, sensor: u8, state: &str) -> Wait<'a> {
    let said = format!("\"sensor_{sensor}\":{}", state == "OK");
    Box::new(move || {
        listener.wait_for("the state", |heard| {
            let last = heard.last();
            last.is_some_and(|last| String::from_utf8_lossy(&last.payload).contains(&said))
        });
        vec![Instant::now()]
    })
}

/// Does something, and says how long after that each thing came. Who waits is there before.
pub fn after(act: impl FnOnce(), waits: Vec<Wait>) -> Vec<Duration> {
    let ready = Barrier::new(waits.len() + 1);
    thread::scope(|scope| {
        let ready = &ready;
        let wait = |wait: Wait<'_>| {
            ready.wait();
            wait()
        };
        let waiting: Vec<_> = waits
            .into_iter()
            .map(|it| scope.spawn(move || wait(it)))
            .collect();
        ready.wait();
        let begun = Instant::now();
        act();
        let came = waiting
            .into_iter()
            .flat_map(|thread| thread.join().expect("it comes"));
        came.map(|moment| moment.saturating_duration_since(begun))
            .collect()
    })
}

/// The plain Python programs on two boards of their own.
pub struct PlainBoards {
    pub card1: Python,
    pub card2: Python,
    pub display: Python,
    pub bench: Bench,
}

/// Only failures wait for so long.
pub const LIMIT: Duration = Duration::from_secs(30);

impl PlainBoards {
    pub fn start(is_durable: bool) -> Self {
        let mut bench = Bench::for_figures();
        if is_durable {
            bench.save_each_change();
        }
        Self::on(bench)
    }

    /// With brokers that do not run yet.
    pub fn on(mut bench: Bench) -> Self {
        bench.start_all(BROKERS);
        let start = |node: Node| Python::start(&bench, node);
        let (card2, display) = (start(Card2), start(Display));
        let card1 = start(Card1);
        // Each says what it has once it runs; the bridge may be there only later.
        let begun = Instant::now();
        loop {
            card1.publish();
            card2.publish();
            let short = Duration::from_millis(500);
            if display.says_within(INITIAL, short) && card1.says_within(INITIAL, short) {
                break;
            }
            assert!(
                begun.elapsed() < LIMIT,
                "the plain programs do not find each other"
            );
        }
        Self {
            card1,
            card2,
            display,
            bench,
        }
    }

    pub fn pids(&self) -> [Pid; 5] {
        [
            self.card1.pid(),
            self.card2.pid(),
            self.display.pid(),
            self.bench.pid(Broker1),
            self.bench.pid(Broker2),
        ]
    }
}

/// A plain program has said these states.
pub fn in_line(program: &Python, states: States) -> Wait<'_> {
    Box::new(move || {
        assert!(
            program.says_within(states, LIMIT),
            "a plain program never said {states:?}"
        );
        vec![Instant::now()]
    })
}

/// The initial states, with one sensor in another one.
pub fn states_with(sensor: u8, state: &'static str) -> States {
    let mut states = INITIAL;
    states[usize::from(sensor) - 1] = state;
    states
}

/// The state after so many presses of one key, and one more.
pub fn state_after(presses: usize) -> &'static str {
    if presses.is_multiple_of(2) { "KO" } else { "OK" }
}
