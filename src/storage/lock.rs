//! One owner a card on each board: the lock that it holds for as long as it runs.

mod holder;
mod taker;

use std::fs::{File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io;
use std::mem::ManuallyDrop;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rustix::fs::Access;
use rustix::io::Errno;

use crate::sensor::Card;
use crate::storage::state_file::access;
use crate::text::words;

pub use holder::{Holder, ProcessState, RunMode};
pub use taker::who_takes_over;

/// Between two looks at a lock that somebody else holds.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// So often it is looked at again who holds a lock: whoever has just taken it has not written its name yet.
const NAME_TRIES: u32 = 25;

/// The lock. The system lets go of it when the program ends, however it ends, and not before: the thread that
/// writes the state file may outlive whoever took the lock.
#[derive(Debug)]
pub struct Lock {
    file: ManuallyDrop<File>,
    path: PathBuf,
    this: Holder,
}

impl Lock {
    /// Becomes the one owner of a card in this state folder; otherwise says who is. A command that is being
    /// carried out is waited for, and `waits` is told so.
    ///
    /// # Errors
    /// Names the lock that cannot be used, or who cannot be taken over from.
    pub fn take(
        folder: &Path,
        card: Card,
        this: &Holder,
        take_over: bool,
        waits: impl Fn(&str),
    ) -> Result<Result<Self, Holder>> {
        let mut told = false;
        loop {
            let holder = match Self::try_take(folder, card, this)? {
                Ok(lock) => return Ok(Ok(lock)),
                Err(holder) => holder,
            };
            let program = words::owner(card);
            if take_over {
                return taker::take_over(folder, card, this).map(Ok);
            }
            if holder.run_mode() != RunMode::Set || holder.state() != ProcessState::Runs {
                return Ok(Err(holder));
            }
            if !std::mem::replace(&mut told, true) {
                waits(&format!(
                    "waits until {program} --set or --toggle ({holder}) has ended"
                ));
            }
            wait_briefly();
        }
    }

    /// Becomes the one owner of a card if nobody is; otherwise says who.
    ///
    /// # Errors
    /// Names the lock that cannot be used.
    pub fn try_take(folder: &Path, card: Card, this: &Holder) -> Result<Result<Self, Holder>> {
        let path = folder.join(format!("{}.lock", name(card)));
        Ok(locked(&path, this)?.map(|file| Self {
            file: ManuallyDrop::new(file),
            path,
            this: this.clone(),
        }))
    }

    /// Whether what is at its path is this lock: a folder can be moved or deleted under a program that
    /// runs, and then the next one would find the card free.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        is_at(&self.file, &self.path)
    }

    /// Takes it once more where it was, after what was there has gone.
    ///
    /// # Errors
    /// Names who has it there now.
    pub fn take_again(&mut self) -> io::Result<()> {
        match locked(&self.path, &self.this) {
            Ok(Ok(file)) => {
                // What was moved away is nobody's any more.
                drop(ManuallyDrop::into_inner(std::mem::replace(
                    &mut self.file,
                    ManuallyDrop::new(file),
                )));
                Ok(())
            }
            Ok(Err(holder)) => Err(io::Error::other(format!(
                "another one ({holder}) has begun in that folder, which was moved or deleted under this one"
            ))),
            Err(error) => Err(io::Error::other(format!("{error:#}"))),
        }
    }
}

/// Whether this user may become the owner of a card, as far as the rights tell.
#[must_use]
pub fn may_take(folder: &Path, card: Card) -> bool {
    let lock = folder.join(format!("{}.lock", name(card)));
    // Where it is for another reason that nothing can be written, it may be an owner all the same.
    [folder, &lock]
        .iter()
        .all(|path| rustix::fs::access(*path, Access::WRITE_OK) != Err(Errno::ACCESS))
}

/// Who owns a card in this state folder, as far as its lock file says. Nothing is locked for it.
#[must_use]
pub fn who_owns(folder: &Path, card: Card) -> Option<Holder> {
    let mut file = File::open(folder.join(format!("{}.lock", name(card)))).ok()?;
    let holder = Holder::read(&mut file);
    (holder.state() != ProcessState::Elsewhere).then_some(holder)
}

fn name(card: Card) -> String {
    format!("card{}", card.number())
}

/// The file with the lock on it and this process's name in it; otherwise who has it.
fn locked(path: &Path, this: &Holder) -> Result<Result<File, Holder>> {
    let mut tries = 0;
    loop {
        let (mut file, read_only) = open(path)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, path) => {
                // A user who may not write here would keep nothing: the card is for one who may. On a disk
                // that is full, or can only be read, the lock is held without a name in it.
                if let Some(error) = read_only.filter(|error| error.kind() == io::ErrorKind::PermissionDenied)
                {
                    return Err(denied(path, &error));
                }
                let _ = this.write(&file);
                let_group_look(&file, path);
                return Ok(Ok(file));
            }
            // It was moved away in between.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = Holder::read(&mut file);
                if holder.state() != ProcessState::Elsewhere || tries == NAME_TRIES {
                    return Ok(Err(holder));
                }
                tries += 1;
                wait_briefly();
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| {
                    format!(
                        "cannot lock {}; name a folder on a disk of this machine with --state-dir",
                        path.display()
                    )
                });
            }
        }
    }
}

/// The lock's file, and why it can only be read, if so.
fn open(path: &Path) -> Result<(File, Option<io::Error>)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    let made = || {
        let file = options.clone().create_new(true).open(path)?;
        // One that root makes must not lock out the folder's owner.
        let _ = access::hand_over(&file, None, access::folder(path));
        Ok(file)
    };
    options
        .open(path)
        .or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => made(),
            _ => Err(error),
        })
        // Somebody else has made it in between.
        .or_else(|error| options.open(path).map_err(|_| error))
        .map(|file| (file, None))
        // Whoever may read a file may lock it, and may look who has the lock.
        .or_else(|error| match File::open(path) {
            Ok(file) => Ok((file, Some(error))),
            Err(_) => Err(denied(path, &error)),
        })
}

/// Who may go through the folder to the socket has to see here whose it is, also where a narrow umask hides
/// the states from them. Another user's file keeps its mode.
fn let_group_look(file: &File, path: &Path) {
    let mode = |meta: io::Result<Metadata>| meta.map_or(0, |meta| meta.mode() & 0o7777);
    let (folder, now) = (
        mode(std::fs::metadata(access::folder(path))),
        mode(file.metadata()),
    );
    if folder & 0o010 != 0 && now & 0o040 == 0 {
        let _ = file.set_permissions(Permissions::from_mode(now | 0o040));
    }
}

fn denied(path: &Path, error: &io::Error) -> anyhow::Error {
    let folder = std::fs::metadata(access::folder(path));
    let group = if folder.is_ok_and(|folder| folder.mode() & 0o010 != 0) {
        "; a monitor that runs there can be used by the folder's group"
    } else {
        ""
    };
    // Another folder would be another memory: it is no cure where the file is only another user's.
    anyhow!(
        "cannot open the lock {} {}{group}; for a card without a state yet, name another folder with --state-dir",
        path.display(),
        access::denied(path, error)
    )
}

fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(one), Ok(other)) = (file.metadata(), std::fs::metadata(path)) else {
        return false;
    };
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Until it is looked at again.
pub fn wait_briefly() {
    std::thread::park_timeout(RETRY_PAUSE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_moved_away_or_deleted_is_known_not_to_be_in_place_and_can_be_taken_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let this = Holder::this(RunMode::Lines, "");
        let lock = Lock::try_take(folder.path(), Card::One, &this).expect("a lock");
        let mut lock = lock.expect("it is free");
        assert!(lock.is_in_place());
        let path = folder.path().join("card1.lock");
        for gone in [true, false] {
            if gone {
                std::fs::remove_file(&path).expect("the lock");
            } else {
                std::fs::rename(&path, folder.path().join("elsewhere")).expect("the lock");
            }
            assert!(!lock.is_in_place());
            lock.take_again().expect("nobody has it");
            assert!(lock.is_in_place());
            let other = Lock::try_take(folder.path(), Card::One, &this).expect("a lock");
            assert!(other.is_err(), "it is taken");
        }
    }

    #[test]
    fn what_another_one_has_taken_meanwhile_is_not_taken_from_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let this = Holder::this(RunMode::Lines, "");
        let take = || Lock::try_take(folder.path(), Card::One, &this).expect("a lock");
        let mut first = take().expect("it is free");
        std::fs::remove_file(folder.path().join("card1.lock")).expect("the lock");
        let second = take().expect("it is free");
        let error = first.take_again().expect_err("it is taken").to_string();
        assert!(error.contains("has begun in that folder"), "{error}");
        assert!(second.is_in_place() && !first.is_in_place());
    }
}
