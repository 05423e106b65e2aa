//! Each program in each situation, as it is drawn: one picture a situation in `tests/snapshots`.

use dualboard::alarms::BellMode;
use dualboard::mqtt::Exposure;
use dualboard::sensor::SensorId;
use dualboard::terminal::keys::KeyCode;
use dualboard::terminal::notification::Notifications;
use dualboard::time::Mono;
use dualboard::ui::controls::{Absence, Controls};
use dualboard::ui::view::{Elsewhere, Picture, Theme};

use crate::boards::steady::{Boards, CARD1, CARD2, DISPLAY};
use crate::shot::{ORDINARY, all, expect, picture, press, shot};

#[test]
fn restoring() {
    let mut boards = Boards::idle();
    for program in [CARD1, CARD2, DISPLAY] {
        boards.start(program);
    }
    expect("restoring", &all(&boards));
}

#[test]
fn live() {
    let mut boards = Boards::running();
    for program in [CARD1, CARD2, DISPLAY] {
        boards.acknowledge(program);
    }
    expect("live", &all(&boards));
}

#[test]
fn another_screen_of_an_owner_that_runs_that_is_silent_and_that_has_ended() {
    let mut boards = Boards::running();
    boards.press(CARD1, 2);
    boards.advance(3);
    let now = boards.now_at(0).wall;
    let mut screen = picture(&boards, CARD1);
    let mut text = String::new();
    for absence in [
        None,
        Some(Absence::Silent),
        Some(Absence::Ended { may_run: true }),
    ] {
        if absence.is_some() {
            screen.view = screen.view.left_behind(now);
        }
        screen.elsewhere = Some(Elsewhere {
            place: "process 812, pts/3".to_owned(),
            absence: absence.map(|absence| (absence, now)),
        });
        screen.controls.set_absence(absence);
        let small = [
            (40, 10),
            (34, 5),
            (20, 5),
            (20, 4),
            (19, 3),
            (34, 3),
            (16, 6),
            (80, 3),
        ];
        for size in [ORDINARY, (120, 30)].into_iter().chain(small) {
            text += &shot(&screen, size);
        }
    }
    let mut of_others = screen.clone();
    press(&mut screen, KeyCode::Char('2'), ORDINARY);
    press(&mut screen, KeyCode::Char('?'), ORDINARY);
    text += &shot(&screen, ORDINARY);
    // Of a user who may not run it here.
    let absence = Absence::Ended { may_run: false };
    of_others.controls.set_absence(Some(absence));
    of_others.elsewhere = Some(Elsewhere {
        place: "process 812, pts/3".to_owned(),
        absence: Some((absence, now)),
    });
    for size in [ORDINARY, (20, 5), (19, 3)] {
        text += &shot(&of_others, size);
    }
    expect("attached", &text);
}

#[test]
fn alarm() {
    let mut boards = Boards::running();
    boards.press(CARD1, 2);
    boards.advance(3);
    expect("alarm", &all(&boards));
}

#[test]
fn alarm_that_is_over_and_others_before_it() {
    let mut boards = Boards::running();
    for sensor in [2, 3, 2, 2, 2] {
        boards.press(CARD1, sensor);
        boards.advance(70);
    }
    expect("alarm_over", &all(&boards));
}

#[test]
fn alarms_of_which_some_last_and_all_is_over_in_the_end() {
    let mut boards = Boards::running();
    // Sensor 3 lasts; what came later is over.
    for sensor in [3, 2, 2, 1, 1] {
        boards.press(CARD1, sensor);
        boards.advance(1);
    }
    boards.cut();
    boards.advance(14);
    let sizes = [ORDINARY, (40, 10), (20, 5)];
    let lasting = sizes.map(|size| shot(&picture(&boards, CARD2), size)).concat();
    boards.heal();
    boards.advance(14);
    let mended = sizes.map(|size| shot(&picture(&boards, CARD2), size)).concat();
    boards.press(CARD1, 3);
    boards.advance(1);
    let over = sizes.map(|size| shot(&picture(&boards, CARD2), size)).concat();
    expect("alarms_lasting", &(lasting + &mended + &over));
}

#[test]
fn acknowledged() {
    let mut boards = Boards::running();
    boards.press(CARD1, 2);
    boards.acknowledge(DISPLAY);
    boards.advance(3);
    boards.press(CARD2, 5);
    boards.press(CARD2, 5);
    boards.acknowledge(DISPLAY);
    boards.press(CARD1, 2);
    expect("acknowledged", &shot(&picture(&boards, DISPLAY), ORDINARY));
}

#[test]
fn acknowledged_on_board_2_while_the_cable_is_cut_and_after_it() {
    let mut boards = Boards::running();
    boards.press(CARD1, 2);
    boards.cut();
    boards.advance(14);
    boards.acknowledge(CARD2);
    let mut text = String::new();
    for size in [ORDINARY, (100, 30), (52, 18)] {
        text += &shot(&picture(&boards, CARD2), size);
    }
    text += &shot(&picture(&boards, CARD1), ORDINARY);
    boards.heal();
    boards.advance(14);
    text += &shot(&picture(&boards, CARD1), ORDINARY);
    expect("acknowledged_elsewhere", &text);
}

#[test]
fn restored_after_a_restart_with_a_sensor_ko() {
    let mut boards = Boards::running();
    boards.press(CARD1, 2);
    boards.press(CARD2, 6);
    boards.advance(600);
    for program in [CARD1, DISPLAY] {
        boards.kill(program);
        boards.advance(20);
        boards.start(program);
        boards.advance(6);
    }
    expect("restored", &all(&boards));
}

#[test]
fn without_a_state_file_what_was_ko_at_the_start_is_told_with_its_time() {
    for program in [CARD1, CARD2, DISPLAY] {
        let mut boards = Boards::running();
        boards.press(CARD1, 2);
        boards.press(CARD2, 6);
        boards.advance(6);
        boards.kill(program);
        boards.programs[program].disk.wipe();
        boards.advance(20);
        boards.start(program);
        boards.advance(6);
        let text = shot(&picture(&boards, program), ORDINARY);
        assert!(text.contains("! sensor 6 KO 11:58:06, and 1 more\n"), "{text}");
    }
}

#[test]
fn sending() {
    let mut boards = Boards::running();
    boards.block(CARD1);
    boards.cut();
    boards.press(CARD1, 2);
    let mut sending = picture(&boards, CARD1);
    sending.controls.press(Mono::ZERO, SensorId::ALL[1]);
    boards.press(CARD2, 4);
    let saved = picture(&boards, CARD2);
    expect("sending", &(shot(&sending, ORDINARY) + &shot(&saved, ORDINARY)));
}

#[test]
fn twin() {
    let mut boards = Boards::running();
    let word = br#"{"sensor_1": false, "sensor_2": false, "sensor_3": false}"#;
    boards.publish(0, "sensors/card1", word);
    boards.advance(1);
    expect("twin", &all(&boards));
}

#[test]
fn bad_payload() {
    let mut boards = Boards::running();
    for payload in [
        &b"\x1b]0;gotcha\x07{"[..],
        b"{\"sensor_1\": 7}",
        b"{\"sensor_1\": 7}",
    ] {
        boards.publish(0, "sensors/card1", payload);
        boards.publish(1, "sensors/all", payload);
    }
    boards.advance(1);
    expect("bad_payload", &all(&boards));
}

#[test]
fn a_long_event_goes_on_in_the_next_line_and_the_oldest_can_still_be_reached() {
    let mut boards = Boards::running();
    for sensor in 0..9 {
        let payload = format!("{{\"sensor_1\": {sensor}}}");
        boards.publish(0, "sensors/card1", payload.as_bytes());
        boards.publish(0, "sensors/all", payload.as_bytes());
    }
    let mut log = picture(&boards, CARD1);
    let cut = shot(&log, ORDINARY)
        .lines()
        .take(25)
        .filter(|line| line.ends_with(" .."))
        .count();
    assert!(cut <= 1, "but for the last line: {}", shot(&log, ORDINARY));
    press(&mut log, KeyCode::End, ORDINARY);
    let oldest = shot(&log, ORDINARY);
    assert!(oldest.contains("connected to broker 1"), "{oldest}");
    press(&mut log, KeyCode::PageUp, ORDINARY);
    for _ in 0..3 {
        press(&mut log, KeyCode::PageDown, ORDINARY);
    }
    assert_eq!(shot(&log, ORDINARY), oldest);
}

#[test]
fn locked() {
    let mut boards = Boards::running();
    boards.advance(1);
    let mut locked = picture(&boards, CARD1);
    press(&mut locked, KeyCode::Char('l'), ORDINARY);
    let first = shot(&locked, ORDINARY) + &shot(&locked, (40, 10));
    press(&mut locked, KeyCode::Char('2'), ORDINARY);
    let mut read_only = picture(&boards, CARD2);
    read_only.controls = Controls::new(read_only.view.role, true);
    expect(
        "locked",
        &(first + &shot(&locked, ORDINARY) + &shot(&read_only, ORDINARY)),
    );
}

#[test]
fn ascii_without_colour() {
    let mut boards = Boards::running();
    boards.press(CARD1, 2);
    boards.press(CARD2, 4);
    boards.press(CARD2, 4);
    boards.cut();
    boards.advance(14);
    let plain = |program| {
        let picture = picture(&boards, program);
        Picture {
            theme: Theme::new(false, false),
            ..picture
        }
    };
    let mut help = plain(CARD1);
    press(&mut help, KeyCode::Char('?'), ORDINARY);
    let pictures = [&plain(CARD1), &plain(DISPLAY), &help];
    let text = pictures.map(|picture| shot(picture, ORDINARY)).concat();
    assert!(text.is_ascii(), "{text}");
    expect("ascii", &text);
}

#[test]
fn a_test_of_colours_and_bell() {
    let mut boards = Boards::running();
    boards.press(CARD1, 2);
    boards.advance(3);
    let mut test = picture(&boards, CARD1);
    press(&mut test, KeyCode::Char('t'), ORDINARY);
    let sizes = [ORDINARY, (120, 36), (60, 12), (40, 10), (26, 8), (20, 5), (19, 3)];
    let mut text = sizes.map(|size| shot(&test, size)).concat();
    let plain = Picture {
        theme: Theme::new(false, false),
        bell: BellMode::Off,
        notifications: Notifications::UnknownTerminal,
        ..test
    };
    for size in [ORDINARY, (20, 5)] {
        let drawn = shot(&plain, size);
        assert!(drawn.is_ascii(), "{drawn}");
        text += &drawn;
    }
    expect("test", &text);
}

#[test]
fn the_log_scrolled_back() {
    let mut boards = Boards::running();
    for sensor in [1, 2, 3, 1, 2, 3, 1, 2, 3] {
        boards.press(CARD1, sensor);
        boards.advance(7);
    }
    let mut back = picture(&boards, CARD2);
    press(&mut back, KeyCode::PageDown, ORDINARY);
    let first = shot(&back, ORDINARY);
    boards.press(CARD1, 1);
    boards.advance(1);
    let later = Picture {
        controls: back.controls,
        ..picture(&boards, CARD2)
    };
    expect("log", &(first + &shot(&later, ORDINARY)));
}

#[test]
fn wide_windows() {
    let mut boards = Boards::running();
    for sensor in [2, 2, 2, 3, 3] {
        boards.press(CARD1, sensor);
        boards.advance(45);
    }
    let wall =
        [(161, 52), (161, 26), (100, 30), (120, 22)].map(|size| shot(&picture(&boards, DISPLAY), size));
    for screen in &wall {
        let row = screen
            .lines()
            .find(|line| line.contains("Sensor 2"))
            .expect("a row");
        assert!(row.contains("11:59:36"), "no time of its change: {row}");
    }
    expect(
        "wide",
        &(wall.concat() + &shot(&picture(&boards, CARD1), (161, 40))),
    );
}

#[test]
fn a_connection_that_is_not_protected_is_said_in_every_window_that_has_the_links() {
    let mut boards = Boards::running();
    boards.advance(5);
    let exposures = [
        (CARD1, "mqtt://10.77.0.1:1883", true, true),
        (CARD2, "mqtt://board2.example:1884", true, false),
        (DISPLAY, "mqtts://[fd00::17]:8883", false, true),
    ];
    let mut text = String::new();
    for (program, url, is_plain, is_anonymous) in exposures {
        let exposed = Picture {
            url: url.to_owned(),
            exposure: Exposure {
                is_plain,
                is_anonymous,
            },
            ..picture(&boards, program)
        };
        let long = exposed.exposure.words().expect("it lacks something");
        for (size, words) in [
            (ORDINARY, long),
            ((161, 40), long),
            ((60, 12), "insecure"),
            ((40, 10), "insecure"),
        ] {
            let drawn = shot(&exposed, size);
            assert!(drawn.contains(words), "{words}: {drawn}");
            text += &drawn;
        }
    }
    expect("insecure", &text);
}
