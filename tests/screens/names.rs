//! What people call the sensors, on the screens: beside the states, never in their place.

use dualboard::names::{Names, SensorName};
use dualboard::sensor::SensorId;
use dualboard::ui::view::{Picture, Theme};

use crate::boards::steady::{Boards, CARD1, CARD2, DISPLAY};
use crate::shot::{ORDINARY, all, expect, picture, shot};

/// Short and long ones, with wide characters, with words that rows have; and a sensor without one.
const NAMES: [(u8, &str); 5] = [
    (1, "Front door"),
    (2, "Emergency cooling pump 2"),
    (3, "OK button, not KO"),
    (4, "東京の温度計"),
    (6, "Lamp"),
];

/// Everything runs, and the sensors have names.
fn named() -> Boards {
    let mut names = Names::default();
    for (number, name) in NAMES {
        let sensor = SensorId::new(number).expect("1 to 6");
        names.set(sensor, Some(SensorName::new(name).expect(name)));
    }
    let mut boards = Boards::idle();
    for program in [CARD1, CARD2, DISPLAY] {
        boards.programs[program].names = Some(names);
        boards.start(program);
    }
    boards.advance(6);
    boards
}

#[test]
fn names_stand_on_every_screen() {
    let mut boards = named();
    boards.press(CARD1, 2);
    boards.press(CARD2, 4);
    boards.advance(3);
    expect("names", &all(&boards));
}

#[test]
fn names_in_wide_and_in_narrow_windows() {
    let mut boards = named();
    boards.press(CARD1, 2);
    boards.press(CARD1, 3);
    boards.press(CARD1, 3);
    boards.advance(3);
    boards.cut();
    boards.advance(14);
    let sizes = [
        (161, 40),
        (120, 30),
        (100, 30),
        (120, 22),
        (60, 22),
        (60, 7),
        (40, 10),
        (26, 8),
    ];
    let text = sizes.map(|size| shot(&picture(&boards, DISPLAY), size)).concat();
    expect("names_sizes", &text);
}

#[test]
fn names_without_unicode_and_at_the_start() {
    let mut boards = named();
    boards.press(CARD1, 2);
    boards.press(CARD2, 4);
    boards.advance(600);
    boards.kill(DISPLAY);
    boards.start(DISPLAY);
    boards.advance(6);
    let unicode = picture(&boards, DISPLAY);
    let ascii = Picture {
        theme: Theme::new(false, false),
        ..unicode.clone()
    };
    let [ascii, narrow] = [ORDINARY, (60, 22)].map(|size| shot(&ascii, size));
    assert!(ascii.is_ascii() && narrow.is_ascii(), "{ascii}{narrow}");
    expect("names_ascii", &(ascii + &narrow + &shot(&unicode, ORDINARY)));
}

/// What stands in a sensor's row behind its number, up to how far or how fresh it is.
fn row(screen: &str, sensor: SensorId) -> Option<Vec<String>> {
    let (_, row) = screen.split_once(&format!("Sensor {} ", sensor.number()))?;
    let words = row.lines().next()?.split_whitespace();
    Some(
        words
            .filter(|word| word.is_ascii())
            .take(2)
            .map(str::to_owned)
            .collect(),
    )
}

#[test]
fn a_name_never_takes_the_place_of_what_a_row_says() {
    let mut boards = named();
    boards.press(CARD1, 2);
    boards.cut();
    boards.advance(14);
    let mut compared = 0;
    for program in [CARD1, DISPLAY] {
        let named = picture(&boards, program);
        let mut unnamed = named.clone();
        unnamed.view.names = Names::default();
        for (width, height) in (1..=170).flat_map(|width| (1..=56).map(move |height| (width, height))) {
            let small = width <= 64 && height <= 9;
            if !small && (width % 11 != 0 || height % 5 != 0) {
                continue;
            }
            let [named, unnamed] = [&named, &unnamed].map(|picture| shot(picture, (width, height)));
            for sensor in SensorId::ALL {
                let expected = row(&unnamed, sensor);
                assert_eq!(row(&named, sensor), expected, "{sensor}: {named}");
                compared += usize::from(expected.is_some());
            }
        }
    }
    assert!(compared > 1_000, "only {compared} rows were compared");
}
