//! A small process that gives the terminal back if this program is killed.
//!
//! A program cannot do that itself after SIGKILL (which the kernel sends when memory runs out), after an
//! abort (an allocation that fails, a fault that the C library finds) or after a segmentation fault. So a
//! shell waits for the end of a pipe whose other end only this program holds. What comes through the pipe is
//! a line each time the terminal changes hands: the modes to go back to, or nothing if the terminal is as it
//! was.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use rustix::termios::{ControlModes, InputModes, LocalModes, OutputModes, SpecialCodeIndex, Termios};

/// The pipe is its stdin, the terminal its stdout, and the terminal that keys come from its stderr. A shell
/// that has noticed the end first may have changed the modes for its prompt; they are its own then.
const SCRIPT: &str = r#"
trap "" HUP INT QUIT TERM TSTP TTIN TTOU USR1 USR2 ALRM
while read -r line; do
    before=$line
    [ -z "$before" ] || raw=$(stty -g <&2)
done
[ -n "$before" ] || exit 0
printf "$1"
[ "$(stty -g <&2)" != "$raw" ] || stty $before <&2
"#;

/// The process. Dropped, it ends, and leaves the terminal alone.
#[derive(Debug)]
pub(super) struct Guard {
    shell: Child,
}

impl Guard {
    /// Starts it. `leave` is what it writes to the terminal.
    ///
    /// It inherits what the C libraries have opened, so it has to be started before the first connection.
    pub(super) fn start(input: &OwnedFd, leave: &[u8]) -> io::Result<Self> {
        let leave = String::from_utf8_lossy(leave).replace('\x1b', "\\033");
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "dualboard-terminal-guard", &leave])
            .stdin(Stdio::piped())
            .stdout(Stdio::inherit())
            .stderr(Stdio::from(input.try_clone()?))
            // A group of its own: no key and no stop that is meant for the program reaches it.
            .process_group(0)
            .spawn()?;
        Ok(Self { shell })
    }

    /// The terminal is the program's now, and had these modes before.
    pub(super) fn taken(&mut self, before: &Termios) {
        self.say(&settings(before));
    }

    /// The terminal is as it was.
    pub(super) fn given_back(&mut self) {
        self.say("");
    }

    fn say(&mut self, line: &str) {
        if let Some(pipe) = &mut self.shell.stdin {
            let _ = pipe.write_all(format!("{line}\n").as_bytes());
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// All that raw mode changes, as arguments of `stty`.
fn settings(modes: &Termios) -> String {
    let (input, output, local) = (modes.input_modes, modes.output_modes, modes.local_modes);
    let switches = [
        ("ignbrk", input.contains(InputModes::IGNBRK)),
        ("brkint", input.contains(InputModes::BRKINT)),
        ("parmrk", input.contains(InputModes::PARMRK)),
        ("istrip", input.contains(InputModes::ISTRIP)),
        ("inlcr", input.contains(InputModes::INLCR)),
        ("igncr", input.contains(InputModes::IGNCR)),
        ("icrnl", input.contains(InputModes::ICRNL)),
        ("ixon", input.contains(InputModes::IXON)),
        ("opost", output.contains(OutputModes::OPOST)),
        ("echo", local.contains(LocalModes::ECHO)),
        ("echonl", local.contains(LocalModes::ECHONL)),
        ("icanon", local.contains(LocalModes::ICANON)),
        ("isig", local.contains(LocalModes::ISIG)),
        ("iexten", local.contains(LocalModes::IEXTEN)),
        ("parenb", modes.control_modes.contains(ControlModes::PARENB)),
    ];
    let mut words = String::new();
    for (name, is_on) in switches {
        let sign = if is_on { "" } else { "-" };
        let _ = write!(words, "{sign}{name} ");
    }
    let size = modes.control_modes & ControlModes::CSIZE;
    let bits = match size {
        ControlModes::CS5 => 5,
        ControlModes::CS6 => 6,
        ControlModes::CS7 => 7,
        _ => 8,
    };
    let (min, time) = (
        modes.special_codes[SpecialCodeIndex::VMIN],
        modes.special_codes[SpecialCodeIndex::VTIME],
    );
    let _ = write!(words, "cs{bits} min {min} time {time}");
    words
}
