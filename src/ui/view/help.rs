//! Help over the screen: every key, and what the words mean.

mod short;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Widget as _};

use super::{HIGH, Picture, sensors, title};
use crate::machine::Role;
use crate::ui::controls::{ToggleMode, toggle_keys};

/// From this width on keys and words stand beside each other.
const WIDE: u16 = 80;

/// From this width on short keys and words stand beside each other; below it, below each other.
const NARROW: u16 = 40;

/// Where it lies: the lowest lines but the footer, and never over the title and the banner. At full width, so
/// that no word behind it is cut in two.
pub(super) fn place(picture: &Picture, area: Rect) -> Rect {
    let height = u16::try_from(lines(picture, area).len())
        .unwrap_or(u16::MAX)
        .min(room(picture, area));
    Rect {
        y: area.y + area.height.saturating_sub(height + footer(picture, area)),
        height,
        ..area
    }
}

/// How many lines there are for it.
fn room(picture: &Picture, area: Rect) -> u16 {
    let above = if area.height >= HIGH { 2 } else { 1 };
    area.height.saturating_sub(above + footer(picture, area))
}

/// How many lines the keys have below it: none where the sensors alone fill the window.
fn footer(picture: &Picture, area: Rect) -> u16 {
    u16::from(!sensors::fill(picture, area))
}

/// Draws it from its `first` line on, and says if there is more.
pub(super) fn draw(picture: &Picture, first: usize, buffer: &mut Buffer, area: Rect) {
    if sensors::fill(picture, buffer.area) {
        // It covers all rows: how many sensors are OK and KO is said above it.
        let top = Rect {
            height: 1.min(buffer.area.height),
            ..buffer.area
        };
        Clear.render(top, buffer);
        Paragraph::new(title::line(picture, top)).render(top, buffer);
    }
    let all = lines(picture, buffer.area);
    let rows = usize::from(area.height);
    let first = first.min(all.len().saturating_sub(rows));
    let below = all.len().saturating_sub(first + rows);
    let mut lines: Vec<Line<'_>> = all.into_iter().skip(first).take(rows).collect();
    if let (Some(last), true) = (lines.last_mut(), below > 0) {
        *last = Line::styled(format!("  {} more: Down", below + 1), picture.theme.waiting());
    }
    Clear.render(area, buffer);
    Paragraph::new(lines).render(area, buffer);
}

/// All of its lines: in full where there is room for them, else in a few words, so that keys and words are
/// still seen together.
pub(super) fn lines(picture: &Picture, area: Rect) -> Vec<Line<'static>> {
    let theme = picture.theme;
    let full = |(key, what): (&'static str, &'static str)| {
        Line::from(vec![
            Span::styled(format!(" {key:<10} "), theme.key()),
            Span::raw(what),
        ])
    };
    let (mut all_keys, all_words) = (keys(picture), words(picture));
    if sensors::fill(picture, area) {
        // No line below says how to come back.
        let closes = all_keys.iter().position(|(key, _)| *key == "?").unwrap_or(0);
        all_keys[..=closes].rotate_right(1);
    }
    let below_each_other = all_keys.len() + all_words.len();
    let mut lines = if area.width >= WIDE {
        beside(all_keys, all_words, area, full)
    } else if area.width > NARROW && below_each_other <= usize::from(room(picture, area)) {
        all_keys.into_iter().chain(all_words).map(full).collect()
    } else {
        short::lines(picture, area)
    };
    if area.height >= HIGH {
        // Where each line counts there is no rule.
        let rule = theme.rule().repeat(usize::from(area.width));
        lines.insert(0, Line::styled(rule, theme.dim()));
    }
    lines
}

/// Keys in the left half, words in the right one.
fn beside<R>(
    keys: Vec<R>,
    words: Vec<R>,
    area: Rect,
    row: impl Fn(R) -> Line<'static>,
) -> Vec<Line<'static>> {
    let column = usize::from(area.width) / 2;
    let mut lines: Vec<_> = keys.into_iter().map(&row).collect();
    for (place, word) in words.into_iter().enumerate() {
        if place == lines.len() {
            lines.push(Line::default());
        }
        let line = &mut lines[place];
        let gap = column.saturating_sub(line.width());
        line.push_span(Span::raw(" ".repeat(gap)));
        line.spans.extend(row(word).spans);
    }
    lines
}

/// Every key that does something here.
fn keys(picture: &Picture) -> Vec<(&'static str, &'static str)> {
    let mut rows = Vec::new();
    if let Some(keys) = toggle_keys(picture.view.role) {
        if picture.controls.toggle_mode() != ToggleMode::ReadOnly {
            rows.push((keys, "toggle the sensor"));
            rows.push(("l", "lock and unlock toggling"));
        }
        rows.push(("p", "publish the state again"));
    }
    if picture.elsewhere.is_some() {
        rows.push(("o", "run it here, if it has ended"));
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
        if matches!(
            picture.controls.toggle_mode(),
            ToggleMode::Free | ToggleMode::Locked
        ) {
            rows.push(("click", "toggle the sensor"));
        }
        rows.push(("wheel", "newer and older events"));
    }
    rows
}

/// The words and signs of this screen.
fn words(picture: &Picture) -> Vec<(&'static str, &'static str)> {
    let theme = &picture.theme;
    let mut rows = Vec::new();
    if picture.view.role != Role::Display {
        rows.push(("SENDING", "on its way to file, broker"));
        rows.push(("SAVED", "in this board's file, broker"));
        rows.push(("CONFIRMED", "the other board has it"));
    }
    rows.extend([
        ("LIVE", "what its owner says now"),
        ("HELD", "last known: a link is broken"),
        ("UNKNOWN", "nobody has said it yet"),
        (theme.new_mark(), "new since you acknowledged"),
        (theme.history_mark(), "OK, then KO; wider: longer"),
    ]);
    if picture.view.role != Role::Display {
        rows.push((theme.pressed_mark(), "your press was taken"));
    }
    rows
}
