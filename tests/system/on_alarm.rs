//! `--on-alarm`: the command, what it is told, and that it holds nothing up. How it is run, thread by thread,
//! is in `src/programs/on_alarm/`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use dualboard::system::process::Process;
use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Broker2, Card1, Card2, Display};
use crate::support::bench::process::{PipedProgram, command};
use crate::support::bench::{Bench, flat, shows};
use crate::support::pty::{Pty, Start, code};

/// A command that adds a line to this file: who runs it, and the facts.
fn tells(file: &Path) -> String {
    format!(
        "echo \"$DUALBOARD_PROGRAM: $DUALBOARD_ALARM $DUALBOARD_SENSOR/$DUALBOARD_CARD $DUALBOARD_STATE\" >> {}",
        file.display()
    )
}

fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

fn wait_lines(bench: &Bench, file: &Path, lines: &[&str]) {
    bench.wait(&format!("{} has {lines:?}", file.display()), |_| {
        let text = text(file);
        let mut found: Vec<&str> = text.lines().collect();
        found.sort_unstable();
        found == lines
    });
}

/// A file in the bench's folder.
fn file(bench: &Bench, name: &str) -> PathBuf {
    bench.folder().join(name)
}

#[test]
fn every_kind_of_program_runs_it_with_the_facts() {
    let mut bench = Bench::new();
    bench.start_all([Broker1, Broker2, Card1]);
    let files = ["service", "screen", "lines", "attached"].map(|name| file(&bench, name));
    let [service, screen, lines, attached] = files.each_ref().map(|file| tells(file));
    let owner = PipedProgram::start(&mut command(
        &bench,
        Card2,
        &["--service", "--on-alarm", &service],
    ));
    owner.wait_owner(&bench, Card2);
    bench.wait_settled(["OK"; 6]);
    let printed = file(&bench, "printed");
    let mut display = command(&bench, Display, &["--on-alarm", &lines]);
    let _piped = PipedProgram::spawn(display.stdout(File::create(&printed).expect("a file")));
    let screens = [
        bench.spawn(Display, &bench.url(Display), &["--on-alarm", &screen]),
        bench.spawn(Card1, &bench.url(Card1), &["--on-alarm", &attached]),
    ];
    for screen in &screens {
        screen.wait_for("all live", |seen| {
            shows(&seen.text(), ["OK"; 6], &["LIVE", "CONFIRMED"])
        });
    }
    bench.wait("six lines", |_| text(&printed).matches("LIVE").count() >= 6);

    bench.press(Card1, "2");
    let programs = [
        "card2_monitor",
        "card2_global_display",
        "card2_global_display",
        "card1_monitor",
    ];
    for (file, program) in files.iter().zip(programs) {
        wait_lines(&bench, file, &[&format!("{program}: ko 2/1 KO")]);
        fs::remove_file(file).expect("it was there");
    }
    bench.end(Card1, Signal::KILL);
    for (file, program) in files.iter().zip(programs).take(3) {
        wait_lines(&bench, file, &[&format!("{program}: lost /1 HELD")]);
    }
    // To this one everything is lost with its owner.
    let lost = ["card1_monitor: lost /1 HELD", "card1_monitor: lost /2 HELD"];
    wait_lines(&bench, &files[3], &lost);
    drop(owner);

    let again = file(&bench, "again");
    let _late = bench.spawn(Display, &bench.url(Display), &["--on-alarm", &tells(&again)]);
    wait_lines(&bench, &again, &["card2_global_display: ko 2/1 KO"]);
}

#[test]
fn that_it_has_failed_is_an_event_here_and_on_another_screen_only_there() {
    let mut bench = Bench::new();
    bench.start(Broker1);
    let log = file(&bench, "log").display().to_string();
    let options = ["--on-alarm", "exit 3", "--log-file", &log];
    let owner = bench.spawn(Card1, &bench.url(Card1), &options);
    owner.wait_for("its sensors", |seen| seen.shows("Sensor 3  ✓ OK"));
    let other = bench.spawn(Card1, &bench.url(Card1), &["--on-alarm", "no-such-command"]);
    other.wait_for("whose screen it is", |seen| seen.shows("screen of process"));
    other.wait_for("its sensors", |seen| seen.shows("Sensor 3  ✓ OK"));
    owner.press("2");
    let says = |pty: &Pty, words: &str| {
        pty.wait_for(words, |seen| flat(&seen.text()).contains(words));
    };
    says(&owner, "alarm command for sensor 2 KO: exit status 3");
    says(&other, "alarm command for sensor 2 KO: exit status 3");
    says(
        &other,
        "alarm command for sensor 2 KO: exit status 127, not found",
    );
    // What comes later stands above it, and it stays.
    owner.press("3");
    says(
        &other,
        "alarm command for sensor 3 KO: exit status 127, not found",
    );
    says(
        &other,
        "alarm command for sensor 2 KO: exit status 127, not found",
    );
    assert!(
        !owner.look(|seen| seen.shows("status 127")),
        "it concerns the other screen only"
    );
    let warned = "warn  card1_monitor: alarm command for sensor 2 KO: exit status 3";
    bench.wait("the log says so", |_| text(Path::new(&log)).contains(warned));
}

#[test]
fn one_that_hangs_holds_up_no_key_and_ends_with_the_program() {
    let mut bench = Bench::new();
    bench.start(Broker1);
    let pids = file(&bench, "pids");
    let hangs = format!(
        "sleep 1000 & echo $$ $! >> {}; echo PWNED; echo PWNED >&2; wait",
        pids.display()
    );
    let runs = |pid: &str| {
        let process = pid.parse().ok().and_then(Process::of);
        process.is_some_and(|process| process.state != Some('Z'))
    };
    let running = || text(&pids).split_whitespace().filter(|pid| runs(pid)).count();
    for signal in [None, Some(Signal::TERM)] {
        let words = bench.command(Card1, &bench.url(Card1), &["--on-alarm", &hangs]);
        let mut pty = Start::program(words).env("LC_ALL", "C.UTF-8").spawn();
        pty.wait_for("its sensors", |seen| seen.shows("Sensor 3  ✓ OK"));
        for key in ["1", "2", "3"] {
            pty.press(key);
            pty.wait_for("the toggle", |seen| seen.shows(&format!("Sensor {key}  ✗ KO")));
        }
        bench.wait("the first command", |_| running() == 2);
        for key in ["3", "2", "1"] {
            pty.press(key);
            pty.wait_for("the toggle", |seen| seen.shows(&format!("Sensor {key}  ✓ OK")));
        }
        assert_eq!(text(&pids).lines().count(), 1, "one at a time");
        match signal {
            None => pty.press("q"),
            Some(signal) => pty.signal(signal),
        }
        let status = signal.map_or(0, |signal| 128 + signal.as_raw());
        assert_eq!(code(pty.wait_for_end()), status);
        pty.assert_restored();
        assert_eq!(running(), 0, "both ended before the program");
        let bytes = pty.bytes_since(0);
        assert!(!bytes.windows(5).any(|window| window == b"PWNED"));
        fs::remove_file(&pids).expect("it was there");
    }
}
