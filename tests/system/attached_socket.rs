//! The socket between an owner and its other screens: who has it, who is let go, and what is left of it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, chown};
use std::os::unix::net::UnixStream;
use std::process::Command;

use rustix::process::Signal;

use crate::attached::{attach, socket, wait_row};
use crate::support::bench::Node::Card1;
use crate::support::bench::{Bench, flat};
use crate::support::port::Port;
use crate::support::pty::{PtyOutput, code};

/// As a service's user.
const SERVICE: u32 = 65534;

#[test]
fn what_is_no_screen_is_let_go_and_disturbs_nobody() {
    let bench = Bench::running();
    let screen = attach(&bench, Card1);
    let noise: [&[u8]; 4] = [
        b"hello\n",
        br#"{"id":1,"by":null,"made":{"secs":0,"nanos":0},"what":{"change":{"sensor_2":"destroy"}}}
"#,
        &vec![b'x'; 100_000],
        b"\xff\xfe\n",
    ];
    for bytes in noise {
        let mut stranger = UnixStream::connect(socket(&bench)).expect("the owner listens");
        let _ = stranger.write_all(bytes);
        let mut rest = Vec::new();
        // Its end is what is waited for.
        let _ = stranger.read_to_end(&mut rest);
    }
    // It may not toggle the other card's sensor either.
    let mut stranger = UnixStream::connect(socket(&bench)).expect("the owner listens");
    stranger
        .write_all(
            br#"{"id":2,"by":null,"made":{"secs":4000000000,"nanos":0},"what":{"change":{"sensor_5":"toggle"}}}
"#,
        )
        .expect("it is read");
    screen.press("2");
    wait_row(&screen, 2, "KO", "CONFIRMED");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
}

#[test]
fn a_socket_that_a_crash_has_left_is_nobodys() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::KILL);
    assert!(socket(&bench).exists(), "the crash has left it");
    bench.start(Card1);
    bench.wait_settled(["OK"; 6]);
    let screen = attach(&bench, Card1);
    screen.press("1");
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
    bench.end(Card1, Signal::TERM);
    assert!(!socket(&bench).exists(), "an end takes it away");
}

#[test]
fn where_there_can_be_no_socket_the_owner_works_alone_and_says_so() {
    let mut bench = Bench::running();
    bench.end(Card1, Signal::TERM);
    // A socket's path has 107 bytes at the most.
    let folder = bench.folder().join("x".repeat(100));
    fs::create_dir(&folder).expect("a folder");
    let options = ["--state-dir", folder.to_str().expect("a path")];
    let owner = bench.spawn(Card1, &bench.url(Card1), &options);
    bench.give(Card1, owner);
    bench.wait_settled(["OK"; 6]);
    let mut second = bench.spawn(Card1, &bench.url(Card1), &options);
    assert_eq!(code(second.wait_for_end()), 1);
    let said = flat(&second.look(PtyOutput::text));
    assert!(said.contains("already runs on this board"), "{said}");
    assert!(said.contains("a screen of it cannot be shown"), "{said}");
    bench.press(Card1, "q");
    let mut owner = bench.take(Card1);
    owner.wait_for_end();
    owner.wait_for("why there are no other screens", |seen| {
        flat(&seen.text()).contains("no other screen can show this program")
    });
}

#[test]
fn an_end_takes_away_its_own_socket_and_no_other() {
    let mut bench = Bench::running();
    let mut first = bench.take(Card1);
    first.signal(Signal::STOP);
    let moved = bench.folder().join("moved");
    fs::rename(bench.state_dir(Card1), &moved).expect("it is moved");
    // At another broker: two owners of one card at one broker do not last.
    let nowhere = Port::claim();
    let next = bench.spawn(Card1, &format!("mqtt://localhost:{}", nowhere.number), &[]);
    next.wait_for("its start", |seen| seen.shows("Sensor 1"));
    next.wait_until("its socket", || socket(&bench).exists());
    bench.give(Card1, next);
    first.signal(Signal::CONT);
    first.press("q");
    first.wait_for_end();
    let screen = attach(&bench, Card1);
    screen.press("2");
    bench.wait_row(Card1, 2, "OK", "SENDING");
}

#[test]
fn a_socket_that_was_deleted_or_replaced_comes_back() {
    let mut bench = Bench::running();
    fs::remove_file(socket(&bench)).expect("it is there");
    bench.wait("another socket", |bench| socket(bench).exists());
    attach(&bench, Card1);
    fs::remove_file(socket(&bench)).expect("it is there");
    fs::write(socket(&bench), "not a socket").expect("a file");
    bench.press(Card1, "2");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
    bench.wait("another socket", |bench| {
        fs::metadata(socket(bench)).is_ok_and(|file| file.file_type().is_socket())
    });
    let screen = attach(&bench, Card1);
    screen.press("3");
    bench.wait_settled(["OK", "KO", "KO", "OK", "OK", "OK"]);
}

#[test]
fn screens_that_an_owner_has_no_files_for_cost_no_processor_time() {
    let mut bench = Bench::running();
    let pid = bench.pid(Card1).as_raw_nonzero().get();
    let open = fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").count();
    let limit = format!("--nofile={}", open + 2);
    let limited = Command::new("prlimit")
        .args(["--pid", &pid.to_string(), &limit])
        .status();
    assert!(limited.expect("prlimit of util-linux").success());
    let waiting = [(); 6].map(|()| UnixStream::connect(socket(&bench)).expect("there is a queue"));
    let before = bench.pty(Card1).cpu_seconds();
    // As good a measure of some seconds as any.
    bench.link.silence();
    bench.wait_row(Card1, 4, "OK", "HELD");
    let spent = bench.pty(Card1).cpu_seconds() - before;
    assert!(spent < 1.0, "{spent} s");
    drop(waiting);
    attach(&bench, Card1);
}

#[test]
fn the_socket_of_a_root_belongs_to_the_owner_of_the_folder() {
    if !rustix::process::geteuid().is_root() {
        return; // What an ordinary user makes is its own.
    }
    let mut bench = Bench::running();
    bench.end(Card1, Signal::TERM);
    chown(bench.state_dir(Card1), Some(SERVICE), Some(SERVICE)).expect("root may");
    bench.start(Card1);
    bench.wait_settled(["OK"; 6]);
    let made = fs::metadata(socket(&bench)).expect("it is made");
    assert_eq!((made.uid(), made.gid()), (SERVICE, SERVICE));
}
