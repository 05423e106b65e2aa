//! A broker beyond this machine: encrypted and with a credential, or accepted by a word and said all the
//! time. And secrets: in files that nobody else can read, and nowhere else.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::support::bench::Node::{self, Broker1, Broker2, Card1, Display};
use crate::support::bench::process::{PipedProgram, assert_ended, command, run};
use crate::support::bench::told::assert_says;
use crate::support::bench::{Bench, PROGRAMS, flat};
use crate::support::mosquitto::Mosquitto;
use crate::support::pty::{Pty, PtyOutput, Start, code};

/// A broker's address by a name that is not `localhost`: it counts as beyond, though it leads here.
fn beyond(bench: &Bench, node: Node) -> String {
    bench.url(node).replace("127.0.0.1", "127.1")
}

/// A program at that address, in a terminal.
fn start(bench: &Bench, node: Node, more: &[&str]) -> Pty {
    bench.spawn(node, &beyond(bench, node), more)
}

fn secret(folder: &Path, name: &str, content: &str, mode: u32) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, content).expect("room on the disk");
    fs::set_permissions(&file, Permissions::from_mode(mode)).expect("our own file");
    file
}

#[test]
fn beyond_this_machine_nothing_is_said_in_the_open_unless_it_is_accepted() {
    let bench = Bench::new();
    for node in PROGRAMS {
        let words = bench.command(node, &beyond(&bench, node), &[]);
        let (status, said, why) = run(std::process::Command::new(&words[0]).args(&words[1..]));
        assert_eq!(
            (status, said.as_str(), why.lines().count()),
            (2, "", 1),
            "{node:?}: {why}"
        );
        assert_says(&why, &["127.1:", "no encryption and no credential", "--insecure"]);
        assert!(!bench.state_dir(node).exists(), "{node:?} leaves a folder");
    }
}

#[test]
fn what_was_accepted_stands_on_every_screen_all_the_time() {
    let mut bench = Bench::new();
    bench.start_all([Broker1, Broker2]);
    for node in PROGRAMS {
        let mut first = start(&bench, node, &["--insecure"]);
        let says = |screen: &Pty| {
            screen.wait_for("what is lacking", |seen| {
                let text = seen.text();
                let line = text.lines().find(|line| line.starts_with(" broker "));
                line.is_some_and(|line| line.contains("up      not encrypted, no password"))
            });
        };
        says(&first);
        if node != Display {
            // It needs no broker, and so no acceptance: it says what its owner's connection lacks.
            let second = start(&bench, node, &[]);
            second.wait_for("whose screen it is", |seen| seen.shows("screen of process"));
            says(&second);
        }
        first.press("q");
        assert_eq!(code(first.wait_for_end()), 0);
    }
}

#[test]
fn without_a_screen_it_is_said_once() {
    let mut bench = Bench::new();
    bench.start_all([Broker1, Broker2]);
    let words = "is made with --insecure: not encrypted, no password";
    for (node, more) in [(Card1, "--service"), (Display, "--json")] {
        let mut words_of = bench.command(node, &beyond(&bench, node), &["--insecure", more]);
        let program = words_of.remove(0);
        let stderr = bench.folder().join(format!("{node:?}.stderr"));
        let mut command = std::process::Command::new(program);
        command.args(words_of).stdout(std::process::Stdio::null());
        command.stderr(fs::File::create(&stderr).expect("a file"));
        let running = PipedProgram::spawn(&mut command);
        let said = || fs::read_to_string(&stderr).unwrap_or_default();
        bench.wait("it says so", |_| said().contains(words));
        running.signal(Signal::TERM);
        running.end();
        assert_eq!(said().matches(words).count(), 1, "{}", said());
    }
}

#[test]
fn a_screen_and_set_need_no_broker_and_no_secret_where_an_owner_runs() {
    let mut bench = Bench::new();
    bench.start(Broker1);
    bench.start(Card1);
    bench.wait_text(Card1, "SAVED");
    let (url, file) = (beyond(&bench, Card1), "/no/such/password");
    let options = ["--username", "me", "--password-file", file];
    let screen = bench.spawn(Card1, &url, &options);
    screen.wait_for("whose screen it is", |seen| seen.shows("screen of process"));
    let words = bench.command(Card1, &url, &["--set", "2=ko", "--timeout", "1"]);
    let (_, said, why) = run(std::process::Command::new(&words[0]).args(&words[1..]));
    assert_says(&said, &["Sensor 2", "KO", "SAVED"]);
    assert!(!why.contains(file) && !why.contains("--insecure"), "{why}");
    // Whoever takes over needs both, and finds that out before the other one ends.
    for (more, expected, words) in [
        (&["--take-over"][..], 2, "--insecure"),
        (&["--take-over", "--insecure"], 1, file),
    ] {
        let all = [&options[..], more].concat();
        let all = bench.command(Card1, &url, &all);
        let why = assert_ended(
            run(std::process::Command::new(&all[0]).args(&all[1..])),
            expected,
            "",
        );
        assert_says(&why, &[words]);
    }
    bench.press(Card1, "3");
    bench.wait_row(Card1, 3, "KO", "SAVED");
}

#[test]
fn a_secret_that_others_can_read_ends_a_program_with_1_and_the_command_to_type() {
    let bench = Bench::new();
    let [shown, own] = [("shown", 0o604), ("own", 0o640)].map(|(name, mode)| {
        secret(bench.folder(), name, "opensesame\n", mode)
            .display()
            .to_string()
    });
    for node in PROGRAMS {
        let arguments = ["--username", "me", "--password-file", &shown];
        let why = assert_ended(run(&mut command(&bench, node, &arguments)), 1, "");
        assert_says(&why, &[&shown, "(mode 0604)", &format!("chmod 0600 {shown}")]);
        assert!(!why.contains("opensesame") && why.lines().count() == 1, "{why}");
    }
    let once = ["--once", "--timeout", "1", "--username", "me", "--password-file"];
    let with = |file| run(&mut command(&bench, Display, &[&once[..], &[file]].concat()));
    assert_eq!(with(&shown).0, 3, "the states are not known");
    let (status, said, why) = with(&own);
    assert_eq!(status, 3, "{why}");
    assert_says(&why, &["connection refused"]);
    assert!(said.contains("UNKNOWN"), "{said}");
}

#[test]
fn no_secret_is_in_a_log_on_a_screen_on_a_command_line_or_in_the_environment() {
    let bench = Bench::new();
    let mut mosquitto = Mosquitto::start_new();
    let password = "open-sesame-7391";
    let file = secret(bench.folder(), "password", &format!("{password}\n"), 0o600);
    let log = bench.folder().join("log.txt");
    let (file, log) = (file.display().to_string(), log.display().to_string());
    let options = [
        "--username",
        "me",
        "--password-file",
        &file,
        "--log-file",
        &log,
        "--log-level",
        "debug",
    ];
    let monitor = Start::program(bench.command(Card1, &mosquitto.url(), &options))
        .env("LC_ALL", "C.UTF-8")
        .spawn();
    monitor.wait_for("the owner", |seen| seen.shows("SAVED"));
    // Refused, too: the words of a failure are as silent.
    mosquitto.kill();
    monitor.wait_for("the loss", |seen| {
        flat(&seen.text()).contains("connection refused")
    });
    let pid = monitor.pid().as_raw_nonzero();
    for part in ["cmdline", "environ"] {
        let bytes = fs::read(format!("/proc/{pid}/{part}")).expect("our own child");
        assert!(!String::from_utf8_lossy(&bytes).contains(password), "{part}");
    }
    let seen = String::from_utf8_lossy(&monitor.bytes_since(0)).into_owned();
    let logged = fs::read_to_string(&log).expect("a log");
    assert!(logged.contains("sent ") && !logged.contains(password), "{logged}");
    assert!(!seen.contains(password), "{}", monitor.look(PtyOutput::text));
}
