//! A terminal for tests: a program in a real pty, what its screen shows, and everything that can happen to a
//! terminal.
//!
//! Nothing here sleeps; what is waited for has a deadline, and missing it prints the screen.
#![allow(clippy::disallowed_methods, reason = "deadlines of tests")]

mod terminal;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use dualboard::system::process::Process;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

pub use terminal::PtyOutput;
use terminal::{PtyPeer, describe};

/// How long anything may take before a test fails. Generous: the machines are slow, and only failures wait.
const DEADLINE: Duration = Duration::from_secs(20);
/// How often conditions are looked at that nobody tells us about, such as files.
const GLANCE: Duration = Duration::from_millis(5);

/// A program in a terminal of its own.
pub struct Pty {
    child: Child,
    terminal: Arc<PtyPeer>,
    /// Gone after [`Pty::hang_up`].
    master: Option<Arc<OwnedFd>>,
    reader: Option<JoinHandle<()>>,
    /// The terminal's modes before the program had it.
    modes_before: String,
    slave: File,
}

/// How to start a program in a terminal.
pub struct Start {
    command: Command,
    size: (u16, u16),
}

impl Start {
    /// The program has the terminal as its controlling one, as in a window of its own.
    pub fn program<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Self {
        Self::under(&["--ctty"], words)
    }

    /// The terminal is not the controlling one: the kernel sends no SIGHUP when it goes.
    pub fn without_control<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Self {
        Self::under(&[], words)
    }

    /// `setsid` between fork and exec needs unsafe code in Rust; util-linux has a program for it.
    fn under<S: AsRef<OsStr>>(options: &[&str], words: impl IntoIterator<Item = S>) -> Self {
        let mut command = Command::new("setsid");
        command.args(options);
        command
            .env("TERM", "xterm-256color")
            .env_remove("RUST_BACKTRACE")
            // As a login shell has them: what the caller of the tests ignores would stay ignored.
            .args(["--", "env", "--default-signal"]);
        command.args(words);
        Self {
            command,
            size: (80, 24),
        }
    }

    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = (columns, rows);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn spawn(self) -> Pty {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pty");
        grantpt(&master)
            .and_then(|()| unlockpt(&master))
            .expect("a usable pty");
        let slave = ioctl_tiocgptpeer(
            &master,
            OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC,
        );
        let slave = File::from(slave.expect("the other end of the pty"));
        set_size(&master, self.size);
        let modes_before = modes(&slave);
        let end = || slave.try_clone().expect("a descriptor");
        let mut command = self.command;
        let child = command
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("setsid of util-linux");
        let terminal = Arc::new(PtyPeer::new(self.size));
        let master = Arc::new(master);
        let (its_terminal, its_master) = (Arc::clone(&terminal), Arc::clone(&master));
        let reader = thread::Builder::new()
            .name("pty".into())
            .spawn(move || its_terminal.read(&its_master));
        let reader = Some(reader.expect("a thread"));
        Pty {
            child,
            terminal,
            master: Some(master),
            reader,
            modes_before,
            slave,
        }
    }
}

impl Pty {
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Looks at what has come so far.
    pub fn look<R>(&self, look: impl FnOnce(&PtyOutput) -> R) -> R {
        look(&self.terminal.lock())
    }

    /// Waits until the screen is as described.
    #[track_caller]
    pub fn wait_for(&self, what: &str, mut condition: impl FnMut(&PtyOutput) -> bool) {
        let start = Instant::now();
        let mut seen = self.terminal.lock();
        while !condition(&seen) {
            let left = DEADLINE.saturating_sub(start.elapsed());
            assert!(!left.is_zero(), "waited in vain for {what}\n{}", describe(&seen));
            seen = self
                .terminal
                .changed
                .wait_timeout(seen, left)
                .expect("the reader has not panicked")
                .0;
        }
    }

    /// Waits for something outside of the screen.
    #[track_caller]
    pub fn wait_until(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let start = Instant::now();
        while !condition() {
            let seen = self.terminal.lock();
            assert!(
                start.elapsed() < DEADLINE,
                "waited in vain for {what}\n{}",
                describe(&seen)
            );
            drop(self.terminal.changed.wait_timeout(seen, GLANCE));
        }
    }

    /// Waits for the end of the program, and until all that it wrote has been seen if the terminal reads.
    #[track_caller]
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            let status = self.child.try_wait().expect("a child");
            let seen = self.terminal.lock();
            if let Some(status) = status
                && !self.master.as_ref().is_some_and(|it| self.terminal.has_more(it))
            {
                return status;
            }
            assert!(
                start.elapsed() < DEADLINE,
                "the program does not end\n{}",
                describe(&seen)
            );
            drop(self.terminal.changed.wait_timeout(seen, GLANCE));
        }
    }

    /// Whether the program has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// Presses these keys as a person does, who is slower than the program: each when the one before has been
    /// read.
    pub fn press(&self, keys: &str) {
        let mut rest = keys;
        while !rest.is_empty() {
            let (key, more) = rest.split_at(first_key(rest));
            self.send(key);
            rest = more;
            if !rest.is_empty() {
                self.wait_until_keys_are_read();
            }
        }
    }

    /// Waits until the program has read what was typed.
    pub fn wait_until_keys_are_read(&self) {
        self.wait_until("the program to read its keys", || !self.has_unread_keys());
    }

    /// Whether the program has keys to read. (Linux: a poll takes over first what the kernel has still to
    /// hand on, `n_tty_poll`.)
    fn has_unread_keys(&self) -> bool {
        let mut fds = [PollFd::new(&self.slave, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec::default())).expect("poll") > 0
    }

    /// Types these bytes, all at once.
    pub fn send(&self, keys: impl AsRef<[u8]>) {
        let master = self.master.as_ref().expect("not hung up");
        let keys = keys.as_ref();
        assert_eq!(
            rustix::io::write(master, keys).expect("the terminal takes keys"),
            keys.len()
        );
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the program runs");
    }

    /// From here on [`Pty::bytes_since`] counts.
    pub fn mark(&self) -> usize {
        self.look(|seen| seen.bytes.len())
    }

    pub fn bytes_since(&self, mark: usize) -> Vec<u8> {
        self.look(|seen| seen.bytes[mark..].to_vec())
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        self.terminal.lock().set_size((columns, rows));
        set_size(self.master.as_ref().expect("not hung up"), (columns, rows));
    }

    /// The terminal stops reading, as on Ctrl-S or a stopped ssh.
    pub fn stop_reading(&self) {
        self.terminal.set_reading(false);
    }

    pub fn read_again(&self) {
        self.terminal.set_reading(true);
    }

    /// Whether the terminal takes nothing more: it does not read, and what lies between is full.
    pub fn is_full(&self) -> bool {
        let mut fds = [PollFd::new(&self.slave, PollFlags::OUT)];
        poll(&mut fds, Some(&Timespec::default())).expect("poll") == 0
    }

    /// The terminal is gone, as when an ssh connection drops.
    pub fn hang_up(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.terminal.hang_up();
            reader.join().expect("the reader has not panicked");
        }
        drop(self.master.take());
    }

    pub fn modes(&self) -> String {
        modes(&self.slave)
    }

    /// Waits until the modes are those from before the program: another process sees to it after the
    /// program's end.
    #[track_caller]
    pub fn wait_until_modes_are_back(&self) {
        self.wait_until("the modes from before", || self.modes() == self.modes_before);
    }

    /// Waits until everything that a program may change on a terminal is as it was before.
    #[track_caller]
    pub fn assert_restored(&self) {
        self.wait_for("the way back to the ordinary screen", |seen| {
            let screen = seen.screen();
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
                && screen.fgcolor() == vt100::Color::Default
                && screen.bgcolor() == vt100::Color::Default
        });
        assert_eq!(self.modes(), self.modes_before, "termios");
    }

    /// Processor time of the program so far, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        let process = Process::of(self.pid().as_raw_nonzero().get()).expect("the program runs");
        let ticks = process.ticks.expect("its processor time");
        Duration::from_millis(10 * ticks).as_secs_f64()
    }

    /// Resident memory of the program, in kilobytes.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("the program runs");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .expect("a resident size");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Also after a failure: a reader of a terminal that nobody holds open any more would take a whole
        // core from the other tests.
        self.hang_up();
    }
}

/// How many bytes the first key has: a letter, or a sequence.
fn first_key(keys: &str) -> usize {
    let mut letters = keys.char_indices().skip(1);
    if keys.starts_with("\x1b[") {
        let last = letters.find(|(at, letter)| *at > 1 && matches!(letter, '@'..='~'));
        return last.map_or(keys.len(), |(at, _)| at + 1);
    }
    letters.next().map_or(keys.len(), |(at, _)| at)
}

/// The exit status as a shell shows it, without the signal being mistaken for one.
pub fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| -status.signal().unwrap_or(0))
}

fn modes(terminal: &File) -> String {
    format!("{:?}", tcgetattr(terminal).expect("a terminal"))
}

fn set_size(master: &OwnedFd, (columns, rows): (u16, u16)) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(master, size).expect("a size");
}
