//! What the terminal shows, and the bytes that turn it into what it should show.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::{Color, Modifier};

use super::ansi_writer::{AnsiWriter, ON_SPACES};
use super::scroll::{Scroll, row};

/// What is on the screen, and what will be. Widgets draw into memory, and what goes to the terminal is
/// decided here: ratatui's own `Terminal` asks for the size and writes resets at each draw, and moves no
/// lines.
pub struct FrameDiff {
    shown: Buffer,
    wanted: Buffer,
    /// Whether the screen shows what `shown` says.
    is_true: bool,
}

impl FrameDiff {
    /// A screen of which nothing is known.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let blank = Buffer::empty(Rect::from((Position::ORIGIN, size)));
        Self {
            shown: blank.clone(),
            wanted: blank,
            is_true: false,
        }
    }

    /// The screen is not what it was believed to be: the next frame draws all of it, in this size.
    pub(super) fn distrust(&mut self, size: Size) {
        *self = Self::new(size);
    }

    /// The bytes that turn the screen into what `draw` draws; none if it shows that already.
    pub fn frame(&mut self, draw: impl FnOnce(&mut Buffer)) -> Vec<u8> {
        self.wanted.reset();
        draw(&mut self.wanted);
        self.wanted.content.iter_mut().for_each(forget_unseen_style);
        let mut bytes = Vec::new();
        if !self.is_true {
            AnsiWriter::clear(&mut bytes);
        }
        let drawn = cells(AnsiWriter::anywhere(), &self.shown, &self.wanted);
        let moved = Scroll::between(&self.shown, &self.wanted).map(|scroll| {
            let mut moved = Vec::new();
            let line = scroll.encode(&mut moved, self.wanted.area.height);
            scroll.apply(&mut self.shown);
            moved.extend(cells(AnsiWriter::at_line(line), &self.shown, &self.wanted));
            moved
        });
        bytes.extend(match moved {
            Some(moved) if moved.len() < drawn.len() => moved,
            _ => drawn,
        });
        std::mem::swap(&mut self.shown, &mut self.wanted);
        self.is_true = true;
        bytes
    }
}

/// The cells that differ, drawn: those of the writer's line first. Most lines are as they were, and to
/// compare them is cheaper than to look for what differs in them.
fn cells(mut ansi_writer: AnsiWriter, shown: &Buffer, wanted: &Buffer) -> Vec<u8> {
    let mut bytes = Vec::new();
    let first = ansi_writer.at().map_or(0, |(_, line)| line);
    let lines = (first..wanted.area.height).chain(0..first);
    for line in lines.filter(|line| row(shown, usize::from(*line)) != row(wanted, usize::from(*line))) {
        let [was, will_be] = [shown, wanted].map(|buffer| one_line(buffer, line));
        let changes = was.diff(&will_be);
        for (place, (x, _, cell)) in changes.iter().enumerate() {
            let rest = &will_be.content[usize::from(*x)..];
            // To erase takes as many bytes as three blanks.
            if changes.len() - place > 3 && rest.iter().all(is_blank) {
                ansi_writer.erase(&mut bytes, (*x, line));
                break;
            }
            if let Some((from, _)) = ansi_writer.at().filter(|(from, at)| *at == line && *from < *x) {
                ansi_writer.fill_gap(&mut bytes, &will_be.content[usize::from(from)..usize::from(*x)]);
            }
            ansi_writer.put(&mut bytes, (*x, line), cell);
        }
    }
    ansi_writer.finish(&mut bytes);
    bytes
}

fn one_line(buffer: &Buffer, line: u16) -> Buffer {
    Buffer {
        area: Rect::new(0, line, buffer.area.width, 1),
        content: row(buffer, usize::from(line)).to_vec(),
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
    use ratatui::text::{Line, Text};
    use ratatui::widgets::Widget as _;

    const SIZE: Size = Size::new(80, 24);

    /// The bytes of each frame, where a frame is some green lines.
    fn frames(pictures: &[&[&str]]) -> Vec<Vec<u8>> {
        let mut frame_diff = FrameDiff::new(SIZE);
        let green = Style::new().fg(Color::Green);
        let draw = |lines: &&[&str]| {
            let text: Text<'_> = lines.iter().map(|line| Line::styled(*line, green)).collect();
            frame_diff.frame(|buffer| text.render(buffer.area, buffer))
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
