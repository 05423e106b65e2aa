//! Keys that a terminal sends as the number of their character, because a program that asked for it has
//! crashed.

use super::parameters::Parameters;
use super::{KeyCode, KeyEvent, KeyModifiers};

/// A key of the kitty keyboard protocol. Its parameters are: the key (with the parts: key, the same with
/// Shift, the key in the same place of an English keyboard), the modifiers, and the text.
pub(super) fn key(code: u32, parameters: &Parameters, held: KeyModifiers) -> Option<KeyEvent> {
    if held.contains(KeyModifiers::CONTROL) {
        // With Greek or Cyrillic letters Ctrl-C is the key that has C on an English keyboard.
        let english = parameters.part(0, 2).filter(|_| code > 0x7f);
        return typed(english.unwrap_or(code), held);
    }
    let text = parameters.number(2);
    let shifted = parameters
        .part(0, 1)
        .filter(|_| held.contains(KeyModifiers::SHIFT));
    if let Some(written) = text.or(shifted) {
        return typed(written, held);
    }
    // On most keyboards Shift and a digit give another character, and the terminal has not said which.
    let is_digit = char::from_u32(code).is_some_and(|letter| letter.is_ascii_digit());
    if is_digit && held.contains(KeyModifiers::SHIFT) {
        return None;
    }
    typed(code, held)
}

/// The character that the key writes.
pub(super) fn typed(code: u32, held: KeyModifiers) -> Option<KeyEvent> {
    // The large numbers are keys of the number pad.
    let code = match code {
        9 if held.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
        9 => KeyCode::Tab,
        13 | 57_414 => KeyCode::Enter,
        27 => KeyCode::Esc,
        8 | 127 => KeyCode::Backspace,
        57_399..=57_408 => KeyCode::Char(char::from_digit(code - 57_399, 10)?),
        57_417 => KeyCode::Left,
        57_418 => KeyCode::Right,
        57_419 => KeyCode::Up,
        57_420 => KeyCode::Down,
        57_421 => KeyCode::PageUp,
        57_422 => KeyCode::PageDown,
        57_423 => KeyCode::Home,
        57_424 => KeyCode::End,
        // Other keys without a character, Shift itself among them.
        57_344..=63_743 => return None,
        _ => {
            let letter = char::from_u32(code).filter(|letter| !letter.is_control())?;
            KeyCode::Char(if held.contains(KeyModifiers::CONTROL) {
                letter.to_ascii_lowercase()
            } else if held.contains(KeyModifiers::SHIFT) {
                letter.to_ascii_uppercase()
            } else {
                letter
            })
        }
    };
    Some(KeyEvent::new(code, held))
}
