//! Files on a disk that may deny things: which file a name means, who may read it, whose it stays, and what
//! makes it durable.

use std::fmt::Write as _;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// The file that a name means. A link is followed, so that its target is written and the link stays.
///
/// # Errors
/// If the target of a link is not there: its disk may be missing, and a new file would hide the old one.
pub fn target(file: &Path) -> io::Result<PathBuf> {
    if !fs::symlink_metadata(file).is_ok_and(|meta| meta.is_symlink()) {
        return Ok(file.to_owned());
    }
    fs::canonicalize(file).map_err(|error| {
        let to = fs::read_link(file).unwrap_or_default();
        let why = format!(
            "it is a link to {}, which cannot be reached ({error}): mount the disk of that file, or remove the link",
            to.display()
        );
        io::Error::new(error.kind(), why)
    })
}

/// The file beside another one whose name has one more ending.
pub fn beside(file: &Path, exit: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(exit);
    file.with_file_name(name)
}

/// The folder of a file.
pub fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A new, empty file. One of that name was left by a program that was killed, perhaps another user's: it is
/// never opened.
pub fn create(file: &Path) -> io::Result<File> {
    let create = || OpenOptions::new().write(true).create_new(true).open(file);
    create().or_else(|error| match fs::remove_file(file) {
        Ok(()) => create(),
        Err(_) => Err(error),
    })
}

/// Gives a new file to the owner of the one that it replaces, with its mode. Where it replaces none and root
/// makes it, to the owner of its folder. Else root's `--toggle` would lock the service's user out of its own
/// state. Says what could not be kept.
pub fn hand_over(new: &File, replaced: Option<&Metadata>, folder: &Path) -> io::Result<Option<String>> {
    let made = new.metadata()?;
    let mut lost = None;
    let heir = match replaced {
        Some(old) => Some((old.uid(), old.gid())),
        None if rustix::process::geteuid().is_root() => {
            let folder = fs::metadata(folder)?;
            Some((folder.uid(), folder.gid()))
        }
        None => None,
    };
    if let Some((uid, gid)) = heir.filter(|heir| *heir != (made.uid(), made.gid()))
        && let Err(error) = fchown(new, Some(uid), Some(gid))
    {
        // An ordinary user may still keep a group that it is in.
        let _ = fchown(new, None, Some(gid));
        let now = user(made.uid());
        lost = Some(format!(
            "its owner was {} and is {now} from now on ({error})",
            user(uid)
        ));
    }
    let mode = replaced.map(|old| old.mode() & 0o7777);
    if let Some(mode) = mode.filter(|mode| *mode != made.mode() & 0o7777)
        && let Err(error) = new.set_permissions(Permissions::from_mode(mode))
    {
        lost = Some(format!("its mode was {mode:04o} and cannot be kept ({error})"));
    }
    Ok(lost)
}

/// Makes the names in a folder durable, after `file` has got its name there. Says so where this disk cannot
/// do it.
///
/// CIFS and 9p deny the fsync of a folder (EINVAL), and a folder that may be written and not read cannot be
/// opened for it. The file itself is whole and durable; it is fsynced once more under its new name, and no
/// program can do more there. So it counts as saved, with a warning: were it called not saved, nothing on
/// such a disk would ever be, and each retry would end in the same way. Any other failure (EIO) is one.
pub fn sync_folder(folder: &Path, file: Option<&File>) -> io::Result<Option<String>> {
    let Err(error) = File::open(folder).and_then(|opened| opened.sync_all()) else {
        return Ok(None);
    };
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied => {}
        _ => return Err(error),
    }
    if let Some(file) = file {
        file.sync_all()?;
    }
    Ok(Some(format!(
        "the folder {} cannot be fsynced ({error}): states count as SAVED, but a power cut may bring back the state file before the last one; \
         better keep it on a disk of this machine (--state-dir)",
        folder.display()
    )))
}

/// Makes a file that somebody may have put there as durable as one that was written here.
pub fn sync_again(file: &Path) -> io::Result<()> {
    let opened = File::open(file)?;
    opened.sync_all()?;
    sync_folder(folder(&target(file)?), Some(&opened)).map(drop)
}

/// Whether a file or folder is surely not there. What cannot be looked at may be there.
pub fn is_missing(path: &Path) -> bool {
    fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Why this user may not use a file, and what to do: whose it is, and the command that gives it to this user.
pub fn denied(file: &Path, error: &io::Error) -> String {
    let this = rustix::process::geteuid().as_raw();
    let mut text = format!("as {}: {error}", user(this));
    if error.kind() != io::ErrorKind::PermissionDenied {
        return text;
    }
    // The innermost that can be looked at is the file, or the folder that hides it.
    let place = file
        .ancestors()
        .find_map(|place| Some((place, fs::metadata(place).ok()?)));
    if let Some((place, meta)) = place {
        let cure = if meta.uid() == this {
            let bits = if meta.is_dir() { "rwx" } else { "rw" };
            format!("chmod u+{bits} '{}'", place.display())
        } else {
            let name = name(this).unwrap_or_else(|| this.to_string());
            format!(
                "run this as its owner, or: sudo chown {name} '{}'",
                place.display()
            )
        };
        let (owner, mode) = (user(meta.uid()), meta.mode() & 0o7777);
        let _ = write!(
            text,
            "; {} belongs to {owner}, mode {mode:04o}: {cure}",
            place.display()
        );
    }
    text
}

/// A user's name and number.
fn user(uid: u32) -> String {
    name(uid).map_or_else(|| format!("user {uid}"), |name| format!("user {name} ({uid})"))
}

/// From the list of this machine's own users; one that a directory server knows has its number only.
fn name(uid: u32) -> Option<String> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}
