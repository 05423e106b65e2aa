//! What people call the sensors: what is a name, who gives it, and how it travels.

use crate::boards::broker::PublishPacket;
use crate::boards::steady::{Boards, CARD1, CARD2, DISPLAY};
use crate::boards::world::{BOARD1, BOARD2};
use crate::solo::{self, OK, Solo, reading, sensor, version};
use dualboard_core::machine::Event;
use dualboard_core::names::{Names, NotASensorName, SensorName};
use dualboard_core::sensor::{Card, State};
use dualboard_core::wire::{Entry, Malformed, Message, Report, Topic, decode, encode_report};

fn names(all: &[(u8, &str)]) -> Names {
    let mut names = Names::default();
    for (number, name) in all {
        names.set(sensor(*number), Some(SensorName::new(name).expect(name)));
    }
    names
}

fn called(names: &Names) -> Vec<(u8, String)> {
    let all = names.iter();
    all.map(|(sensor, name)| (sensor.number(), name.as_str().to_owned()))
        .collect()
}

/// What a program calls the sensors.
fn on(boards: &Boards, program: usize) -> Vec<(u8, String)> {
    called(boards.machine(program).names())
}

fn owned(all: &[(u8, &str)]) -> Vec<(u8, String)> {
    all.iter()
        .map(|(number, name)| (*number, (*name).to_owned()))
        .collect()
}

fn retained(boards: &Boards, board: usize, topic: Topic) -> String {
    let packet = &boards.brokers[board].store.retained[topic.name("").as_str()];
    String::from_utf8(packet.payload.to_vec()).expect("text")
}

/// Ends an owner, and starts it with other names.
fn rename(boards: &mut Boards, program: usize, told: Option<&Names>) {
    boards.kill(program);
    boards.programs[program].names = told.copied();
    boards.start(program);
    boards.advance(6);
}

#[test]
fn a_name_is_what_shows_in_24_columns() {
    let wide = ["東京"; 6].concat();
    let narrow = "é".repeat(24);
    for text in [
        "Pump",
        "a",
        "Tür = \"Tor\" \\ 2, OK",
        &wide,
        &narrow,
        "😀",
        "A sensor",
        "KO",
    ] {
        assert_eq!(SensorName::new(text).expect(text).as_str(), text);
    }
    for (text, why) in [
        (String::new(), NotASensorName::Empty),
        (narrow + "é", NotASensorName::TooWide),
        (wide + "1", NotASensorName::TooWide),
        ("x".repeat(10_000), NotASensorName::TooWide),
        (" ".to_owned(), NotASensorName::Spaces),
        ("Pump ".to_owned(), NotASensorName::Spaces),
        ("Sensor 3".to_owned(), NotASensorName::ReadsLikeARow),
        ("the sensor3 OK".to_owned(), NotASensorName::ReadsLikeARow),
    ] {
        assert_eq!(SensorName::new(&text), Err(why), "{text:?}");
    }
    for hides in [
        '\0',
        '\n',
        '\t',
        '\x1b',
        '\u{7f}',
        '\u{9b}',
        '\u{a0}',
        '\u{ad}',
        '\u{301}',
        '\u{61c}',
        '\u{200b}',
        '\u{200e}',
        '\u{202e}',
        '\u{2066}',
        '\u{2800}',
        '\u{3000}',
        '\u{3164}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{e0041}',
    ] {
        let text = format!("a{hides}b");
        assert_eq!(
            SensorName::new(&text),
            Err(NotASensorName::Hides(hides.into())),
            "U+{:04X}",
            u32::from(hides)
        );
    }
}

#[test]
fn a_name_that_cannot_be_shown_is_passed_over_and_the_states_beside_it_count() {
    let text = r#"{"sensor_1":true,"sensor_2":false,"versions":{"sensor_1":[2,1]},
        "names":{"sensor_1":"a\u202eb","sensor_2":"Pump","sensor_4":"not here","mood":7}}"#;
    let Ok(Message::Report(report)) = decode(Topic::Card(Card::One), text.as_bytes()) else {
        panic!("it can be read")
    };
    assert_eq!(report.iter().count(), 2);
    assert_eq!(called(&report.names), owned(&[(2, "Pump")]));
}

#[test]
fn names_of_another_form_are_a_bad_payload() {
    for names in [
        r#"["Pump"]"#,
        r#""Pump""#,
        r#"{"sensor_1":7}"#,
        r#"{"sensor_4":null}"#,
        r#"{"sensor_1":"a","sensor_1":"b"}"#,
    ] {
        let text = format!(r#"{{"sensor_1":true,"names":{names}}}"#);
        let refused = decode(Topic::Card(Card::One), text.as_bytes());
        assert!(
            matches!(refused, Err(Malformed::WrongForm(_))),
            "{names}: {refused:?}"
        );
    }
}

#[test]
fn an_owner_names_its_own_sensors_and_no_others() {
    let all = names(&[(1, "Front door"), (4, "Pump")]);
    let mut owner = Solo::named(solo::CARD1, 1, None, Some(&all));
    assert_eq!(called(owner.machine.names()), owned(&[(1, "Front door")]));
    owner.feed(Event::Connected);
    owner.restore();
    owner.run();
    let said = owner
        .said
        .iter()
        .rev()
        .find_map(|(topic, message)| match message {
            Message::Report(report) if *topic == Topic::Card(Card::One) => Some(report.names),
            _ => None,
        });
    assert_eq!(called(&said.expect("a report")), owned(&[(1, "Front door")]));
}

#[test]
fn names_reach_every_screen_of_both_boards_and_change_with_the_owner() {
    let mut boards = Boards::running();
    boards.programs[DISPLAY].names = None;
    let display1 = boards.add("display1", None, BOARD1);
    boards.start(display1);
    boards.press(CARD1, 2);
    boards.press(CARD2, 5);
    rename(
        &mut boards,
        CARD1,
        Some(&names(&[(1, "Front door"), (3, "東京")])),
    );
    rename(&mut boards, CARD2, Some(&names(&[(1, "not mine"), (6, "Pump")])));
    let versions = |boards: &Boards| {
        let shown = (1..=6).map(|number| boards.machine(DISPLAY).shown(sensor(number)));
        shown.collect::<Vec<_>>()
    };
    let before = versions(&boards);
    let all = owned(&[(1, "Front door"), (3, "東京"), (6, "Pump")]);
    for program in [CARD1, CARD2, DISPLAY, display1] {
        assert_eq!(on(&boards, program), all, "program {program}");
    }
    // Other names, and one that has none any more: nothing else has changed.
    rename(&mut boards, CARD1, Some(&names(&[(1, "Back door")])));
    let all = owned(&[(1, "Back door"), (6, "Pump")]);
    for program in [CARD1, CARD2, DISPLAY, display1] {
        assert_eq!(on(&boards, program), all, "program {program}");
    }
    assert_eq!(versions(&boards), before);
    rename(&mut boards, CARD1, Some(&Names::default()));
    rename(&mut boards, CARD2, Some(&Names::default()));
    for program in [CARD1, CARD2, DISPLAY, display1] {
        assert_eq!(on(&boards, program), [], "program {program}");
    }
    assert_eq!(versions(&boards), before);
    assert_eq!(boards.shown(DISPLAY, 2), Some(State::Ko));
}

#[test]
fn while_the_owners_are_away_names_stay_as_they_were_heard_last() {
    let mut boards = Boards::idle();
    boards.programs[CARD1].names = Some(names(&[(2, "Pump")]));
    boards.programs[CARD2].names = Some(names(&[(4, "Lamp")]));
    for program in [CARD1, CARD2, DISPLAY] {
        boards.start(program);
    }
    boards.advance(6);
    boards.kill(CARD1);
    boards.advance(20);
    // Also on screens that start now, and where card 2's owner has only what its broker kept.
    for program in [CARD2, DISPLAY] {
        boards.kill(program);
        boards.advance(1);
        boards.start(program);
        boards.advance(6);
        assert_eq!(on(&boards, program), owned(&[(2, "Pump"), (4, "Lamp")]));
    }
}

#[test]
fn the_names_on_an_earlier_report_are_not_taken() {
    let mut display = Solo::open(solo::CARD2, 1, None);
    let say = |display: &mut Solo, n: u64, name: &str| {
        let mut report = Report::default();
        let reading = reading(State::Ok, version(n, 9, &[]));
        report.put(sensor(1), Entry::Reading(reading));
        report.names = names(&[(1, name)]);
        let payload = encode_report(&report, Topic::Card(Card::One).carries());
        display.hear(Topic::Card(Card::One), payload);
    };
    say(&mut display, 5, "new");
    say(&mut display, 4, "old");
    assert_eq!(called(display.machine.names()), owned(&[(1, "new")]));
    say(&mut display, 5, "newer");
    assert_eq!(called(display.machine.names()), owned(&[(1, "newer")]));
}

#[test]
fn the_join_renames_nothing_for_who_hears_the_owner() {
    let mut owner = Solo::open(solo::CARD1, 1, None);
    let mut say = |topic: Topic, name: &str| {
        let mut report = Report::default();
        let reading = reading(State::Ok, version(5, 9, &[]));
        report.put(sensor(4), Entry::Reading(reading));
        report.names = names(&[(4, name)]);
        owner.hear(topic, encode_report(&report, topic.carries()));
        called(owner.machine.names())
    };
    assert_eq!(say(Topic::Card(Card::Two), "new"), owned(&[(4, "new")]));
    assert_eq!(say(Topic::All, "old"), owned(&[(4, "new")]));
}

#[test]
fn a_message_without_versions_names_nothing_and_takes_no_name_away() {
    let mut boards = Boards::running();
    rename(&mut boards, CARD1, Some(&names(&[(2, "Pump")])));
    let payload = br#"{"sensor_1":true,"sensor_2":true,"sensor_3":true,"names":{"sensor_2":"Lamp"}}"#;
    boards.kill(CARD1);
    boards.advance(14);
    boards.publish(BOARD1, "sensors/card1", payload);
    for program in [CARD2, DISPLAY] {
        assert_eq!(on(&boards, program), owned(&[(2, "Pump")]));
        assert_eq!(boards.shown(program, 2), OK);
    }
}

#[test]
fn over_somebody_elses_names_an_owner_publishes_its_own() {
    for (program, board, topic) in [
        (CARD1, BOARD1, Topic::Card(Card::One)),
        (CARD2, BOARD2, Topic::Card(Card::Two)),
        (CARD2, BOARD2, Topic::All),
    ] {
        let mut boards = Boards::running();
        let own = [1, 4][program];
        rename(&mut boards, program, Some(&names(&[(own, "Pump")])));
        let kept = retained(&boards, board, topic);
        assert!(kept.contains("Pump"), "{kept}");
        // The other owner cannot tell.
        boards.cut();
        let other = kept.replace("Pump", "Lamp");
        let packet = PublishPacket::new(&topic.name(""), other.as_bytes(), 2, true);
        boards.publish_at(board, &packet.by_somebody_else(), None);
        boards.advance(6);
        let kept = retained(&boards, board, topic);
        assert!(kept.contains("Pump") && !kept.contains("Lamp"), "{kept}");
        assert_eq!(on(&boards, DISPLAY), owned(&[(own, "Pump")]));
    }
}

#[test]
fn an_owner_that_was_told_nothing_of_names_keeps_those_that_its_broker_has() {
    let mut boards = Boards::running();
    for (program, given) in [(CARD1, [(2, "Pump")]), (CARD2, [(5, "Lamp")])] {
        rename(&mut boards, program, Some(&names(&given)));
        rename(&mut boards, program, None);
        boards.press(program, given[0].0);
        boards.advance(3);
        assert_eq!(boards.shown(DISPLAY, given[0].0), Some(State::Ko));
    }
    assert_eq!(on(&boards, DISPLAY), owned(&[(2, "Pump"), (5, "Lamp")]));
    // Later on it goes by nobody's word.
    let other = br#"{"sensor_1":true,"versions":{"sensor_1":[0,9]},"names":{"sensor_1":"Fan"}}"#;
    boards.publish(BOARD1, "sensors/card1", other);
    boards.advance(3);
    assert_eq!(on(&boards, CARD1), owned(&[(2, "Pump"), (5, "Lamp")]));
    assert_eq!(on(&boards, DISPLAY), owned(&[(2, "Pump"), (5, "Lamp")]));
}

#[test]
fn an_owner_publishes_again_if_other_names_were_heard_and_only_then() {
    let told = names(&[(1, "Front door"), (4, "Pump")]);
    for (role, card) in [(solo::CARD1, Card::One), (solo::CARD2, Card::Two)] {
        let mut owner = Solo::named(role, 1, None, Some(&told));
        owner.feed(Event::Connected);
        owner.restore();
        owner.run();
        let own = told.of(Topic::Card(card).carries()).mark();
        let none = Names::default().mark();
        let mut answers = |heard_names, joined_names| {
            owner.pass(1);
            owner.run();
            let before = [Topic::Card(card), Topic::All].map(|topic| owner.count(topic));
            let mut beat = solo::heartbeat(0xFF, owner.seconds, 1, version(0, 0, &[]));
            beat.heard = owner.last_beat().expect("it speaks").has;
            beat.joined = Some(beat.heard);
            (beat.heard_names, beat.joined_names) = (heard_names, joined_names);
            owner.hear_beat(card.other(), &beat);
            owner.run();
            let after = [Topic::Card(card), Topic::All].map(|topic| owner.count(topic));
            [after[0] - before[0], after[1] - before[1]]
        };
        let joins = usize::from(card == Card::Two);
        assert_eq!(answers(Some(own), Some(own)), [0, 0], "{card:?}");
        assert_eq!(answers(Some(none), Some(own)), [1, 0], "{card:?}");
        assert_eq!(answers(Some(own), Some(none)), [0, joins], "{card:?}");
        // A program that knows no names.
        assert_eq!(answers(None, None), [0, 0], "{card:?}");
    }
}

#[test]
fn the_mark_of_names_is_the_one_that_the_protocol_says() {
    // FNV-1a of six zero bytes, and of "a", a zero byte, and so on.
    let fnv = |bytes: &[u8]| {
        let step = |mark: u64, byte: &u8| (mark ^ u64::from(*byte)) * 16_777_619 % (1 << 32);
        bytes.iter().fold(2_166_136_261, step)
    };
    assert_eq!(u64::from(Names::default().mark()), fnv(&[0; 6]));
    let some = names(&[(1, "a"), (3, "é")]);
    assert_eq!(u64::from(some.mark()), fnv("a\0\0é\0\0\0\0".as_bytes()));
}
