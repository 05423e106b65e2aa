#![allow(clippy::disallowed_methods, reason = "deadlines of tests")]

use std::fs;
use std::path::Path;
use std::time::Instant;

use jiff::tz::TimeZone;
use tempfile::TempDir;

use super::*;
use crate::sensor::Card;
use crate::time::Wall;

/// Generous: only failures wait for so long.
const DEADLINE: Duration = Duration::from_secs(30);

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// What runs a command, with a limit that no command of these tests reaches unless it is meant to.
fn started(command: &str, limit: Duration) -> (OnAlarm, Receiver<Input>) {
    let (sender, inputs) = unbounded();
    let command = AlarmCommand(command.to_owned());
    let on_alarm = OnAlarm::start_with(&command, limit, sender).expect("a thread");
    (on_alarm, inputs)
}

fn alarm(subject: Subject) -> Alarm {
    Alarm {
        subject,
        raised: Wall(120),
        since: Wall(90),
    }
}

fn raise(on_alarm: &OnAlarm, subjects: &[Subject]) {
    let alarms: Vec<Alarm> = subjects.iter().copied().map(alarm).collect();
    let times = Times::new(TimeZone::UTC, Wall(120));
    on_alarm.run(alarms.iter(), Role::Monitor(Card::One), &times);
}

fn ko(number: u8) -> Subject {
    Subject::Ko(SensorId::new(number).expect("a sensor"))
}

#[track_caller]
fn wait(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The next failure that the loop would hear of.
#[track_caller]
fn failure(on_alarm: &OnAlarm, inputs: &Receiver<Input>) -> String {
    let input = inputs.recv_timeout(DEADLINE).expect("a failure");
    assert_eq!(input, Input::AlarmCommand);
    on_alarm.failures().next().expect("why")
}

/// What the command is given by these alarms, a line each.
fn given(subjects: &[Subject]) -> Vec<String> {
    let folder = folder();
    let file = folder.path().join("facts");
    let command = format!(
        "echo \"$DUALBOARD_ALARM|$DUALBOARD_SENSOR|$DUALBOARD_CARD|$DUALBOARD_STATE|$DUALBOARD_SINCE|$DUALBOARD_PROGRAM|$DUALBOARD_TEXT\" >> {}",
        file.display()
    );
    let (on_alarm, inputs) = started(&command, DEADLINE);
    raise(&on_alarm, subjects);
    // Once this one runs, those before it have ended.
    raise(&on_alarm, &[ko(1)]);
    wait("all of it", || text(&file).lines().count() > subjects.len());
    assert_eq!(inputs.try_iter().count(), 0, "nothing failed");
    text(&file)
        .lines()
        .take(subjects.len())
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_command_has_the_facts_in_its_environment() {
    let at_start = [2, 3, 6].into_iter().filter_map(SensorId::new).collect();
    let subjects = [ko(5), Subject::Lost(Card::Two), Subject::KoAtStart(at_start)];
    assert_eq!(
        given(&subjects),
        [
            "ko|5|2|KO|1970-01-01T00:01:30Z|card1_monitor|sensor 5 KO 00:01:30",
            "lost||2|HELD|1970-01-01T00:01:30Z|card1_monitor|board 2 HELD 00:01:30",
            "ko_at_start|2 3 6|1 2|KO||card1_monitor|KO at start: sensors 2, 3, 6",
        ]
    );
}

#[test]
fn what_fails_is_said_and_how() {
    for (command, limit, expected) in [
        ("exit 3", DEADLINE, "exit status 3"),
        ("no-such-command-anywhere", DEADLINE, "exit status 127, not found"),
        ("/", DEADLINE, "exit status 126, cannot be run"),
        ("kill -9 $$", DEADLINE, "ended by signal 9"),
        (
            "sleep 1000",
            Duration::from_millis(200),
            "killed, it had not ended in time",
        ),
    ] {
        let (on_alarm, inputs) = started(command, limit);
        raise(&on_alarm, &[ko(2)]);
        let said = failure(&on_alarm, &inputs);
        assert_eq!(
            said,
            format!("alarm command for sensor 2 KO: {expected}"),
            "{command}"
        );
    }
}

#[test]
fn one_runs_at_a_time_and_of_each_sensor_only_the_newest_waits() {
    let folder = folder();
    let (file, go) = (folder.path().join("order"), folder.path().join("go"));
    let command = format!(
        "echo \"+$DUALBOARD_SENSOR\" >> {0}; until test -e {1}; do sleep 0.02; done; echo \"-$DUALBOARD_SENSOR\" >> {0}",
        file.display(),
        go.display()
    );
    let (on_alarm, _inputs) = started(&command, DEADLINE);
    raise(&on_alarm, &[ko(1)]);
    wait("the first to run", || text(&file) == "+1\n");
    for _ in 0..1000 {
        raise(&on_alarm, &[ko(1), ko(2), ko(3), ko(2)]);
    }
    assert_eq!(lock(&on_alarm.waiting).len(), 3);
    fs::write(&go, "").expect("a file");
    wait("all of them", || text(&file).lines().count() == 8);
    assert_eq!(text(&file), "+1\n-1\n+1\n-1\n+3\n-3\n+2\n-2\n");
}

#[test]
fn what_a_command_has_started_ends_with_it_and_with_the_program() {
    let folder = folder();
    let file = folder.path().join("pids");
    let running = || {
        let pids = text(&file);
        let pids: Vec<i32> = pids
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .collect();
        let runs = |pid: &i32| {
            let process = crate::system::process::Process::of(*pid);
            process.is_some_and(|process| process.state != Some('Z'))
        };
        pids.iter().filter(|pid| runs(pid)).count()
    };
    let command = format!("sleep 1000 & echo $! >> {}", file.display());
    let (on_alarm, _inputs) = started(&command, DEADLINE);
    raise(&on_alarm, &[ko(1)]);
    wait("the background to be gone", || {
        !text(&file).is_empty() && running() == 0
    });
    drop(on_alarm);

    let command = format!("sleep 1000 & echo $! $$ > {}; wait", file.display());
    let (on_alarm, _inputs) = started(&command, DEADLINE);
    raise(&on_alarm, &[ko(1)]);
    wait("it to run", || running() == 2);
    raise(&on_alarm, &[ko(2)]);
    drop(on_alarm);
    wait("both to be gone", || running() == 0);
}

#[test]
fn a_command_inherits_nothing_but_its_environment() {
    let folder = folder();
    let file = folder.path().join("found");
    // A descriptor that a C library might have opened, without the flag that Rust sets.
    let leaked = fs::File::open("/dev/null").expect("a file");
    rustix::io::fcntl_setfd(&leaked, rustix::io::FdFlags::empty()).expect("a descriptor");
    // While it starts a program, the shell itself has all signals blocked for a moment.
    let command = format!(
        "until grep -q 'SigBlk:.0000000000000000' /proc/$$/status; do :; done; \
         {{ ls -1 /proc/self/fd | wc -l; cut -d' ' -f5 /proc/$$/stat; echo $$; readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2; \
         grep SigIgn /proc/$$/status; echo \"[$DUALBOARD_ON_ALARM]\"; }} > {}",
        file.display()
    );
    let (on_alarm, _inputs) = started(&command, DEADLINE);
    raise(&on_alarm, &[ko(1)]);
    wait("all of it", || text(&file).contains(']'));
    let found = text(&file);
    let lines: Vec<&str> = found.lines().map(str::trim).collect();
    // Three, and the folder that `ls` reads.
    assert_eq!(lines[0], "4", "{found}");
    assert_eq!(lines[1], lines[2], "a group of its own: {found}");
    assert!(
        lines[3..6]
            .iter()
            .all(|path| *path == "/dev/null" || *path == file.to_str().expect("text"))
    );
    let ignored = found.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let broken_pipe = 1 << (signal_hook::consts::SIGPIPE - 1);
    assert!(ignored.is_some_and(|mask| mask & broken_pipe == 0), "{found}");
    assert_eq!(lines.last(), Some(&"[]"));
}
