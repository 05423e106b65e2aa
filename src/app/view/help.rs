//! Help over the screen: every key, and what the words mean.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::{HIGH, Picture};
use crate::app::desk::{Hands, toggle_keys};
use crate::machine::Role;

/// From this width on keys and words stand beside each other.
const WIDE: u16 = 80;

/// Where it lies: the lowest lines but the footer, and never over the title and the banner of a high window. At full width, so that no word behind
/// it is cut in two.
pub(super) fn place(picture: &Picture, area: Rect) -> Rect {
    let above = if area.height >= HIGH { 2 } else { 0 };
    let room = area.height.saturating_sub(above + 1);
    let height = u16::try_from(lines(picture, area).len())
        .unwrap_or(u16::MAX)
        .min(room);
    Rect {
        y: area.y + area.height.saturating_sub(height + 1),
        height,
        ..area
    }
}

/// Draws it from its `first` line on, and says if there is more.
pub(super) fn draw(picture: &Picture, first: usize, frame: &mut Frame<'_>, area: Rect) {
    let all = lines(picture, frame.area());
    let rows = usize::from(area.height);
    let first = first.min(all.len().saturating_sub(rows));
    let below = all.len().saturating_sub(first + rows);
    let mut lines: Vec<Line<'_>> = all.into_iter().skip(first).take(rows).collect();
    if let (Some(last), true) = (lines.last_mut(), below > 0) {
        *last = Line::styled(format!("  {} more: Down", below + 1), picture.look.waiting());
    }
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines), area);
}

/// All of its lines.
pub(super) fn lines(picture: &Picture, area: Rect) -> Vec<Line<'static>> {
    let look = picture.look;
    let row = |(key, what): (&'static str, &'static str)| {
        Line::from(vec![
            Span::styled(format!(" {key:<10} "), look.key()),
            Span::raw(what),
        ])
    };
    let mut keys: Vec<_> = keys(picture).into_iter().map(row).collect();
    let words = words(picture).into_iter().map(row);
    if area.width >= WIDE {
        let column = usize::from(area.width) / 2;
        for (place, word) in words.enumerate() {
            if place == keys.len() {
                keys.push(Line::default());
            }
            let line = &mut keys[place];
            let gap = column.saturating_sub(line.width());
            line.push_span(Span::raw(" ".repeat(gap)));
            line.spans.extend(word.spans);
        }
    } else {
        keys.extend(words);
    }
    if area.height >= HIGH {
        // Where each line counts there is no rule.
        let rule = look.rule().repeat(usize::from(area.width));
        keys.insert(0, Line::styled(rule, look.dim()));
    }
    keys
}

/// Every key that does something here.
fn keys(picture: &Picture) -> Vec<(&'static str, &'static str)> {
    let mut rows = Vec::new();
    if let Some(keys) = toggle_keys(picture.machine.role()) {
        if picture.desk.hands() != Hands::ReadOnly {
            rows.push((keys, "toggle the sensor"));
            rows.push(("l", "lock and unlock toggling"));
        }
        rows.push(("p", "publish the state again"));
    }
    rows.extend([
        ("a", "acknowledge alarms and news"),
        ("Up Down", "newer and older events"),
        ("PgUp PgDn", "the same, by a page"),
        ("Home End", "newest and oldest event"),
        ("?", "open and close this help"),
        ("Esc", "close this help"),
        ("q Ctrl-C", "close this help, or quit"),
        ("Ctrl-Z", "stop; `fg` goes on"),
    ]);
    if picture.mouse {
        rows.push(("click", "toggle the sensor"));
        rows.push(("wheel", "newer and older events"));
    }
    rows
}

/// The words and signs of this screen.
fn words(picture: &Picture) -> Vec<(&'static str, &'static str)> {
    let look = &picture.look;
    let mut rows = Vec::new();
    if picture.machine.role() != Role::Display {
        rows.push(("SENDING", "on its way to file, broker"));
        rows.push(("SAVED", "in this board's file, broker"));
        rows.push(("CONFIRMED", "the other board has shown it"));
    }
    rows.extend([
        ("LIVE", "what its owner says now"),
        ("HELD", "last known: a link is broken"),
        ("UNKNOWN", "nobody has said it yet"),
        (look.new_mark(), "new since you acknowledged"),
        (look.history_mark(), "OK, then KO; wider: longer"),
    ]);
    if picture.machine.role() != Role::Display {
        rows.push((look.pressed_mark(), "your press was taken"));
    }
    rows
}
