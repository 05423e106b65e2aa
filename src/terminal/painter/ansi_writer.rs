//! Cells as bytes: the shortest way to the place, the change of style, the character.

use std::borrow::Cow;
use std::io::Write;

use crossterm::cursor::{MoveRight, MoveTo};
use crossterm::queue;
use crossterm::style::{Attribute, SetAttribute};
use crossterm::terminal::{Clear, ClearType};
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr;

use crate::text::plain_text::plain_text;

/// What is seen of a space beside its background.
pub(super) const ON_SPACES: Modifier = Modifier::REVERSED
    .union(Modifier::UNDERLINED)
    .union(Modifier::CROSSED_OUT);

/// Where the cursor is and how it writes, as far as this frame has said so. Frames begin and end without
/// colours.
pub(super) struct AnsiWriter {
    at: Option<(u16, u16)>,
    style: Style,
}

/// How a cell is written that nobody has drawn on.
const PLAIN: Style = Style::new().fg(Color::Reset).bg(Color::Reset);

impl AnsiWriter {
    /// Somewhere.
    pub(super) const fn anywhere() -> Self {
        Self {
            at: None,
            style: PLAIN,
        }
    }

    /// At the beginning of a line.
    pub(super) const fn at_line(line: u16) -> Self {
        Self {
            at: Some((0, line)),
            style: PLAIN,
        }
    }

    /// Clears the screen, in no colour.
    pub(super) fn clear(bytes: &mut Vec<u8>) {
        // Here as below: writing to memory does not fail.
        let _ = queue!(bytes, SetAttribute(Attribute::Reset), Clear(ClearType::All));
    }

    /// Erases from a place to the end of its line (EL), with no background.
    pub(super) fn erase(&mut self, bytes: &mut Vec<u8>, (x, y): (u16, u16)) {
        self.go(bytes, x, y);
        if self.style.bg != PLAIN.bg || self.style.add_modifier.intersects(ON_SPACES) {
            self.set_style(bytes, PLAIN);
        }
        let _ = queue!(bytes, Clear(ClearType::UntilNewLine));
        self.at = Some((x, y));
    }

    /// Where the cursor is.
    pub(super) const fn at(&self) -> Option<(u16, u16)> {
        self.at
    }

    /// Draws unchanged cells on the way to the next changed one, if that is shorter than to step over them: a
    /// step takes 3 bytes at least.
    pub(super) fn fill_gap(&mut self, bytes: &mut Vec<u8>, cells: &[Cell]) {
        let short = (1..=3).contains(&cells.len());
        if short && cells.iter().all(|cell| self.writes(cell)) {
            for cell in cells {
                bytes.extend_from_slice(harmless(cell.symbol()).as_bytes());
            }
            self.at = self
                .at
                .map(|(x, y)| (x + u16::try_from(cells.len()).unwrap_or(0), y));
        }
    }

    /// Puts a cell where it belongs.
    pub(super) fn put(&mut self, bytes: &mut Vec<u8>, (x, y): (u16, u16), cell: &Cell) {
        self.go(bytes, x, y);
        // A blank is drawn as well with whatever is at hand.
        if !self.writes(cell) {
            self.set_style(bytes, cell.style());
        }
        let symbol = harmless(cell.symbol());
        bytes.extend_from_slice(symbol.as_bytes());
        let width = u16::try_from(symbol.width()).unwrap_or(1);
        self.at = Some((x + width, y));
    }

    /// Ends the frame.
    pub(super) fn finish(mut self, bytes: &mut Vec<u8>) {
        self.set_style(bytes, PLAIN);
    }

    /// Whether a cell written with the present style is as it should be, and one column wide.
    fn writes(&self, cell: &Cell) -> bool {
        let modifiers = self.style.add_modifier.union(cell.modifier);
        let blank =
            cell.symbol() == " " && Some(cell.bg) == self.style.bg && !modifiers.intersects(ON_SPACES);
        blank || (cell.style() == self.style && cell.symbol().width() == 1)
    }

    fn go(&mut self, bytes: &mut Vec<u8>, x: u16, y: u16) {
        let _ = match self.at {
            Some(at) if at == (x, y) => Ok(()),
            Some((from, line)) if line == y && from < x => match x - from {
                // `MoveRight(1)` is 4 bytes instead of 3.
                1 => write!(bytes, "\x1b[C"),
                right => queue!(bytes, MoveRight(right)),
            },
            // `MoveTo` always names the column, which is 2 bytes more.
            _ if x == 0 => write!(bytes, "\x1b[{}H", y + 1),
            _ => queue!(bytes, MoveTo(x, y)),
        };
    }

    /// Changes to another style by one sequence; back to none by the shortest. crossterm has a command for
    /// each attribute, and long numbers for the sixteen colours: bold and green are 7 bytes here and 13
    /// there, none is 3 and 4. Where `NO_COLOR` is set it leaves colours out, which is up to the views here.
    fn set_style(&mut self, bytes: &mut Vec<u8>, style: Style) {
        if style == self.style {
            return;
        }
        let mut codes: Vec<String> = Vec::new();
        let mut old = self.style;
        if !style.add_modifier.contains(old.add_modifier) || style == PLAIN {
            // Taking a modifier back one by one is longer, and older terminals do not know how.
            codes.push(String::new());
            old = PLAIN;
        }
        codes.extend(modifiers(style.add_modifier.difference(old.add_modifier)));
        for (new, old, base) in [(style.fg, old.fg, 30), (style.bg, old.bg, 40)] {
            codes.extend(new.filter(|_| new != old).map(|new| colour(new, base)));
        }
        let _ = write!(bytes, "\x1b[{}m", codes.join(";"));
        self.style = style;
    }
}

fn modifiers(wanted: Modifier) -> impl Iterator<Item = String> {
    let codes = [
        (Modifier::BOLD, 1),
        (Modifier::DIM, 2),
        (Modifier::ITALIC, 3),
        (Modifier::UNDERLINED, 4),
        (Modifier::SLOW_BLINK, 5),
        (Modifier::RAPID_BLINK, 6),
        (Modifier::REVERSED, 7),
        (Modifier::HIDDEN, 8),
        (Modifier::CROSSED_OUT, 9),
    ];
    codes
        .into_iter()
        .filter(move |(modifier, _)| wanted.contains(*modifier))
        .map(|(_, code)| code.to_string())
}

/// The codes of ECMA-48, 8.3.117, and for the bright half of the sixteen colours those that every terminal
/// has beside them. `base` is 30 for the foreground, 40 for the background.
fn colour(colour: Color, base: u8) -> String {
    let dark = |number: u8| (base + number).to_string();
    let bright = |number: u8| (base + 60 + number).to_string();
    match colour {
        Color::Reset => dark(9),
        Color::Black => dark(0),
        Color::Red => dark(1),
        Color::Green => dark(2),
        Color::Yellow => dark(3),
        Color::Blue => dark(4),
        Color::Magenta => dark(5),
        Color::Cyan => dark(6),
        Color::Gray => dark(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(number) => format!("{};5;{number}", base + 8),
        Color::Rgb(red, green, blue) => format!("{};2;{red};{green};{blue}", base + 8),
    }
}

/// Views make text from the network plain. Should one forget, it still does not reach the terminal.
fn harmless(symbol: &str) -> Cow<'_, str> {
    match plain_text(symbol) {
        Cow::Owned(plain) if plain.is_empty() => Cow::Borrowed(" "),
        plain => plain,
    }
}
