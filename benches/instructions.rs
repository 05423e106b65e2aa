//! How many instructions the hot paths take, held against the counts of the last time.
//!
//! `cargo bench --bench instructions`; `-- --write` keeps the counts from now on, in
//! `benches/instructions.txt`. They do not depend on how busy the machine is: valgrind counts them. Each path
//! runs in a process of its own, once and a second time twice as often; the difference is what the path
//! takes, without the start.
#![allow(clippy::disallowed_methods, reason = "a benchmark runs other programs")]

#[path = "../core/tests/support/boards/mod.rs"]
mod boards;
#[path = "../tests/support/shot.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod shot;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};
use dualboard::machine::{Effect, Event, Machine};
use dualboard::sensor::SensorId;
use dualboard::terminal::painter::FrameDiff;
use dualboard::time::Now;
use dualboard::ui::view::{self, Picture};
use dualboard::wire::{self, Message, Topic};
use ratatui::layout::Size;

use boards::steady::{Boards, CARD2, DISPLAY};

/// How often a path runs in the first of the two processes.
const ROUNDS: u32 = 256;

/// By how many hundredths a count may have grown or shrunk. Where a hash table puts things differs from run
/// to run by up to one hundredth.
const TOLERANCE: f64 = 5.0;

/// How many messages follow each other before the one that takes them begins anew.
const MESSAGES: usize = 64;

/// What is counted.
struct HotPath {
    name: &'static str,
    what: &'static str,
    /// The work itself, so many times.
    run: fn(u32),
}

const PATHS: [HotPath; 6] = [
    HotPath {
        name: "decode",
        what: "sensors/all, from bytes to readings",
        run: decode,
    },
    HotPath {
        name: "encode",
        what: "sensors/all, from readings to bytes",
        run: encode,
    },
    HotPath {
        name: "toggle",
        what: "a key at card 2's owner, with its two reports, its file and the ends of their deliveries",
        run: toggle,
    },
    HotPath {
        name: "merge",
        what: "sensors/all at a display, with one change",
        run: merge,
    },
    HotPath {
        name: "view",
        what: "what there is to see of a display",
        run: see,
    },
    HotPath {
        name: "draw",
        what: "a screen of 80x24 on which SENDING becomes SAVED, from the view to bytes",
        run: draw,
    },
];

fn main() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [name, rounds] = &words[..]
        && let Ok(rounds) = rounds.parse()
    {
        let path = PATHS
            .into_iter()
            .find(|path| path.name == name)
            .context("a path")?;
        (path.run)(rounds);
        return Ok(ExitCode::SUCCESS);
    }
    let compiler = compiler()?;
    let counts: Vec<(&str, &str, u64)> = PATHS
        .into_iter()
        .map(|path| Ok((path.name, path.what, count(path.name)?)))
        .collect::<Result<_>>()?;
    if words.iter().any(|word| word == "--write") {
        keep(&compiler, &counts)?;
    }
    let (kept_compiler, kept) = kept()?;
    if compiler != kept_compiler {
        println!("The counts that are kept are of another compiler: {kept_compiler}, not {compiler}.");
    }
    let mut status = ExitCode::SUCCESS;
    for (name, what, count) in counts {
        let before = *kept
            .get(name)
            .with_context(|| format!("{name} is not kept: run with --write"))?;
        let more = (as_float(count) / as_float(before) - 1.0) * 100.0;
        let is_far = more.abs() > TOLERANCE && compiler == kept_compiler;
        println!(
            "{name:8}{count:>10}{more:>+8.1} %  {}{what}",
            if is_far { "CHANGED  " } else { "" }
        );
        if is_far {
            status = ExitCode::FAILURE;
        }
    }
    if status == ExitCode::FAILURE {
        println!(
            "A count differs by more than {TOLERANCE} % from the one that is kept. If that is meant: \
             cargo bench --bench instructions -- --write"
        );
    }
    Ok(status)
}

#[expect(clippy::cast_precision_loss, reason = "the counts are far below 2^52")]
fn as_float(count: u64) -> f64 {
    count as f64
}

/// How many instructions a path takes.
fn count(name: &str) -> Result<u64> {
    let [once, twice] = [ROUNDS, 2 * ROUNDS].map(|rounds| instructions(name, rounds));
    Ok((twice? - once?) / u64::from(ROUNDS))
}

/// How many instructions a process takes that runs a path so many times.
fn instructions(name: &str, rounds: u32) -> Result<u64> {
    let output = Command::new("valgrind")
        .args([
            "--tool=cachegrind",
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
        ])
        .arg(std::env::current_exe().context("finding this program")?)
        .args([name, &rounds.to_string()])
        // The C library copies memory in another way on each kind of processor.
        .env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-AVX512F,-ERMS,-FSRM")
        .output()
        .context("running valgrind; it is in the package of this name")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind failed for {name}: {said}");
    let line = said
        .lines()
        .find(|line| line.contains("I ") && line.contains("refs:"));
    let digits: String = line
        .and_then(|line| line.rsplit(':').next())
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    digits
        .parse()
        .with_context(|| format!("valgrind said no count for {name}: {said}"))
}

fn compiler() -> Result<String> {
    let output = Command::new("rustc")
        .arg("--version")
        .output()
        .context("running rustc")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.txt")
}

fn keep(compiler: &str, counts: &[(&str, &str, u64)]) -> Result<()> {
    let mut text = format!("{compiler}\n");
    for (name, what, count) in counts {
        writeln!(text, "{name} {count} {what}")?;
    }
    std::fs::write(file(), text).with_context(|| format!("writing {}", file().display()))
}

/// The compiler and the counts of the last time.
fn kept() -> Result<(String, BTreeMap<String, u64>)> {
    let text = std::fs::read_to_string(file()).with_context(|| format!("reading {}", file().display()))?;
    let mut lines = text.lines();
    let compiler = lines.next().unwrap_or_default().to_owned();
    let counts = lines.map(|line| {
        let mut words = line.split(' ');
        let (Some(name), Some(Ok(count))) = (words.next(), words.next().map(str::parse)) else {
            bail!("{}: {line:?} is no count", file().display());
        };
        Ok((name.to_owned(), count))
    });
    Ok((compiler, counts.collect::<Result<_>>()?))
}

/// Card 2's owner, with all that follows from a toggle of sensor 4.
struct PressedOwner {
    machine: Machine,
    now: Now,
}

impl PressedOwner {
    fn new(boards: &Boards) -> Self {
        Self {
            machine: boards.machine(CARD2).clone(),
            now: boards.time(),
        }
    }

    /// Toggles; gives the join that it publishes.
    fn toggle(&mut self) -> Vec<u8> {
        let effects = self.press();
        self.carry_out(effects)
    }

    fn press(&mut self) -> Vec<Effect> {
        self.machine.handle(self.now, Event::Toggle(SensorId::ALL[3]))
    }

    /// Broker and disk take all of it, and what follows; gives the join.
    fn carry_out(&mut self, mut effects: Vec<Effect>) -> Vec<u8> {
        let mut join = Vec::new();
        while let Some(effect) = effects.pop() {
            let done = match effect {
                Effect::Publish {
                    ticket,
                    topic,
                    payload,
                } => {
                    if topic == Topic::All {
                        join = payload;
                    }
                    Event::Delivered(ticket)
                }
                Effect::Save(_) => Event::Saved,
                _ => continue,
            };
            effects.extend(self.machine.handle(self.now, done));
        }
        join
    }

    fn joins(&mut self, number: usize) -> Vec<Vec<u8>> {
        (0..number).map(|_| self.toggle()).collect()
    }
}

fn decode(rounds: u32) {
    let join = PressedOwner::new(&Boards::running()).toggle();
    for _ in 0..rounds {
        assert!(black_box(wire::decode(Topic::All, black_box(&join))).is_ok());
    }
}

fn encode(rounds: u32) {
    let join = PressedOwner::new(&Boards::running()).toggle();
    let Ok(Message::Report(report)) = wire::decode(Topic::All, &join) else {
        panic!("a join is a report");
    };
    for _ in 0..rounds {
        let _ = black_box(wire::encode_report(black_box(&report), Topic::All.carries()));
    }
}

fn toggle(rounds: u32) {
    let mut owner = PressedOwner::new(&Boards::running());
    for _ in 0..rounds {
        assert!(!black_box(owner.toggle()).is_empty());
    }
}

fn merge(rounds: u32) {
    let boards = Boards::running();
    let joins = PressedOwner::new(&boards).joins(MESSAGES);
    let fresh = boards.machine(DISPLAY);
    let mut display = fresh.clone();
    for round in 0..rounds as usize {
        if round % MESSAGES == 0 {
            display = fresh.clone();
        }
        let payload = joins[round % MESSAGES].clone();
        let topic = Topic::All.name("");
        let _ = black_box(display.handle(
            boards.time(),
            Event::Message {
                topic,
                payload,
                retained: false,
            },
        ));
    }
}

fn see(rounds: u32) {
    let boards = Boards::running();
    for _ in 0..rounds {
        let _ = black_box(boards.machine(DISPLAY).view());
    }
}

fn draw(rounds: u32) {
    let boards = Boards::running();
    let mut owner = PressedOwner::new(&boards);
    let effects = owner.press();
    let sending = owner.machine.view();
    owner.carry_out(effects);
    let pictures = [sending, owner.machine.view()].map(|view| Picture {
        view,
        ..shot::picture(&boards, CARD2)
    });
    let (width, height) = shot::ORDINARY;
    let mut screen = FrameDiff::new(Size::new(width, height));
    for round in 0..rounds as usize {
        let bytes = screen.frame(|size| view::draw(&pictures[round % 2], size));
        assert!(!black_box(bytes).is_empty());
    }
}
