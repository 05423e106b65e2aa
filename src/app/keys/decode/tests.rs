//! What terminals really send, and what they should not be able to make us press.

use super::*;

fn keys(bytes: &[u8]) -> Vec<KeyEvent> {
    let mut decoder = Decoder::default();
    let mut keys = decoder.feed(bytes);
    keys.extend(decoder.give_up());
    only_keys(keys)
}

fn only_keys(typed: Vec<Typed>) -> Vec<KeyEvent> {
    let key = |typed| match typed {
        Typed::Key(key) => Some(key),
        Typed::Click(..) => None,
    };
    typed.into_iter().filter_map(key).collect()
}

fn codes(bytes: &[u8]) -> Vec<KeyCode> {
    keys(bytes).into_iter().map(|key| key.code).collect()
}

#[test]
fn letters_digits_and_controls() {
    assert_eq!(
        codes(b"1q?"),
        [KeyCode::Char('1'), KeyCode::Char('q'), KeyCode::Char('?')]
    );
    assert_eq!(keys(b"\x03\x1a"), [control(b'c'), control(b'z')]);
    assert_eq!(
        codes("\ré\u{1f600}".as_bytes()),
        [KeyCode::Enter, KeyCode::Char('é'), KeyCode::Char('😀')]
    );
}

#[test]
fn arrows_and_function_keys_of_several_terminals() {
    assert_eq!(
        codes(b"\x1b[A\x1bOB\x1b[1;5C"),
        [KeyCode::Up, KeyCode::Down, KeyCode::Right]
    );
    assert_eq!(codes(b"\x1bOP\x1b[11~\x1b[[A"), [KeyCode::F(1); 3]);
    assert_eq!(
        codes(b"\x1b[24~\x1b[3~\x1b[Z"),
        [KeyCode::F(12), KeyCode::Delete, KeyCode::BackTab]
    );
    assert_eq!(keys(b"\x1b[1;5C")[0].modifiers, KeyModifiers::CONTROL);
}

#[test]
fn an_escape_alone_is_the_key_once_nothing_follows() {
    let mut decoder = Decoder::default();
    assert!(decoder.feed(b"\x1b").is_empty() && decoder.is_waiting());
    assert_eq!(only_keys(decoder.give_up()), [plain(KeyCode::Esc)]);
    assert_eq!(codes(b"\x1b\x1b"), [KeyCode::Esc, KeyCode::Esc]);
    assert_eq!(
        keys(b"\x1bx"),
        [KeyEvent::new(KeyCode::Char('x'), KeyModifiers::ALT)]
    );
}

#[test]
fn a_sequence_may_come_byte_by_byte() {
    let mut decoder = Decoder::default();
    let all: Vec<_> = "\x1b[1;2Aé"
        .bytes()
        .flat_map(|byte| decoder.feed(&[byte]))
        .collect();
    assert_eq!(
        only_keys(all),
        [
            KeyEvent::new(KeyCode::Up, KeyModifiers::SHIFT),
            plain(KeyCode::Char('é'))
        ]
    );
}

#[test]
fn nothing_that_nobody_typed_becomes_a_key() {
    let bytes =
        b"\x1b[200~123\x1b[A4\x1b[201~\x1b]11;rgb:1111/2222\x07\x1bP1\x1b\\\x1b[M123\x1b[<0;1;2M\x1b[Iq";
    assert_eq!(codes(bytes), [KeyCode::Char('q')]);
}

#[test]
fn a_click_has_its_place_and_a_release_is_none() {
    let mut decoder = Decoder::default();
    let bytes = b"\x1b[<0;1;2M\x1b[<0;1;2m\x1b[<2;9;9M\x1b[<0;300;65535M\x1b[<0;70000;2M\x1b[<65;1;1M";
    assert_eq!(
        decoder.feed(bytes),
        [
            Typed::Click(0, 1),
            Typed::Click(299, 65534),
            Typed::Key(plain(KeyCode::Down))
        ]
    );
}

#[test]
fn half_a_sequence_does_not_swallow_what_comes_later() {
    let mut decoder = Decoder::default();
    assert!(decoder.feed(b"\x1b[1;").is_empty() && decoder.give_up().is_empty());
    assert_eq!(only_keys(decoder.feed(b"q")), [plain(KeyCode::Char('q'))]);
    assert!(
        decoder.feed(b"\x1b[200~never ended").is_empty()
            && decoder.in_paste()
            && decoder.give_up().is_empty()
    );
    assert_eq!(only_keys(decoder.feed(b"q")), [plain(KeyCode::Char('q'))]);
}

#[test]
fn any_two_bytes_are_survived_and_left_behind() {
    for pair in 0..=u16::MAX {
        let mut decoder = Decoder::default();
        decoder.feed(&pair.to_be_bytes());
        decoder.give_up();
        assert!(!decoder.is_waiting(), "{pair:04x}");
    }
}
