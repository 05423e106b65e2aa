//! The alarm that nobody has acknowledged: always in the same place, whatever else is on the screen. In a
//! window that has no other line for it, it says instead that the owner is absent.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::text::{fit, width as columns};
use super::{Picture, Theme, problems};
use crate::text::words;

/// Its line, if there is one; it covers what stands there. `has_problems`: there is room elsewhere for what
/// is wrong.
pub(super) fn line(picture: &Picture, area: Rect, has_problems: bool) -> Option<Line<'static>> {
    let theme = &picture.theme;
    let width = usize::from(area.width);
    let absence = problems::absence(picture).filter(|_| !has_problems);
    let texts = absence.map_or_else(
        || words::alarms(&picture.view, &picture.alarms, &picture.times),
        Vec::from,
    );
    let shortest = texts.last().filter(|_| area.height > 0)?;
    let room = width.saturating_sub(4);
    let text = texts
        .iter()
        .find(|text| columns(text) <= room)
        .unwrap_or(shortest);
    let text = theme.plain_text(text);
    let text = format!(" {} {} ", Theme::alarm_mark(), fit(&text, room));
    // The text alone is set off, not the rest of the line: a bar across a wide window would be many bytes.
    Some(Line::from(Span::styled(text, theme.banner())))
}
