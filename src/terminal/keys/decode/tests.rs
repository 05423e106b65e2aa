//! What terminals really send, and what they should not be able to make us press.

use super::*;

/// Longer than it takes to know that an ESC was the Esc key, and than a finger needs.
pub(super) const PAUSE: Duration = Duration::from_millis(300);

/// The line from a terminal, with the clock that the decoder has not.
#[derive(Default)]
pub(super) struct Line {
    decoder: Decoder,
}

impl Line {
    /// What a read of these bytes gives, before which nothing came for so long.
    pub(super) fn take(&mut self, pause: Duration, bytes: &[u8]) -> Vec<Typed> {
        let mut typed = Vec::new();
        if pause >= Duration::from_millis(50) && self.decoder.awaits_silence() {
            typed.extend(self.decoder.silence());
        }
        typed.extend(self.decoder.feed(pause, bytes));
        typed
    }

    fn keys(&mut self, bytes: &[u8]) -> Vec<KeyCode> {
        only_keys(self.take(PAUSE, bytes))
            .iter()
            .map(|key| key.code)
            .collect()
    }
}

fn keys(bytes: &[u8]) -> Vec<KeyEvent> {
    let mut line = Line::default();
    let mut typed = line.take(PAUSE, bytes);
    typed.extend(line.take(PAUSE, b""));
    only_keys(typed)
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

fn letter(letter: char) -> KeyEvent {
    plain(KeyCode::Char(letter))
}

fn control(letter: char) -> KeyEvent {
    KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)
}

const Q: KeyCode = KeyCode::Char('q');
const NONE: [KeyCode; 0] = [];

#[test]
fn letters_digits_and_controls() {
    assert_eq!(codes(b"1q?"), [KeyCode::Char('1'), Q, KeyCode::Char('?')]);
    assert_eq!(keys(b"\x03\x1a"), [control('c'), control('z')]);
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
        codes(b"\x1b[24~\x1b[3~\x1b[Z\x1b[5$"),
        [KeyCode::F(12), KeyCode::Delete, KeyCode::BackTab, KeyCode::PageUp]
    );
    assert_eq!(keys(b"\x1b[1;5C")[0].modifiers, KeyModifiers::CONTROL);
    assert_eq!(codes(b"\x1bOq"), NONE, "Alt-O and q, or 1 on a number pad");
}

#[test]
fn an_escape_alone_is_the_key_once_nothing_follows() {
    let mut line = Line::default();
    assert_eq!(line.keys(b"\x1b"), NONE);
    assert!(line.decoder.awaits_silence());
    assert_eq!(line.decoder.silence(), Some(Typed::Key(plain(KeyCode::Esc))));
    assert!(!line.decoder.awaits_silence());
    assert_eq!(
        only_keys(line.take(PAUSE, b"1")),
        [letter('1')],
        "and is not Alt for what comes later"
    );
    assert_eq!(codes(b"\x1b\x1b"), [KeyCode::Esc, KeyCode::Esc]);
    assert_eq!(
        keys(b"\x1bx"),
        [KeyEvent::new(KeyCode::Char('x'), KeyModifiers::ALT)]
    );
}

#[test]
fn a_sequence_may_come_byte_by_byte() {
    let mut line = Line::default();
    let all: Vec<_> = "\x1b[1;2Aé"
        .bytes()
        .flat_map(|byte| line.take(Duration::ZERO, &[byte]))
        .collect();
    assert_eq!(
        only_keys(all),
        [KeyEvent::new(KeyCode::Up, KeyModifiers::SHIFT), letter('é')]
    );
}

#[test]
fn a_sequence_is_one_whatever_the_pause_in_it() {
    let hour = Duration::from_secs(3600);
    for (whole, key) in [
        (&b"\x1b[5~"[..], Some(KeyCode::PageUp)),
        (b"\x1b[15~", Some(KeyCode::F(5))),
        (b"\x1bOA", Some(KeyCode::Up)),
        (b"\x1b[[A", Some(KeyCode::F(1))),
        (b"\x1b[<35;12;3M", None),
        (b"\x1b[M 12", None),
        (b"\x1b[?62;1;4c", None),
        (b"\x1b]11;rgb:1/2/3\x1b\\", None),
        (b"\x1b[200~1 2 q\x1b[201~", None),
        (b"\x9b5~", Some(KeyCode::PageUp)),
        (b"\xc2\x9b5~", Some(KeyCode::PageUp)),
    ] {
        for cut in 1..whole.len() {
            let mut line = Line::default();
            let mut typed = line.take(hour, &whole[..cut]);
            typed.extend(line.take(hour, &whole[cut..]));
            let keys: Vec<_> = only_keys(typed).iter().map(|key| key.code).collect();
            // What begins with ESC alone is the Esc key as well, which nobody can know to be none.
            let keys: Vec<_> = keys.into_iter().filter(|key| *key != KeyCode::Esc).collect();
            assert_eq!(keys, Vec::from_iter(key), "{} cut at {cut}", whole.escape_ascii());
        }
    }
}

#[test]
fn nothing_that_nobody_typed_becomes_a_key() {
    let bytes =
        b"\x1b[200~123\x1b[A4\x1b[201~\x1b]11;rgb:1111/2222\x07\x1bP1\x1b\\\x1b[M123\x1b[<0;1;2M\x1b[Iq";
    assert_eq!(codes(bytes), [Q]);
}

#[test]
fn a_click_has_its_place_and_a_release_is_none() {
    let mut line = Line::default();
    let bytes = b"\x1b[<0;1;2M\x1b[<0;1;2m\x1b[<2;9;9M\x1b[<0;300;65535M\x1b[<0;70000;2M\x1b[<65;1;1M";
    assert_eq!(
        line.take(PAUSE, bytes),
        [
            Typed::Click(0, 1),
            Typed::Click(299, 65534),
            Typed::Key(plain(KeyCode::Down))
        ]
    );
}

#[test]
fn a_paste_that_stalls_ends_at_its_mark_or_when_a_person_types_again() {
    let stalled = || {
        let mut line = Line::default();
        assert_eq!(line.keys(b"\x1b[200~never ended"), NONE);
        line
    };
    let mut line = stalled();
    assert_eq!(line.keys(b"q1\x1b[201~2"), [KeyCode::Char('2')]);
    let mut line = stalled();
    assert_eq!(line.keys(b"q"), NONE, "it may be the rest");
    assert_eq!(line.keys(b"q"), [Q]);
    let mut line = stalled();
    assert_eq!(line.keys(b"\x1b[A"), [KeyCode::Up]);
    assert_eq!(line.keys(b"q"), [Q]);
    let mut line = stalled();
    assert_eq!(line.keys(b"\x1b"), NONE);
    assert_eq!(line.keys(b"q"), [Q], "Esc has ended it");
    assert_eq!(only_keys(stalled().take(PAUSE, b"\x03")), [control('c')]);
}

#[test]
fn many_letters_at_once_are_a_paste_without_marks() {
    let mut line = Line::default();
    assert_eq!(line.keys(b"ssh pi@10.1.2.3\rq"), NONE);
    let soon = Duration::from_millis(100);
    assert_eq!(only_keys(line.take(soon, b"1")), [], "the end of it");
    assert_eq!(only_keys(line.take(AFTERMATH, b"1")), [letter('1')]);
    assert_eq!(
        line.keys(b"123").len(),
        3,
        "a slow link delivers three keys together"
    );
    assert_eq!(
        keys(b"\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A").len(),
        5,
        "a key that is held down"
    );
}

#[test]
fn a_key_pressed_twice_gets_out_of_anything() {
    for begun in [
        &b"\x1b["[..],
        b"\x1b[1;",
        b"\x1bO",
        b"\x1b[M",
        b"\x1b[[",
        b"\x1b]11;",
        b"\x1bP",
        b"\x9d",
    ] {
        for key in [b'1', b'q'] {
            let mut line = Line::default();
            line.take(PAUSE, begun);
            let typed = [line.take(PAUSE, &[key]), line.take(PAUSE, &[key])].concat();
            assert_eq!(
                only_keys(typed),
                [letter(char::from(key))],
                "after {}",
                begun.escape_ascii()
            );
            let mut line = Line::default();
            line.take(PAUSE, begun);
            assert_eq!(only_keys(line.take(PAUSE, b"\x03")), [control('c')]);
        }
    }
}

#[test]
fn every_encoding_of_a_key_is_that_key() {
    for bytes in [
        &b"\x03"[..],
        b"\x1b[99;5u",
        b"\x1b[99;5:1u",
        b"\x1b[99;69u",
        b"\x1b[1089::99;5u",
        b"\x1b[27;5;99~",
        b"\x1b[27;5;67~",
    ] {
        assert_eq!(keys(bytes), [control('c')], "{}", bytes.escape_ascii());
    }
    for bytes in [
        &b"q"[..],
        b"\x1b[113u",
        b"\x1b[113;1u",
        b"\x1b[113;1:2u",
        b"\x1b[113;129u",
        b"\x1b[113;;113u",
        b"\x1b[27;1;113~",
    ] {
        assert_eq!(keys(bytes), [letter('q')], "{}", bytes.escape_ascii());
    }
    for bytes in [&b"\x1b"[..], b"\x1b[27u", b"\x1b[27;1u", b"\x1b[27;1;27~"] {
        assert_eq!(keys(bytes), [plain(KeyCode::Esc)], "{}", bytes.escape_ascii());
    }
    for bytes in [
        &b"1"[..],
        b"\x1b[49u",
        b"\x1b[49;129u",
        b"\x1b[57400u",
        b"\x1b[27;1;49~",
    ] {
        assert_eq!(keys(bytes), [letter('1')], "{}", bytes.escape_ascii());
    }
    // On a French keyboard, where digits are written with Shift.
    assert_eq!(codes(b"\x1b[38:49;2u"), [KeyCode::Char('1')]);
    assert_eq!(codes(b"\x1b[47:63;2u"), [KeyCode::Char('?')]);
}

#[test]
fn a_key_that_is_let_go_or_pressed_with_another_one_is_not_that_key() {
    for bytes in [
        &b"\x1b[49;1:3u"[..],
        b"\x1b[99;5:3u",
        b"\x1b[1;1:3A",
        b"\x1b[49;2u",
        b"\x1b[49;9u",
        b"\x1b[57441;2u",
        b"\x1b[?1u",
    ] {
        assert_eq!(keys(bytes), [], "{}", bytes.escape_ascii());
    }
    assert_eq!(keys(b"\x1b[49;5u"), [control('1')]);
}
