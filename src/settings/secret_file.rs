//! Files that hold a secret: one that others can read, or put another one in the place of, is not used.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// What a user who is neither the owner nor in the group may do, and the group's right to write. The group
/// may read: operators share one.
const TOO_MUCH: u32 = 0o027;

/// What is left when these rights are taken away, and those to run the file.
const ENOUGH: u32 = 0o640;

/// More than any password or key has.
const LARGEST: u64 = 64 * 1024;

/// Others can get at a file with a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the {what} {} is open to {to_whom} (mode {mode:04o}); type chmod {:04o} {}, and make a new one if somebody may have read it",
    .file.display(),
    .mode & ENOUGH,
    quoted(.file)
)]
pub struct Exposed {
    what: &'static str,
    file: PathBuf,
    mode: u32,
    to_whom: &'static str,
}

/// Reads such a file. `option` is what names another one.
///
/// # Errors
/// [`Exposed`], if others can get at it; otherwise names the file, and why it cannot be read.
pub fn read(what: &'static str, option: &str, file: &Path) -> Result<String> {
    let cannot = || {
        format!(
            "cannot read the {what} {}; give one that this user may read with {option}",
            file.display()
        )
    };
    // The rights of what is read, and not of what was there a moment before.
    let opened = File::open(file).with_context(cannot)?;
    let meta = opened.metadata().with_context(cannot)?;
    check(what, file, meta.permissions().mode() & 0o7777)?;
    let mut text = String::new();
    opened
        .take(LARGEST)
        .read_to_string(&mut text)
        .with_context(cannot)?;
    Ok(text)
}

fn check(what: &'static str, file: &Path, mode: u32) -> Result<(), Exposed> {
    if mode & TOO_MUCH == 0 {
        return Ok(());
    }
    Err(Exposed {
        what,
        file: file.to_owned(),
        mode,
        to_whom: if mode.trailing_zeros() >= 3 {
            "changes by its group"
        } else {
            "every user of this machine"
        },
    })
}

/// A file's name as a shell takes it.
fn quoted(file: &Path) -> String {
    let name = file.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '@' | '+');
    if name.chars().all(is_plain) {
        return name;
    }
    format!("'{}'", name.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(mode: u32) -> String {
        let file = Path::new("/etc/dualboard/credentials/display");
        check("password file", file, mode).map_or_else(|why| why.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn its_owner_and_its_group_may_read_it() {
        for mode in [0o400, 0o600, 0o440, 0o640, 0o700, 0o750] {
            assert_eq!(words(mode), "fine", "{mode:o}");
        }
    }

    #[test]
    fn nobody_else_may_do_anything_with_it_nor_may_its_group_change_it() {
        for (mode, whom, then) in [
            (0o644, "every user of this machine (mode 0644)", "chmod 0640 "),
            (0o666, "every user of this machine (mode 0666)", "chmod 0640 "),
            (0o604, "every user of this machine", "chmod 0600 "),
            (0o602, "every user of this machine", "chmod 0600 "),
            (0o601, "every user of this machine", "chmod 0600 "),
            (0o444, "every user of this machine", "chmod 0440 "),
            (0o660, "changes by its group (mode 0660)", "chmod 0640 "),
            (0o620, "changes by its group", "chmod 0600 "),
        ] {
            let said = words(mode);
            assert!(
                said.starts_with("the password file /etc/dualboard/credentials/display is open to "),
                "{said}"
            );
            assert!(said.contains(whom) && said.contains(then), "{mode:o}: {said}");
        }
    }

    #[test]
    fn the_command_to_type_names_the_file_as_a_shell_takes_it() {
        assert_eq!(quoted(Path::new("/a/b-c_d.e")), "/a/b-c_d.e");
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
