//! Whether this board knows what time it is. No state depends on it: certificates do, and what people read.

use std::io::{Read as _, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use crossbeam_channel::bounded;

use super::report::{CheckLine, CheckReport};
use crate::settings::CheckOptions;
use crate::storage::state_file;
use crate::system::clock::Clock;
use crate::system::threads;

const CHECK: &str = "clock";

/// 2025: before that nobody had these programs.
const EARLIEST: i64 = 1_735_689_600;

/// 2038: Mosquitto was seen to crash beyond it.
const LATEST: i64 = i32::MAX as i64;

/// How far two clocks may differ and still count as one: a disk may be in another machine.
const SLACK: i64 = 120;

/// There while systemd-timesyncd has set the clock.
const TIMESYNCD: &str = "/run/systemd/timesync/synchronized";

/// How long the system's own program may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Looks at this board's clock.
pub(super) fn check<W: Write>(options: &CheckOptions, report: &mut CheckReport<W>) {
    let program = std::env::current_exe().ok();
    let folder = options.state_dir.as_ref().and_then(|folder| folder.as_ref().ok());
    let saved = match (options.role, folder) {
        (crate::machine::Role::Monitor(card), Some(folder)) => Some(state_file::path(folder, card)),
        _ => None,
    };
    let files = [program, saved];
    let newest = files.iter().flatten().filter_map(|file| changed(file)).max();
    report.add(plausible(Clock::start().now().wall.0, newest));
    let timesyncd = Path::new(TIMESYNCD).exists();
    report.add(synchronised(
        timesyncd,
        if timesyncd { None } else { asked() }.as_deref(),
    ));
}

fn changed(file: &Path) -> Option<i64> {
    let changed = std::fs::metadata(file).and_then(|meta| meta.modified()).ok()?;
    let since = changed.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

fn plausible(now: i64, newest: Option<i64>) -> CheckLine {
    const SET: &str = "set it: sudo timedatectl set-ntp true, or give the board a clock with a battery";
    if now < EARLIEST {
        return CheckLine::fail(CHECK, "date", "it is before 2025", SET);
    }
    if now > LATEST {
        return CheckLine::fail(
            CHECK,
            "date",
            "it is after 2038-01-19, where Mosquitto was seen to crash",
            SET,
        );
    }
    match newest {
        Some(newest) if newest > now + SLACK => CheckLine::warn(
            CHECK,
            "date",
            format!(
                "it is {} s before the last change of the program or its state file",
                newest - now
            ),
            SET,
        ),
        Some(_) => CheckLine::ok(
            CHECK,
            "date",
            "it is after the last change of the program and its state file",
        ),
        None => CheckLine::ok(CHECK, "date", "it is between 2025 and 2038"),
    }
}

/// `said` is what the system answers to whether the clock is synchronised.
fn synchronised(timesyncd: bool, said: Option<&str>) -> CheckLine {
    let advice = "switch it on: sudo timedatectl set-ntp true; without a network the board needs a clock with a battery";
    match (timesyncd, said.map(str::trim)) {
        (true, _) => CheckLine::ok(
            CHECK,
            "synchronised",
            "systemd-timesyncd has set it since the start of this board",
        ),
        (_, Some("yes")) => CheckLine::ok(CHECK, "synchronised", "the system says so"),
        (_, Some("no")) => CheckLine::warn(CHECK, "synchronised", "the system says that it is not", advice),
        _ => CheckLine::skipped(CHECK, "synchronised", "nobody on this machine says whether it is"),
    }
}

/// What systemd says, which asks the kernel; it needs no rights. `None` where there is none, or it hangs.
fn asked() -> Option<String> {
    let mut child = Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut output = child.stdout.take()?;
    let (done, text) = bounded(1);
    let read = move || {
        let mut text = String::new();
        let _ = output.read_to_string(&mut text);
        let _ = done.send(text);
    };
    let started = threads::start("timedatectl", read);
    let text = started.ok().and_then(|_| text.recv_timeout(PATIENCE).ok());
    let _ = child.kill();
    let _ = child.wait();
    text
}

#[cfg(test)]
mod tests {
    use super::super::report::Grade;
    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn a_clock_that_starts_long_ago_or_runs_behind_its_own_files_is_named() {
        assert_eq!(plausible(0, None).grade, Grade::Fail);
        assert_eq!(plausible(EARLIEST - 1, None).grade, Grade::Fail);
        assert_eq!(plausible(LATEST + 1, None).grade, Grade::Fail);
        assert_eq!(plausible(NOW, Some(NOW + 3600)).grade, Grade::Warn);
        assert_eq!(plausible(NOW, Some(NOW)).grade, Grade::Ok);
        assert_eq!(plausible(NOW, None).grade, Grade::Ok);
    }

    #[test]
    fn a_clock_of_which_nobody_says_anything_is_not_called_synchronised() {
        let grade = |timesyncd, said| synchronised(timesyncd, said).grade;
        assert_eq!(grade(false, None), Grade::Skipped);
        assert_eq!(grade(false, Some("")), Grade::Skipped);
        assert_eq!(grade(false, Some("no\n")), Grade::Warn);
        assert_eq!(grade(false, Some("yes\n")), Grade::Ok);
        assert_eq!(grade(true, None), Grade::Ok);
    }
}
