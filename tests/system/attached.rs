//! Other screens of an owner that runs: same picture, same keys, and none of them holds anything up.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use rustix::process::Signal;

use crate::support::bench::Node::{self, Broker1, Card1, Card2};
use crate::support::bench::{Bench, flat, row};
use crate::support::pty::{Pty, PtyOutput, code};

/// One more screen of a card's owner.
fn attach(bench: &Bench, node: Node) -> Pty {
    let screen = bench.spawn(node, &bench.url(node), &[]);
    let of = format!("screen of process {}, pts/", bench.pid(node));
    screen.wait_for("whose screen it is", |seen| seen.shows(&of));
    screen
}

fn wait_row(screen: &Pty, sensor: u8, state: &str, beside: &str) {
    let what = format!("sensor {sensor} {state} {beside}");
    screen.wait_for(&what, |seen| {
        row(&seen.text(), sensor).is_some_and(|row| row.state == state && row.beside == beside)
    });
}

fn socket(bench: &Bench) -> PathBuf {
    bench.state_dir(Card1).join("card1.socket")
}

#[test]
fn twenty_screens_show_what_any_of_them_toggles() {
    let mut bench = Bench::running();
    let screens: Vec<Pty> = (0..20).map(|_| attach(&bench, Card1)).collect();
    screens[7].press("2");
    for screen in &screens {
        wait_row(screen, 2, "KO", "CONFIRMED");
    }
    bench.press(Card1, "3");
    for screen in &screens {
        wait_row(screen, 3, "KO", "CONFIRMED");
    }
    bench.wait_settled(["OK", "KO", "KO", "OK", "OK", "OK"]);
    for mut screen in screens {
        screen.press("q");
        assert_eq!(code(screen.wait_for_end()), 0);
        screen.assert_restored();
    }
    bench.press(Card1, "1");
    bench.wait_settled(["KO", "KO", "KO", "OK", "OK", "OK"]);
}

#[test]
fn a_line_that_drops_ends_the_screen_and_not_the_owner() {
    let mut bench = Bench::running();
    let mut screen = attach(&bench, Card2);
    screen.hang_up();
    screen.wait_for_end();
    let mut other = attach(&bench, Card2);
    other.signal(Signal::TERM);
    assert_eq!(code(other.wait_for_end()), 128 + Signal::TERM.as_raw());
    bench.press(Card2, "5");
    bench.wait_settled(["OK", "OK", "OK", "OK", "KO", "OK"]);
}

#[test]
fn a_screen_works_while_the_broker_is_away() {
    let mut bench = Bench::running();
    bench.end(Broker1, Signal::KILL);
    let screen = attach(&bench, Card1);
    screen.press("2");
    wait_row(&screen, 2, "KO", "SENDING");
    bench.wait_row(Card1, 2, "KO", "SENDING");
    bench.start(Broker1);
    wait_row(&screen, 2, "KO", "CONFIRMED");
}

#[test]
fn a_screen_that_was_stopped_while_hundreds_of_toggles_passed_shows_the_last() {
    let mut bench = Bench::running();
    let screen = attach(&bench, Card1);
    screen.signal(Signal::STOP);
    for _ in 0..301 {
        let owner = bench.pty(Card1);
        owner.press("1");
        owner.wait_until_keys_are_read();
    }
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
    screen.signal(Signal::CONT);
    wait_row(&screen, 1, "KO", "CONFIRMED");
    screen.press("1");
    bench.wait_settled(["OK"; 6]);
}

#[test]
fn screens_outlive_an_owner_that_was_killed_and_work_with_the_next() {
    let mut bench = Bench::running();
    let screens = [(); 3].map(|()| attach(&bench, Card1));
    screens[0].press("2");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
    bench.end(Card1, Signal::KILL);
    for screen in &screens {
        screen.wait_for("the end of the owner", |seen| {
            flat(&seen.text()).contains("this screen shows what it knew and waits for it")
        });
        wait_row(screen, 2, "KO", "HELD");
    }
    screens[1].press("3");
    screens[1].wait_for("why not", |seen| seen.shows("sensor 3 not toggled"));
    bench.start(Card1);
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
    for screen in &screens {
        wait_row(screen, 2, "KO", "CONFIRMED");
    }
    screens[2].press("3");
    bench.wait_settled(["OK", "KO", "KO", "OK", "OK", "OK"]);
}

#[test]
fn a_screen_whose_owner_has_ended_becomes_the_owner_when_its_user_asks() {
    let mut bench = Bench::running();
    let [first, second] = [(); 2].map(|()| attach(&bench, Card1));
    first.press("2");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
    bench.end(Card1, Signal::TERM);
    first.wait_for("the key", |seen| seen.shows("o run it here"));
    first.press("o");
    wait_row(&first, 2, "KO", "CONFIRMED");
    let of = format!("screen of process {}, ", first.pid());
    second.wait_for("the next owner", |seen| seen.shows(&of));
    second.press("3");
    bench.give(Card1, first);
    bench.wait_settled(["OK", "KO", "KO", "OK", "OK", "OK"]);
}

#[test]
fn of_two_screens_that_toggle_one_sensor_no_key_is_lost() {
    let bench = Bench::running();
    let [one, two] = [(); 2].map(|()| attach(&bench, Card1));
    for screen in [&one, &two].into_iter().cycle().take(21) {
        screen.press("2");
        screen.wait_until_keys_are_read();
    }
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
}

#[test]
fn what_is_no_screen_is_let_go_and_disturbs_nobody() {
    let bench = Bench::running();
    let screen = attach(&bench, Card1);
    let noise: [&[u8]; 4] = [
        b"hello\n",
        br#"{"id":1,"by":null,"what":{"toggle":9}}
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
        .write_all(b"{\"id\":2,\"by\":null,\"what\":{\"toggle\":5}}\n")
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
