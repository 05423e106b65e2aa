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

fn press(controls: &mut Controls, code: KeyCode) -> Option<Action> {
    controls.key(NOW, KeyEvent::new(code, KeyModifiers::NONE), EXTENT)
}

fn keys(controls: &mut Controls, codes: &[KeyCode]) {
    for code in codes {
        assert_eq!(press(controls, *code), None);
    }
}

fn letter(controls: &mut Controls, letter: char) -> Option<Action> {
    press(controls, KeyCode::Char(letter))
}

#[test]
fn a_sensors_key_toggles_it_on_its_own_board_and_is_marked_for_a_while() {
    let mut controls = Controls::new(MONITOR, false);
    assert_eq!(letter(&mut controls, '2'), Some(Action::Toggle(SensorId::ALL[1])));
    assert!(controls.is_pressed(SensorId::ALL[1]) && !controls.is_pressed(SensorId::ALL[0]));
    controls.forget(controls.deadline().expect("the mark goes by itself"));
    assert!(!controls.is_pressed(SensorId::ALL[1]));
    assert_eq!(controls.deadline(), None, "nothing is waited for any more");
}

#[test]
fn a_locked_screen_toggles_nothing_and_says_so_until_it_is_unlocked() {
    let mut controls = Controls::new(MONITOR, false);
    letter(&mut controls, 'l');
    assert_eq!(controls.toggle_mode(), ToggleMode::Locked);
    assert_eq!(letter(&mut controls, '2'), None);
    assert_eq!(controls.said(), Some("locked, sensor 2 not toggled: l unlocks"));
    assert!(!controls.is_pressed(SensorId::ALL[1]));
    assert_eq!(controls.press(NOW, SensorId::ALL[1]), None, "nor by a click");
    letter(&mut controls, 'l');
    assert_eq!(controls.said(), None, "the next key ends it");
    assert_eq!(letter(&mut controls, '2'), Some(Action::Toggle(SensorId::ALL[1])));
}

#[test]
fn read_only_is_for_good() {
    let mut controls = Controls::new(MONITOR, true);
    letter(&mut controls, 'l');
    assert_eq!(
        (controls.toggle_mode(), letter(&mut controls, '1')),
        (ToggleMode::ReadOnly, None)
    );
    assert_eq!(controls.said(), Some("read-only, sensor 1 not toggled"));
    assert_eq!(
        letter(&mut controls, 'p'),
        Some(Action::Publish),
        "it changes no sensor"
    );
}

#[test]
fn keys_of_sensors_elsewhere_say_where() {
    let mut controls = Controls::new(MONITOR, false);
    assert_eq!(letter(&mut controls, '5'), None);
    assert_eq!(controls.said(), Some("sensor 5 is toggled on board 2"));
    let mut controls = Controls::new(Role::Display, false);
    for key in ['1', '6', 'p', 'l', '7', '0', 'x'] {
        assert_eq!(letter(&mut controls, key), None, "{key}");
    }
}

#[test]
fn a_key_with_ctrl_is_another_key() {
    let mut controls = Controls::new(MONITOR, false);
    for letter in ['1', 'q', 'p', 'a', 's', 't', 'l', '?'] {
        let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        assert_eq!(controls.key(NOW, key, EXTENT), None, "{key:?}");
    }
    assert_eq!(
        (controls.toggle_mode(), controls.help()),
        (ToggleMode::Free, None)
    );
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(controls.key(NOW, control_c, EXTENT), Some(Action::Quit));
}

#[test]
fn esc_and_a_key_that_come_together_are_both_taken_but_toggle_nothing() {
    let mut controls = Controls::new(MONITOR, false);
    let together = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::ALT);
    assert_eq!(controls.key(NOW, together('?'), EXTENT), None);
    assert_eq!(controls.help(), Some(0));
    assert_eq!(controls.key(NOW, together('1'), EXTENT), None);
    assert_eq!(controls.help(), None);
    assert_eq!(controls.key(NOW, together('q'), EXTENT), Some(Action::Quit));
}

#[test]
fn a_test_ends_with_any_key_which_does_nothing_else_or_by_itself() {
    let mut controls = Controls::new(MONITOR, false);
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    let keys = ['2', 'q', 'a', 't', '?'].map(|key| KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE));
    for key in keys.into_iter().chain([control_c]) {
        assert_eq!(letter(&mut controls, 't'), Some(Action::Test));
        assert!(controls.is_test());
        assert_eq!(controls.key(NOW, key, EXTENT), None, "{key:?}");
        assert!(!controls.is_test() && controls.help().is_none(), "{key:?}");
    }
    letter(&mut controls, 't');
    assert_eq!(controls.press(NOW, SensorId::ALL[1]), None, "a click");
    assert!(!controls.is_test());
    letter(&mut controls, 't');
    let end = controls.deadline().expect("it ends by itself");
    controls.forget(end);
    assert!(!controls.is_test() && controls.deadline().is_none());
}

#[test]
fn silencing_says_whether_there_was_a_bell() {
    let mut controls = Controls::new(MONITOR, true);
    assert_eq!(letter(&mut controls, 's'), Some(Action::Silence));
    controls.silenced(NOW, false);
    assert_eq!(controls.said(), Some("no bell to silence"));
    controls.silenced(NOW, true);
    assert_eq!(
        controls.said(),
        Some("bell silenced until the next alarm; a acknowledges")
    );
}

#[test]
fn quitting_closes_the_help_first() {
    let mut controls = Controls::new(MONITOR, false);
    keys(&mut controls, &[KeyCode::Char('?'), KeyCode::Char('q')]);
    assert_eq!(controls.help(), None);
    keys(&mut controls, &[KeyCode::Char('?'), KeyCode::Esc, KeyCode::Esc]);
    assert_eq!(letter(&mut controls, 'q'), Some(Action::Quit));
}

#[test]
fn the_log_scrolls_back_to_its_oldest_page_and_forth_to_the_newest() {
    let mut controls = Controls::new(MONITOR, false);
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
        press(&mut controls, code);
        assert_eq!(controls.log(), top, "after {code:?}");
    }
}

#[test]
fn a_view_that_is_scrolled_back_stays_where_it_is_when_events_come() {
    let mut controls = Controls::new(MONITOR, false);
    keys(&mut controls, &[KeyCode::Down]);
    let later = Extent {
        newest: 110,
        events: 30,
        ..EXTENT
    };
    assert_eq!(controls.log(), Some(99));
    controls.key(NOW, KeyEvent::new(KeyCode::Down, KeyModifiers::NONE), later);
    assert_eq!(controls.log(), Some(98));
}

#[test]
fn open_help_scrolls_instead_of_the_log() {
    let mut controls = Controls::new(MONITOR, false);
    keys(&mut controls, &[KeyCode::Char('?'), KeyCode::Down, KeyCode::End]);
    assert_eq!((controls.help(), controls.log()), (Some(3), None));
    keys(&mut controls, &[KeyCode::PageUp]);
    assert_eq!(controls.help(), Some(0));
}

#[test]
fn the_log_of_the_next_owner_is_followed_from_its_newest_event() {
    let mut controls = Controls::new(MONITOR, false);
    for may_run in [true, false] {
        press(&mut controls, KeyCode::Down);
        for absence in [Some(Absence::Silent), None, Some(Absence::Ended { may_run })] {
            controls.set_absence(absence);
            assert_eq!(controls.log(), Some(99), "{absence:?}");
        }
        controls.set_absence(None);
        assert_eq!(controls.log(), None);
    }
}

#[test]
fn a_press_says_why_it_reaches_no_owner() {
    let mut controls = Controls::new(MONITOR, false);
    for (absence, why) in [
        (Absence::Silent, "sensor 2 not toggled: the owner does not answer"),
        (
            Absence::Ended { may_run: true },
            "sensor 2 not toggled: the owner has ended, o runs it here",
        ),
        (
            Absence::Ended { may_run: false },
            "sensor 2 not toggled: the owner has ended",
        ),
    ] {
        controls.set_absence(Some(absence));
        assert_eq!(letter(&mut controls, '2'), None);
        assert_eq!(controls.said(), Some(why));
        let own = (absence == Absence::Ended { may_run: true }).then_some(Action::Own);
        assert_eq!(
            (letter(&mut controls, 'p'), letter(&mut controls, 'o')),
            (None, own)
        );
    }
}
