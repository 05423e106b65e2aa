//! How fast the programs are and what they cost, beside their peers in the same run.
//!
//! `dev/bench.sh` builds and runs it, and says what it needs. It writes `docs/performance.md` and the plots
//! beside it. Times here are seen, never asserted: the run fails only where a state is not shown at all.
#![allow(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]

#[path = "performance/aims.rs"]
mod aims;
#[path = "performance/amounts.rs"]
mod amounts;
#[path = "performance/boards.rs"]
mod boards;
#[path = "performance/burst.rs"]
mod burst;
#[path = "performance/cores.rs"]
mod cores;
#[path = "performance/flood.rs"]
mod flood;
#[path = "performance/growth.rs"]
mod growth;
#[path = "performance/keys.rs"]
mod keys;
#[path = "performance/load.rs"]
mod load;
#[path = "performance/logs.rs"]
mod logs;
#[path = "performance/machine.rs"]
mod machine;
#[path = "performance/page.rs"]
mod page;
#[path = "performance/plot.rs"]
mod plot;
#[path = "performance/process.rs"]
mod process;
#[path = "performance/recovery.rs"]
mod recovery;
#[path = "performance/relay.rs"]
mod relay;
#[path = "performance/requests.rs"]
mod requests;
#[path = "performance/rest.rs"]
mod rest;
#[path = "performance/start.rs"]
mod start;
#[path = "../tests/support/mod.rs"]
mod support;
#[path = "performance/takers.rs"]
mod takers;
#[path = "performance/times.rs"]
mod times;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use aims::Aims;
use amounts::Amounts;
use machine::OtherWork;
use page::Page;

/// A part of the page.
type Part = fn(&mut Page, &mut Aims, &Amounts);

fn main() {
    // cargo adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|found| found == word);
    let after = |word: &str| words.iter().skip_while(|found| *found != word).nth(1);
    let amounts = if has("--quick") {
        Amounts::quick()
    } else {
        Amounts::full()
    };
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");
    let folder = after("--to").map_or_else(|| PathBuf::from(docs), PathBuf::from);
    let only = after("--only").cloned();
    let chosen = |part: &str| {
        only.as_deref()
            .is_none_or(|only| only.split(',').any(|name| name == part))
    };

    let mut page = Page::new(folder);
    let mut aims = Aims::default();
    let mut missing = Vec::new();
    let before = OtherWork::look();
    let parts: [(&str, Part); 6] = [
        ("keys", keys::measure),
        ("start", start::measure),
        ("recovery", recovery::measure),
        ("load", load::measure),
        ("growth", growth::measure),
        ("rest", rest::measure),
    ];
    for (name, measure) in parts {
        if chosen(name) {
            page.progress(name);
            let measured = catch_unwind(AssertUnwindSafe(|| measure(&mut page, &mut aims, &amounts)));
            if measured.is_err() {
                page.say("**This part could not be measured to its end in this run.**");
                missing.push(name);
            }
        }
    }
    page.write(
        &machine::head(&amounts, &before, &OtherWork::look()),
        &aims.table(),
    );
    assert!(
        missing.is_empty(),
        "not measured to the end: {missing:?}; see above"
    );
}
