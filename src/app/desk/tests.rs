use super::*;

const MONITOR: Role = Role::Monitor(Card::One);
const NOW: Mono = Mono::ZERO;

/// Five of twenty events are on the screen, and all of the help but three lines.
const EXTENT: Extent = Extent {
    log_rows: 5,
    last_rows: 5,
    events: 20,
    newest: 100,
    help_rows: 10,
    help_lines: 13,
};

fn press(desk: &mut Desk, code: KeyCode) -> Option<Wish> {
    desk.key(NOW, KeyEvent::new(code, KeyModifiers::NONE), EXTENT)
}

fn keys(desk: &mut Desk, codes: &[KeyCode]) {
    for code in codes {
        assert_eq!(press(desk, *code), None);
    }
}

fn letter(desk: &mut Desk, letter: char) -> Option<Wish> {
    press(desk, KeyCode::Char(letter))
}

#[test]
fn a_sensors_key_toggles_it_on_its_own_board_and_is_marked_for_a_while() {
    let mut desk = Desk::new(MONITOR, false);
    assert_eq!(letter(&mut desk, '2'), Some(Wish::Toggle(SensorId::ALL[1])));
    assert!(desk.is_pressed(SensorId::ALL[1]) && !desk.is_pressed(SensorId::ALL[0]));
    desk.forget(desk.deadline().expect("the mark goes by itself"));
    assert!(!desk.is_pressed(SensorId::ALL[1]));
    assert_eq!(desk.deadline(), None, "nothing is waited for any more");
}

#[test]
fn a_locked_screen_toggles_nothing_and_says_so_until_it_is_unlocked() {
    let mut desk = Desk::new(MONITOR, false);
    letter(&mut desk, 'l');
    assert_eq!(desk.hands(), Hands::Locked);
    assert_eq!(letter(&mut desk, '2'), None);
    assert_eq!(desk.said(), Some("locked, sensor 2 not toggled: l unlocks"));
    assert!(!desk.is_pressed(SensorId::ALL[1]));
    assert_eq!(desk.press(NOW, SensorId::ALL[1]), None, "nor by a click");
    letter(&mut desk, 'l');
    assert_eq!(desk.said(), None, "the next key ends it");
    assert_eq!(letter(&mut desk, '2'), Some(Wish::Toggle(SensorId::ALL[1])));
}

#[test]
fn read_only_is_for_good() {
    let mut desk = Desk::new(MONITOR, true);
    letter(&mut desk, 'l');
    assert_eq!((desk.hands(), letter(&mut desk, '1')), (Hands::ReadOnly, None));
    assert_eq!(desk.said(), Some("read-only, sensor 1 not toggled"));
    assert_eq!(
        letter(&mut desk, 'p'),
        Some(Wish::Publish),
        "it changes no sensor"
    );
}

#[test]
fn keys_of_sensors_elsewhere_say_where() {
    let mut desk = Desk::new(MONITOR, false);
    assert_eq!(letter(&mut desk, '5'), None);
    assert_eq!(desk.said(), Some("sensor 5 is toggled on board 2"));
    let mut desk = Desk::new(Role::Display, false);
    for key in ['1', '6', 'p', 'l', '7', '0', 'x'] {
        assert_eq!(letter(&mut desk, key), None, "{key}");
    }
}

#[test]
fn a_key_with_ctrl_is_another_key() {
    let mut desk = Desk::new(MONITOR, false);
    for letter in ['1', 'q', 'p', 'a', 'l', '?'] {
        let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        assert_eq!(desk.key(NOW, key, EXTENT), None, "{key:?}");
    }
    assert_eq!((desk.hands(), desk.help()), (Hands::Free, None));
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(desk.key(NOW, control_c, EXTENT), Some(Wish::Quit));
}

#[test]
fn esc_and_a_key_that_come_together_are_both_taken_but_toggle_nothing() {
    let mut desk = Desk::new(MONITOR, false);
    let together = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::ALT);
    assert_eq!(desk.key(NOW, together('?'), EXTENT), None);
    assert_eq!(desk.help(), Some(0));
    assert_eq!(desk.key(NOW, together('1'), EXTENT), None);
    assert_eq!(desk.help(), None);
    assert_eq!(desk.key(NOW, together('q'), EXTENT), Some(Wish::Quit));
}

#[test]
fn quitting_closes_the_help_first() {
    let mut desk = Desk::new(MONITOR, false);
    keys(&mut desk, &[KeyCode::Char('?'), KeyCode::Char('q')]);
    assert_eq!(desk.help(), None);
    keys(&mut desk, &[KeyCode::Char('?'), KeyCode::Esc, KeyCode::Esc]);
    assert_eq!(letter(&mut desk, 'q'), Some(Wish::Quit));
}

#[test]
fn the_log_scrolls_back_to_its_oldest_page_and_forth_to_the_newest() {
    let mut desk = Desk::new(MONITOR, false);
    for (code, top) in [
        (KeyCode::Up, None),
        (KeyCode::Down, Some(99)),
        (KeyCode::PageDown, Some(95)),
        (KeyCode::Up, Some(96)),
        (KeyCode::End, Some(85)),
        (KeyCode::Down, Some(85)),
        (KeyCode::PageUp, Some(89)),
        (KeyCode::Home, None),
    ] {
        press(&mut desk, code);
        assert_eq!(desk.log(), top, "after {code:?}");
    }
}

#[test]
fn a_view_that_is_scrolled_back_stays_where_it_is_when_events_come() {
    let mut desk = Desk::new(MONITOR, false);
    keys(&mut desk, &[KeyCode::Down]);
    let later = Extent {
        newest: 110,
        events: 30,
        ..EXTENT
    };
    assert_eq!(desk.log(), Some(99));
    desk.key(NOW, KeyEvent::new(KeyCode::Down, KeyModifiers::NONE), later);
    assert_eq!(desk.log(), Some(98));
}

#[test]
fn open_help_scrolls_instead_of_the_log() {
    let mut desk = Desk::new(MONITOR, false);
    keys(&mut desk, &[KeyCode::Char('?'), KeyCode::Down, KeyCode::End]);
    assert_eq!((desk.help(), desk.log()), (Some(3), None));
    keys(&mut desk, &[KeyCode::PageUp]);
    assert_eq!(desk.help(), Some(0));
}
