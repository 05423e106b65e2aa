//! What the terminal shows, and the bytes that turn it into what it should show.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Modifier};
use ratatui::text::Line;
use ratatui::widgets::Widget as _;

use super::ansi_writer::{AnsiWriter, ON_SPACES};
use super::scroll::Scroll;

/// What is on the screen, and the way to what will be. What goes to the terminal is decided here: ratatui's
/// own `Terminal` asks for the size and writes resets at each draw, and moves no lines.
pub struct FrameDiff {
    size: Size,
    shown: Vec<Row>,
    blank: Row,
    /// Whether the screen shows what `shown` says.
    is_true: bool,
}

/// A line, and the cells that it fills. Most lines are as they were, and to compare them is cheaper than to
/// draw them.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) line: Line<'static>,
    cells: Buffer,
}

/// The bytes that change a screen, and the rows that are new afterwards.
struct RowChanges {
    bytes: Vec<u8>,
    rows: Vec<(usize, Row)>,
}

impl Row {
    fn new(line: Line<'static>, width: u16) -> Self {
        let mut cells = Buffer::empty(Rect::new(0, 0, width, 1));
        (&line).render(cells.area, &mut cells);
        cells.content.iter_mut().for_each(forget_unseen_style);
        Self { line, cells }
    }
}

impl FrameDiff {
    /// A screen of which nothing is known.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let blank = Row::new(Line::default(), size.width);
        Self {
            size,
            shown: vec![blank.clone(); usize::from(size.height)],
            blank,
            is_true: false,
        }
    }

    /// The screen is not what it was believed to be: the next frame draws all of it, in this size.
    pub(super) fn distrust(&mut self, size: Size) {
        *self = Self::new(size);
    }

    /// The bytes that turn the screen into what `draw` gives, a line for each row; none if it shows that
    /// already.
    pub fn frame(&mut self, draw: impl FnOnce(Size) -> Vec<Line<'static>>) -> Vec<u8> {
        let mut wanted = draw(self.size);
        wanted.resize(self.shown.len(), Line::default());
        let mut bytes = Vec::new();
        if !std::mem::replace(&mut self.is_true, true) {
            AnsiWriter::clear(&mut bytes);
        }
        let mut change = self.change(AnsiWriter::anywhere(), None, &wanted);
        if let Some(scroll) = Scroll::between(&self.shown, &wanted) {
            let mut by_moving = Vec::new();
            let line = scroll.encode(&mut by_moving, self.size.height);
            let rest = self.change(AnsiWriter::at_line(line), Some(&scroll), &wanted);
            by_moving.extend(rest.bytes);
            if by_moving.len() < change.bytes.len() {
                scroll.apply(&mut self.shown, &self.blank);
                change = RowChanges {
                    bytes: by_moving,
                    rows: rest.rows,
                };
            }
        }
        for (number, row) in change.rows {
            self.shown[number] = row;
        }
        bytes.extend(change.bytes);
        bytes
    }

    /// The cells that differ from those of these lines, after the terminal has moved some, drawn: those of
    /// the writer's line first.
    fn change(
        &self,
        mut ansi_writer: AnsiWriter,
        scroll: Option<&Scroll>,
        wanted: &[Line<'static>],
    ) -> RowChanges {
        let mut bytes = Vec::new();
        let mut rows = Vec::new();
        let first = ansi_writer.at().map_or(0, |(_, number)| number);
        for number in (first..self.size.height).chain(0..first) {
            let place = usize::from(number);
            let origin = scroll.map_or(Some(place), |scroll| scroll.origin(place));
            let was = origin.map_or(&self.blank, |origin| &self.shown[origin]);
            if was.line != wanted[place] {
                let row = Row::new(wanted[place].clone(), self.size.width);
                change_row(&mut ansi_writer, &mut bytes, number, &was.cells, &row.cells);
                rows.push((place, row));
            }
        }
        ansi_writer.finish(&mut bytes);
        RowChanges { bytes, rows }
    }
}

/// Draws what differs in a row.
fn change_row(
    ansi_writer: &mut AnsiWriter,
    bytes: &mut Vec<u8>,
    number: u16,
    was: &Buffer,
    will_be: &Buffer,
) {
    let changes = was.diff(will_be);
    for (place, (x, _, cell)) in changes.iter().enumerate() {
        let rest = &will_be.content[usize::from(*x)..];
        // To erase takes as many bytes as three blanks.
        if changes.len() - place > 3 && rest.iter().all(is_blank) {
            ansi_writer.erase(bytes, (*x, number));
            break;
        }
        if let Some((from, _)) = ansi_writer.at().filter(|(from, at)| *at == number && *from < *x) {
            ansi_writer.fill_gap(bytes, &will_be.content[usize::from(from)..usize::from(*x)]);
        }
        ansi_writer.put(bytes, (*x, number), cell);
    }
}

/// Whether a cell is what a terminal leaves where it erases.
fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && cell.bg == Color::Reset && !cell.modifier.intersects(ON_SPACES)
}

/// A space shows no foreground: no reason to draw it, nor to change colours for it.
fn forget_unseen_style(cell: &mut Cell) {
    if cell.symbol() == " " && !cell.modifier.intersects(ON_SPACES) {
        cell.fg = Color::Reset;
        cell.modifier = Modifier::empty();
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;
    use ratatui::style::Style;

    const SIZE: Size = Size::new(80, 24);

    /// The bytes of each frame, where a frame is some green lines.
    fn frames(pictures: &[&[&str]]) -> Vec<Vec<u8>> {
        let mut frame_diff = FrameDiff::new(SIZE);
        let green = Style::new().fg(Color::Green);
        let draw = |lines: &&[&str]| {
            let lines = lines.iter().map(|line| Line::styled((*line).to_owned(), green));
            frame_diff.frame(|_| lines.collect())
        };
        pictures.iter().map(draw).collect()
    }

    /// What a terminal shows after these frames.
    fn seen(frames: &[Vec<u8>]) -> String {
        let cells = |length| NonZeroU16::new(length).expect("a terminal has cells");
        let mut terminal = vt100::Parser::new(cells(SIZE.height), cells(SIZE.width), 0);
        for frame in frames {
            terminal.process(frame);
        }
        terminal.screen().contents().trim_end().to_owned()
    }

    #[test]
    fn the_same_picture_is_no_bytes() {
        let frames = frames(&[&["Sensor 1  OK"], &["Sensor 1  OK"]]);
        assert!(!frames[0].is_empty() && frames[1].is_empty());
    }

    #[test]
    fn a_changed_row_is_few_bytes() {
        let frames = frames(&[
            &["Sensor 1  OK  CONFIRMED  since 11:58:03"],
            &["Sensor 1  KO  SENDING    since 12:04:12"],
        ]);
        assert!(
            frames[1].len() < 60,
            "{} bytes: {}",
            frames[1].len(),
            frames[1].escape_ascii()
        );
    }

    #[test]
    fn a_new_line_on_top_of_a_list_moves_the_list_and_draws_the_line() {
        let before = ["title", "one of five", "two", "three", "four", "keys"];
        let after = ["title", "something new", "one of five", "two", "three", "keys"];
        let frames = frames(&[&before, &after]);
        assert_eq!(seen(&frames), after.join("\n"));
        assert!(
            frames[1].len() < 60,
            "{} bytes: {}",
            frames[1].len(),
            frames[1].escape_ascii()
        );
    }

    #[test]
    fn a_list_that_moves_up_is_moved_too() {
        let before = ["title", "one", "two", "three", "four", "five", "keys"];
        let after = ["title", "three", "four", "five", "six", "seven", "keys"];
        let frames = frames(&[&before, &after]);
        assert_eq!(seen(&frames), after.join("\n"));
    }

    #[test]
    fn what_a_view_forgot_to_make_plain_is_made_plain_here() {
        let frames = frames(&[&["a\u{200d}b\u{202e}c"]]);
        let text = String::from_utf8_lossy(&frames[0]);
        assert!(
            !text.contains(['\u{200d}', '\u{202e}']) && text.contains("bc"),
            "{text:?}"
        );
    }

    #[test]
    fn any_picture_after_any_other_is_what_the_terminal_shows() {
        // A small generator, so that a failure names its seed: Knuth's MMIX.
        for seed in 0..200_u64 {
            let mut state = seed;
            let mut next = |below: u64| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % below
            };
            let words = ["", "one", "two two", "sensor 3  OK → KO", "four"];
            let mut lines: Vec<&str> = (0..12)
                .map(|_| words[usize::try_from(next(5)).unwrap()])
                .collect();
            let mut pictures = Vec::new();
            for _ in 0..6 {
                let at = usize::try_from(next(6)).unwrap();
                if next(2) == 0 {
                    lines.insert(at, words[usize::try_from(next(5)).unwrap()]);
                } else {
                    lines.remove(at);
                }
                pictures.push(lines.clone());
            }
            let borrowed: Vec<&[&str]> = pictures.iter().map(Vec::as_slice).collect();
            let expected = borrowed[borrowed.len() - 1].join("\n");
            let sent = frames(&borrowed);
            let trimmed = |text: &str| {
                text.lines()
                    .map(str::trim_end)
                    .collect::<Vec<_>>()
                    .join("\n")
                    .trim_end()
                    .to_owned()
            };
            assert_eq!(trimmed(&seen(&sent)), trimmed(&expected), "seed {seed}");
        }
    }
}
