//! An alarm is acknowledged once, for all screens of both boards, and for good.

use rustix::process::Signal;

use crate::support::bench::Node::{self, Card1, Card2, Display};
use crate::support::bench::plain::PlainClient;
use crate::support::bench::{ALL, Bench, PROGRAMS, flat, row};
use crate::support::mosquitto::Mosquitto;

/// What stands in a sensor's row behind its time, if its alarm is spoken of there.
fn wait_alarm(bench: &Bench, node: Node, sensor: u8, words: &str) {
    bench.wait(&format!("{node:?} says of sensor {sensor}: {words}"), |bench| {
        bench.row(node, sensor).is_some_and(|row| {
            let under_way = ["SENDING", "SAVED"]
                .into_iter()
                .any(|stage| row.time.contains(stage));
            row.time.contains(words) && (!under_way || words.starts_with("acknowledged "))
        })
    });
}

fn wait_no_banner(bench: &Bench, node: Node) {
    bench.wait(&format!("{node:?} has no banner"), |bench| {
        !bench.text(node).contains("! sensor")
    });
}

#[test]
fn what_is_acknowledged_on_one_screen_is_so_on_all_and_after_a_restart_of_everything() {
    for (by, of, sensor) in [(Display, Card1, 2), (Card1, Card2, 5), (Card2, Card2, 4)] {
        let mut bench = Bench::running();
        bench.press(of, &sensor.to_string());
        for node in PROGRAMS {
            wait_alarm(&bench, node, sensor, "new alarm");
            bench.wait_text(node, &format!("! sensor {sensor} KO"));
        }
        bench.press(by, "a");
        for node in PROGRAMS {
            wait_alarm(&bench, node, sensor, " acknowledged");
            wait_no_banner(&bench, node);
            bench.wait_text(node, &format!("alarm of sensor {sensor} acknowledged by "));
        }
        bench.end_all(ALL, Signal::KILL);
        bench.start_all(ALL);
        for node in PROGRAMS {
            wait_alarm(&bench, node, sensor, " acknowledged");
            assert!(!bench.text(node).contains("! sensor"), "{}", bench.text(node));
        }
        // It goes KO again: that is another alarm.
        bench.press(of, &sensor.to_string());
        bench.press(of, &sensor.to_string());
        for node in PROGRAMS {
            wait_alarm(&bench, node, sensor, "new alarm");
        }
    }
}

#[test]
fn acknowledged_on_the_display_with_board_1_cut_off_it_is_so_on_board_1_when_the_cable_is_back() {
    let mut bench = Bench::running();
    bench.press(Card1, "3");
    wait_alarm(&bench, Display, 3, "new alarm");
    bench.link.cut();
    bench.wait_text(Display, "HELD");
    bench.press(Display, "a");
    for node in [Display, Card2] {
        bench.wait_text(node, "alarm of sensor 3 acknowledged by ");
    }
    wait_alarm(&bench, Card2, 3, "acknowledged SAVED");
    wait_alarm(&bench, Display, 3, "acknowledged on board 2");
    wait_alarm(&bench, Card1, 3, "new alarm");
    // Only board 2 knows it, on its disk.
    bench.end_all([Display, Card2], Signal::KILL);
    bench.start_all([Display, Card2]);
    wait_alarm(&bench, Card2, 3, "acknowledged SAVED");
    bench.link.heal();
    for node in PROGRAMS {
        wait_alarm(&bench, node, 3, " acknowledged");
    }
    bench.end_all(ALL, Signal::KILL);
    bench.start_all(ALL);
    for node in PROGRAMS {
        wait_alarm(&bench, node, 3, " acknowledged");
    }
}

#[test]
fn a_display_without_its_owner_keeps_an_acknowledgement_until_the_owner_is_back() {
    let mut bench = Bench::running();
    bench.press(Card2, "6");
    wait_alarm(&bench, Display, 6, "new alarm");
    bench.end(Card2, Signal::KILL);
    bench.wait_row(Display, 6, "KO", "HELD");
    bench.press(Display, "a");
    wait_alarm(&bench, Display, 6, "acknowledged SENDING");
    bench.start(Card2);
    for node in PROGRAMS {
        wait_alarm(&bench, node, 6, " acknowledged");
    }
}

#[test]
fn a_sensor_that_was_ko_while_nobody_looked_says_from_when_until_when() {
    let mut bench = Bench::running();
    bench.end(Display, Signal::TERM);
    bench.press(Card1, "1");
    bench.wait_row(Card1, 1, "KO", "CONFIRMED");
    bench.press(Card1, "1");
    bench.wait_row(Card1, 1, "OK", "CONFIRMED");
    bench.start(Display);
    bench.wait("it says so, with both times", |bench| {
        let row = bench.row(Display, 1).map(|row| row.time).unwrap_or_default();
        let (_, was) = row.split_once("was KO ").unwrap_or_default();
        let colons: Vec<_> = was.split(" to ").map(|time| time.matches(':').count()).collect();
        colons == [2, 2]
    });
    bench.press(Display, "a");
    for node in PROGRAMS {
        bench.wait("it has been seen", |bench| !bench.text(node).contains("was KO "));
    }
}

#[test]
fn another_screen_of_an_owner_acknowledges_under_its_operators_name() {
    let bench = Bench::running();
    let screen = bench.spawn(Card1, &bench.url(Card1), &["--operator", "night shift"]);
    screen.wait_for("the owner's state", |seen| seen.shows("CONFIRMED"));
    screen.press("2");
    wait_alarm(&bench, Display, 2, "new alarm");
    screen.wait_for("the alarm", |seen| seen.shows("new alarm"));
    screen.press("a");
    for node in PROGRAMS {
        bench.wait_text(node, "alarm of sensor 2 acknowledged by night shift");
    }
    screen.wait_for("what all show", |seen| {
        let row = row(&seen.text(), 2);
        row.is_some_and(|row| row.time.ends_with("acknowledged by night shift"))
    });
}

#[test]
fn a_display_that_may_not_acknowledge_says_that_it_counts_on_its_screen_only() {
    let mut mosquitto = Mosquitto::reserve();
    let file = mosquitto.folder().join("acl");
    let rules = "topic readwrite #\ntopic read $SYS/#\ntopic deny sensors/card2/acknowledge\n";
    std::fs::write(&file, rules).expect("writing the rules");
    mosquitto
        .settings(format!("allow_anonymous true\nacl_file {}", file.display()))
        .start();
    let bench = Bench::new();
    let owner = bench.spawn(Card2, &mosquitto.url(), &[]);
    let display = bench.spawn(Display, &mosquitto.url(), &[]);
    display.wait_for("what the owner has", |seen| seen.shows("LIVE"));
    owner.press("5");
    display.wait_for("the alarm", |seen| seen.shows("new alarm"));
    display.press("a");
    display.wait_for("that it counts here only", |seen| {
        let text = flat(&seen.text());
        text.contains("sensors/card2/acknowledge") && text.contains("counts on this screen only")
    });
    display.wait_for("that no line in red is left, and the row says so", |seen| {
        let text = seen.text();
        text.contains("acknowledged here only") && !text.contains("takes no messages")
    });
    let listener = PlainClient::stranger(&mosquitto.url()).listen("sensors/card2/alive");
    listener.wait_for("two heartbeats", |heard| heard.len() >= 2);
    assert!(
        owner.look(|seen| seen.shows("new alarm")),
        "nobody has told the owner"
    );
}
