//! What the fuzzer found worth keeping is run through the same checks in every test run.

use crate::hostile;
use std::fs;
use std::path::Path;

/// Runs every file of a target's corpus; a missing or empty one is a failure, not a pass.
fn replay(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    let files = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}; it belongs to the project", folder.display()));
    let mut count = 0;
    for file in files {
        let path = file.expect("a file of the corpus").path();
        eprintln!("{}", path.display());
        check(&fs::read(&path).expect("a file of the corpus"));
        count += 1;
    }
    assert!(count >= 20, "only {count} files in {}", folder.display());
}

#[test]
fn the_corpus_of_decoding() {
    replay("decode", hostile::decoding::check);
}

#[test]
fn the_corpus_of_events() {
    replay("events", hostile::events);
}
