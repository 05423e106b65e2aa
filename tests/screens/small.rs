//! Small windows: what is left there, and that nothing that matters is left out.

use dualboard::terminal::keys::KeyCode;
use dualboard::ui::controls::Controls;
use dualboard::ui::view::{self, Picture};
use ratatui::layout::{Position, Size};

use crate::boards::steady::{Boards, CARD1, CARD2, DISPLAY};
use crate::shot::{ORDINARY, expect, picture, press, shot};

#[test]
fn any_size_is_drawn_and_every_sensor_can_be_clicked_where_it_stands() {
    let mut boards = Boards::running();
    boards.press(CARD1, 2);
    boards.stop(1);
    let mut help = picture(&boards, CARD1);
    press(&mut help, KeyCode::Char('?'), ORDINARY);
    let mut test = picture(&boards, CARD1);
    press(&mut test, KeyCode::Char('t'), ORDINARY);
    let mut found = 0;
    for (width, height) in (1..=170).flat_map(|width| (1..=56).map(move |height| (width, height))) {
        let small = width <= 36 && height <= 9;
        if !small && (width % 11 != 0 || height % 5 != 0) {
            continue;
        }
        shot(&help, (width, height));
        let text = shot(&test, (width, height));
        assert!(
            text.contains("TEST") || text.contains("need") || width < 6 || height < 3,
            "a test that does not say so: {text}"
        );
        for program in [CARD1, DISPLAY] {
            let picture = picture(&boards, program);
            let text = shot(&picture, (width, height));
            if text.contains("needs") || width < 6 || height < 3 {
                continue;
            }
            for (line, words) in text.lines().skip(1).take(usize::from(height)).enumerate() {
                let Some((before, _)) = words.split_once("Sensor ") else {
                    continue;
                };
                let number = words[before.len() + 7..]
                    .chars()
                    .next()
                    .and_then(|digit| digit.to_digit(10));
                let column = u16::try_from(before.chars().count() - 1).expect("on the screen");
                let at = Position::new(column, u16::try_from(line).expect("on the screen"));
                let sensor = view::sensor_at(&picture, Size::new(width, height), at);
                assert_eq!(sensor.map(|sensor| u32::from(sensor.number())), number, "{text}");
                found += 1;
            }
        }
    }
    assert!(found > 1_000, "only {found} sensors were looked for");
}

#[test]
fn all_six_states_are_on_the_smallest_screens() {
    let mut boards = Boards::running();
    boards.press(CARD1, 2);
    boards.press(CARD2, 4);
    boards.advance(3);
    let sizes = [
        (19, 3),
        (20, 5),
        (16, 6),
        (26, 8),
        (34, 5),
        (40, 10),
        (80, 3),
        (60, 7),
    ];
    let small = sizes.map(|size| shot(&picture(&boards, DISPLAY), size)).concat();
    expect("tiny", &(small + &shot(&picture(&boards, CARD2), (20, 5))));
    let mut help = picture(&boards, CARD1);
    press(&mut help, KeyCode::Char('?'), (80, 24));
    for size in [(19, 3), (40, 3), (80, 3), (16, 6)] {
        let text = shot(&help, size);
        assert!(text.contains("4 OK  2 KO"), "the states: {text}");
        assert!(text.contains("close"), "the way back: {text}");
    }
    let sizes = [(19, 3), (40, 3), (20, 5), (26, 8), (40, 10), ORDINARY];
    expect("help", &sizes.map(|size| shot(&help, size)).concat());
}

#[test]
fn a_press_that_toggles_nothing_is_seen_where_there_is_room_for_the_states_only() {
    let boards = Boards::running();
    let mut text = String::new();
    for (size, read_only) in [(19, 3), (34, 3), (16, 6), (80, 3)]
        .into_iter()
        .flat_map(|size| [(size, false), (size, true)])
    {
        let mut before = picture(&boards, CARD1);
        before.controls = Controls::new(before.view.role, read_only);
        if !read_only {
            let free = shot(&before, size);
            press(&mut before, KeyCode::Char('l'), size);
            assert_ne!(
                shot(&before, size),
                free,
                "a locked screen looks like one that is not"
            );
        }
        for key in ['2', '5'] {
            let mut after = before.clone();
            press(&mut after, KeyCode::Char(key), size);
            assert_ne!(
                shot(&after, size),
                shot(&before, size),
                "{size:?}: {key} gave no sign"
            );
            text += &shot(&after, size);
        }
    }
    let mut starting = Boards::idle();
    starting.start(CARD1);
    for key in ['2', '5'] {
        let before = Picture {
            controls: Controls::new(picture(&starting, CARD1).view.role, true),
            ..picture(&starting, CARD1)
        };
        let mut after = before.clone();
        press(&mut after, KeyCode::Char(key), (19, 3));
        assert_ne!(
            shot(&after, (19, 3)),
            shot(&before, (19, 3)),
            "UNKNOWN: {key} gave no sign"
        );
    }
    let mut display = picture(&boards, DISPLAY);
    press(&mut display, KeyCode::Char('1'), (19, 3));
    expect("locked_small", &(text + &shot(&display, (19, 3))));
}
