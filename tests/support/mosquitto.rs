//! A Mosquitto for a test, with its files in a folder of the test. It ends with the value that stands for it,
//! also when the test fails.
#![allow(clippy::disallowed_methods, reason = "deadlines of tests")]

use std::fs::{self, File, OpenOptions};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::port::Port;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(45);

/// A broker that can be started, ended and started again on the same port.
pub struct Mosquitto {
    port: u16,
    config: PathBuf,
    /// What is in that file when it is started.
    settings: String,
    log: PathBuf,
    /// How much of the log [`Mosquitto::wait_for_log`] has passed over.
    passed: usize,
    child: Option<Child>,
    /// Whether it writes down each packet (`-v`).
    verbose: bool,
    /// Held for as long as it lives.
    own: Option<(TempDir, Port)>,
}

impl Mosquitto {
    /// A port and a folder of its own; nothing runs yet. Anonymous clients are welcome until
    /// [`Mosquitto::settings`] says otherwise.
    pub fn reserve() -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a temporary folder"), Port::claim());
        let mut broker = Self::at(folder.path(), "mosquitto", port.number);
        broker.own = Some((folder, port));
        broker.settings("allow_anonymous true");
        broker
    }

    /// One that runs and answers.
    pub fn start_new() -> Self {
        let mut broker = Self::reserve();
        broker.start();
        broker
    }

    /// A board's broker as the project runs it; `peer` is where its bridge finds broker 1.
    pub fn of_board(folder: &Path, number: usize, port: u16, peer: u16) -> Self {
        let mut broker = Self::at(folder, &format!("broker{number}"), port);
        let (listener, peer) = (format!("{port} 127.0.0.1"), format!("127.0.0.1:{peer}"));
        broker.settings = settings_of_board(folder, number, &listener, &peer);
        broker
    }

    fn at(folder: &Path, name: &str, port: u16) -> Self {
        Self {
            port,
            config: folder.join(format!("{name}.conf")),
            settings: String::new(),
            log: folder.join(format!("{name}.log")),
            passed: 0,
            child: None,
            verbose: true,
            own: None,
        }
    }

    /// Lines of `mosquitto.conf` that follow the listener's, in place of `allow_anonymous true`.
    pub fn settings(&mut self, lines: impl AsRef<str>) -> &mut Self {
        // Started by root it would change to a user who cannot write to the folder.
        self.settings = format!(
            "user root\nlog_dest stderr\npersistence true\npersistence_location {}/\nlistener {} 127.0.0.1\n{}\n",
            self.folder().display(),
            self.port,
            lines.as_ref()
        );
        self
    }

    /// From its next start on it writes only what its own file says, as the scripts run it.
    pub fn quiet(&mut self) {
        self.verbose = false;
    }

    /// Another line in its file, from its next start on.
    pub fn replace_setting(&mut self, from: &str, to: &str) {
        assert!(self.settings.contains(from), "its file does not say '{from}'");
        self.settings = self.settings.replace(from, to);
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(self.child.as_ref().expect("mosquitto runs"))
    }

    /// The port, the same for the whole life of this value.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of its listener.
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.config.parent().expect("it is in a folder")
    }

    pub fn runs(&self) -> bool {
        self.child.is_some()
    }

    /// Starts it, and returns when it answers.
    pub fn start(&mut self) {
        assert!(!self.runs(), "{} runs already", self.url());
        fs::write(&self.config, &self.settings).expect("writing the broker's file");
        let log = || -> File {
            let mut options = OpenOptions::new();
            options.create(true).append(true);
            options.open(&self.log).expect("its log")
        };
        let mut child = mosquitto()
            .arg("-c")
            .arg(&self.config)
            .args(self.verbose.then_some("-v"))
            .stdout(log())
            .stderr(log())
            .spawn()
            .expect("mosquitto cannot be started; install it (apt install mosquitto)");
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = child.try_wait().expect("a child");
            assert!(
                ended.is_none(),
                "{} ended by itself:\n{}",
                self.url(),
                self.tail()
            );
            assert!(start.elapsed() < PATIENCE, "{} does not answer", self.url());
            glance();
        }
        self.child = Some(child);
    }

    /// Waits for a line of its log, passing over those before it.
    pub fn wait_for_log(&mut self, text: &str) {
        let start = Instant::now();
        loop {
            let log = self.log();
            let rest = &log[self.passed..];
            if let Some((before, _)) = rest.split_once(text) {
                self.passed += before.len() + text.len();
                return;
            }
            assert!(start.elapsed() < PATIENCE, "never said '{text}', but:\n{rest}");
            glance();
        }
    }

    /// As by a power cut: `kill -9`.
    pub fn kill(&mut self) {
        self.end(Signal::KILL);
    }

    /// As by an administrator: SIGTERM, and it saves what it has to save.
    pub fn terminate(&mut self) {
        self.end(Signal::TERM);
    }

    /// Alive, but deaf and mute (SIGSTOP), as behind a cable that was pulled.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// After [`Mosquitto::pause`].
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("mosquitto runs");
        kill_process(Pid::from_child(child), signal).expect("a signal to our own child");
    }

    /// Ends it by a signal, and returns when it has ended.
    pub fn end(&mut self, signal: Signal) {
        self.signal(signal);
        let mut child = self.child.take().expect("mosquitto runs");
        child.wait().expect("waiting for our own child");
    }

    /// All that it has written to its log.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The last lines of its log, without those about the tests' own looks at it.
    pub fn tail(&self) -> String {
        let log = self.log();
        let own = ["auto-", "test/marker", "New connection", "No will"];
        let others = |line: &&str| !own.iter().any(|word| line.contains(word));
        let lines: Vec<&str> = log.lines().filter(others).collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The project's own file for a board's broker, with its listener's port and address, its folder, and its
/// peer's address put in. Makes that folder.
pub fn settings_of_board(folder: &Path, number: usize, listener: &str, peer: &str) -> String {
    let (original, its_port) = match number {
        1 => ("mosquitto_broker1.conf", 1883),
        _ => ("mosquitto_bridge.conf", 1884),
    };
    let store = folder.join(format!("broker{number}"));
    fs::create_dir_all(&store).expect("a folder for the broker");
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut settings = fs::read_to_string(project.join(original)).expect("the project's own broker file");
    let mut replace = |from: &str, to: String| {
        // Otherwise the test would not run what people run.
        assert!(settings.contains(from), "{original} does not say '{from}'");
        settings = settings.replace(from, &to);
    };
    replace("acl_file ", format!("acl_file {}/", project.display()));
    replace(
        &format!("listener {its_port} 127.0.0.1"),
        format!("listener {listener}"),
    );
    replace(&format!("data/broker{number}/"), format!("{}/", store.display()));
    if number == 2 {
        replace("address 127.0.0.1:1883", format!("address {peer}"));
    }
    settings
}

/// Debian keeps it out of an ordinary user's path.
pub fn mosquitto() -> Command {
    let known = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"];
    let there = known.into_iter().find(|path| Path::new(path).exists());
    Command::new(there.unwrap_or("mosquitto"))
}

/// Between two looks at something that nobody tells us about.
pub fn glance() {
    std::thread::park_timeout(Duration::from_millis(20));
}
