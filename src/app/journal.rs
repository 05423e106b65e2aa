//! The owner's state file: written whole, durably, and off the path of the messages; believed only if it is whole.
//!
//! Two lines: a head with the format and a checksum, and the memory as JSON. A write goes to a new file, which is fsynced and renamed over the
//! old one; then the folder is fsynced. So at every moment one whole file stands there, the old or the new.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender};

use super::threads;
use crate::owner::Memory;
use crate::sensor::Card;
use crate::wire;

/// What a head says before its checksum. A newer program that writes another form changes the number.
const HEAD: &str = "dualboard state 1 crc32 ";

/// A state file is far under 1 KiB; nothing larger is read.
const LARGEST: u64 = wire::LARGEST as u64;

/// What became of a write: `Err` has the reason in words.
pub type Written = Result<(), String>;

/// A card's state file.
#[derive(Debug, Clone)]
pub struct Journal {
    file: PathBuf,
    folder: PathBuf,
}

impl Journal {
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
            file: folder.join(format!("card{}.state", card.number())),
            folder: folder.to_owned(),
        })
    }

    /// What the file holds; `Err` says in words why there is nothing to believe. A file that cannot be believed is set aside, not deleted.
    ///
    /// # Errors
    /// In words, for the operator.
    pub fn load(&self) -> std::result::Result<Memory, String> {
        let text = match fs::metadata(&self.file).and_then(|meta| match meta.len() {
            0..=LARGEST => fs::read(&self.file),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "far too large")),
        }) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(format!("no state file yet in {}", self.folder.display()));
            }
            // Also what cannot be read at all: the next write would put another in its place.
            Err(error) => return Err(self.set_aside(&format!("cannot be read ({error})"))),
        };
        decode(&text).map_err(|why| self.set_aside(why))
    }

    fn set_aside(&self, why: &str) -> String {
        let aside = (1..1000)
            .map(|n| self.file.with_extension(format!("state.damaged-{n}")))
            .find(|path| !path.exists())
            .unwrap_or_else(|| self.file.with_extension("state.damaged"));
        match fs::rename(&self.file, &aside) {
            Ok(()) => format!("state file {why}: set aside as {}", aside.display()),
            Err(error) => format!("state file {why}, and cannot be set aside: {error}"),
        }
    }

    /// Writes the file; when this returns, it is durable.
    fn write(&self, memory: &Memory) -> io::Result<()> {
        let new = self.file.with_extension("state.new");
        let mut file = File::create(&new)?;
        file.write_all(&encode(memory))?;
        file.sync_all()?;
        fs::rename(&new, &self.file)?;
        File::open(&self.folder)?.sync_all()
    }

    /// Starts the thread that writes. Each memory sent is answered once.
    #[must_use]
    pub fn writer(self) -> (Sender<Memory>, Receiver<Written>) {
        let (memories, inbox) = crossbeam_channel::unbounded::<Memory>();
        let (outbox, answers) = crossbeam_channel::unbounded();
        threads::spawn("journal", move || {
            for memory in inbox {
                let written = self
                    .write(&memory)
                    .map_err(|error| format!("cannot write {}: {error}", self.file.display()));
                if outbox.send(written).is_err() {
                    return;
                }
            }
        });
        (memories, answers)
    }
}

/// Makes a folder, and those above it, so that they are still there after a power cut.
fn make_durably(folder: &Path) -> io::Result<()> {
    let Some(above) = folder.parent().filter(|_| !folder.is_dir()) else {
        return fs::create_dir_all(folder);
    };
    let above = if above.as_os_str().is_empty() {
        Path::new(".")
    } else {
        above
    };
    make_durably(above)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => made?,
    }
    File::open(above)?.sync_all()
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
    use crate::reading::{Reading, Snapshot};
    use crate::sensor::{SensorId, State};
    use crate::version::{Life, Version};

    fn memory() -> Memory {
        let mut readings = Snapshot::default();
        let version = Version {
            incarnation: 7,
            sequence: 42,
            life: Life(9),
            after: 0,
        };
        let reading = Reading {
            state: State::Ko,
            version,
            changed: None,
        };
        readings.offer(SensorId::ALL[1], reading);
        Memory {
            readings,
            era: None,
            incarnation: 7,
            done: [7, u64::MAX].into_iter().collect(),
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
