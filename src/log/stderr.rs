//! What a service says on stderr: the thread that writes it, and that alone is held up by who does not read.

use std::io::{self, Write as _};

use rustix::fs::fstat;

use super::{Form, Log, Output};
use crate::settings::Level;
use crate::system::clock::Clock;

/// Starts the thread.
pub(super) fn output() -> Output {
    let form = if is_journal() { Form::Journal } else { Form::Dated };
    Output::start("stderr", form, |lines| {
        // Where stderr is gone there is nobody to tell, and the next line is tried again.
        let _ = io::stderr().write_all(lines.concat().as_bytes());
    })
}

/// Whether stderr is the journal: `JOURNAL_STREAM` names the device and the file that it is then. The
/// variable alone says nothing: a child inherits it, whatever its stderr is.
fn is_journal() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "what the service manager says of stderr"
    )]
    let stream = std::env::var("JOURNAL_STREAM");
    let (Ok(stream), Ok(stat)) = (stream, fstat(rustix::stdio::stderr())) else {
        return false;
    };
    stream == format!("{}:{}", stat.st_dev, stat.st_ino)
}

/// Says something on stderr outside of a log's life: for a service as a line of its log, otherwise as a
/// program talks to people.
pub fn say(program: &'static str, is_service: bool, level: Level, text: &str) {
    if is_service {
        let now = Clock::start().now().wall;
        Log::on_stderr(program, level).line(now, level, text);
    } else {
        // Not `eprintln!`: it panics where stderr is gone.
        let _ = writeln!(io::stderr(), "{program}: {text}");
    }
}
