//! A monitor as a service: what its manager is told, what its log says on stderr, and its screens.

use std::cell::RefCell;
use std::fs::{self, File};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::support::bench::Node::{Broker1, Card1, Card2};
use crate::support::bench::process::{PipedProgram, assert_ended, command, run};
use crate::support::bench::told::assert_says;
use crate::support::bench::{Bench, INITIAL, binary, flat};
use crate::support::pty::{Pty, code};

/// What a service manager has been told.
struct Manager {
    name: String,
    socket: UnixDatagram,
    told: RefCell<Vec<String>>,
}

impl Manager {
    fn at(name: String, address: &SocketAddr) -> Self {
        let socket = UnixDatagram::bind_addr(address).expect("a socket");
        socket.set_nonblocking(true).expect("a socket");
        let told = RefCell::default();
        Self { name, socket, told }
    }

    fn in_folder(bench: &Bench) -> Self {
        let path = bench.folder().join("notify");
        let address = SocketAddr::from_pathname(&path).expect("a short path");
        Self::at(path.display().to_string(), &address)
    }

    /// All that it has been told, line by line.
    fn told(&self) -> Vec<String> {
        let mut bytes = [0; 4096];
        let mut told = self.told.borrow_mut();
        while let Ok(count) = self.socket.recv(&mut bytes) {
            let text = std::str::from_utf8(&bytes[..count]).expect("text");
            told.extend(text.lines().map(str::to_owned));
        }
        told.clone()
    }

    fn wait(&self, bench: &Bench, line: &str) {
        bench.wait(&format!("the manager is told '{line}'"), |_| {
            self.told().iter().any(|told| told == line)
        });
    }

    fn count(&self, line: &str) -> usize {
        self.told().iter().filter(|told| *told == line).count()
    }
}

fn stderr(bench: &Bench) -> PathBuf {
    bench.folder().join("stderr.txt")
}

fn said(bench: &Bench) -> String {
    fs::read_to_string(stderr(bench)).unwrap_or_default()
}

fn wait_said(bench: &Bench, words: &str) {
    bench.wait(&format!("it says '{words}'"), |bench| said(bench).contains(words));
}

/// Starts the service of card 1, with stderr in a file. This is the journal for it if `journal` says so.
fn start(bench: &Bench, options: &[&str], environment: &[(&str, &str)], journal: bool) -> PipedProgram {
    let mut command = command(bench, Card1, &[&["--service"], options].concat());
    let file = File::create(stderr(bench)).expect("a file");
    let meta = file.metadata().expect("a file");
    let other = u64::from(!journal);
    command
        .env("JOURNAL_STREAM", format!("{}:{}", meta.dev(), meta.ino() + other))
        .envs(environment.iter().copied())
        .stdout(std::process::Stdio::piped())
        .stderr(file);
    PipedProgram::spawn(&mut command)
}

/// Everything runs but card 1's monitor.
fn bench() -> Bench {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::TERM);
    bench
}

fn attach(bench: &Bench, service: &PipedProgram) -> Pty {
    service.wait_owner(bench, Card1);
    let screen = bench.spawn(Card1, &bench.url(Card1), &[]);
    wait_screen_of(&screen, service);
    screen
}

fn wait_screen_of(screen: &Pty, service: &PipedProgram) {
    let of = format!("screen of process {}, service", service.id());
    screen.wait_for("whose screen it is", |seen| seen.shows(&of));
}

#[test]
fn its_manager_is_told_that_it_is_ready_how_it_is_that_it_works_and_that_it_ends() {
    let mut bench = bench();
    let manager = Manager::in_folder(&bench);
    let environment = [
        ("NOTIFY_SOCKET", manager.name.as_str()),
        ("WATCHDOG_USEC", "1000000"),
    ];
    let service = start(&bench, &[], &environment, true);
    let url = bench.url(Card1);
    manager.wait(&bench, "READY=1");
    manager.wait(&bench, &format!("STATUS=connected to {url}; 3 OK; bridge up"));
    bench.give(Card1, attach(&bench, &service));
    bench.press(Card1, "2");
    manager.wait(
        &bench,
        &format!("STATUS=connected to {url}; 2 OK, 1 KO; bridge up"),
    );
    bench.link.cut();
    manager.wait(
        &bench,
        &format!("STATUS=connected to {url}; 2 OK, 1 KO; bridge down"),
    );
    let before = manager.count("WATCHDOG=1");
    bench.wait("it says that it works, again and again", |_| {
        manager.count("WATCHDOG=1") >= before + 3
    });
    assert_eq!(manager.count("STOPPING=1"), 0);
    service.signal(Signal::TERM);
    assert_ended(service.end(), 143, "");
    let told = manager.told();
    let status: Vec<_> = told.iter().filter(|line| line.starts_with("STATUS=")).collect();
    assert!(status.windows(2).all(|two| two[0] != two[1]), "{status:?}");
    assert_eq!(manager.count("READY=1"), 1, "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("STOPPING=1"));
}

#[test]
fn it_is_ready_without_a_broker_and_says_what_is_wrong() {
    let mut bench = bench();
    bench.end(Broker1, Signal::TERM);
    let name = format!("dualboard-test-{}", bench.folder().display());
    let address = SocketAddr::from_abstract_name(&name).expect("a name");
    let manager = Manager::at(format!("@{name}"), &address);
    let environment = [
        ("NOTIFY_SOCKET", manager.name.as_str()),
        ("WATCHDOG_USEC", "1000000"),
        ("WATCHDOG_PID", "1"),
    ];
    let service = start(&bench, &[], &environment, true);
    let url = bench.url(Card1);
    manager.wait(&bench, "READY=1");
    manager.wait(
        &bench,
        &format!("STATUS=no connection to {url}: connection refused; 3 OK"),
    );
    let screen = attach(&bench, &service);
    screen.press("1");
    bench.start(Broker1);
    manager.wait(
        &bench,
        &format!("STATUS=connected to {url}; 2 OK, 1 KO; bridge up"),
    );
    bench.wait_heartbeats(2, Card1, Broker1);
    assert_eq!(manager.count("WATCHDOG=1"), 0, "that is for another process");
}

#[test]
fn in_the_journal_each_line_has_its_level_and_elsewhere_its_time() {
    let mut bench = bench();
    for journal in [true, false] {
        let service = start(&bench, &["--log-level", "debug"], &[], journal);
        wait_said(&bench, "connected to broker 1");
        wait_said(&bench, "heard sensors/all");
        bench.end(Broker1, Signal::KILL);
        wait_said(&bench, "broker 1: ");
        bench.start(Broker1);
        service.signal(Signal::TERM);
        assert_ended(service.end(), 143, "");
        let text = said(&bench);
        let starts: &[&str] = if journal {
            &["<3>", "<4>", "<6>", "<7>"]
        } else {
            &["error ", "warn  ", "info  ", "debug "]
        };
        for line in text.lines() {
            let rest = if journal {
                line
            } else {
                line.get(21..).unwrap_or_default()
            };
            assert!(starts.iter().any(|start| rest.starts_with(start)), "{line}");
            assert_eq!(line.starts_with("20"), !journal, "{line}");
        }
        for words in if journal {
            ["<6>connected to broker 1", "<4>broker 1: ", "<6>ends"]
        } else {
            [
                "Z info  card1_monitor: connected to broker 1",
                "Z warn  card1_monitor: broker 1: ",
                "Z info  card1_monitor: ends",
            ]
        } {
            assert!(text.contains(words), "no '{words}' in:\n{text}");
        }
    }
}

#[test]
fn a_log_file_is_written_beside_it_and_what_becomes_of_it_is_said() {
    let bench = bench();
    let log = bench.folder().join("log.txt");
    let path = log.display().to_string();
    let service = start(&bench, &["--log-file", &path], &[], true);
    wait_said(&bench, "<6>connected");
    bench.wait("the file says it too", |_| {
        fs::read_to_string(&log).is_ok_and(|text| text.contains("Z info  card1_monitor: connected"))
    });
    drop(service);
    let full = start(&bench, &["--log-file", "/dev/full"], &[], true);
    wait_said(&bench, "<3>cannot write the log file /dev/full: No space left");
    drop(full);
}

#[test]
fn a_log_file_that_cannot_be_keeps_neither_the_card_out_of_service_nor_an_operator_out() {
    let mut bench = bench();
    let folder = bench.folder().join("logs");
    let log = folder.join("log.txt");
    let path = log.display().to_string();
    let service = start(&bench, &["--log-file", &path], &[], true);
    wait_said(
        &bench,
        &format!("<3>cannot write the log file {path}: No such file"),
    );
    // An operator's program reads the same files of settings.
    service.wait_owner(&bench, Card1);
    let screen = bench.spawn(Card1, &bench.url(Card1), &["--log-file", &path]);
    wait_screen_of(&screen, &service);
    bench.give(Card1, screen);
    bench.press(Card1, "2");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
    fs::create_dir(&folder).expect("a folder");
    bench.press(Card1, "3");
    wait_said(&bench, "<6>log file written again");
    let text = fs::read_to_string(&log).expect("a log");
    assert!(text.contains("lines could not be written here"), "{text}");
}

#[test]
fn its_screens_toggle_and_go_on_when_it_was_killed_and_is_started_again() {
    let mut bench = bench();
    let service = start(&bench, &[], &[], true);
    bench.give(Card1, attach(&bench, &service));
    bench.press(Card1, "2");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
    drop(service);
    bench.wait_text(Card1, "this screen shows what it knew and waits for it");
    let service = start(&bench, &[], &[], true);
    wait_screen_of(bench.pty(Card1), &service);
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
    bench.press(Card1, "3");
    bench.wait_settled(["OK", "KO", "KO", "OK", "OK", "OK"]);
    wait_said(&bench, "<6>sensor 3  KO CONFIRMED");
    let mut screen = bench.take(Card1);
    screen.press("q");
    assert_eq!(code(screen.wait_for_end()), 0);
    service.signal(Signal::TERM);
    assert_ended(service.end(), 143, "");
}

#[test]
fn where_another_one_has_the_card_it_ends_and_its_last_word_is_an_error_in_the_journal() {
    let mut bench = Bench::running();
    let second = start(&bench, &[], &[], true);
    assert_ended(second.end(), 1, "");
    let why = said(&bench);
    assert!(
        why.starts_with("<3>card1_monitor already runs on this board (process "),
        "{why}"
    );
    assert_eq!(why.lines().count(), 1, "{why}");
    bench.end(Card1, Signal::TERM);
    let service = start(&bench, &[], &[], true);
    service.wait_owner(&bench, Card1);
    let mut lines = command(&bench, Card1, &[]);
    let (status, _, why) = run(&mut lines);
    assert_eq!(status, 1);
    let end = format!(
        "(process {}, service); end it with kill {}, or",
        service.id(),
        service.id()
    );
    assert_says(&why, &[&end]);
    // Somebody takes it over, and the service says who.
    let taker = bench.spawn(Card1, &bench.url(Card1), &["--take-over"]);
    assert_ended(service.end(), 143, "");
    bench.give(Card1, taker);
    bench.wait_settled(INITIAL);
    let last = said(&bench);
    let last = last.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("<6>ended by --take-over: another card1_monitor (process "),
        "{last}"
    );
}

#[test]
fn stderr_that_nobody_reads_holds_nothing_up() {
    let mut bench = bench();
    let mut command = command(&bench, Card1, &["--service", "--log-level", "debug"]);
    let mut service = PipedProgram::start(&mut command);
    let pipe = service.child().stderr.as_ref().expect("a pipe");
    rustix::pipe::fcntl_setpipe_size(pipe, 4096).expect("a small pipe");
    bench.give(Card1, attach(&bench, &service));
    // More lines than may wait for it.
    let stranger = bench.listener(Broker1);
    for _ in 0..2000 {
        stranger.say("sensors/card1/set", "{", false);
    }
    stranger.say("sensors/card1/set", r#"{"sensor_2":"KO"}"#, false);
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
    bench.press(Card1, "1");
    bench.wait_settled(["KO", "KO", "OK", "OK", "OK", "OK"]);
    service.signal(Signal::TERM);
    let (status, output, _) = service.end();
    assert_eq!((status, output.as_str()), (143, ""));
}

#[test]
fn set_is_done_by_the_service_and_is_none_itself() {
    let bench = bench();
    let service = start(&bench, &[], &[], true);
    service.wait_owner(&bench, Card1);
    let mut set = command(&bench, Card1, &["--set", "2=ko"]);
    let ended = run(set.env("DUALBOARD_SERVICE", "yes"));
    assert_ended(ended, 0, "Sensor 2  KO       CONFIRMED\n");
    wait_said(&bench, "<6>sensor 2  KO CONFIRMED");
}

/// A unit of this project, with a program that is there in the place of the installed one.
fn unit_with(name: &str, installed: &str, there: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name);
    let text = fs::read_to_string(path).expect("the unit");
    let started = format!("ExecStart={installed}");
    assert!(text.contains(&started), "{text}");
    text.replace(&started, &format!("ExecStart={there}"))
}

/// The three units, with programs that are there.
fn units() -> [(&'static str, String); 3] {
    [
        (
            "dualboard-broker.service",
            unit_with("dualboard-broker.service", "/usr/sbin/mosquitto", "/bin/true"),
        ),
        (
            "dualboard-card1.service",
            unit_with("dualboard-card1.service", "/usr/bin/card1_monitor", binary(Card1)),
        ),
        (
            "dualboard-card2.service",
            unit_with("dualboard-card2.service", "/usr/bin/card2_monitor", binary(Card2)),
        ),
    ]
}

/// systemd-analyze, where it is and not older than 250: that looks at other units as well, and at no file of
/// a unit for its exposure.
fn analyze(arguments: &[&str], unit: &Path) -> Option<std::process::Output> {
    let analyze = || std::process::Command::new("systemd-analyze");
    let help = analyze().arg("--help").output().ok()?;
    String::from_utf8_lossy(&help.stdout)
        .contains("--recursive-errors")
        .then(|| {
            let mut command = analyze();
            command
                .args(arguments)
                .arg(unit)
                .output()
                .expect("systemd-analyze")
        })
}

#[test]
fn the_units_are_ones_that_systemd_takes() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in units() {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        let Some(output) = analyze(&["--recursive-errors=no", "verify"], &path) else {
            return;
        };
        assert_eq!(flat(&String::from_utf8_lossy(&output.stderr)), "", "{name}");
        assert!(output.status.success(), "{name}");
    }
}

/// systemd's own figure for what a service could do that it need not: 0 nothing, 10 everything.
#[test]
fn the_exposure_of_no_unit_is_above_1_5() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in units() {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        let arguments = ["--offline=true", "--no-pager", "--threshold=15", "security"];
        let Some(output) = analyze(&arguments, &path) else {
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{name}: {said}");
    }
}

#[test]
fn the_units_of_both_cards_are_alike() {
    let [_, (_, one), (_, two)] = units();
    let one = one.replace(binary(Card1), "PROGRAM");
    let two = two.replace(binary(Card2), "PROGRAM");
    let alike = |text: String, number: &str| {
        ["card", "card ", "board "]
            .into_iter()
            .fold(text, |text, of| text.replace(&format!("{of}{number}"), of))
    };
    assert_eq!(
        alike(one, "1"),
        alike(two, "2"),
        "what is true of one is true of the other"
    );
}
