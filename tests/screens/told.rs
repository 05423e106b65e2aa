//! What the log, the banner, the help and the red line say.

use dualboard::sensor::SensorId;
use dualboard::terminal::keys::KeyCode;
use dualboard::time::Mono;
use dualboard::ui::controls::Controls;
use dualboard::ui::view::Picture;

use crate::boards::steady::{Boards, CARD1, CARD2, DISPLAY};
use crate::shot::{ORDINARY, picture, press, shot};

/// The characters of a screen, without its colours.
fn text(picture: &Picture, size: (u16, u16)) -> String {
    let both = shot(picture, size);
    both.lines()
        .take(usize::from(size.1) + 1)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_log_calls_a_toggle_replaced_that_another_one_overtook() {
    let mut boards = Boards::running();
    boards.block(CARD1);
    for _ in 0..3 {
        boards.press(CARD1, 2);
    }
    boards.press(CARD1, 3);
    let on_its_way = text(&picture(&boards, CARD1), ORDINARY);
    assert!(
        on_its_way.contains("sensor 2  OK → KO  sending"),
        "the last: {on_its_way}"
    );
    assert_eq!(
        on_its_way.matches("replaced by the next").count(),
        2,
        "{on_its_way}"
    );
    boards.drop_local(CARD1);
    boards.advance(14);
    let later = text(&picture(&boards, CARD1), ORDINARY);
    assert!(!later.contains("  sending"), "{later}");
}

#[test]
fn a_toggle_that_was_confirmed_stays_so_when_the_sensor_is_toggled_again() {
    let mut boards = Boards::running();
    for _ in 0..2 {
        boards.press(CARD1, 2);
        boards.advance(3);
    }
    let text = text(&picture(&boards, CARD1), ORDINARY);
    assert_eq!(text.matches("confirmed by board 2").count(), 2, "{text}");
    assert!(!text.contains("replaced"), "{text}");
}

#[test]
fn the_banner_counts_each_sensor_that_was_ko_at_the_start() {
    let mut boards = Boards::running();
    boards.press(CARD1, 1);
    boards.press(CARD2, 5);
    boards.advance(6);
    boards.kill(DISPLAY);
    boards.advance(20);
    boards.start(DISPLAY);
    boards.advance(6);
    boards.press(CARD1, 2);
    boards.press(CARD2, 4);
    boards.advance(3);
    let display = picture(&boards, DISPLAY);
    for (size, wanted) in [
        (ORDINARY, "sensor 4 KO 11:58:38, and 3 more\n"),
        ((20, 5), "sensor 4 KO +3\n"),
    ] {
        let text = text(&display, size);
        assert!(text.contains(wanted), "{text}");
    }
    // One of the two has ended, and what rang since.
    boards.press(CARD2, 5);
    boards.press(CARD1, 2);
    boards.advance(3);
    let text = text(&picture(&boards, DISPLAY), ORDINARY);
    assert!(text.contains(", and 1 more; 2 alarms ended\n"), "{text}");
}

#[test]
fn the_help_has_no_click_where_a_click_toggles_nothing() {
    let boards = Boards::running();
    for (program, read_only, clicks) in [(CARD1, false, 1), (CARD1, true, 0), (DISPLAY, false, 0)] {
        for size in [ORDINARY, (40, 20)] {
            let mut help = picture(&boards, program);
            help.mouse = true;
            help.controls = Controls::new(help.view.role, read_only);
            press(&mut help, KeyCode::Char('?'), size);
            let text = text(&help, size);
            assert_eq!(text.matches("click").count(), clicks, "{text}");
            assert!(text.contains("wheel"), "{text}");
        }
    }
}

#[test]
fn a_click_that_is_refused_looks_like_a_key_that_is() {
    let boards = Boards::running();
    for read_only in [false, true] {
        for (number, key) in (1..).zip(['1', '2', '3', '4', '5', '6']) {
            let mut clicked = picture(&boards, CARD1);
            clicked.controls = Controls::new(clicked.view.role, read_only);
            let mut pressed = clicked.clone();
            // What was said of the press before is not of this one.
            press(&mut clicked, KeyCode::Char('6'), ORDINARY);
            let _ = clicked
                .controls
                .press(Mono::ZERO, SensorId::new(number).expect("1 to 6"));
            press(&mut pressed, KeyCode::Char(key), ORDINARY);
            assert_eq!(shot(&clicked, ORDINARY), shot(&pressed, ORDINARY));
        }
    }
}

#[test]
fn the_red_line_of_a_narrow_window_says_the_cause() {
    let small = (40, 10);
    let mut boards = Boards::running();
    boards.mute_bridge();
    boards.stop(1);
    boards.advance(14);
    let text = [
        (CARD2, small),
        (CARD1, small),
        (CARD1, (80, 10)),
        (CARD2, (80, 7)),
    ]
    .map(|(program, size)| text(&picture(&boards, program), size));
    for (text, wanted) in text.iter().zip([
        " ! broker 2 down: connection refused",
        " ! board 2 held: bridge silent",
        " ! board 2 held since",
        " ! broker 2 down: connection refused, since",
    ]) {
        assert!(
            text.contains(wanted) && !text.contains(" .."),
            "{wanted:?}: {text}"
        );
    }
}
