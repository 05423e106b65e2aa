//! Programs without a terminal. Each ends with its test: otherwise it might find another test's broker.

use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use super::{Bench, DEADLINE, Node, glance};

/// A program that runs, with pipes for what it says.
pub struct PipedProgram(Option<Child>);

impl PipedProgram {
    pub fn start(command: &mut Command) -> Self {
        Self::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// With what stands for its streams already.
    pub fn spawn(command: &mut Command) -> Self {
        Self(Some(command.spawn().expect("the program can be started")))
    }

    pub fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("it runs")
    }

    pub fn id(&self) -> u32 {
        self.0.as_ref().expect("it runs").id()
    }

    pub fn signal(&self, signal: Signal) {
        let child = self.0.as_ref().expect("it runs");
        kill_process(Pid::from_child(child), signal).expect("a signal to our own child");
    }

    /// Waits for its end: exit status, and what nobody has read of its output and of stderr.
    #[track_caller]
    pub fn end(mut self) -> (i32, String, String) {
        let start = Instant::now();
        while self.child().try_wait().expect("a child").is_none() {
            assert!(start.elapsed() < DEADLINE, "it does not end");
            glance();
        }
        let child = self.0.take().expect("it runs");
        ended(child.wait_with_output().expect("a child"))
    }

    /// Waits until it has its card's lock.
    pub fn wait_owner(&self, bench: &Bench, node: Node) {
        bench.wait("it is the owner", |bench| {
            let lock = bench.state_file(node).with_extension("lock");
            std::fs::read_to_string(lock)
                .is_ok_and(|text| text.lines().next() == Some(&self.id().to_string()))
        });
    }
}

impl Drop for PipedProgram {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill().and_then(|()| child.wait());
        }
    }
}

/// A program with the state folder that the bench keeps for it.
pub fn command(bench: &Bench, node: Node, arguments: &[&str]) -> Command {
    let words = bench.command(node, &bench.url(node), arguments);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env("TZ", "UTC").stdin(Stdio::null());
    command
}

/// Runs it to its end: exit status, stdout, stderr.
pub fn act(bench: &Bench, node: Node, arguments: &[&str]) -> (i32, String, String) {
    run(&mut command(bench, node, arguments))
}

pub fn run(command: &mut Command) -> (i32, String, String) {
    ended(command.output().expect("the program can be started"))
}

pub fn ended(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let status = output.status.code();
    (
        status.unwrap_or_else(|| panic!("it does not end by itself: {:?}", output.status)),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Asserts with which status a program has ended, and what it has printed; gives what it said on stderr.
#[track_caller]
pub fn assert_ended((status, said, why): (i32, String, String), expected: i32, output: &str) -> String {
    assert_eq!((status, said.as_str()), (expected, output), "{why}");
    why
}
