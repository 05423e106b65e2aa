//! Lines that have moved: a terminal moves them itself, for a few bytes.

use std::io::Write;
use std::ops::Range;

use ratatui::buffer::{Buffer, Cell};

/// Moves of more lines than this are drawn.
const FURTHEST: usize = 4;

/// Fewer changed cells than this are cheaper to draw than to move.
const WORTHWHILE: usize = 12;

/// Some lines of the screen move down, or up, within a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scroll {
    region: Range<usize>,
    by: usize,
    down: bool,
}

impl Scroll {
    /// The move that saves most cells, if one may be worth its bytes: whether it is, shows when both ways are
    /// written out.
    pub(super) fn between(shown: &Buffer, wanted: &Buffer) -> Option<Self> {
        if shown.area != wanted.area {
            return None;
        }
        let candidates = (1..=FURTHEST).flat_map(|by| [(by, true), (by, false)]);
        candidates
            .flat_map(|(by, down)| moves(shown, wanted, by, down))
            .max_by_key(|(saved, _)| *saved)
            .filter(|(saved, _)| *saved >= WORTHWHILE)
            .map(|(_, scroll)| scroll)
    }

    /// Lines deleted at one end of the region (DL), and as many inserted at the other (IL): what is below it
    /// ends where it was. crossterm has no command for either; its `ScrollUp` and `ScrollDown` move the whole
    /// screen. Gives the first line that was inserted, at whose beginning the cursor is.
    pub(super) fn encode(&self, bytes: &mut Vec<u8>, height: u16) -> u16 {
        let line = |line: usize| u16::try_from(line).unwrap_or(u16::MAX);
        let (top, last) = (line(self.region.start), line(self.region.end - self.by));
        let (deleted, inserted) = if self.down { (last, top) } else { (top, last) };
        let by = if self.by == 1 {
            String::new()
        } else {
            self.by.to_string()
        };
        // What is moved over the edge of the screen needs no deleting. Writing to memory does not fail.
        if !self.down || self.region.end < usize::from(height) {
            let _ = write!(bytes, "\x1b[{}H\x1b[{by}M", deleted + 1);
        }
        let _ = write!(bytes, "\x1b[{}H\x1b[{by}L", inserted + 1);
        inserted
    }

    /// What the terminal does with it.
    pub(super) fn apply(&self, shown: &mut Buffer) {
        let width = usize::from(shown.area.width);
        let cells = &mut shown.content[self.region.start * width..self.region.end * width];
        let distance = self.by * width;
        let fresh = if self.down {
            cells.rotate_right(distance);
            &mut cells[..distance]
        } else {
            cells.rotate_left(distance);
            let kept = cells.len() - distance;
            &mut cells[kept..]
        };
        fresh.fill(Cell::EMPTY);
    }
}

/// The longest runs of lines that stand `by` lines further on in `wanted`, with the cells that each saves.
fn moves(shown: &Buffer, wanted: &Buffer, by: usize, down: bool) -> Vec<(usize, Scroll)> {
    let height = usize::from(shown.area.height);
    let moved = |line: usize| {
        let (from, to) = if down {
            (line, line + by)
        } else {
            (line + by, line)
        };
        row(shown, from) == row(wanted, to)
    };
    let mut found = Vec::new();
    let mut start = None;
    for line in 0..=height.saturating_sub(by) {
        match (start, line + by < height && moved(line)) {
            (None, true) => start = Some(line),
            (Some(first), false) => {
                let scroll = Scroll {
                    region: first..line + by,
                    by,
                    down,
                };
                found.push((saved(shown, wanted, &scroll), scroll));
                start = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    found
}

/// How many cells need not be drawn thanks to a move: those that differ now where the moved lines will stand.
fn saved(shown: &Buffer, wanted: &Buffer, scroll: &Scroll) -> usize {
    let Range { start, end } = scroll.region;
    let lines = if scroll.down {
        start + scroll.by..end
    } else {
        start..end - scroll.by
    };
    lines
        .flat_map(|line| row(shown, line).iter().zip(row(wanted, line)))
        .filter(|(shown, wanted)| shown != wanted)
        .count()
}

/// The cells of a line.
pub(super) fn row(buffer: &Buffer, line: usize) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    &buffer.content[line * width..(line + 1) * width]
}
