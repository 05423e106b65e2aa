//! A Mosquitto of its own for a test: on a free port of 127.0.0.1, with its files in a folder of its own. It
//! ends with the value that stands for it, also when the test fails.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::mosquitto_command::mosquitto;
use super::port::Port;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A broker that can be started, killed and started again on the same port.
pub struct Mosquitto {
    folder: TempDir,
    port: Port,
    settings: String,
    running: Option<Running>,
}

struct Running {
    child: Child,
    log: Receiver<String>,
}

impl Mosquitto {
    /// Takes a port and a folder; nothing runs yet. Anonymous clients are welcome until
    /// [`Mosquitto::settings`] says otherwise.
    pub fn reserve() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self {
            folder,
            port: Port::claim(),
            settings: "allow_anonymous true".into(),
            running: None,
        }
    }

    /// One that runs and answers.
    pub fn start_new() -> Self {
        let mut broker = Self::reserve();
        broker.start();
        broker
    }

    /// Lines of `mosquitto.conf` that follow the listener's, in place of `allow_anonymous true`.
    pub fn settings(&mut self, lines: impl Into<String>) -> &mut Self {
        self.settings = lines.into();
        self
    }

    /// The port, the same for the whole life of this value.
    pub fn port(&self) -> u16 {
        self.port.number
    }

    /// The URL of its listener.
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port())
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it, and returns when it answers.
    pub fn start(&mut self) {
        assert!(
            self.running.is_none(),
            "mosquitto on port {} runs already",
            self.port()
        );
        let config = self.folder().join("mosquitto.conf");
        std::fs::write(&config, self.config()).expect("writing mosquitto.conf");
        let mut child = mosquitto()
            .arg("-c")
            .arg(&config)
            .stderr(Stdio::piped())
            .spawn()
            .expect("mosquitto cannot be started; install it (apt install mosquitto)");
        let log = follow(child.stderr.take().expect("its stderr is a pipe"));
        self.running = Some(Running { child, log });
        self.wait_for_log(" running");
    }

    /// Waits for a line of its log, passing over those before it, and returns it.
    pub fn wait_for_log(&mut self, text: &str) -> String {
        let running = self.running.as_ref().expect("mosquitto runs");
        let mut seen = Vec::new();
        while let Ok(line) = running.log.recv_timeout(PATIENCE) {
            if line.contains(text) {
                return line;
            }
            seen.push(line);
        }
        panic!(
            "mosquitto on port {} never said '{text}', but:\n{}",
            self.port(),
            seen.join("\n")
        );
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

    fn config(&self) -> String {
        // Started by root it would change to a user who cannot write to the folder.
        format!(
            "user root\nlog_dest stderr\nlog_type all\npersistence true\npersistence_location {}/\nlistener {} 127.0.0.1\n{}\n",
            self.folder().display(),
            self.port(),
            self.settings
        )
    }

    fn signal(&self, signal: Signal) {
        let running = self.running.as_ref().expect("mosquitto runs");
        kill_process(Pid::from_child(&running.child), signal).expect("a signal to our own child");
    }

    fn end(&mut self, signal: Signal) {
        self.signal(signal);
        let mut running = self.running.take().expect("mosquitto runs");
        running.child.wait().expect("waiting for our own child");
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a thread of the tests")]
fn follow(stderr: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, log) = mpsc::channel();
    std::thread::Builder::new()
        .name("mosquitto-log".into())
        .spawn(move || {
            BufReader::new(stderr)
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        })
        .expect("a thread");
    log
}
