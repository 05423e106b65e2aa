//! The alarm that nobody has acknowledged: always in the same place, whatever else is on the screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::text::fit;
use super::{Look, Picture};
use crate::app::words;

const HINT: &str = "  a acknowledge";

/// Draws it, if there is one. It covers what stands there.
pub(super) fn draw(picture: &Picture, frame: &mut Frame<'_>, area: Rect) {
    let look = &picture.look;
    let width = usize::from(area.width);
    let texts = words::alarms(&picture.machine, &picture.watch, &picture.times);
    let Some(shortest) = texts.last().filter(|_| area.height > 0) else {
        return;
    };
    let hint = if width >= shortest.len() + 3 + HINT.len() {
        HINT
    } else {
        ""
    };
    let room = width.saturating_sub(hint.len() + 4);
    let text = texts
        .iter()
        .find(|text| text.chars().count() <= room)
        .unwrap_or(shortest);
    let line = Line::from(vec![
        Span::styled(
            format!(" {} {} ", Look::alarm_mark(), fit(text, room)),
            look.banner(),
        ),
        Span::styled(hint.get(..3).unwrap_or_default(), look.key()),
        Span::styled(hint.get(3..).unwrap_or_default(), look.dim()),
    ]);
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(line), area);
}
