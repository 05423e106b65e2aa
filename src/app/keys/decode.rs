//! From bytes to keys: the small part of what terminals send that a keyboard needs. Total, and never waiting for a rest that does not come.
//!
//! crossterm's own reader spins at full speed on a terminal that is gone, and cannot be given bytes; its names for keys are good.

pub use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

const ESC: u8 = 0x1b;
const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";
/// No key is longer. What is, is no key.
const LONGEST: usize = 64;

/// What has been done on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    Key(KeyEvent),
    /// The left button was pressed at this column and line, from 0.
    Click(u16, u16),
}

/// Turns bytes into keys as they come. Pasted text and answers to questions that nobody here asked are dropped: their digits must
/// not toggle anything.
#[derive(Default)]
pub(super) struct Decoder {
    pending: Vec<u8>,
    pasting: bool,
}

/// What the first bytes of those pending are.
enum Piece {
    Key(usize, KeyEvent),
    Click(usize, u16, u16),
    Ignored(usize),
    Paste,
    Incomplete,
}

impl Decoder {
    /// Takes bytes and gives the keys that are complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Typed> {
        let mut keys = Vec::new();
        self.pending.extend_from_slice(bytes);
        loop {
            if self.pasting && !self.skip_paste() {
                return keys;
            }
            match piece(&self.pending) {
                Piece::Key(length, key) => {
                    keys.push(Typed::Key(key));
                    self.pending.drain(..length);
                }
                Piece::Click(length, column, line) => {
                    keys.push(Typed::Click(column, line));
                    self.pending.drain(..length);
                }
                Piece::Ignored(length) => drop(self.pending.drain(..length)),
                Piece::Paste => {
                    self.pending.drain(..PASTE_BEGIN.len());
                    self.pasting = true;
                }
                Piece::Incomplete => return keys,
            }
        }
    }

    /// Drops pasted text; `true` once its end has come.
    fn skip_paste(&mut self) -> bool {
        let end = self
            .pending
            .windows(PASTE_END.len())
            .position(|window| window == PASTE_END);
        let done = end.map_or_else(
            || self.pending.len().saturating_sub(PASTE_END.len()),
            |at| at + PASTE_END.len(),
        );
        self.pending.drain(..done);
        self.pasting = end.is_none();
        !self.pasting
    }

    /// Whether something has begun that is not yet a key.
    pub(super) fn is_waiting(&self) -> bool {
        self.pasting || !self.pending.is_empty()
    }

    /// Whether the end of pasted text is what it waits for.
    pub(super) fn in_paste(&self) -> bool {
        self.pasting
    }

    /// Nothing has come for a while: an Esc was the Esc key, and half a sequence is none.
    pub(super) fn give_up(&mut self) -> Vec<Typed> {
        self.pasting = false;
        let pending = std::mem::take(&mut self.pending);
        match pending[..] {
            [ESC] => vec![Typed::Key(plain(KeyCode::Esc))],
            [ESC, byte] if byte.is_ascii_graphic() => {
                let letter = KeyCode::Char(char::from(byte));
                vec![Typed::Key(KeyEvent::new(letter, KeyModifiers::ALT))]
            }
            _ => Vec::new(),
        }
    }
}

fn plain(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn control(letter: u8) -> KeyEvent {
    KeyEvent::new(KeyCode::Char(char::from(letter)), KeyModifiers::CONTROL)
}

fn piece(bytes: &[u8]) -> Piece {
    match *bytes {
        [] | [ESC] => Piece::Incomplete,
        [ESC, b'[', ref rest @ ..] => control_sequence(bytes, rest),
        [ESC, b'O', ref rest @ ..] => match rest.first() {
            None => Piece::Incomplete,
            Some(b'M') => named(3, Some(KeyCode::Enter), KeyModifiers::NONE),
            Some(&last) => named(3, final_byte(last), KeyModifiers::NONE),
        },
        [ESC, b']' | b'P' | b'_' | b'^' | b'X', ref rest @ ..] => string(rest),
        [ESC, ESC, ..] => Piece::Key(1, plain(KeyCode::Esc)),
        [ESC, ref rest @ ..] => match piece(rest) {
            Piece::Key(length, mut key) => {
                key.modifiers |= KeyModifiers::ALT;
                Piece::Key(length + 1, key)
            }
            other => other,
        },
        [byte, ..] if byte.is_ascii() => Piece::Key(1, ascii(byte)),
        _ => character(bytes),
    }
}

fn ascii(byte: u8) -> KeyEvent {
    match byte {
        b'\r' | b'\n' => plain(KeyCode::Enter),
        b'\t' => plain(KeyCode::Tab),
        0x7f | 0x08 => plain(KeyCode::Backspace),
        0 => control(b' '),
        1..=0x1a => control(byte - 1 + b'a'),
        0x1b..=0x1f => control(byte - 0x1b + b'3'),
        _ => {
            let letter = char::from(byte);
            let shift = if letter.is_ascii_uppercase() {
                KeyModifiers::SHIFT
            } else {
                KeyModifiers::NONE
            };
            KeyEvent::new(KeyCode::Char(letter), shift)
        }
    }
}

/// A character of several bytes; those that are none are dropped.
fn character(bytes: &[u8]) -> Piece {
    let first = &bytes[..bytes.len().min(4)];
    let (valid, bad) = match std::str::from_utf8(first) {
        Ok(text) => (text, None),
        Err(error) => (
            std::str::from_utf8(&first[..error.valid_up_to()]).unwrap_or_default(),
            Some(error),
        ),
    };
    match (valid.chars().next(), bad.map(|error| error.error_len())) {
        (Some(letter), _) => Piece::Key(letter.len_utf8(), plain(KeyCode::Char(letter))),
        (None, Some(Some(length))) => Piece::Ignored(length),
        (None, _) => Piece::Incomplete,
    }
}

/// `rest` of an operating system command or the like: up to BEL or ESC \.
fn string(rest: &[u8]) -> Piece {
    let bell = rest.iter().position(|&byte| byte == 0x07).map(|at| at + 1);
    let terminator = rest
        .windows(2)
        .position(|window| window == b"\x1b\\")
        .map(|at| at + 2);
    match bell.into_iter().chain(terminator).min() {
        Some(length) => Piece::Ignored(length + 2),
        None if rest.len() > 16 * LONGEST => Piece::Ignored(rest.len() + 2),
        None => Piece::Incomplete,
    }
}

/// `rest` of what begins with ESC [.
fn control_sequence(bytes: &[u8], rest: &[u8]) -> Piece {
    if bytes.starts_with(PASTE_BEGIN) {
        return Piece::Paste;
    }
    // The Linux console sends ESC [ [ A … E for F1 … F5, and old mouse reports have three bytes after ESC [ M.
    match *rest {
        [b'[', letter @ b'A'..=b'E', ..] => return Piece::Key(4, plain(KeyCode::F(letter - b'A' + 1))),
        [b'['] => return Piece::Incomplete,
        [b'M', ref report @ ..] if report.len() < 3 => return Piece::Incomplete,
        [b'M', ..] => return Piece::Ignored(6),
        _ => {}
    }
    let Some(end) = rest.iter().position(|byte| !(0x20..0x40).contains(byte)) else {
        return if rest.len() > LONGEST {
            Piece::Ignored(bytes.len())
        } else {
            Piece::Incomplete
        };
    };
    if !(0x40..0x7f).contains(&rest[end]) {
        // Cut off by something else: that begins anew.
        return Piece::Ignored(end + 2);
    }
    if rest[0] == b'<' {
        return mouse(end + 3, &rest[1..end], rest[end]);
    }
    let mut numbers = rest[..end].split(|&byte| byte == b';').map(number);
    let (first, second) = (numbers.next().flatten(), numbers.next().flatten());
    let code = match rest[end] {
        b'~' => first.and_then(numbered),
        last => final_byte(last),
    };
    named(end + 3, code, second.map_or(KeyModifiers::NONE, modifiers))
}

/// A report of the mouse, as mode 1006 has it: button, column and line, from 1. The wheel moves as the arrow keys do.
fn mouse(length: usize, report: &[u8], last: u8) -> Piece {
    let numbers: Option<Vec<u16>> = report
        .split(|&byte| byte == b';')
        .map(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
        .collect();
    match (numbers.as_deref(), last) {
        (Some(&[0, column, line]), b'M') => {
            Piece::Click(length, column.saturating_sub(1), line.saturating_sub(1))
        }
        (Some([64, _, _]), b'M') => Piece::Key(length, plain(KeyCode::Up)),
        (Some([65, _, _]), b'M') => Piece::Key(length, plain(KeyCode::Down)),
        _ => Piece::Ignored(length),
    }
}

fn named(length: usize, code: Option<KeyCode>, modifiers: KeyModifiers) -> Piece {
    code.map_or(Piece::Ignored(length), |code| {
        Piece::Key(length, KeyEvent::new(code, modifiers))
    })
}

fn number(digits: &[u8]) -> Option<u8> {
    std::str::from_utf8(digits).ok()?.parse().ok()
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

fn numbered(number: u8) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(number - 10),
        17..=21 => KeyCode::F(number - 11),
        23 | 24 => KeyCode::F(number - 12),
        _ => return None,
    })
}

/// Terminals send one more than the sum of 1 for Shift, 2 for Alt, 4 for Ctrl.
fn modifiers(sent: u8) -> KeyModifiers {
    let mask = sent.saturating_sub(1);
    let held = [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
    ];
    held.into_iter()
        .filter(|(bit, _)| mask & bit != 0)
        .map(|(_, modifier)| modifier)
        .collect()
}

#[cfg(test)]
mod tests;
