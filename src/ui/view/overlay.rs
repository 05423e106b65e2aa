//! What lies over the lowest lines of the screen: the help, or a test of colours and bell.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{HIGH, Picture, help, put, self_test, sensors, title};

/// Its lines, and where they are.
pub(super) struct Overlay {
    lines: Vec<Line<'static>>,
    /// The first line that is shown.
    first: usize,
    place: Rect,
}

impl Overlay {
    /// What lies over a screen, if anything does. A test lies over the help as well.
    pub(super) fn of(picture: &Picture, area: Rect) -> Option<Self> {
        let (mut lines, first) = if picture.controls.is_test() {
            (self_test::lines(picture, area), 0)
        } else {
            let first = picture.controls.help()?;
            (help::lines(picture, area), first)
        };
        let place = place(picture, area, lines.len());
        if picture.controls.is_test() {
            // It does not scroll: any key ends it.
            lines.truncate(usize::from(place.height));
        }
        Some(Self { lines, first, place })
    }

    /// The lines that it covers.
    pub(super) const fn place(&self) -> Rect {
        self.place
    }

    /// Puts it over these rows, from its first line on, and says if there is more.
    pub(super) fn put(self, picture: &Picture, area: Rect, rows: &mut [Line<'static>]) {
        if sensors::fill(picture, area) {
            // It covers all rows: how many sensors are OK and KO is said above it.
            let top = Rect {
                height: 1.min(area.height),
                ..area
            };
            put(rows, top, [title::line(picture, top)]);
        }
        let room = usize::from(self.place.height);
        let first = self.first.min(self.lines.len().saturating_sub(room));
        let below = self.lines.len().saturating_sub(first + room);
        let mut lines: Vec<_> = self.lines.into_iter().skip(first).take(room).collect();
        if let (Some(last), true) = (lines.last_mut(), below > 0) {
            *last = Line::styled(format!("  {} more: Down", below + 1), picture.theme.waiting());
        }
        put(rows, self.place, lines);
    }
}

/// Where so many lines lie: the lowest ones but the footer, and never over the title and the banner. At full
/// width, so that no word behind them is cut in two.
pub(super) fn place(picture: &Picture, area: Rect, lines: usize) -> Rect {
    let height = u16::try_from(lines).unwrap_or(u16::MAX).min(room(picture, area));
    Rect {
        y: area.y + area.height.saturating_sub(height + footer(picture, area)),
        height,
        ..area
    }
}

/// How many lines there are for it.
pub(super) fn room(picture: &Picture, area: Rect) -> u16 {
    let above = if area.height >= HIGH { 2 } else { 1 };
    area.height.saturating_sub(above + footer(picture, area))
}

/// How many lines the keys have below it: none where the sensors alone fill the window.
fn footer(picture: &Picture, area: Rect) -> u16 {
    u16::from(!sensors::fill(picture, area))
}
