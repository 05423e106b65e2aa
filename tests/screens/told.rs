//! What the log, the banner, the help and the red line say.

use dualboard::terminal::keys::KeyCode;
use dualboard::time::Mono;
use dualboard::ui::controls::Controls;
use dualboard::ui::view::Picture;

use super::net::{CARD1, CARD2, DISPLAY, Net};
use super::shot::shot;
use super::{ORDINARY, SensorId, picture, press};

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
    let mut net = Net::running();
    net.delivers = false;
    for _ in 0..3 {
        net.toggle(CARD1, 2);
    }
    net.toggle(CARD1, 3);
    let on_its_way = text(&picture(&net, CARD1), ORDINARY);
    assert!(
        on_its_way.contains("sensor 2  OK → KO  sending"),
        "the last: {on_its_way}"
    );
    assert_eq!(
        on_its_way.matches("replaced by the next").count(),
        2,
        "{on_its_way}"
    );
    net.delivers = true;
    net.stop_broker(0);
    net.connect(CARD1);
    net.pass(14);
    let later = text(&picture(&net, CARD1), ORDINARY);
    assert!(!later.contains("  sending"), "{later}");
}

#[test]
fn a_toggle_that_was_confirmed_stays_so_when_the_sensor_is_toggled_again() {
    let mut net = Net::running();
    for _ in 0..2 {
        net.toggle(CARD1, 2);
        net.pass(3);
    }
    let text = text(&picture(&net, CARD1), ORDINARY);
    assert_eq!(text.matches("confirmed by board 2").count(), 2, "{text}");
    assert!(!text.contains("replaced"), "{text}");
}

#[test]
fn the_banner_counts_each_sensor_that_was_ko_at_the_start() {
    let mut net = Net::running();
    net.toggle(CARD1, 1);
    net.toggle(CARD2, 5);
    net.pass(6);
    net.kill(DISPLAY);
    net.pass(20);
    net.start(DISPLAY);
    net.connect(DISPLAY);
    net.pass(6);
    net.toggle(CARD1, 2);
    net.toggle(CARD2, 4);
    net.pass(3);
    let display = picture(&net, DISPLAY);
    for (size, wanted) in [
        (ORDINARY, "sensor 4 KO 11:58:38, and 3 more\n"),
        ((20, 5), "sensor 4 KO +3\n"),
    ] {
        let text = text(&display, size);
        assert!(text.contains(wanted), "{text}");
    }
    // One of the two has ended, and what rang since.
    net.toggle(CARD2, 5);
    net.toggle(CARD1, 2);
    net.pass(3);
    let text = text(&picture(&net, DISPLAY), ORDINARY);
    assert!(text.contains(", and 1 more; 2 alarms ended\n"), "{text}");
}

#[test]
fn the_help_has_no_click_where_a_click_toggles_nothing() {
    let net = Net::running();
    for (program, read_only, clicks) in [(CARD1, false, 1), (CARD1, true, 0), (DISPLAY, false, 0)] {
        for size in [ORDINARY, (40, 20)] {
            let mut help = picture(&net, program);
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
    let net = Net::running();
    for read_only in [false, true] {
        for (number, key) in (1..).zip(['1', '2', '3', '4', '5', '6']) {
            let mut clicked = picture(&net, CARD1);
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
    let mut net = Net::running();
    net.stop_broker(1);
    net.pass(14);
    let text = [
        (CARD2, small),
        (CARD1, small),
        (CARD1, (80, 10)),
        (CARD2, (80, 7)),
    ]
    .map(|(program, size)| text(&picture(&net, program), size));
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
