//! What is wrong, since when, and what happens next.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::text::wrap;
use super::{Look, Picture};
use crate::app::words;

/// One trouble after the other, each broken at words to what the window is wide.
pub(super) fn lines(picture: &Picture, area: Rect) -> Vec<Line<'static>> {
    let look = &picture.look;
    let width = usize::from(area.width).saturating_sub(4);
    let mut lines = Vec::new();
    for trouble in words::troubles(&picture.machine, &picture.url, &picture.times) {
        for (number, part) in wrap(&look.plain_text(&trouble), width).into_iter().enumerate() {
            let mark = if number == 0 { Look::alarm_mark() } else { " " };
            lines.push(Line::styled(format!(" {mark} {part}"), look.alarm()));
        }
    }
    lines
}

/// Keeps so many lines; the last one says if there was more.
pub(super) fn cut(lines: &mut Vec<Line<'static>>, most: usize, area: Rect) {
    if lines.len() <= most {
        return;
    }
    lines.truncate(most);
    if let Some(last) = lines.last_mut() {
        let room = usize::from(area.width).saturating_sub(3);
        let text: String = last.to_string().chars().take(room).collect();
        *last = Line::styled(format!("{text} .."), last.style);
    }
}
