//! What a log costs, and how it grows.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use crate::amounts::Amounts;
use crate::growth::{PAUSE, seen_on};
use crate::page::Page;
use crate::start::name_of;
use crate::support::bench::Node;
use crate::support::bench::{BROKERS, Bench, INITIAL, PROGRAMS, shows};
use crate::support::pty::Pty;
use crate::times::{NamedDurations, count, ms, ratio};

pub fn measure(page: &mut Page, amounts: &Amounts) {
    page.subheading("Size of the log");
    page.progress("logs");
    page.say("`--log-file` of each program: what a start and a toggle on card 1 add to it, and how long a key on card 1 takes to its own screen without a log, with a new one and with a large one, in turns.");
    let large = 100_000_000;
    let boards = [None, Some(0), Some(large)].map(logged_boards);
    let sizes = |logged: &Logged| PROGRAMS.map(|node| size(&logged.log(node)));
    let before = sizes(&boards[1]);
    let mut times = NamedDurations::default();
    for press in 0..amounts.growth_keys {
        for (logged, name) in boards.iter().zip(["none", "new", "large"]) {
            thread::sleep(PAUSE);
            times.add(
                name,
                seen_on(
                    &logged.screens[0],
                    press,
                    [&logged.screens[0], &logged.screens[0]],
                )[0],
            );
        }
    }
    let after = sizes(&boards[1]);
    let base = times.median("none");
    let rows: Vec<Vec<String>> = [
        ("no log", "none"),
        ("a new log", "new"),
        ("a log of 100 MB", "large"),
    ]
    .map(|(label, name)| {
        vec![
            label.to_owned(),
            ms(times.median(name)),
            ms(times.p99(name)),
            amounts.growth_keys.to_string(),
            ratio(times.median(name), base),
        ]
    })
    .into();
    page.table(
        &["key on card 1 to its own screen", "median", "p99", "n", "ratio"],
        &rows,
    );
    let row_of = |place: usize| {
        let grown = usize::try_from(after[place].saturating_sub(before[place])).expect("a log");
        vec![
            name_of(PROGRAMS[place]).to_owned(),
            before[place].to_string(),
            format!("{:.0}", count(grown) / count(amounts.growth_keys)),
        ]
    };
    page.table(
        &["log of", "bytes of the start", "bytes a toggle"],
        &[row_of(0), row_of(1), row_of(2)],
    );
}

/// Both boards, with or without a log of each program.
struct Logged {
    screens: Vec<Pty>,
    boards: Bench,
}

impl Logged {
    fn log(&self, node: Node) -> PathBuf {
        self.boards.folder().join(format!("{node:?}.log"))
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

fn logged_boards(log: Option<usize>) -> Logged {
    let mut logged = Logged {
        screens: Vec::new(),
        boards: Bench::for_figures(),
    };
    logged.boards.start_all(BROKERS);
    for node in PROGRAMS {
        let path = logged.log(node);
        let words = path.display().to_string();
        let options = if let Some(size) = log {
            fs::write(
                &path,
                "an old line of the log, as long as a line is\n".repeat(size / 45),
            )
            .expect("a log");
            vec!["--log-file", &words]
        } else {
            vec![]
        };
        logged
            .screens
            .push(logged.boards.spawn(node, &logged.boards.url(node), &options));
    }
    for screen in &logged.screens {
        screen.wait_for("all live", |seen| {
            shows(&seen.text(), INITIAL, &["LIVE", "CONFIRMED"])
        });
    }
    logged
}
