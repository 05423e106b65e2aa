//! Each program in each situation, as it is drawn: one picture a situation in `tests/snapshots`. `BLESS=1`
//! keeps new ones.

#[path = "screens/links.rs"]
mod links;
#[path = "../core/tests/support/net.rs"]
mod net;
#[path = "screens/shot.rs"]
mod shot;
#[path = "screens/small.rs"]
mod small;
#[path = "screens/told.rs"]
mod told;

use dualboard::owner::Memory;
use dualboard::sensor::SensorId;
use dualboard::terminal::keys::{KeyCode, KeyEvent, KeyModifiers};
use dualboard::text::words::Times;
use dualboard::time::Mono;
use dualboard::ui::controls::Controls;
use dualboard::ui::view::{self, Picture, Theme};
use jiff::tz::TimeZone;
use net::{CARD1, CARD2, DISPLAY, Net};
use ratatui::layout::Size;
use shot::{expect, shot};

const ORDINARY: (u16, u16) = (80, 24);

fn picture(net: &Net, program: usize) -> Picture {
    let view = net.machines[program].as_ref().expect("it runs").view();
    Picture {
        controls: Controls::new(view.role, false),
        view,
        alarms: net.watches[program].clone(),
        mouse: false,
        url: format!("mqtt://localhost:{}", [1883, 1884, 1884][program]),
        times: Times::new(TimeZone::UTC, net.now().wall),
        theme: Theme::new(true, true),
    }
}

/// The programs one after the other, in the ordinary size.
fn all(net: &Net) -> String {
    [CARD1, CARD2, DISPLAY]
        .map(|program| shot(&picture(net, program), ORDINARY))
        .concat()
}

/// A key as the loop takes it, but for what it asks of the machine.
fn press(picture: &mut Picture, key: KeyCode, (width, height): (u16, u16)) {
    let extent = view::extent(picture, Size::new(width, height));
    let key = KeyEvent::new(key, KeyModifiers::NONE);
    let _ = picture.controls.key(Mono::ZERO, key, extent);
}

#[test]
fn restoring() {
    let mut net = Net::new();
    for program in [CARD1, CARD2, DISPLAY] {
        net.start(program);
    }
    expect("restoring", &all(&net));
}

#[test]
fn live() {
    let mut net = Net::running();
    for program in [CARD1, CARD2, DISPLAY] {
        net.acknowledge(program);
    }
    expect("live", &all(&net));
}

#[test]
fn alarm() {
    let mut net = Net::running();
    net.toggle(CARD1, 2);
    net.pass(3);
    expect("alarm", &all(&net));
}

#[test]
fn alarm_that_is_over_and_others_before_it() {
    let mut net = Net::running();
    for sensor in [2, 3, 2, 2, 2] {
        net.toggle(CARD1, sensor);
        net.pass(70);
    }
    expect("alarm_over", &all(&net));
}

#[test]
fn alarms_of_which_some_last_and_all_is_over_in_the_end() {
    let mut net = Net::running();
    // Sensor 3 lasts; what came later is over.
    for sensor in [3, 2, 2, 1, 1] {
        net.toggle(CARD1, sensor);
        net.pass(1);
    }
    net.cut();
    net.pass(14);
    let sizes = [ORDINARY, (40, 10), (20, 5)];
    let lasting = sizes.map(|size| shot(&picture(&net, CARD2), size)).concat();
    net.mend();
    net.pass(14);
    let mended = sizes.map(|size| shot(&picture(&net, CARD2), size)).concat();
    net.toggle(CARD1, 3);
    net.pass(1);
    let over = sizes.map(|size| shot(&picture(&net, CARD2), size)).concat();
    expect("alarms_lasting", &(lasting + &mended + &over));
}

#[test]
fn acknowledged() {
    let mut net = Net::running();
    net.toggle(CARD1, 2);
    net.acknowledge(DISPLAY);
    net.pass(3);
    net.toggle(CARD2, 5);
    net.toggle(CARD2, 5);
    net.acknowledge(DISPLAY);
    net.toggle(CARD1, 2);
    expect("acknowledged", &shot(&picture(&net, DISPLAY), ORDINARY));
}

#[test]
fn restored_after_a_restart_with_a_sensor_ko() {
    let mut net = Net::running();
    net.toggle(CARD1, 2);
    net.toggle(CARD2, 6);
    net.pass(600);
    for program in [CARD1, DISPLAY] {
        net.kill(program);
        net.pass(20);
        net.start(program);
        net.connect(program);
        net.pass(6);
    }
    expect("restored", &all(&net));
}

#[test]
fn without_a_state_file_what_was_ko_at_the_start_is_told_as_such() {
    for program in [CARD1, CARD2, DISPLAY] {
        let mut net = Net::running();
        net.toggle(CARD1, 2);
        net.toggle(CARD2, 6);
        net.pass(6);
        net.kill(program);
        net.memories[program] = Memory::default();
        net.pass(20);
        net.start(program);
        net.connect(program);
        net.pass(6);
        let text = shot(&picture(&net, program), ORDINARY);
        assert!(text.contains("KO at start: sensors 2, 6"), "{text}");
    }
}

#[test]
fn sending() {
    let mut net = Net::running();
    net.delivers = false;
    net.cut();
    net.toggle(CARD1, 2);
    let mut sending = picture(&net, CARD1);
    sending.controls.press(Mono::ZERO, SensorId::ALL[1]);
    let saved = {
        net.delivers = true;
        net.toggle(CARD2, 4);
        picture(&net, CARD2)
    };
    expect("sending", &(shot(&sending, ORDINARY) + &shot(&saved, ORDINARY)));
}

#[test]
fn twin() {
    let mut net = Net::running();
    let word = br#"{"sensor_1": false, "sensor_2": false, "sensor_3": false}"#;
    net.publish(0, "sensors/card1", word);
    net.pass(1);
    expect("twin", &all(&net));
}

#[test]
fn bad_payload() {
    let mut net = Net::running();
    for payload in [
        &b"\x1b]0;gotcha\x07{"[..],
        b"{\"sensor_1\": 7}",
        b"{\"sensor_1\": 7}",
    ] {
        net.publish(0, "sensors/card1", payload);
        net.publish(1, "sensors/all", payload);
    }
    net.pass(1);
    expect("bad_payload", &all(&net));
}

#[test]
fn a_long_event_goes_on_in_the_next_line_and_the_oldest_can_still_be_reached() {
    let mut net = Net::running();
    for sensor in 0..9 {
        let payload = format!("{{\"sensor_1\": {sensor}}}");
        net.publish(0, "sensors/card1", payload.as_bytes());
        net.publish(0, "sensors/all", payload.as_bytes());
    }
    let mut log = picture(&net, CARD1);
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
    let mut net = Net::running();
    net.pass(1);
    let mut locked = picture(&net, CARD1);
    press(&mut locked, KeyCode::Char('l'), ORDINARY);
    let first = shot(&locked, ORDINARY) + &shot(&locked, (40, 10));
    press(&mut locked, KeyCode::Char('2'), ORDINARY);
    let mut read_only = picture(&net, CARD2);
    read_only.controls = Controls::new(read_only.view.role, true);
    expect(
        "locked",
        &(first + &shot(&locked, ORDINARY) + &shot(&read_only, ORDINARY)),
    );
}

#[test]
fn ascii_without_colour() {
    let mut net = Net::running();
    net.toggle(CARD1, 2);
    net.toggle(CARD2, 4);
    net.toggle(CARD2, 4);
    net.cut();
    net.pass(14);
    let plain = |program| {
        let picture = picture(&net, program);
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
fn the_log_scrolled_back() {
    let mut net = Net::running();
    for sensor in [1, 2, 3, 1, 2, 3, 1, 2, 3] {
        net.toggle(CARD1, sensor);
        net.pass(7);
    }
    let mut back = picture(&net, CARD2);
    press(&mut back, KeyCode::PageDown, ORDINARY);
    let first = shot(&back, ORDINARY);
    net.toggle(CARD1, 1);
    net.pass(1);
    let later = Picture {
        controls: back.controls,
        ..picture(&net, CARD2)
    };
    expect("log", &(first + &shot(&later, ORDINARY)));
}

#[test]
fn wide_windows() {
    let mut net = Net::running();
    for sensor in [2, 2, 2, 3, 3] {
        net.toggle(CARD1, sensor);
        net.pass(45);
    }
    let wall = [(161, 52), (161, 26), (100, 30), (120, 22)].map(|size| shot(&picture(&net, DISPLAY), size));
    for screen in &wall {
        let row = screen
            .lines()
            .find(|line| line.contains("Sensor 2"))
            .expect("a row");
        assert!(row.contains("11:59:36"), "no time of its change: {row}");
    }
    expect("wide", &(wall.concat() + &shot(&picture(&net, CARD1), (161, 40))));
}
