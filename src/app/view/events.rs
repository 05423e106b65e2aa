//! The last events, the newest on top.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Picture;
use crate::app::words;

/// Draws as many as the area holds, under a rule.
pub(super) fn draw(picture: &Picture, frame: &mut Frame<'_>, area: Rect) {
    if area.height < 2 {
        return;
    }
    let (machine, look) = (&picture.machine, &picture.look);
    let width = usize::from(area.width);
    let rule = Line::styled(look.rule().repeat(width), look.dim());
    let events = machine.chronicle().newest_first().map(|entry| {
        let text = words::event(entry, machine.role(), machine.chain().home);
        let time = picture.times.at(entry.wall);
        Line::from(vec![
            Span::styled(format!(" {time}  "), look.dim()),
            Span::raw(fit(&look.plain_text(&text), width.saturating_sub(time.len() + 3))),
        ])
    });
    let lines: Vec<Line<'_>> = std::iter::once(rule)
        .chain(events)
        .take(usize::from(area.height))
        .collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// A text of at most `width` columns: cut after a word, with a sign that there was more.
fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let cut: String = text.chars().take(width.saturating_sub(2)).collect();
    let whole = cut.rfind(' ').map_or(cut.as_str(), |end| &cut[..end]);
    format!("{} ..", whole.trim_end_matches([' ', ':', ',']))
}
