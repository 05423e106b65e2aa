//! What runs on the boards, and can be killed, stopped and started again. Every change is logged when it is
//! made.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::log::{log, name, now};
use crate::screen::{DrawnScreen, SIZE};
use crate::support::pty::{Pty, PtyOutput, Start, code};

/// A program or a broker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Who {
    Broker1,
    Broker2,
    Card1,
    Card2,
    Display,
}

use Who::{Broker1, Broker2, Card1, Card2, Display};

pub const ALL: [Who; 5] = [Broker1, Broker2, Card1, Card2, Display];
pub const PROGRAMS: [Who; 3] = [Card1, Card2, Display];
/// By board.
pub const BROKERS: [Who; 2] = [Broker1, Broker2];
pub const OWNERS: [Who; 2] = [Card1, Card2];

impl Who {
    /// Board 1 is 0, board 2 is 1.
    pub fn board(self) -> usize {
        usize::from(!matches!(self, Broker1 | Card1))
    }

    /// Whose key toggles a sensor.
    pub fn owner_of(sensor: u8) -> Self {
        OWNERS[usize::from(sensor > 3)]
    }
}

/// One process after the other, under one name, each in a terminal of its own.
pub struct Unit {
    name: String,
    pub run: u32,
    pub stopped: bool,
    /// When it was last started, and when it was last set right.
    pub started: Duration,
    pub mended: Duration,
    /// What its screen says.
    pub screen: DrawnScreen,
    words: Vec<String>,
    /// All that it has written, run by run.
    output: File,
    running: Option<Pty>,
    /// How it was told to end.
    ending: Option<&'static str>,
}

/// Starts a process that is killed when the thread that started it ends, for whatever reason.
pub fn start(words: &[String]) -> Pty {
    let tied = ["setpriv", "--pdeathsig", "KILL"];
    let words = tied.into_iter().chain(words.iter().map(String::as_str));
    Start::program(words).size(SIZE.0, SIZE.1).spawn()
}

impl Unit {
    /// Nothing runs yet.
    pub fn new(who: Who, words: Vec<String>) -> Self {
        Self {
            name: name(who),
            run: 0,
            stopped: false,
            started: Duration::ZERO,
            mended: Duration::ZERO,
            screen: DrawnScreen::new(),
            words,
            output: File::create(format!("{}.log", name(who))).expect("a log"),
            running: None,
            ending: None,
        }
    }

    pub fn runs(&self) -> bool {
        self.running.is_some()
    }

    pub fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// It runs, and nobody has told it to end.
    pub fn is_up(&self) -> bool {
        self.runs() && !self.is_ending()
    }

    pub fn start(&mut self) {
        if !self.runs() {
            sweep();
            self.run += 1;
            self.stopped = false;
            self.note("start");
            (self.started, self.mended) = (now(), now());
            self.running = Some(start(&self.words));
        }
    }

    /// SIGKILL: it is gone when this returns. Whether it was there.
    pub fn kill(&mut self, how: &'static str) -> bool {
        let runs = self.runs();
        if runs {
            self.ending = Some(how);
            log!("kill", {"who": self.name, "run": self.run, "how": how});
            self.signal(Signal::KILL);
            self.end();
        }
        runs
    }

    /// SIGTERM: it ends in its own time.
    pub fn terminate(&mut self) {
        self.ending = Some("term");
        self.note("term");
        self.signal(Signal::TERM);
        self.resume();
    }

    /// SIGSTOP.
    pub fn stop(&mut self) {
        self.stopped = true;
        self.note("stop");
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn resume(&mut self) {
        if self.runs() && self.stopped {
            self.stopped = false;
            self.mended = now();
            self.note("resume");
            self.signal(Signal::CONT);
        }
    }

    /// As the operator's terminal sends it.
    pub fn press(&self, key: &str) {
        if let Some(pty) = &self.running {
            pty.send(key);
        }
    }

    /// Its process has not been waited for, and so is still ours.
    pub fn signal(&self, signal: Signal) {
        if let Some(pty) = &self.running {
            let _ = kill_process(pty.pid(), signal);
        }
    }

    /// Logs what the screen has shown, and notices an end. Whether it has ended without being told to.
    pub fn look(&mut self) -> bool {
        if self.running.as_mut().is_some_and(Pty::has_ended) {
            return self.end();
        }
        self.draw(false);
        false
    }

    fn draw(&mut self, over: bool) {
        if let Some(pty) = &self.running {
            let bytes = pty.bytes_since(self.screen.drawn);
            self.output.write_all(&bytes).expect("writing a log");
            for sensors in self.screen.draw(&bytes, over) {
                log!("screen", {"who": self.name, "run": self.run, "sensors": sensors});
            }
        }
    }

    fn end(&mut self) -> bool {
        let pty = self.running.as_mut().expect("it runs");
        let status = code(pty.wait_for_end());
        self.draw(true);
        let (how, last_words) = (self.ending.take(), self.text());
        (self.running, self.screen) = (None, DrawnScreen::new());
        let end = how.unwrap_or("itself");
        log!("end", {"who": self.name, "run": self.run, "how": end, "status": status});
        if how.is_none() {
            log!("last words", {"who": self.name, "text": last_words});
        }
        how.is_none()
    }

    /// The screen, for people.
    pub fn text(&self) -> String {
        let text = self.running.as_ref().map(|pty| pty.look(PtyOutput::text));
        text.unwrap_or_default()
    }

    fn note(&self, event: &str) {
        log!(event, {"who": self.name, "run": self.run});
    }
}

/// Takes away what libfaketime leaves when its process, or a child of it, is killed: a process that gets the
/// same number could not start.
fn sweep() {
    for left in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
        let name = left.file_name().display().to_string();
        if let Some((kind, pid)) = name.rsplit_once('_')
            && kind.contains("faketime_s")
            && !Path::new("/proc").join(pid).exists()
        {
            let _ = fs::remove_file(left.path());
        }
    }
}
