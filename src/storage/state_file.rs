//! The owner's state file: written whole, durably, and off the path of the messages; believed only if it is
//! whole.
//!
//! Two lines: a head with the format and a checksum, and the memory as JSON. A write goes to a new file,
//! which is fsynced and renamed over the old one; then the folder is fsynced. So at every moment one whole
//! file stands there, the old or the new.
//!
//! A folder can be moved or deleted under a program that runs, and a file replaced. That is noticed while
//! nothing is written, too, and folder, lock and file are made again; unless another owner has begun there
//! meanwhile, whose file is left alone.
//!
//! A file that cannot be read is not one that is missing or damaged: it is never set aside and never
//! replaced, the program does not start.

pub(crate) mod access;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Receiver, Sender, after, select};

use crate::owner::Memory;
use crate::sensor::Card;
use crate::storage::lock::Lock;
use crate::system::threads;
use crate::wire;

/// What a head says before its checksum. A newer program that writes another form changes the number.
const HEAD: &str = "dualboard state 1 crc32 ";

/// A state file is under 3 KiB; nothing much larger is read.
const LARGEST: u64 = wire::LARGEST as u64;

/// So often it is looked whether file and lock are still there.
const LOOK: Duration = Duration::from_secs(2);

/// What became of a state file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// What was to be written is in it, durably.
    Saved,
    /// It could not be written; in words.
    NotSaved(String),
    /// It is written, but not in every respect as it should be; in words, once. The answer follows.
    Warned(String),
    /// What was written before is not there any more; in words.
    Gone(String),
}

/// Tells a file from any other, and from itself with something else in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(meta: &fs::Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
        }
    }
}

/// What is found where a state file should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// There is none.
    Missing,
    /// A whole one.
    Whole,
    /// One that no program would believe; in words.
    Damaged(String),
    /// It may be there, and this user may not read it; in words.
    Unreadable(String),
}

/// Reads a card's state file as its owner would, and leaves it as it is.
#[must_use]
pub fn inspect(folder: &Path, card: Card) -> Content {
    let file = path(folder, card);
    let unreadable = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound => Content::Missing,
        _ => Content::Unreadable(access::denied(&file, error)),
    };
    let target = match access::target(&file) {
        Ok(target) => target,
        Err(error) => return Content::Unreadable(error.to_string()),
    };
    match fs::metadata(&target) {
        Err(error) => return unreadable(&error),
        Ok(meta) if !meta.is_file() => return Content::Damaged("it is not a file".to_owned()),
        Ok(meta) if meta.len() > LARGEST => return Content::Damaged("it is far too large".to_owned()),
        Ok(_) => {}
    }
    match fs::read(&target) {
        Err(error) => unreadable(&error),
        Ok(text) => match decode(&text) {
            Ok(_) => Content::Whole,
            Err(why) => Content::Damaged(format!("it is {why}")),
        },
    }
}

/// The path of a card's state file.
#[must_use]
pub fn path(folder: &Path, card: Card) -> PathBuf {
    folder.join(format!("card{}.state", card.number()))
}

/// A card's state file.
#[derive(Debug)]
pub struct StateFile {
    file: PathBuf,
    folder: PathBuf,
    /// Whoever writes holds it.
    lock: Option<Lock>,
    /// Which file should be there, and what it holds: the one written last, or found at the start.
    there: Option<(Stamp, Vec<u8>)>,
    /// Where the damaged file was that this process set aside: a link to it leads nowhere until the next
    /// write, and no disk is missing.
    vacant: Option<PathBuf>,
    /// What was said already.
    warned: Vec<String>,
}

impl StateFile {
    /// The state file of a card, in a folder that is made if it is not there.
    ///
    /// # Errors
    /// Names the folder if it cannot be made.
    pub fn open(folder: &Path, card: Card) -> Result<Self> {
        make_durably(folder).with_context(|| {
            format!(
                "cannot make the state folder {}; name another with --state-dir",
                folder.display()
            )
        })?;
        Ok(Self {
            file: path(folder, card),
            folder: folder.to_owned(),
            lock: None,
            there: None,
            vacant: None,
            warned: Vec::new(),
        })
    }

    /// The card is this process's as long as this lock is where it was.
    #[must_use]
    pub fn locked(self, lock: Lock) -> Self {
        Self {
            lock: Some(lock),
            ..self
        }
    }

    /// What the file holds; the inner `Err` says in words why there is nothing to believe. A file that cannot
    /// be believed is set aside, not deleted.
    ///
    /// # Errors
    /// If there is a file, or may be one, that cannot be read: names it, this user, and what to do. Nothing
    /// may be written then: it would put defaults in the place of states that were SAVED.
    pub fn load(&mut self) -> Result<std::result::Result<Memory, String>> {
        let cannot = |place: &Path, error: &io::Error| {
            anyhow!(
                "cannot read the state file {} {}; nothing was changed",
                self.file.display(),
                access::denied(place, error)
            )
        };
        let target = access::target(&self.file).map_err(|error| cannot(&self.file, &error))?;
        let none = || Ok(Err(format!("no state file yet in {}", self.folder.display())));
        let meta = match fs::metadata(&target) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return none(),
            Err(error) => return Err(cannot(&target, &error)),
        };
        let mut aside = |why: &str| {
            self.vacant = Some(target.clone());
            set_aside(&target, why)
        };
        // Not opened: to read from a pipe would be to wait for ever.
        if !meta.is_file() {
            return Ok(Err(aside("cannot be read (it is not a file)")));
        }
        if meta.len() > LARGEST {
            return Ok(Err(aside("cannot be read (far too large)")));
        }
        match fs::read(&target) {
            Ok(text) => Ok(decode(&text).map_err(aside)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => none(),
            Err(error) => Err(cannot(&target, &error)),
        }
    }

    /// Writes the file; when this returns, it is durable. Gives what is not as it should be all the same.
    fn write(&mut self, memory: &Memory) -> io::Result<Vec<String>> {
        if let Some(lock) = self.lock.as_mut().filter(|lock| !lock.is_in_place()) {
            make_durably(&self.folder)?;
            lock.take_again()?;
        }
        let target = access::target(&self.file).or_else(|error| self.vacant.clone().ok_or(error))?;
        let replaced = match fs::metadata(&target) {
            Ok(meta) => Some(meta),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let folder = access::folder(&target);
        let new = access::beside(&target, "new");
        let mut file = access::create(&new)?;
        let text = encode(memory);
        file.write_all(&text)?;
        let lost = access::hand_over(&file, replaced.as_ref(), folder)?;
        file.sync_all()?;
        let stamp = Stamp::of(&file.metadata()?);
        fs::rename(&new, &target)?;
        self.there = Some((stamp, text));
        self.vacant = None;
        let lost = lost.map(|lost| format!("the state file {} was written anew: {lost}", target.display()));
        let unsynced = access::sync_folder(folder, Some(&file))?;
        Ok(lost.into_iter().chain(unsynced).collect())
    }

    /// What is not there any more, in words. What cannot be looked at is not gone: the next write says what
    /// is wrong.
    fn gone(&mut self) -> Option<String> {
        let found = fs::metadata(&self.file);
        let is_known = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let (what, place) = if access::is_missing(&self.folder) {
            ("state folder moved away or deleted", &self.folder)
        } else if !found.as_ref().err().is_none_or(is_known) {
            return None;
        } else if self.lock.as_ref().is_some_and(|lock| !lock.is_in_place()) {
            ("lock in the state folder moved away or deleted", &self.folder)
        } else if self.is_there(found.as_ref().ok()) {
            return None;
        } else if found.is_err() {
            ("state file moved away or deleted", &self.file)
        } else {
            ("state file changed by somebody else", &self.file)
        };
        // The path at the end: a narrow screen cuts it.
        Some(format!("{what} while this runs; made again: {}", place.display()))
    }

    /// Whether what is found is the file that should be there. On FUSE a file may have another number after
    /// the kernel's caches were dropped: what holds the same is the same, once it is surely on disk.
    fn is_there(&mut self, found: Option<&fs::Metadata>) -> bool {
        let Some((stamp, text)) = &mut self.there else {
            return true;
        };
        let Some(found) = found.map(Stamp::of) else {
            return false;
        };
        if found == *stamp {
            return true;
        }
        let same = found.size == stamp.size && fs::read(&self.file).is_ok_and(|read| read == *text);
        if same && access::sync_again(&self.file).is_ok() {
            *stamp = found;
            return true;
        }
        false
    }

    /// Starts the thread that writes. Each memory sent is answered once; in between it says if the file is
    /// gone, once.
    #[must_use]
    pub fn writer(mut self) -> (Sender<Box<Memory>>, Receiver<Written>) {
        let (memories, inbox) = crossbeam_channel::unbounded::<Box<Memory>>();
        let (outbox, answers) = crossbeam_channel::unbounded();
        let stamp = fs::metadata(&self.file).ok().as_ref().map(Stamp::of);
        self.there = stamp.zip(fs::read(&self.file).ok());
        threads::spawn("journal", move || {
            let mut missing = false;
            loop {
                // Not `recv_timeout`, nor `select!` with a limit on one channel, which is the same: that asks
                // the processor for other work four times before it sleeps.
                let next = select! {
                    recv(inbox) -> memory => memory.map(Some),
                    recv(after(LOOK)) -> _ => Ok(None),
                };
                let said = match next {
                    Ok(Some(memory)) => match self.write(&memory) {
                        Ok(warnings) => {
                            missing = false;
                            for warning in warnings {
                                if !self.warned.contains(&warning) {
                                    self.warned.push(warning.clone());
                                    let _ = outbox.send(Written::Warned(warning));
                                }
                            }
                            Written::Saved
                        }
                        Err(error) => {
                            Written::NotSaved(format!("cannot write {}: {error}", self.file.display()))
                        }
                    },
                    Ok(None) => match self.gone().filter(|_| !missing) {
                        Some(what) => {
                            missing = true;
                            Written::Gone(what)
                        }
                        None => continue,
                    },
                    Err(_) => return,
                };
                if outbox.send(said).is_err() {
                    return;
                }
            }
        });
        (memories, answers)
    }
}

/// Gives another name to a file that is not believed, so that a person can look at it.
fn set_aside(file: &Path, why: &str) -> String {
    let aside = (1..1000)
        .map(|n| access::beside(file, &format!("damaged-{n}")))
        .find(|path| !path.exists())
        .unwrap_or_else(|| access::beside(file, "damaged"));
    match fs::rename(file, &aside) {
        Ok(()) => format!("state file {why}: set aside as {}", aside.display()),
        Err(error) => format!("state file {why}, and cannot be set aside: {error}"),
    }
}

/// Makes a folder, and those above it, so that they are still there after a power cut.
fn make_durably(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if folder.as_os_str().is_empty() || folder.parent().is_none() {
        return fs::create_dir_all(folder);
    }
    let above = access::folder(folder);
    make_durably(above)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => {
            made?;
            // One that root makes must not lock out the user in whose folder it is. Where it cannot be handed
            // over, root has it.
            let _ = fs::File::open(folder).and_then(|made| access::hand_over(&made, None, above));
        }
    }
    // Where folders cannot be fsynced, the first write says so.
    access::sync_folder(above, None).map(drop)
}

fn encode(memory: &Memory) -> Vec<u8> {
    let body = wire::encode_memory(memory);
    let mut text = format!("{HEAD}{:08x}\n", crc32fast::hash(&body)).into_bytes();
    text.extend_from_slice(&body);
    text.push(b'\n');
    text
}

fn decode(text: &[u8]) -> std::result::Result<Memory, &'static str> {
    if text.is_empty() {
        return Err("empty");
    }
    let whole = text.strip_suffix(b"\n").ok_or("cut short")?;
    let end = whole.iter().position(|byte| *byte == b'\n').ok_or("cut short")?;
    let (head, body) = (&whole[..end], &whole[end + 1..]);
    let checksum = head
        .strip_prefix(HEAD.as_bytes())
        .ok_or("not of a form that this version knows")?;
    if format!("{:08x}", crc32fast::hash(body)).as_bytes() != checksum {
        return Err("damaged (its checksum differs)");
    }
    wire::decode_memory(body).map_err(|_| "of another form than its head says")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acknowledged::Acknowledged;
    use crate::command::Name;
    use crate::reading::{Ko, Reading, Snapshot};
    use crate::sensor::{PerSensor, SensorId, State};
    use crate::time::Wall;
    use crate::version::{Dot, Era, Seen, Version};

    fn memory() -> Memory {
        let dot = Dot { n: 42, era: Era(9) };
        let seen = Seen::default().with(Dot { n: 7, era: Era(5) });
        let mut readings = Snapshot::default();
        let reading = Reading {
            state: State::Ko,
            version: Version { dot, seen },
            changed: None,
            ko: Some(Ko {
                dot,
                from: Some(Wall(7)),
                to: None,
            }),
        };
        readings.set(SensorId::ALL[1], reading);
        Memory {
            readings,
            met: seen,
            era: Some(dot.era),
            reserved: 50,
            client: Some(1),
            done: [7, u64::MAX].into_iter().collect(),
            acknowledged: Acknowledged::of(
                &PerSensor::from_fn(|_| Some(dot)),
                Name::new("pi"),
                Some(Wall(9)),
            ),
        }
    }

    #[test]
    fn the_files_that_each_version_wrote_are_read() {
        for text in [
            &include_bytes!("../../core/tests/compatibility/0.1-card1.state")[..],
            include_bytes!("../../core/tests/compatibility/0.2-card1.state"),
            include_bytes!("../../core/tests/compatibility/0.2-card1-alarms.state"),
            include_bytes!("../../core/tests/compatibility/0.2-card2.state"),
        ] {
            let memory = decode(text).expect("written by a program");
            assert_eq!(memory.readings.iter().count(), 6);
        }
    }

    #[test]
    fn the_same_file_under_another_number_is_not_changed_and_another_one_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = StateFile::open(folder.path(), Card::One).expect("a folder");
        file.write(&memory()).expect("room on the disk");
        for (text, gone) in [(encode(&memory()), false), (encode(&Memory::default()), true)] {
            let beside = folder.path().join("beside");
            fs::write(&beside, text).expect("room on the disk");
            fs::rename(beside, &file.file).expect("the same disk");
            assert_eq!(file.gone().is_some(), gone);
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        assert_eq!(decode(&encode(&memory())), Ok(memory()));
    }

    #[test]
    fn a_file_cut_short_anywhere_is_not_believed() {
        let text = encode(&memory());
        for length in 0..text.len() {
            assert!(
                decode(&text[..length]).is_err(),
                "believed {length} of {} bytes",
                text.len()
            );
        }
    }

    #[test]
    fn a_file_with_one_bit_flipped_anywhere_is_not_believed() {
        let text = encode(&memory());
        for bit in 0..text.len() * 8 {
            let mut damaged = text.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(decode(&damaged), Ok(memory()), "believed with bit {bit} flipped");
            assert!(
                decode(&damaged).is_err(),
                "believed something with bit {bit} flipped"
            );
        }
    }
}
