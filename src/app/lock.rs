//! One owner a card on each board: the lock that it holds for as long as it runs.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::threads;
use crate::sensor::Card;

/// How long the monitor that is told to end may take. It needs 2 s at most to finish what it is sending.
const TAKE_OVER: Duration = Duration::from_secs(5);

/// The lock. The system lets go of it when the program ends, however it ends, and not before: the thread that writes the state file may
/// outlive whoever took the lock.
#[derive(Debug)]
pub struct Lock {
    _file: ManuallyDrop<File>,
}

impl Lock {
    /// Becomes the one owner of a card in this state folder.
    ///
    /// # Errors
    /// Names the monitor that holds the lock, by its process and terminal, and what can be done.
    pub fn take(folder: &Path, card: Card, take_over: bool) -> Result<Self> {
        let (mut file, path) = open(folder, card)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = Holder::read(&mut file);
                if !take_over {
                    let end = match holder.doing() {
                        Doing::Stopped => "it is stopped: continue it there with fg",
                        Doing::Runs | Doing::Elsewhere => "end it there with q",
                    };
                    bail!(
                        "card{}_monitor already runs on this board ({holder}); {end}, or start with --take-over to go on in its place",
                        card.number()
                    );
                }
                file = holder.end(file)?;
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        Self::held(file, &path)
    }

    /// Becomes the one owner of a card if nobody is; otherwise says who.
    ///
    /// # Errors
    /// Names the lock that cannot be used.
    pub fn try_take(folder: &Path, card: Card) -> Result<Result<Self, Holder>> {
        let (mut file, path) = open(folder, card)?;
        match file.try_lock() {
            Ok(()) => Self::held(file, &path).map(Ok),
            Err(TryLockError::WouldBlock) => Ok(Err(Holder::read(&mut file))),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    fn held(mut file: File, path: &Path) -> Result<Self> {
        Holder::this()
            .write(&mut file)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            _file: ManuallyDrop::new(file),
        })
    }
}

fn open(folder: &Path, card: Card) -> Result<(File, PathBuf)> {
    let path = folder.join(format!("card{}.lock", card.number()));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| {
            format!(
                "cannot open the lock {}; name a folder that this user may write with --state-dir",
                path.display()
            )
        })?;
    Ok((file, path))
}

/// What the process that holds a lock does, as far as the system tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// It runs. Whether it does anything, nobody knows.
    Runs,
    /// It was stopped, by Ctrl-Z or a signal, and does nothing until it is continued.
    Stopped,
    /// It is no process of this machine or container: it cannot be seen from here.
    Elsewhere,
}

/// Who holds a lock.
#[derive(Debug)]
pub struct Holder {
    pid: Option<i32>,
    terminal: String,
    /// When it was started, in ticks since the system was: another process may have the same number, later or in another container.
    started: String,
}

impl Holder {
    /// This process.
    #[must_use]
    pub fn this() -> Self {
        let terminal = rustix::termios::ttyname(rustix::stdio::stdin(), Vec::new());
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        Self {
            pid: Some(pid),
            terminal: terminal.map_or_else(
                |_| "no terminal".to_owned(),
                |name| name.to_string_lossy().into_owned(),
            ),
            started: field(&stat(pid), STARTED),
        }
    }

    fn read(file: &mut File) -> Self {
        let mut text = String::new();
        // A lock file that cannot be read names nobody; the lock itself is held all the same.
        let _ = file.take(4096).read_to_string(&mut text);
        let mut lines = text.lines().map(|line| {
            line.chars()
                .filter(|c| c.is_ascii_graphic() || *c == ' ')
                .collect()
        });
        let pid: Option<String> = lines.next();
        Self {
            pid: pid.and_then(|pid| pid.parse().ok()),
            terminal: lines.next().unwrap_or_else(|| "terminal unknown".to_owned()),
            started: lines.next().unwrap_or_default(),
        }
    }

    fn write(&self, file: &mut File) -> std::io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        let pid = self.pid.unwrap_or_default();
        writeln!(file, "{pid}\n{}\n{}", self.terminal, self.started)
    }

    /// Tells the holder to end as a signal tells it, and waits for its lock.
    fn end(&self, file: File) -> Result<File> {
        let pid = self.pid.and_then(rustix::process::Pid::from_raw).context(
            "the lock does not say which process holds it; end that monitor by hand, then start again",
        )?;
        if self.doing() == Doing::Elsewhere {
            // It may have ended since its lock was met.
            if file.try_lock().is_ok() {
                return Ok(file);
            }
            bail!(
                "the monitor that runs ({self}) is not a process of this machine or container; end it where it runs, then start again"
            );
        }
        // One that was stopped by Ctrl-Z hears the first signal with the second.
        for signal in [rustix::process::Signal::TERM, rustix::process::Signal::CONT] {
            match rustix::process::kill_process(pid, signal) {
                // Where it is gone, by the first signal or by itself, its lock is free.
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(error) => {
                    return Err(error).with_context(|| {
                        format!("cannot end the monitor that runs ({self}); end it by hand, then start again")
                    });
                }
            }
        }
        let (done, locked) = crossbeam_channel::bounded(1);
        threads::spawn("take-over", move || {
            let result = file.lock().map(|()| file);
            let _ = done.send(result);
        });
        match locked.recv_timeout(TAKE_OVER) {
            Ok(result) => result.context("cannot lock the state folder"),
            Err(_) => bail!(
                "the monitor that runs ({self}) was told to end and has not within {} s: it hangs; end it by kill -9 {}, then start again",
                TAKE_OVER.as_secs(),
                pid.as_raw_nonzero()
            ),
        }
    }

    /// What it does now.
    #[must_use]
    pub fn doing(&self) -> Doing {
        let Some(stat) = self.pid.map(stat) else {
            return Doing::Elsewhere;
        };
        if field(&stat, STARTED) != self.started {
            return Doing::Elsewhere;
        }
        match field(&stat, STATE).as_str() {
            "T" | "t" => Doing::Stopped,
            _ => Doing::Runs,
        }
    }
}

/// The fields of a process that are asked for, counted behind its name.
const STATE: usize = 0;
const STARTED: usize = 19;

/// What the system says of a process; nothing where there is no such process, or the system does not tell.
fn stat(pid: i32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default()
}

/// "pid (name) state parent …": the name may hold anything, so the fields are counted behind it.
fn field(stat: &str, place: usize) -> String {
    let after_name = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let mut fields = after_name.split_whitespace();
    fields.nth(place).unwrap_or_default().to_owned()
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid}, {}", self.terminal),
            None => write!(f, "process unknown, {}", self.terminal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Holder;

    /// A process that is no more, under the lock that it left; `started` as the lock says it.
    fn ended(started: &str) -> Holder {
        let mut child = std::process::Command::new("true").spawn().expect("true");
        child.wait().expect("it ends");
        Holder {
            pid: i32::try_from(child.id()).ok(),
            terminal: "/dev/pts/0".to_owned(),
            started: started.to_owned(),
        }
    }

    #[test]
    fn a_monitor_that_ends_by_itself_while_it_is_taken_over_from_is_no_error() {
        // Before it was looked for, and between the two signals.
        for started in ["12345", ""] {
            let file = tempfile::tempfile().expect("a file");
            ended(started).end(file).expect("its lock is free");
        }
    }
}
