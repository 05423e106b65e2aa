//! Help over the screen: every key, and what the words mean.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::Picture;
use crate::machine::Role;
use crate::sensor::Card;

/// Draws it over what is there, but for the title and the sensors where the window is high enough.
pub(super) fn draw(picture: &Picture, frame: &mut Frame<'_>, area: Rect) {
    let look = &picture.look;
    let mut rows: Vec<(&str, &str)> = match picture.machine.role() {
        Role::Monitor(Card::One) => vec![("1 2 3", "toggle the sensor")],
        Role::Monitor(Card::Two) => vec![("4 5 6", "toggle the sensor")],
        Role::Display => Vec::new(),
    };
    if picture.machine.role() != Role::Display {
        rows.push(("p", "publish the present state again"));
    }
    rows.push(("?", "open and close this help"));
    rows.push(("Esc", "close this help"));
    rows.push(("q  Ctrl-C", "close this help, or quit"));
    rows.push(("Ctrl-Z", "stop; `fg` goes on"));
    let words: &[(&str, &str)] = match picture.machine.role() {
        Role::Monitor(_) => &[
            ("SENDING", "on its way to file and broker"),
            ("SAVED", "in this board's file and broker"),
            ("CONFIRMED", "the other board has shown it"),
            ("LIVE", "what its owner says now"),
            ("HELD", "last known: a link is broken"),
        ],
        Role::Display => &[
            ("LIVE", "what its owner says now"),
            ("HELD", "last known: a link is broken"),
            ("UNKNOWN", "nobody has said it yet"),
        ],
    };
    let line = |(key, what): &(&'static str, &'static str)| {
        Line::from(vec![
            Span::styled(format!("  {key:<11}"), look.key()),
            Span::raw(format!("{what}  ")),
        ])
    };
    let mut lines: Vec<Line<'_>> = vec![Line::styled(
        look.rule().repeat(usize::from(area.width)),
        look.dim(),
    )];
    lines.extend(rows.iter().map(line));
    let room = usize::from(area.height).saturating_sub(1);
    if lines.len() + 1 + words.len() <= room {
        lines.push(Line::default());
    }
    lines.extend(words.iter().map(line));
    if lines.len() > room {
        // Each line counts: no rule.
        lines.remove(0);
    }
    let at = bottom(area, lines.len());
    frame.render_widget(Clear, at);
    frame.render_widget(Paragraph::new(lines), at);
}

/// The lowest lines but the footer, at full width, so that no word behind is cut in two.
fn bottom(area: Rect, height: usize) -> Rect {
    let height = u16::try_from(height).unwrap_or(u16::MAX);
    let [above, _footer] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(area);
    let [_rest, at] = Layout::vertical([Constraint::Min(0), Constraint::Length(height)]).areas(above);
    at
}
