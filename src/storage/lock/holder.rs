//! Who holds a lock, and what can be done about it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::FileExt as _;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::system::process::{Process, SignalMasks, own_pid, own_unit};

/// How a monitor has its card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunMode {
    /// With a screen and keys, until it is quit.
    Screen,
    /// Without keys, until a signal.
    Lines,
    /// Without a terminal, for a service manager, which starts it again.
    Service,
    /// For `--set` and `--toggle`: it ends by itself.
    Set,
}

impl RunMode {
    const ALL: [Self; 4] = [Self::Screen, Self::Lines, Self::Service, Self::Set];

    const fn word(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Lines => "lines",
            Self::Service => SERVICE,
            Self::Set => "order",
        }
    }
}

/// What the process that holds a lock does, as far as the system tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessState {
    /// It runs. Whether it does anything, nobody knows.
    Runs,
    /// It was stopped, by Ctrl-Z or a signal, and does nothing until it is continued.
    Stopped,
    /// It is no process of this machine or container: it cannot be seen from here.
    Elsewhere,
}

/// Who holds a lock.
#[derive(Debug, Clone)]
pub struct Holder {
    pid: Option<i32>,
    terminal: String,
    /// When it was started, in ticks since the system was: another process may have the same number, later or
    /// in another container. `None` where that is not known.
    started: Option<u64>,
    run_mode: RunMode,
    /// The broker that it was started with; nothing where that is not known.
    broker: String,
    /// The service that it is, as `systemctl stop` takes it; nothing where that is not known.
    unit: String,
}

const NO_TERMINAL: &str = "no terminal";

/// Where a service runs, and that it is one.
const SERVICE: &str = "service";

impl Holder {
    /// This process.
    #[must_use]
    pub fn this(run_mode: RunMode, broker: &str) -> Self {
        let is_service = run_mode == RunMode::Service;
        let terminal = || match rustix::termios::ttyname(rustix::stdio::stdin(), Vec::new()) {
            Ok(name) => name.to_string_lossy().into_owned(),
            Err(_) => NO_TERMINAL.to_owned(),
        };
        Self {
            pid: Some(own_pid()),
            terminal: if is_service {
                SERVICE.to_owned()
            } else {
                terminal()
            },
            started: started(Process::of(own_pid())),
            run_mode,
            broker: broker.to_owned(),
            unit: own_unit().filter(|_| is_service).unwrap_or_default(),
        }
    }

    /// Who a lock file says that it is.
    pub(super) fn read(file: &mut File) -> Self {
        let mut text = String::new();
        // A lock file that cannot be read names nobody; the lock itself is held all the same.
        let _ = file
            .rewind()
            .and_then(|()| file.take(4096).read_to_string(&mut text));
        let mut lines = text.lines().map(|line| {
            line.chars()
                .filter(|c| c.is_ascii_graphic() || *c == ' ')
                .collect::<String>()
        });
        let pid = lines.next().and_then(|pid| pid.parse().ok());
        let terminal = lines.next().unwrap_or_else(|| "terminal unknown".to_owned());
        let started = lines.next().and_then(|ticks| ticks.parse().ok());
        let run_mode = lines.next().unwrap_or_default();
        let likely = if terminal == NO_TERMINAL {
            RunMode::Lines
        } else {
            RunMode::Screen
        };
        Self {
            pid,
            terminal,
            started,
            run_mode: RunMode::ALL
                .into_iter()
                .find(|known| known.word() == run_mode)
                .unwrap_or(likely),
            broker: lines.next().unwrap_or_default(),
            unit: lines.next().unwrap_or_default(),
        }
    }

    /// In one write, so that nobody reads half of it.
    pub(super) fn write(&self, file: &File) -> io::Result<()> {
        let text = format!(
            "{}\n{}\n{}\n{}\n{}\n{}\n",
            self.pid.unwrap_or_default(),
            self.terminal,
            self.started.map_or_else(String::new, |ticks| ticks.to_string()),
            self.run_mode.word(),
            self.broker,
            self.unit
        );
        file.write_all_at(text.as_bytes(), 0)?;
        file.set_len(text.len() as u64)
    }

    /// Whether it is the same process.
    pub(super) fn is(&self, other: &Self) -> bool {
        (self.pid, self.started) == (other.pid, other.started)
    }

    /// How it has the card.
    #[must_use]
    pub const fn run_mode(&self) -> RunMode {
        self.run_mode
    }

    /// The broker that it was started with.
    fn broker(&self) -> Option<&str> {
        Some(self.broker.as_str()).filter(|broker| !broker.is_empty())
    }

    pub(super) fn process(&self) -> Option<Pid> {
        self.pid.and_then(Pid::from_raw)
    }

    /// Tells it to end as a signal tells it. One that was stopped by Ctrl-Z hears the first signal with the
    /// second.
    pub(super) fn tell_to_end(&self) -> io::Result<()> {
        let Some(pid) = self.process() else {
            return Ok(());
        };
        for signal in [Signal::TERM, Signal::CONT] {
            match kill_process(pid, signal) {
                // Where it is gone, by the first signal or by itself, its lock is free.
                Ok(()) | Err(Errno::SRCH) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Whether it ends in order when it is told to: in its first moments it does not listen yet, and would be
    /// gone without a word.
    pub(super) fn hears(&self) -> bool {
        let term = Signal::TERM.as_raw();
        // Where the system does not tell, or there is nobody any more, there is nothing to wait for.
        self.pid
            .and_then(SignalMasks::of)
            .is_none_or(|masks| masks.catches(term) || masks.ignores(term))
    }

    /// What it does now.
    #[must_use]
    pub fn state(&self) -> ProcessState {
        let Some(process) = self.pid.map(Process::of) else {
            return ProcessState::Elsewhere;
        };
        if started(process) != self.started {
            return ProcessState::Elsewhere;
        }
        match process.and_then(|process| process.state) {
            Some('T' | 't') => ProcessState::Stopped,
            _ => ProcessState::Runs,
        }
    }

    /// That another one has another broker, which may be the right one: whoever goes on in its place does so
    /// with its own.
    fn elsewhere(&self, other: &Self) -> String {
        match (self.broker(), other.broker()) {
            (Some(own), Some(other)) if own != other => {
                format!(
                    " with --broker {other}, and this one was started with --broker {own}: check which is right"
                )
            }
            _ => String::new(),
        }
    }

    /// That this one has the card, and what can be done by another one.
    #[must_use]
    pub fn in_the_way(&self, program: &str, this: &Self) -> String {
        let (elsewhere, advice) = (this.elsewhere(self), self.advice());
        format!("{program} already runs on this board ({self}){elsewhere}; {advice}")
    }

    /// Whether somebody can press a key there.
    fn has_keys(&self) -> bool {
        self.run_mode == RunMode::Screen && self.terminal != NO_TERMINAL
    }

    /// Where it runs, in words: its terminal, or that it has none or is a service.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.terminal
    }

    /// How one that is stopped goes on.
    #[must_use]
    pub fn advice_to_go_on(&self) -> String {
        if self.has_keys() {
            return "continue it there with fg".to_owned();
        }
        format!("continue it with kill -CONT {}", self.pid.unwrap_or_default())
    }

    /// What somebody can do who wants to have the card instead.
    #[must_use]
    pub fn advice(&self) -> String {
        let Some(pid) = self.pid else {
            return "its lock does not say which process it is: end it by hand, then start again".to_owned();
        };
        let there = match self.state() {
            ProcessState::Elsewhere => {
                return "it is not a process of this machine or container: end it where it runs, then start again".to_owned();
            }
            ProcessState::Stopped => format!("it is stopped: {}", self.advice_to_go_on()),
            ProcessState::Runs if self.has_keys() => "end it there with q".to_owned(),
            // A signal would end it only until the service manager starts it again.
            ProcessState::Runs if !self.unit.is_empty() => {
                format!("end it with systemctl stop {}", self.unit)
            }
            ProcessState::Runs => format!("end it with kill {pid}"),
        };
        let denied = |pid| test_kill_process(pid) == Err(Errno::PERM);
        if self.process().is_some_and(denied) {
            let user = if self.unit.is_empty() {
                "the user that it runs as"
            } else {
                "root"
            };
            return format!("{there}, as {user}");
        }
        format!("{there}, or start with --take-over to go on in its place")
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid}, {}", self.terminal),
            None => write!(f, "process unknown, {}", self.terminal),
        }
    }
}

fn started(process: Option<Process>) -> Option<u64> {
    process.and_then(|process| process.started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_lock_says_is_read_back() {
        let mut file = tempfile::tempfile().expect("a file");
        for run_mode in RunMode::ALL {
            let this = Holder::this(run_mode, "mqtt://localhost:1883");
            this.write(&file).expect("a file");
            let read = Holder::read(&mut file);
            assert!(read.is(&this));
            assert_eq!(
                (read.run_mode(), read.broker()),
                (run_mode, Some("mqtt://localhost:1883"))
            );
            assert_eq!(read.state(), ProcessState::Runs);
        }
    }

    #[test]
    fn a_longer_text_that_was_there_before_leaves_nothing_behind() {
        let mut file = tempfile::tempfile().expect("a file");
        let this = |broker| Holder::this(RunMode::Screen, broker);
        this("mqtt://a.very.long.name.of.a.host:1883")
            .write(&file)
            .expect("a file");
        this("").write(&file).expect("a file");
        assert_eq!(Holder::read(&mut file).broker(), None);
    }

    #[test]
    fn a_service_is_ended_by_its_manager_if_that_is_known_and_by_a_signal_otherwise() {
        let this = Holder::this(RunMode::Service, "");
        assert_eq!(this.place(), "service");
        let pid = own_pid();
        assert!(this.advice().starts_with(&format!("end it with kill {pid}, or ")));
        let unit = "dualboard-card1.service".to_owned();
        let this = Holder { unit, ..this };
        let mut file = tempfile::tempfile().expect("a file");
        this.write(&file).expect("a file");
        let advice = Holder::read(&mut file).advice();
        let stop = "end it with systemctl stop dualboard-card1.service, or ";
        assert!(advice.starts_with(stop), "{advice}");
    }

    #[test]
    fn one_that_has_ended_is_told_to_end_without_an_error() {
        let mut child = std::process::Command::new("true").spawn().expect("true");
        child.wait().expect("it ends");
        let ended = Holder {
            pid: i32::try_from(child.id()).ok(),
            ..Holder::this(RunMode::Lines, "")
        };
        ended.tell_to_end().expect("it is gone");
        assert!(ended.hears());
        assert_eq!(ended.state(), ProcessState::Elsewhere);
    }
}
