//! A broker as the project runs it: from the project's own file, with ports, address and folder put in.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use super::super::mosquitto_command::mosquitto;

/// Runs, or can be started again.
pub struct Broker {
    port: u16,
    config: PathBuf,
    log: PathBuf,
    child: Option<Child>,
}

impl Broker {
    /// Writes its file; nothing runs yet. `peer` is where its bridge finds broker 1.
    pub fn new(folder: &Path, number: u8, port: u16, peer: u16) -> Self {
        let (original, its_port) = match number {
            1 => ("mosquitto_broker1.conf", 1883),
            _ => ("mosquitto_bridge.conf", 1884),
        };
        let name = format!("broker{number}");
        let store = folder.join(&name);
        fs::create_dir_all(&store).expect("a folder for the broker");
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(project.join(original)).expect("the project's own broker file");
        let text = replaced(&text, "acl_file ", &format!("acl_file {}/", project.display()));
        let text = replaced(
            &text,
            &format!("listener {its_port} "),
            &format!("listener {port} "),
        );
        let text = replaced(&text, &format!("data/{name}/"), &format!("{}/", store.display()));
        let text = match number {
            1 => text,
            _ => replaced(
                &text,
                "address 127.0.0.1:1883",
                &format!("address 127.0.0.1:{peer}"),
            ),
        };
        let config = folder.join(format!("{name}.conf"));
        fs::write(&config, text).expect("writing the broker's file");
        let log = folder.join(format!("{name}.log"));
        Self {
            port,
            config,
            log,
            child: None,
        }
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    pub fn runs(&self) -> bool {
        self.child.is_some()
    }

    /// Starts it; it takes a moment until [`Broker::answers`].
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "{} runs already", self.url());
        let log = || -> File {
            let mut options = OpenOptions::new();
            options
                .create(true)
                .append(true)
                .open(&self.log)
                .expect("its log")
        };
        let child = mosquitto()
            .arg("-c")
            .arg(&self.config)
            .arg("-v")
            .stdout(log())
            .stderr(log())
            .spawn()
            .expect("mosquitto cannot be started; install it (apt install mosquitto)");
        self.child = Some(child);
    }

    /// Whether it takes connections. Fails if it has ended by itself.
    pub fn answers(&mut self) -> bool {
        let child = self.child.as_mut().expect("it was started");
        let ended = child.try_wait().expect("a child");
        assert!(ended.is_none(), "{} ended by itself", self.config.display());
        std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    /// Ends it by a signal, and returns when it has ended.
    pub fn end(&mut self, signal: Signal) {
        let mut child = self.child.take().expect("it runs");
        kill_process(Pid::from_child(&child), signal).expect("a signal to our own child");
        child.wait().expect("waiting for our own child");
    }

    /// All that it has written to its log.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The last lines of its log, without those about the tests' own looks at it.
    pub fn tail(&self) -> String {
        let log = self.log();
        let ours = |line: &&str| {
            !["auto-", "test/marker", "New connection", "No will"]
                .iter()
                .any(|word| line.contains(word))
        };
        let lines: Vec<&str> = log.lines().filter(ours).collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Fails where the project's file no longer says what is replaced: the test would not run what people run.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the broker file does not say '{from}'");
    text.replace(from, to)
}
