//! What is kept on disk: the brokers' stores and the owners' state files.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::chance::Chance;
use crate::log::{log, name};
use crate::unit::{BROKERS, Who};

/// What has become of a file while its program was dead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Harm {
    Wiped,
    Damaged,
    /// A broker's store only: the one from the end of the last round.
    RolledBack,
}

/// The folders for both boards' state.
pub fn make() {
    for folder in [state(0), state(1), shadow(0), shadow(1)] {
        fs::create_dir(folder).expect("a folder for the state");
    }
}

/// Where a board's owner keeps its state file.
pub fn state(board: usize) -> PathBuf {
    here().join(format!("state{}", board + 1))
}

/// What of it is durable, by tests/chaos/durable.c.
pub fn shadow(board: usize) -> PathBuf {
    here().join(format!("state{}.durable", board + 1))
}

fn store(board: usize) -> PathBuf {
    here().join(name(BROKERS[board])).join("mosquitto.db")
}

/// After a power cut.
pub fn keep_what_is_durable(board: usize) {
    let shadow = shadow(board);
    // Not the lock: it means something while its holder runs, and an empty one is as good.
    clear(&state(board));
    let names = fs::read_to_string(shadow.join("names")).unwrap_or_default();
    for (inode, name) in names.lines().filter_map(|line| line.split_once(' ')) {
        let content = fs::read(shadow.join(format!("inode.{inode}"))).unwrap_or_default();
        fs::write(state(board).join(name), content).expect("writing the state folder");
    }
}

/// The file of a dead broker or owner is not what it was.
pub fn spoil(who: Who, harm: Harm, chance: &mut Chance) {
    if BROKERS.contains(&who) {
        spoil_store(who.board(), harm, chance);
    } else {
        spoil_state(who.board(), harm, chance);
    }
}

/// Gone, as with a new disk, or damaged, for a power cut as well.
fn spoil_state(board: usize, harm: Harm, chance: &mut Chance) {
    log!("file", {"board": board + 1, "what": name(harm)});
    let (state, shadow) = (state(board), shadow(board));
    if harm == Harm::Wiped {
        clear(&state);
        clear(&shadow);
        return;
    }
    for path in files(&state) {
        if path.extension().is_some_and(|extension| extension == "state") {
            damage(&path, chance);
            let inode = fs::metadata(&path).expect("the state file").ino();
            let name = path.file_name().expect("a name").display();
            fs::copy(&path, shadow.join(format!("inode.{inode}"))).expect("a copy");
            fs::write(shadow.join("names"), format!("{inode} {name}\n")).expect("a name");
        }
    }
}

fn spoil_store(board: usize, harm: Harm, chance: &mut Chance) {
    log!("store", {"who": name(BROKERS[board]), "what": name(harm)});
    let store = store(board);
    let copy = store.with_extension("db.copy");
    if harm == Harm::RolledBack && copy.exists() {
        fs::rename(copy, store).expect("the old store");
    } else if harm == Harm::Damaged && store.exists() {
        damage(&store, chance);
    } else {
        let _ = fs::remove_file(store); // a broker that has never saved has none
    }
}

/// A copy of each store as it is now, for a later rollback.
pub fn keep_copies() {
    for store in [0, 1].map(store) {
        let _ = fs::copy(&store, store.with_extension("db.copy"));
    }
}

/// Makes room for an empty store.
pub fn set_store_aside(board: usize) {
    let store = store(board);
    if fs::rename(&store, store.with_extension("db.damaged")).is_ok() {
        log!("store", {"who": name(BROKERS[board]), "what": "set aside"});
    }
}

/// Where everything is; the log of what is durable wants whole paths.
fn here() -> PathBuf {
    std::env::current_dir().expect("the folder of the campaign")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the state");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

fn clear(folder: &Path) {
    for path in files(folder) {
        fs::remove_file(path).expect("a file of a dead program");
    }
}

/// In one of the ways that power cuts and bad cards know.
fn damage(path: &Path, chance: &mut Chance) {
    let mut content = fs::read(path).expect("a file to damage");
    let length = content.len();
    match chance.below(5) {
        _ if length == 0 => {}
        0 => content.clear(),
        1 => content.truncate(chance.below(length)),
        2 => content[chance.below(length)] ^= 1 << chance.below(8),
        3 => content[chance.below(length)..].fill(0),
        _ => {
            let noise = 0..=chance.below(2000);
            content = noise.map(|_| chance.pick(&[0, 1, b'{', b'7', 0xFF])).collect();
        }
    }
    fs::write(path, content).expect("damaging a file");
}
