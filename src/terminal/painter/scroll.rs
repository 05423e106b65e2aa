//! Lines that have moved: a terminal moves them itself, for a few bytes.

use std::io::Write;
use std::iter;
use std::ops::Range;

use ratatui::text::Line;

use super::frame_diff::Row;

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
    pub(super) fn between(shown: &[Row], wanted: &[Line<'_>]) -> Option<Self> {
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

    /// Where the line stood that stands here afterwards; `None` if it is inserted.
    pub(super) fn origin(&self, line: usize) -> Option<usize> {
        let Range { start, end } = self.region;
        match (line, self.down) {
            (line, _) if !self.region.contains(&line) => Some(line),
            (line, true) => line.checked_sub(self.by).filter(|from| *from >= start),
            (line, false) => Some(line + self.by).filter(|from| *from < end),
        }
    }

    /// What the terminal does with it.
    pub(super) fn apply(&self, rows: &mut [Row], blank: &Row) {
        let rows = &mut rows[self.region.clone()];
        let inserted = if self.down {
            rows.rotate_right(self.by);
            &mut rows[..self.by]
        } else {
            rows.rotate_left(self.by);
            let kept = rows.len() - self.by;
            &mut rows[kept..]
        };
        inserted.fill(blank.clone());
    }
}

/// The longest runs of lines that stand `by` lines further on in `wanted`, with the cells that each saves.
fn moves(shown: &[Row], wanted: &[Line<'_>], by: usize, down: bool) -> Vec<(usize, Scroll)> {
    let height = shown.len();
    let moved = |line: usize| {
        let (from, to) = if down {
            (line, line + by)
        } else {
            (line + by, line)
        };
        shown[from].line == wanted[to]
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

/// How many characters need not be drawn thanks to a move: those that differ now where the moved lines will
/// stand.
fn saved(shown: &[Row], wanted: &[Line<'_>], scroll: &Scroll) -> usize {
    let Range { start, end } = scroll.region;
    let lines = if scroll.down {
        start + scroll.by..end
    } else {
        start..end - scroll.by
    };
    lines
        .map(|line| differing(&shown[line].line, &wanted[line]))
        .sum()
}

fn differing(shown: &Line<'_>, wanted: &Line<'_>) -> usize {
    if shown == wanted {
        return 0;
    }
    let [mut shown, mut wanted] = [shown, wanted].map(|line| {
        let spans = line.spans.iter();
        spans.flat_map(|span| span.content.chars().map(|letter| (letter, span.style)))
    });
    iter::from_fn(|| match (shown.next(), wanted.next()) {
        (None, None) => None,
        (shown, wanted) => Some(shown != wanted),
    })
    .filter(|differ| *differ)
    .count()
}
