//! The thread that writes the log file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, unbounded};

use super::{Form, News, Output};
use crate::storage::state_file::access;

/// Looks whether the file can be written, and makes it.
pub(super) fn try_to_open(path: &Path) -> Result<()> {
    open(path).map(drop).with_context(|| {
        format!(
            "cannot write the log file {}; name one that this user may write with --log-file",
            path.display()
        )
    })
}

/// Starts the thread. The file is opened anew for each batch of lines: so it may be moved away, as rotating
/// logs does, and a disk that has been full is written again.
///
/// `on_screen` says that something else, such as a screen, tells what becomes of the file; else stderr does.
pub(super) fn output(path: &Path, on_screen: bool) -> (Output, Receiver<News>) {
    let (outbox, news) = unbounded();
    let mut writer = Writer {
        path: path.to_owned(),
        outbox,
        on_screen,
        lost: 0,
    };
    let output = Output::start("log", Form::Dated, move |lines| writer.write(lines));
    (output, news)
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true);
    options.open(path).or_else(|error| {
        if error.kind() != io::ErrorKind::NotFound {
            return Err(error);
        }
        let Ok(file) = options.clone().create_new(true).open(path) else {
            // Another program was quicker, or it is a link to a file that is not there yet.
            return options.clone().create(true).open(path);
        };
        // One that root makes must not lock out the folder's owner. Where it cannot be handed over, root has
        // it.
        let _ = access::hand_over(&file, None, access::folder(path));
        Ok(file)
    })
}

struct Writer {
    path: PathBuf,
    outbox: Sender<News>,
    on_screen: bool,
    /// Lines that could not be written since the last that could.
    lost: usize,
}

impl Writer {
    fn write(&mut self, lines: &[String]) {
        let mut text = lines.concat();
        if self.lost > 0 {
            text.insert_str(0, &format!("({} lines could not be written here)\n", self.lost));
        }
        match open(&self.path).and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) if self.lost > 0 => {
                self.lost = 0;
                let _ = self.outbox.send(Ok(()));
            }
            Ok(()) => {}
            Err(error) => {
                if self.lost == 0 {
                    let why = format!("cannot write the log file {}: {error}", self.path.display());
                    if !self.on_screen {
                        // Not `eprintln!`: it panics where stderr is gone.
                        let _ = writeln!(io::stderr(), "{why}");
                    }
                    let _ = self.outbox.send(Err(why));
                }
                self.lost += lines.len();
            }
        }
    }
}
