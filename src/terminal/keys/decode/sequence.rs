//! What a whole sequence means.

use super::parameters::Parameters;
use super::{Introducer, KeyCode, KeyEvent, KeyModifiers, Meaning, Typed, plain, unicode};

/// What follows `ESC [ [` on the Linux console.
pub(super) fn console(byte: u8) -> Meaning {
    match byte {
        b'A'..=b'E' => Meaning::key(plain(KeyCode::F(byte - b'A' + 1))),
        _ => Meaning::Nothing,
    }
}

/// A sequence without its introducer and its last byte, and that last byte.
pub(super) fn meaning(introducer: Introducer, body: &[u8], last: u8) -> Meaning {
    match (introducer, body.first(), last) {
        (Introducer::Csi, Some(b'<'), b'M' | b'm') => mouse(&body[1..], last),
        // Answers of the terminal, and what nobody knows.
        _ if body
            .iter()
            .any(|byte| !(byte.is_ascii_digit() || b";:".contains(byte))) =>
        {
            Meaning::Nothing
        }
        // The number pad in application mode sends `ESC O q` for 1. It is not understood: Alt-O and q look
        // the same.
        (Introducer::Ss3, ..) => key(&Parameters::of(body), final_byte(last)),
        (Introducer::Csi, ..) => control_sequence(&Parameters::of(body), last),
    }
}

fn control_sequence(parameters: &Parameters, last: u8) -> Meaning {
    match (last, parameters.number(0)) {
        (b'u', Some(code)) => with_modifiers(parameters, |held| unicode::key(code, parameters, held)),
        // What xterm calls modifyOtherKeys.
        (b'~', Some(27)) => with_modifiers(parameters, |held| {
            parameters.number(2).and_then(|code| unicode::typed(code, held))
        }),
        (b'~', Some(200)) => Meaning::PasteBegin,
        (b'~', Some(201)) => Meaning::PasteEnd,
        (b'~', first) => key(parameters, first.and_then(numbered)),
        (last, _) => key(parameters, final_byte(last)),
    }
}

fn key(parameters: &Parameters, code: Option<KeyCode>) -> Meaning {
    with_modifiers(parameters, |held| code.map(|code| KeyEvent::new(code, held)))
}

/// The key with the modifiers of the second parameter. The release of a key is not a key.
fn with_modifiers(parameters: &Parameters, key: impl FnOnce(KeyModifiers) -> Option<KeyEvent>) -> Meaning {
    const RELEASE: u32 = 3;
    let key = match parameters.part(1, 1) {
        Some(RELEASE) => None,
        _ => modifiers(parameters.number(1).unwrap_or(1)).and_then(key),
    };
    key.map_or(Meaning::Nothing, Meaning::key)
}

/// Terminals send one more than the sum of 1 for Shift, 2 for Alt, 4 for Ctrl, 64 for Caps Lock and 128 for
/// Num Lock. `None` with Super, Hyper or Meta: no key has a meaning with them.
fn modifiers(sent: u32) -> Option<KeyModifiers> {
    let mask = sent.saturating_sub(1);
    let held = [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
    ];
    let held = held.into_iter().filter(|(bit, _)| mask & bit != 0);
    (mask & (8 | 16 | 32) == 0).then(|| held.map(|(_, modifier)| modifier).collect())
}

/// A report of the mouse, as mode 1006 has it: button, column and line, from 1. The wheel moves as the arrow
/// keys do.
fn mouse(report: &[u8], last: u8) -> Meaning {
    let numbers: Option<Vec<u16>> = report
        .split(|&byte| byte == b';')
        .map(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
        .collect();
    match (numbers.as_deref(), last) {
        (Some(&[0, column, line]), b'M') => {
            Meaning::Typed(Typed::Click(column.saturating_sub(1), line.saturating_sub(1)))
        }
        (Some([64, _, _]), b'M') => Meaning::key(plain(KeyCode::Up)),
        (Some([65, _, _]), b'M') => Meaning::key(plain(KeyCode::Down)),
        _ => Meaning::Nothing,
    }
}

fn final_byte(byte: u8) -> Option<KeyCode> {
    Some(match byte {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(byte - b'P' + 1),
        b'Z' => KeyCode::BackTab,
        _ => return None,
    })
}

fn numbered(number: u32) -> Option<KeyCode> {
    let function = |first: u32| u8::try_from(number - first).ok().map(KeyCode::F);
    match number {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        11..=15 => function(10),
        17..=21 => function(11),
        23 | 24 => function(12),
        _ => None,
    }
}
