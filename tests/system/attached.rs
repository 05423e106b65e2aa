//! Other screens of an owner that runs: same picture, same keys, and none of them holds anything up.

use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::support::bench::Node::{self, Broker1, Card1, Card2};
use crate::support::bench::told::assert_says;
use crate::support::bench::{Bench, flat, row};
use crate::support::mosquitto::Mosquitto;
use crate::support::pty::{Pty, PtyOutput, code};

/// One more screen of a card's owner.
pub fn attach(bench: &Bench, node: Node) -> Pty {
    let screen = bench.spawn(node, &bench.url(node), &[]);
    let of = format!("screen of process {}, pts/", bench.pid(node));
    screen.wait_for("whose screen it is", |seen| seen.shows(&of));
    screen
}

/// Waits for what stands in a row.
pub fn wait_row(screen: &Pty, sensor: u8, state: &str, beside: &str) {
    let what = format!("sensor {sensor} {state} {beside}");
    screen.wait_for(&what, |seen| {
        row(&seen.text(), sensor).is_some_and(|row| row.state == state && row.beside == beside)
    });
}

/// Where card 1's owner listens.
pub fn socket(bench: &Bench) -> PathBuf {
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

/// What an owner says to a screen: its next view, and how long that is.
fn next_view(owner: &mut impl BufRead) -> (Value, usize) {
    loop {
        let mut line = String::new();
        owner.read_line(&mut line).expect("the owner speaks");
        let mut message: Value = serde_json::from_str(&line).expect("JSON");
        if let Some(view) = message.get_mut("view") {
            return (view.take(), line.len());
        }
    }
}

fn noted(view: &Value) -> u64 {
    view["event_log"]["noted"].as_u64().expect("a count")
}

#[test]
fn a_view_has_of_the_events_only_what_is_new_and_a_screen_shows_them_all() {
    let mut bench = Bench::running();
    let screen = attach(&bench, Card1);
    let connect = || BufReader::new(UnixStream::connect(socket(&bench)).expect("the owner listens"));
    let mut early = connect();
    next_view(&mut early);
    for press in 0..40 {
        screen.press("1");
        wait_row(&screen, 1, if press % 2 == 0 { "KO" } else { "OK" }, "CONFIRMED");
    }
    let (last, whole) = next_view(&mut connect());
    let mut longest = 0;
    loop {
        let (view, length) = next_view(&mut early);
        longest = longest.max(length);
        if noted(&view) == noted(&last) {
            break;
        }
    }
    assert!(longest < whole / 3, "{longest} of {whole} bytes");
    // The oldest events, below the rule.
    let events = |text: String| text.split_once("───").map(|(_, events)| events.to_owned());
    bench.press(Card1, "\x1b[F");
    bench.wait_text(Card1, "Home newest event");
    let own = events(bench.text(Card1));
    screen.press("\x1b[F");
    screen.wait_for("the same events as on the owner's own screen", |seen| {
        events(seen.text()) == own
    });
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

/// As an upgrade does it: the screen's own version never comes back.
#[test]
fn a_screen_whose_owner_comes_back_as_another_version_says_so_and_ends() {
    for (pressed, kept) in [
        ("", "no key press was lost"),
        (
            "2",
            "what was pressed last may not have been done: look at the sensors",
        ),
    ] {
        let mut bench = Bench::running();
        let mut screen = attach(&bench, Card1);
        if !pressed.is_empty() {
            // It takes no key any more, and then it is killed.
            kill_process(bench.pid(Card1), Signal::STOP).expect("it runs");
            screen.press(pressed);
            screen.wait_until_keys_are_read();
        }
        bench.end(Card1, Signal::KILL);
        fs::remove_file(socket(&bench)).expect("the killed owner has left it");
        let next = UnixListener::bind(socket(&bench)).expect("a socket");
        let (mut stream, _) = next.accept().expect("the screen looks for the next owner");
        stream
            .write_all(
                br#"{"hello":{"version":"9.8.7","pid":1,"place":"service","url":"mqtt://a"}}
"#,
            )
            .expect("it reads");
        assert_eq!(code(screen.wait_for_end()), 1);
        screen.assert_restored();
        let said = flat(&screen.look(PtyOutput::text));
        assert_says(
            &said,
            &[
                "card1_monitor was upgraded: it is of version 9.8.7",
                kept,
                "start this screen again",
            ],
        );
    }
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

/// The owner says nothing any more, and this screen says so.
fn wait_silent(screen: &Pty) {
    screen.wait_for("that the owner is silent", |seen| {
        flat(&seen.text()).contains("it is stopped, or hangs; this screen shows what it knew")
    });
}

#[test]
fn an_owner_that_is_stopped_is_not_shown_as_live_and_what_was_pressed_then_is_not_done_late() {
    let bench = Bench::running();
    let screen = attach(&bench, Card1);
    kill_process(bench.pid(Card1), Signal::STOP).expect("it runs");
    screen.press("2");
    wait_silent(&screen);
    for sensor in 1..=6 {
        wait_row(&screen, sensor, "OK", "HELD");
    }
    screen.press("3");
    screen.wait_for("why not", |seen| {
        seen.shows("sensor 3 not toggled: the owner does not answer")
    });
    kill_process(bench.pid(Card1), Signal::CONT).expect("it runs");
    wait_row(&screen, 1, "OK", "CONFIRMED");
    screen.press("1");
    bench.wait_settled(["KO", "OK", "OK", "OK", "OK", "OK"]);
    wait_row(&screen, 4, "OK", "LIVE");
}

#[test]
fn a_key_that_is_held_down_while_the_owner_is_stopped_does_not_hold_up_its_screen() {
    let bench = Bench::running();
    let mut screen = attach(&bench, Card1);
    kill_process(bench.pid(Card1), Signal::STOP).expect("it runs");
    screen.press(&"1".repeat(601));
    screen.press("q");
    assert_eq!(code(screen.wait_for_end()), 0);
    kill_process(bench.pid(Card1), Signal::CONT).expect("it runs");
}

#[test]
fn a_start_that_meets_an_owner_that_is_just_ending_becomes_the_owner() {
    let mut bench = Bench::running();
    kill_process(bench.pid(Card1), Signal::STOP).expect("it runs");
    let next = bench.spawn(Card1, &bench.url(Card1), &[]);
    let process = PathBuf::from(format!("/proc/{}", next.pid()));
    next.wait_until("its connection to the owner that is stopped", || {
        let leads_to =
            |path: PathBuf, to: &str| fs::read_link(path).is_ok_and(|it| it.to_string_lossy().contains(to));
        let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        leads_to(process.join("exe"), "card1_monitor")
            && files
                .map(|file| file.path())
                .any(|file| leads_to(file, "socket:"))
    });
    bench.end(Card1, Signal::KILL);
    bench.give(Card1, next);
    // Keys that are pressed before there is a screen are dropped.
    bench.wait_settled(["OK"; 6]);
    bench.press(Card1, "2");
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
}

#[test]
fn a_screen_goes_on_after_more_keys_than_may_wait_for_a_disk_that_takes_nothing() {
    let bench = Bench::running();
    let screen = attach(&bench, Card1);
    fs::create_dir(bench.state_file(Card1).with_extension("state.new")).expect("an obstacle");
    // As many as an owner lets a screen wait for.
    for press in 0..64 {
        screen.press("2");
        wait_row(&screen, 2, if press % 2 == 0 { "KO" } else { "OK" }, "SENDING");
    }
    // What has waited for too long is not done, so a key may have to be pressed again.
    for _ in 0..15 {
        screen.press("3");
        bench.wait_heartbeats(1, Card1, Broker1);
        if screen.look(|seen| seen.shows("Sensor 3  ✗ KO")) {
            return;
        }
    }
    panic!("no key counts any more:\n{}", screen.look(PtyOutput::text));
}

#[test]
fn a_toggle_that_only_the_memory_of_a_killed_owner_had_is_done_by_the_next() {
    let mut bench = Bench::running();
    let screen = attach(&bench, Card1);
    let obstacle = bench.state_file(Card1).with_extension("state.new");
    fs::create_dir(&obstacle).expect("an obstacle");
    bench.end(Broker1, Signal::KILL);
    screen.press("2");
    wait_row(&screen, 2, "KO", "SENDING");
    bench.end(Card1, Signal::KILL);
    fs::remove_dir(&obstacle).expect("the obstacle");
    bench.start_all([Broker1, Card1]);
    bench.wait_settled(["OK", "KO", "OK", "OK", "OK", "OK"]);
}

#[test]
fn a_toggle_that_the_broker_had_and_the_disk_had_not_is_not_undone_by_the_next_owner() {
    let mut bench = Bench::running();
    let screen = attach(&bench, Card1);
    let obstacle = bench.state_file(Card1).with_extension("state.new");
    fs::create_dir(&obstacle).expect("an obstacle");
    screen.press("2");
    bench.wait_row(Card2, 2, "KO", "LIVE");
    wait_row(&screen, 2, "KO", "SENDING");
    bench.end(Card1, Signal::KILL);
    fs::remove_dir(&obstacle).expect("the obstacle");
    bench.start(Card1);
    let of = format!("screen of process {}, pts/", bench.pid(Card1));
    screen.wait_for("the next owner", |seen| seen.shows(&of));
    bench.press(Card1, "3");
    bench.wait_settled(["OK", "KO", "KO", "OK", "OK", "OK"]);
}

#[test]
fn what_is_pressed_while_the_owner_finishes_its_last_words_is_done_by_the_next() {
    let mut bench = Bench::new();
    let mut mosquitto = Mosquitto::reserve();
    mosquitto.settings("allow_anonymous true").start();
    let owner = bench.spawn(Card1, &mosquitto.url(), &[]);
    owner.wait_for("its start", |seen| seen.shows("SAVED"));
    bench.give(Card1, owner);
    let screen = attach(&bench, Card1);
    // So its last words take the 2 s that they may.
    mosquitto.pause();
    bench.press(Card1, "1q");
    bench.pty(Card1).wait_until_modes_are_back();
    screen.press("2");
    screen.wait_until_keys_are_read();
    assert_eq!(code(bench.take(Card1).wait_for_end()), 0);
    mosquitto.resume();
    let next = bench.spawn(Card1, &mosquitto.url(), &[]);
    for sensor in [1, 2] {
        wait_row(&next, sensor, "KO", "SAVED");
    }
    wait_row(&screen, 2, "KO", "SAVED");
    bench.give(Card1, next);
}
