//! ratatui's crossterm backend, with what it sends for nothing taken out, and a last look at what goes out.
//!
//! As it comes, every draw asks for the size of the window, hides the cursor and resets all colours, changed or not.

use std::borrow::Cow;
use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::rc::Rc;

use ratatui::backend::{Backend as RatatuiBackend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

use crate::app::plain_text::plain_text;

/// Where a frame is collected, to go out in one `write(2)`.
#[derive(Clone, Default)]
pub(super) struct Bytes(Rc<RefCell<Vec<u8>>>);

impl Bytes {
    pub(super) fn take(&self) -> Vec<u8> {
        self.0.take()
    }
}

impl io::Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Encodes cells. Nothing here touches the terminal, so nothing can fail: memory takes every byte.
pub(super) struct Backend {
    encoder: CrosstermBackend<Bytes>,
    /// Asked of the terminal when it changes, not at each draw.
    pub(super) size: Size,
    cursor: Option<Position>,
}

impl Backend {
    pub(super) fn new(bytes: Bytes, size: Size) -> Self {
        Self {
            encoder: CrosstermBackend::new(bytes),
            size,
            cursor: None,
        }
    }
}

impl RatatuiBackend for Backend {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let cells: Vec<_> = content.map(|(x, y, cell)| (x, y, harmless(cell))).collect();
        if !cells.is_empty() {
            let _ = self
                .encoder
                .draw(cells.iter().map(|(x, y, cell)| (*x, *y, &**cell)));
        }
        Ok(())
    }

    /// The cursor is hidden with the entry to the screen; this takes back a [`Self::show_cursor`] only.
    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        if self.cursor.take().is_some() {
            let _ = self.encoder.hide_cursor();
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        if self.cursor.is_none() {
            self.cursor = Some(Position::ORIGIN);
            let _ = self.encoder.show_cursor();
        }
        Ok(())
    }

    /// Known here; asking the terminal means to wait for its answer among the keys.
    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        Ok(self.cursor.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        let position = position.into();
        self.cursor = self.cursor.map(|_| position);
        let _ = self.encoder.set_cursor_position(position);
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> Result<(), Infallible> {
        let _ = self.encoder.clear_region(region);
        Ok(())
    }

    fn size(&self) -> Result<Size, Infallible> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        Ok(WindowSize {
            columns_rows: self.size,
            pixels: Size::ZERO,
        })
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Views make text from the network plain. Should one forget, it still does not reach the terminal.
fn harmless(cell: &Cell) -> Cow<'_, Cell> {
    match plain_text(cell.symbol()) {
        Cow::Borrowed(_) => Cow::Borrowed(cell),
        Cow::Owned(symbol) => {
            let mut cell = cell.clone();
            cell.set_symbol(if symbol.is_empty() { " " } else { &symbol });
            Cow::Owned(cell)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::style::{Color, Style};
    use ratatui::text::Line;

    fn bytes_of(texts: &[&str]) -> Vec<Vec<u8>> {
        let bytes = Bytes::default();
        let Ok(mut terminal) = Terminal::new(Backend::new(bytes.clone(), Size::new(80, 24)));
        let mut draw = |text: &&str| {
            let line = Line::styled(*text, Style::new().fg(Color::Green));
            let Ok(_) = terminal.draw(|frame| frame.render_widget(line, frame.area()));
            bytes.take()
        };
        texts.iter().map(&mut draw).collect()
    }

    #[test]
    fn the_same_picture_is_no_bytes() {
        let frames = bytes_of(&["Sensor 1  OK", "Sensor 1  OK"]);
        assert!(!frames[0].is_empty() && frames[1].is_empty());
    }

    #[test]
    fn a_changed_row_is_few_bytes() {
        let frames = bytes_of(&[
            "Sensor 1  OK  CONFIRMED  since 11:58:03",
            "Sensor 1  KO  SENDING    since 12:04:12",
        ]);
        assert!(
            frames[1].len() < 150,
            "{} bytes: {}",
            frames[1].len(),
            frames[1].escape_ascii()
        );
    }

    #[test]
    fn what_a_view_forgot_to_make_plain_is_made_plain_here() {
        let frames = bytes_of(&["a\u{200d}b\u{202e}c"]);
        let text = String::from_utf8_lossy(&frames[0]);
        assert!(
            !text.contains(['\u{200d}', '\u{202e}']) && text.contains("bc"),
            "{text:?}"
        );
    }
}
