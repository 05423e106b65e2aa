//! The last events, the newest on top; scrolled back, those from the one that the operator has stopped at.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Picture;
use super::text::fit;
use crate::app::words;

/// How many events an area holds, under its rule; a single line is an event without one.
pub(super) fn rows(area: Rect) -> usize {
    usize::from(area.height).saturating_sub(rules(area))
}

fn rules(area: Rect) -> usize {
    usize::from(area.height > 1)
}

/// Draws as many as the area holds, under a rule.
pub(super) fn draw(picture: &Picture, frame: &mut Frame<'_>, area: Rect) {
    if rows(area) == 0 {
        return;
    }
    let (machine, look, watch) = (&picture.machine, &picture.look, &picture.watch);
    let width = usize::from(area.width);
    let newest = machine.chronicle().noted();
    let oldest = newest + 1 - machine.chronicle().newest_first().count() as u64;
    // A page that has been forgotten meanwhile is followed by the oldest that is known.
    let top = picture.desk.log().unwrap_or(newest).max(oldest).min(newest);
    let numbered = machine.chronicle().newest_first().zip((oldest..=newest).rev());
    let events = numbered
        .filter(|(_, number)| *number <= top)
        .map(|(entry, number)| {
            let text = words::event(entry, machine.role(), machine.chain().home);
            let time = picture.times.at(entry.wall);
            let mark = if number > watch.acknowledged() {
                look.new_mark()
            } else {
                " "
            };
            Line::from(vec![
                Span::styled(format!("{mark}{time}  "), look.dim()),
                Span::raw(fit(&look.plain_text(&text), width.saturating_sub(time.len() + 3))),
            ])
        });
    let lines: Vec<Line<'_>> = std::iter::repeat_n(rule(picture, newest - top, width), rules(area))
        .chain(events)
        .take(usize::from(area.height))
        .collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// The line above, which says how many newer events there are.
fn rule(picture: &Picture, newer: u64, width: usize) -> Line<'static> {
    let look = &picture.look;
    if newer == 0 {
        return Line::styled(look.rule().repeat(width), look.dim());
    }
    let text = format!(" {newer} newer: Home ");
    let lead = width.saturating_sub(text.len()).min(2);
    Line::from(vec![
        Span::styled(look.rule().repeat(lead), look.dim()),
        Span::styled(text.clone(), look.waiting()),
        Span::styled(
            look.rule().repeat(width.saturating_sub(lead + text.len())),
            look.dim(),
        ),
    ])
}
