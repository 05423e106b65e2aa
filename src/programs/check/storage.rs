//! What this board keeps on its disk: the state folder, its disk, other state files, the log.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access as may, statvfs};

use super::report::{CheckLine, CheckReport};
use crate::machine::Role;
use crate::sensor::Card;
use crate::settings::CheckOptions;
use crate::storage::state_file::{self, Content, access};
use crate::system::process::own_pid;
use crate::text::words;

/// With less room on the disk than this, nothing is surely written.
const LEAST_ROOM: u64 = 1 << 20;
/// With less than this, somebody should look.
const LITTLE_ROOM: u64 = 64 << 20;
/// A log of this size should be moved away or be less severe.
const LARGE_LOG: u64 = 64 << 20;
/// Growth of a log in the seconds of a check that fills a disk.
const FAST_GROWTH: u64 = 64 << 10;

const ELSEWHERE: &str = "name a folder on a disk of this machine with --state-dir";

/// The size of the log file, to see how fast it grows.
pub(super) fn log_size(options: &CheckOptions) -> Option<u64> {
    let meta = fs::metadata(options.log_file.as_ref()?).ok()?;
    Some(meta.len())
}

/// Looks at the disk.
pub(super) fn check<W: Write>(options: &CheckOptions, log_before: Option<u64>, report: &mut CheckReport<W>) {
    if let (Role::Monitor(card), Some(folder)) = (options.role, &options.state_dir) {
        match folder {
            Ok(folder) => of_card(folder, card, options, report),
            Err(why) => report.add(CheckLine::fail(
                "state folder",
                "",
                why,
                "name one with --state-dir",
            )),
        }
    }
    if let Some(file) = &options.log_file {
        report.add(log(file, log_before, log_size(options)));
    }
}

fn of_card<W: Write>(folder: &Path, card: Card, options: &CheckOptions, report: &mut CheckReport<W>) {
    let line = state_folder(folder, card);
    report.add(line);
    if let Some(there) = existing(folder) {
        report.add(medium(&there));
        report.add(room(&there, free(&there)));
    }
    report.add(content(folder, card, &state_file::inspect(folder, card)));
    report.add(others(folder, card, &options.known_state_dirs));
}

/// The folder, or the innermost one above it that is there.
fn existing(folder: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(folder).ok()?;
    absolute
        .ancestors()
        .find(|place| place.is_dir())
        .map(Path::to_owned)
}

/// Whether an owner could keep its states there.
fn state_folder(folder: &Path, card: Card) -> CheckLine {
    const CHECK: &str = "state folder";
    let about = folder.display().to_string();
    let meta = match fs::metadata(folder) {
        Ok(meta) if meta.is_dir() => meta,
        Ok(_) => return CheckLine::fail(CHECK, about, "it is not a folder", ELSEWHERE),
        Err(error) if error.kind() == ErrorKind::NotFound => return to_be_made(folder),
        Err(error) => return CheckLine::fail(CHECK, about, access::denied(folder, &error), ELSEWHERE),
    };
    if may(folder, Access::WRITE_OK | Access::EXEC_OK).is_err() && serves_screens(folder, card) {
        let why = format!(
            "this user is one of the screens of {}, and writes nothing there; its owner or root can check more: sudo {} --check",
            words::owner(card),
            words::owner(card)
        );
        return CheckLine::skipped(CHECK, about, why);
    }
    match try_to_write(folder, card) {
        Err(error) => CheckLine::fail(CHECK, about, access::denied(folder, &error), ELSEWHERE),
        Ok(Some(unsynced)) => CheckLine::warn(CHECK, about, unsynced, ELSEWHERE),
        Ok(None) if meta.mode() & 0o002 != 0 => CheckLine::warn(
            CHECK,
            &about,
            "every user of this machine may replace the state file",
            format!("chmod o-w '{about}'"),
        ),
        Ok(None) => CheckLine::ok(CHECK, about, "a file was written there, fsynced and removed"),
    }
}

fn to_be_made(folder: &Path) -> CheckLine {
    const CHECK: &str = "state folder";
    let about = folder.display().to_string();
    let above = existing(folder).unwrap_or_else(|| PathBuf::from("/"));
    match may(&above, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => CheckLine::skipped(
            CHECK,
            about,
            format!(
                "it is not there yet; the first start makes it, as this user may in {}",
                above.display()
            ),
        ),
        Err(error) => CheckLine::fail(
            CHECK,
            about,
            format!(
                "it is not there and cannot be made {}",
                access::denied(&above, &error.into())
            ),
            ELSEWHERE,
        ),
    }
}

/// Whether an owner has put its socket there, which an ordinary user of it may reach.
fn serves_screens(folder: &Path, card: Card) -> bool {
    fs::metadata(folder.join(format!("card{}.socket", card.number()))).is_ok()
}

/// Writes and removes a file as durably as a state file is written. Gives what could not be made durable.
fn try_to_write(folder: &Path, card: Card) -> io::Result<Option<String>> {
    let file = folder.join(format!("card{}.check-{}", card.number(), own_pid()));
    let mut options = OpenOptions::new();
    let mut opened = options.write(true).create_new(true).mode(0o600).open(&file)?;
    let written = opened.write_all(&[b'\n'; 4096]).and_then(|()| opened.sync_all());
    let removed = fs::remove_file(&file);
    written.and(removed)?;
    access::sync_folder(folder, None::<&File>)
}

/// What the folder's disk is made of.
fn medium(folder: &Path) -> CheckLine {
    const CHECK: &str = "disk";
    let about = folder.display().to_string();
    match filesystem(folder) {
        Some(kind) => judged(kind, about),
        None => CheckLine::skipped(CHECK, about, "this system does not say what kind it is"),
    }
}

#[cfg(target_os = "linux")]
fn filesystem(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statfs(folder).ok()?;
    // The width of this number differs between machines, and some are given as negative ones.
    #[allow(
        clippy::cast_sign_loss,
        clippy::useless_conversion,
        clippy::unnecessary_cast,
        reason = "as above"
    )]
    Some(found.f_type as u64 & 0xFFFF_FFFF)
}

#[cfg(not(target_os = "linux"))]
const fn filesystem(_: &Path) -> Option<u64> {
    None
}

/// The numbers stand in Linux's `magic.h`.
fn judged(kind: u64, about: String) -> CheckLine {
    const CHECK: &str = "disk";
    const GONE: &str = "its files are gone when the board is switched off";
    let name = match kind {
        0x0102_1994 => return CheckLine::fail(CHECK, about, format!("tmpfs: {GONE}"), ELSEWHERE),
        0x8584_58F6 => return CheckLine::fail(CHECK, about, format!("ramfs: {GONE}"), ELSEWHERE),
        0x794C_7630 => {
            return CheckLine::warn(
                CHECK,
                about,
                "overlay: its upper layer may be in memory, or end with a container",
                ELSEWHERE,
            );
        }
        0x6969 => "NFS",
        0xFE53_4D42 | 0xFF53_4D42 | 0x517B => "SMB",
        0x0102_1997 => "9p",
        0x6573_5546 => "FUSE",
        0xEF53 => return CheckLine::ok(CHECK, about, "ext2, ext3 or ext4"),
        0x5846_5342 => return CheckLine::ok(CHECK, about, "XFS"),
        0x9123_683E => return CheckLine::ok(CHECK, about, "Btrfs"),
        0xF2F5_2010 => return CheckLine::ok(CHECK, about, "F2FS"),
        0x2FC1_2FC1 => return CheckLine::ok(CHECK, about, "ZFS"),
        0x4D44 => "FAT",
        _ => {
            let why = format!("nothing is known here about this kind ({kind:#x})");
            return CheckLine::skipped(CHECK, about, why);
        }
    };
    CheckLine::warn(
        CHECK,
        about,
        format!("{name}: what is fsynced there may not survive a power cut"),
        ELSEWHERE,
    )
}

fn free(folder: &Path) -> Option<u64> {
    let found = statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

fn room(folder: &Path, free: Option<u64>) -> CheckLine {
    const CHECK: &str = "free room";
    const ADVICE: &str = "delete or move away what is not needed there";
    let about = folder.display().to_string();
    let Some(free) = free else {
        return CheckLine::skipped(CHECK, about, "this disk does not say how much is free");
    };
    let found = format!("{} MB", free >> 20);
    match free {
        ..LEAST_ROOM => CheckLine::fail(CHECK, about, found, ADVICE),
        LEAST_ROOM..LITTLE_ROOM => CheckLine::warn(CHECK, about, found, ADVICE),
        _ => CheckLine::ok(CHECK, about, found),
    }
}

fn content(folder: &Path, card: Card, content: &Content) -> CheckLine {
    const CHECK: &str = "state file";
    let about = state_file::path(folder, card).display().to_string();
    match content {
        Content::Missing => CheckLine::skipped(
            CHECK,
            about,
            "there is none yet; the first start restores from the brokers and makes it",
        ),
        Content::Whole => CheckLine::ok(CHECK, about, "it is whole"),
        Content::Damaged(why) => CheckLine::fail(
            CHECK,
            about,
            why,
            "leave it where it is: at the next start it is set aside, and the states come back from the brokers; look for a failing disk",
        ),
        Content::Unreadable(why) if serves_screens(folder, card) => {
            CheckLine::skipped(CHECK, about, format!("cannot be read {why}"))
        }
        Content::Unreadable(why) => CheckLine::fail(
            CHECK,
            about,
            format!("cannot be read {why}"),
            "no monitor starts before that is mended",
        ),
    }
}

/// State files of this card in other folders, where an owner would find other states.
fn others(folder: &Path, card: Card, known: &[PathBuf]) -> CheckLine {
    const CHECK: &str = "other state files";
    let own = fs::canonicalize(folder).ok();
    let mut unseen = Vec::new();
    let mut found: Vec<String> = Vec::new();
    let mut looked = false;
    for place in known {
        if place == folder || (own.is_some() && fs::canonicalize(place).ok() == own) {
            continue;
        }
        looked = true;
        let file = state_file::path(place, card);
        let shown = file.display().to_string();
        match fs::symlink_metadata(&file) {
            Ok(_) if found.contains(&shown) => {}
            Ok(_) => found.push(shown),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => unseen.push(shown),
            Err(_) => {}
        }
    }
    if !found.is_empty() {
        let what = format!("there is {}", found.join(", "));
        let advice = format!(
            "a monitor that is started with that folder goes on from other states: move the file away if no {} uses it",
            words::owner(card)
        );
        return CheckLine::warn(CHECK, "", what, advice);
    }
    if !unseen.is_empty() {
        return CheckLine::skipped(
            CHECK,
            "",
            format!("this user may not look for {}", unseen.join(", ")),
        );
    }
    if !looked {
        let why = "no other folder is known here: neither XDG_STATE_HOME nor HOME names one";
        return CheckLine::skipped(CHECK, "", why);
    }
    CheckLine::ok(CHECK, "", "there is none in the usual folders")
}

fn log(file: &Path, before: Option<u64>, now: Option<u64>) -> CheckLine {
    const CHECK: &str = "log file";
    let about = file.display().to_string();
    let Some(now) = now else {
        return to_be_written(file);
    };
    if may(file, Access::WRITE_OK).is_err() {
        return CheckLine::fail(
            CHECK,
            about,
            "this user may not write it",
            "name another one with --log-file, or change its owner",
        );
    }
    let grown = now.saturating_sub(before.unwrap_or(now));
    let found = format!("{} MB, and it grew by {} kB meanwhile", now >> 20, grown >> 10);
    if grown >= FAST_GROWTH {
        let advice = "read what it says; a less talkative --log-level writes less";
        return CheckLine::warn(CHECK, about, found, advice);
    }
    if now >= LARGE_LOG {
        let advice = "move it away, also while the programs run, or have logrotate do it";
        return CheckLine::warn(CHECK, about, found, advice);
    }
    CheckLine::ok(CHECK, about, found)
}

fn to_be_written(file: &Path) -> CheckLine {
    const CHECK: &str = "log file";
    let about = file.display().to_string();
    match may(access::folder(file), Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => CheckLine::skipped(CHECK, about, "it is not there yet; the first start makes it"),
        Err(error) => CheckLine::fail(
            CHECK,
            about,
            format!("it is not there and cannot be made: {error}"),
            "name another one with --log-file",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Grade;
    use super::*;

    #[test]
    fn a_disk_in_memory_is_a_failure_and_an_unknown_one_is_not_called_right() {
        let grade = |kind| judged(kind, String::new()).grade;
        assert_eq!(grade(0x0102_1994), Grade::Fail, "tmpfs");
        assert_eq!(grade(0x8584_58F6), Grade::Fail, "ramfs");
        assert_eq!(grade(0x794C_7630), Grade::Warn, "overlay");
        assert_eq!(grade(0x6969), Grade::Warn, "NFS");
        assert_eq!(grade(0xEF53), Grade::Ok, "ext4");
        assert_eq!(grade(0x1234), Grade::Skipped);
    }

    #[test]
    fn a_disk_that_is_nearly_full_is_a_warning_and_a_full_one_a_failure() {
        let grade = |free| room(Path::new("/"), free).grade;
        assert_eq!(grade(Some(0)), Grade::Fail);
        assert_eq!(grade(Some(LITTLE_ROOM - 1)), Grade::Warn);
        assert_eq!(grade(Some(LITTLE_ROOM)), Grade::Ok);
        assert_eq!(grade(None), Grade::Skipped);
    }

    #[test]
    fn a_log_that_is_large_or_grows_fast_is_a_warning() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("log");
        assert_eq!(log(&file, None, None).grade, Grade::Skipped);
        assert_eq!(log(&folder.path().join("a/b"), None, None).grade, Grade::Fail);
        fs::write(&file, "").expect("a log");
        assert_eq!(log(&file, Some(0), Some(10)).grade, Grade::Ok);
        assert_eq!(log(&file, Some(0), Some(FAST_GROWTH)).grade, Grade::Warn);
        assert_eq!(log(&file, Some(LARGE_LOG), Some(LARGE_LOG)).grade, Grade::Warn);
    }

    #[test]
    fn a_state_folder_that_cannot_be_used_is_a_failure_and_one_that_is_missing_not_called_right() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "").expect("a file");
        assert_eq!(state_folder(&file, Card::One).grade, Grade::Fail);
        let missing = folder.path().join("new/folder");
        assert_eq!(state_folder(&missing, Card::One).grade, Grade::Skipped);
        assert_eq!(state_folder(folder.path(), Card::One).grade, Grade::Ok);
        assert_eq!(
            fs::read_dir(folder.path()).expect("it").count(),
            1,
            "nothing is left"
        );
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(folder.path(), open).expect("its owner may");
        assert_eq!(state_folder(folder.path(), Card::One).grade, Grade::Warn);
    }

    #[test]
    fn a_damaged_state_file_is_a_failure_and_stays_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = state_file::path(folder.path(), Card::One);
        let grade = || {
            let found = state_file::inspect(folder.path(), Card::One);
            content(folder.path(), Card::One, &found).grade
        };
        assert_eq!(grade(), Grade::Skipped);
        fs::write(&file, "nonsense").expect("a file");
        assert_eq!(grade(), Grade::Fail);
        assert_eq!(fs::read(&file).expect("it is there"), b"nonsense");
    }

    #[test]
    fn a_second_state_file_in_one_of_the_usual_folders_is_a_warning() {
        let [own, other] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let known = [own.path().to_owned(), other.path().to_owned()];
        let grade = || others(own.path(), Card::One, &known).grade;
        fs::write(state_file::path(own.path(), Card::One), "").expect("a file");
        assert_eq!(grade(), Grade::Ok);
        fs::write(state_file::path(other.path(), Card::One), "").expect("a file");
        assert_eq!(grade(), Grade::Warn);
    }
}
