//! Help over the screen: every key, and what the words mean.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::Picture;
use crate::machine::Role;
use crate::sensor::Card;

/// Draws it in the middle, over what is there.
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
    let mut lines: Vec<Line<'_>> = rows.iter().map(line).collect();
    lines.push(Line::default());
    lines.extend(words.iter().map(line));
    let width = lines.iter().map(Line::width).max().unwrap_or(0);
    let at = middle(area, width, lines.len() + 2);
    let rule = look.rule().repeat(usize::from(at.width));
    lines.insert(0, Line::styled(rule.clone(), look.dim()));
    lines.push(Line::styled(rule, look.dim()));
    frame.render_widget(Clear, at);
    frame.render_widget(Paragraph::new(lines), at);
}

fn middle(area: Rect, width: usize, height: usize) -> Rect {
    let length = |cells| Constraint::Length(u16::try_from(cells).unwrap_or(u16::MAX));
    let [at] = Layout::horizontal([length(width)]).flex(Flex::Center).areas(area);
    let [at] = Layout::vertical([length(height)]).flex(Flex::Center).areas(at);
    at
}
