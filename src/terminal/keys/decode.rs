//! From bytes to keys: the small part of what terminals send that a keyboard needs.
//!
//! A key that nobody pressed toggles a sensor on every screen, so there are four rules:
//!
//! 1. A sequence that has begun stays one until it ends, however long the pause in it. An ESC alone counts as
//!    the Esc key after a moment; a `[5~` that comes later still belongs to it and is not typed.
//! 2. Text between the marks of a paste is dropped.
//! 3. More than [`FINGERS`] letters in one read are a paste without marks, because no person types so fast.
//!    They are dropped, and so are letters in the second after them.
//! 4. Nothing locks the keyboard. Esc and Ctrl-C end whatever is unfinished; a paste also ends with any other
//!    key that is not text. The same key pressed twice gets through in any case: no machine sends one byte
//!    alone, makes a pause, and sends the same byte alone again.
//!
//! It reads no clock: the caller says with each read how long nothing had come before it.
//!
//! The names of keys are crossterm's. Its reader spins at full speed on a terminal that is gone, and cannot
//! be given bytes. The parsers of other crates can, and break rule 1: after a pause in the middle of a
//! sequence the next key is lost after 12,926 (termina 0.4) or 46,976 (termwiz 0.23) of the 65,536 beginnings
//! of two bytes, here after none; and they make digits out of what terminals answer to questions.

mod parameters;
mod sequence;
mod unicode;

use std::time::Duration;

pub use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

const ESC: u8 = 0x1b;
const BELL: u8 = 0x07;
const CANCEL: [u8; 3] = [0x03, 0x18, 0x1a];
/// A longer sequence means nothing, but still lasts until its end.
const LONGEST: usize = 64;
/// A person's keys may come together over a slow link, up to this many.
const FINGERS: usize = 3;
/// Letters that follow a paste without marks this soon may be the end of it.
const AFTERMATH: Duration = Duration::from_secs(1);
/// A byte that comes alone after a pause of this length may be a key that a person pressed.
const FINGER: Duration = Duration::from_millis(200);

/// What has been done on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    Key(KeyEvent),
    /// The left button was pressed at this column and line, from 0.
    Click(u16, u16),
}

/// What some bytes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// A key that a pasted text could hold as well.
    Text(KeyEvent),
    /// A key or click that no text holds.
    Typed(Typed),
    PasteBegin,
    PasteEnd,
    Nothing,
}

impl Meaning {
    const fn key(key: KeyEvent) -> Self {
        Self::Typed(Typed::Key(key))
    }
}

/// Where in a sequence the bytes so far have led.
#[derive(Debug, Default)]
enum DecoderState {
    #[default]
    Ground,
    Escape(Escape),
    /// `ESC [` or `ESC O` and what came after it.
    Sequence(Introducer, Vec<u8>),
    /// `ESC [ [`: the Linux console sends one more byte, for F1 to F5.
    Console,
    /// `ESC [ M`: so many bytes of a mouse report are still to come, each of any value.
    Report(u8),
    /// An answer of the terminal, up to BEL or `ESC \`. If it began with a control of one byte, such a
    /// control ends it too.
    String {
        eight_bit: bool,
    },
    /// The beginning of a character of several bytes.
    Character(Vec<u8>),
}

/// What an ESC means if nothing follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    /// The Esc key.
    Key,
    /// The end of something unfinished, and no key.
    Ends,
    /// It has been taken for one of these already.
    Taken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Introducer {
    Csi,
    Ss3,
}

/// Turns bytes into keys as they come.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    state: DecoderState,
    pasting: bool,
    /// How long ago a paste without marks came.
    burst: Option<Duration>,
    /// The byte that came alone while something was unfinished.
    knock: Option<u8>,
}

impl Decoder {
    /// Takes the bytes of one read, before which nothing came for as long as `pause`; gives the keys that are
    /// complete.
    pub(super) fn feed(&mut self, pause: Duration, bytes: &[u8]) -> Vec<Typed> {
        self.burst = self
            .burst
            .map(|ago| ago.saturating_add(pause))
            .filter(|ago| *ago < AFTERMATH);
        if self.is_second_knock(pause, bytes) {
            self.forget();
        }
        let begins_whole = matches!(self.state, DecoderState::Ground);
        let (mut typed, mut pasted) = (Vec::new(), Vec::new());
        for &byte in bytes {
            let mut meanings = Vec::with_capacity(2);
            self.step(byte, &mut meanings);
            for meaning in meanings {
                match meaning {
                    Meaning::PasteBegin => self.pasting = true,
                    Meaning::PasteEnd => self.pasting = false,
                    Meaning::Nothing => {}
                    _ if self.pasting => pasted.push(meaning),
                    _ => typed.push(meaning),
                }
            }
        }
        // A read that is one key and nothing else, and no text, is not of the paste.
        if self.pasting && begins_whole && typed.is_empty() && matches!(pasted[..], [Meaning::Typed(_)]) {
            self.pasting = false;
            typed = pasted;
        }
        self.without_burst(&typed)
    }

    /// Drops the text if it is more than fingers type, or comes right after such.
    fn without_burst(&mut self, typed: &[Meaning]) -> Vec<Typed> {
        let is_text = |meaning: &&Meaning| matches!(meaning, Meaning::Text(_));
        if typed.iter().filter(is_text).count() > FINGERS {
            self.burst = Some(Duration::ZERO);
        }
        let counts = |meaning: &Meaning| match meaning {
            Meaning::Text(key) if self.burst.is_none() => Some(Typed::Key(*key)),
            Meaning::Typed(typed) => Some(*typed),
            _ => None,
        };
        typed.iter().filter_map(counts).collect()
    }

    /// Whether an ESC waits for what follows it. If nothing does for a moment, [`Self::silence`] is to be
    /// called.
    pub(super) const fn awaits_silence(&self) -> bool {
        matches!(self.state, DecoderState::Escape(Escape::Key | Escape::Ends))
    }

    /// Nothing has come for a moment: an ESC was the Esc key. What follows it later may still make a sequence
    /// of it.
    pub(super) fn silence(&mut self) -> Option<Typed> {
        let DecoderState::Escape(escape @ (Escape::Key | Escape::Ends)) = self.state else {
            return None;
        };
        self.state = DecoderState::Escape(Escape::Taken);
        let was_pasting = std::mem::take(&mut self.pasting);
        (escape == Escape::Key && !was_pasting).then_some(Typed::Key(plain(KeyCode::Esc)))
    }

    /// Whether a key may be lost in something that has begun and not ended.
    const fn is_unfinished(&self) -> bool {
        let in_sequence = matches!(
            self.state,
            DecoderState::Sequence(..)
                | DecoderState::Console
                | DecoderState::Report(_)
                | DecoderState::String { .. }
        );
        in_sequence || self.pasting || self.burst.is_some()
    }

    /// Whether the same key has been pressed twice while something was unfinished.
    fn is_second_knock(&mut self, pause: Duration, bytes: &[u8]) -> bool {
        let alone = match *bytes {
            [byte] if pause >= FINGER && self.is_unfinished() => Some(byte),
            _ => None,
        };
        let before = std::mem::replace(&mut self.knock, alone);
        alone.is_some() && alone == before
    }

    fn forget(&mut self) {
        *self = Self::default();
    }

    fn step(&mut self, byte: u8, found: &mut Vec<Meaning>) {
        match std::mem::take(&mut self.state) {
            DecoderState::Ground => self.ground(byte, found),
            DecoderState::Escape(escape) => self.escape(escape, byte, found),
            DecoderState::Character(begun) => self.character(begun, byte, found),
            // In the middle of anything, ESC begins anew.
            _ if byte == ESC => self.state = DecoderState::Escape(Escape::Ends),
            DecoderState::Sequence(introducer, body) => self.sequence(introducer, body, byte, found),
            DecoderState::Console if byte >= b' ' => found.push(sequence::console(byte)),
            DecoderState::Report(left) if byte >= b' ' || byte == 0 => {
                if left > 1 {
                    self.state = DecoderState::Report(left - 1);
                }
            }
            DecoderState::String { eight_bit } if !CANCEL.contains(&byte) => {
                if byte != BELL && !(eight_bit && byte == 0x9c) {
                    self.state = DecoderState::String { eight_bit };
                }
            }
            // A control key in the middle of something.
            DecoderState::Console | DecoderState::Report(_) | DecoderState::String { .. } => {
                self.ground(byte, found);
            }
        }
    }

    fn ground(&mut self, byte: u8, found: &mut Vec<Meaning>) {
        match byte {
            ESC => self.state = DecoderState::Escape(Escape::Key),
            0..=0x7f => found.push(ascii(byte)),
            0x80..=0x9f => self.eight_bit(byte),
            _ => self.state = DecoderState::Character(vec![byte]),
        }
    }

    /// Controls of one byte, which stand for ESC and a letter.
    fn eight_bit(&mut self, byte: u8) {
        self.state = match byte {
            0x9b => DecoderState::Sequence(Introducer::Csi, Vec::new()),
            0x8f => DecoderState::Sequence(Introducer::Ss3, Vec::new()),
            0x90 | 0x98 | 0x9d..=0x9f => DecoderState::String { eight_bit: true },
            _ => DecoderState::Ground,
        };
    }

    fn escape(&mut self, escape: Escape, byte: u8, found: &mut Vec<Meaning>) {
        match byte {
            b'[' => self.state = DecoderState::Sequence(Introducer::Csi, Vec::new()),
            b'O' => self.state = DecoderState::Sequence(Introducer::Ss3, Vec::new()),
            b']' | b'P' | b'_' | b'^' | b'X' => self.state = DecoderState::String { eight_bit: false },
            // The end of a string.
            b'\\' => {}
            ESC => {
                if escape == Escape::Key {
                    found.push(Meaning::key(plain(KeyCode::Esc)));
                }
                self.state = DecoderState::Escape(Escape::Key);
            }
            _ => {
                self.ground(byte, found);
                if escape != Escape::Taken
                    && let Some(Meaning::Text(key) | Meaning::Typed(Typed::Key(key))) = found.last_mut()
                {
                    key.modifiers |= KeyModifiers::ALT;
                }
            }
        }
    }

    fn sequence(&mut self, introducer: Introducer, mut body: Vec<u8>, byte: u8, found: &mut Vec<Meaning>) {
        let only_digits = !body.is_empty() && body.iter().all(u8::is_ascii_digit);
        match byte {
            // rxvt ends the keys that are pressed with Shift so; everywhere else it is in the middle.
            b'$' if only_digits => found.push(sequence::meaning(introducer, &body, b'~')),
            // No parameter stands there: this begins something else.
            b'0'..=b'?' if body.last().is_some_and(|last| *last < b'0') => self.ground(byte, found),
            b' '..=b'?' => {
                if body.len() < LONGEST {
                    body.push(byte);
                }
                self.state = DecoderState::Sequence(introducer, body);
            }
            b'[' if introducer == Introducer::Csi && body.is_empty() => self.state = DecoderState::Console,
            b'M' if introducer == Introducer::Csi && body.is_empty() => self.state = DecoderState::Report(3),
            b'@'..=b'~' => {
                if body.len() < LONGEST {
                    found.push(sequence::meaning(introducer, &body, byte));
                }
            }
            _ => self.ground(byte, found),
        }
    }

    /// One more byte of a character. Bytes that are none are dropped.
    fn character(&mut self, mut begun: Vec<u8>, byte: u8, found: &mut Vec<Meaning>) {
        if !(0x80..0xc0).contains(&byte) {
            self.ground(byte, found);
            return;
        }
        begun.push(byte);
        match std::str::from_utf8(&begun) {
            Ok(text) => match text.chars().next() {
                Some(control @ '\u{80}'..='\u{9f}') => self.eight_bit(u8::try_from(control).unwrap_or(0x80)),
                Some(letter) => found.push(Meaning::Text(plain(KeyCode::Char(letter)))),
                None => {}
            },
            Err(error) if error.error_len().is_none() => self.state = DecoderState::Character(begun),
            Err(_) => {}
        }
    }
}

const fn plain(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn ascii(byte: u8) -> Meaning {
    let control = |letter: u8| {
        let code = KeyCode::Char(char::from(letter));
        Meaning::key(KeyEvent::new(code, KeyModifiers::CONTROL))
    };
    match byte {
        b'\r' | b'\n' => Meaning::Text(plain(KeyCode::Enter)),
        b'\t' => Meaning::Text(plain(KeyCode::Tab)),
        0x7f | 0x08 => Meaning::Text(plain(KeyCode::Backspace)),
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
            Meaning::Text(KeyEvent::new(KeyCode::Char(letter), shift))
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
